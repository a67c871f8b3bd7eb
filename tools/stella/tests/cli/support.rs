//! Running the command, and ledgers to run it on.

use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// The command, without what the surroundings would tell it.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("STELLA_") {
            command.env_remove(name);
        }
    }
    command.env("XDG_CONFIG_HOME", "/dev/null");
    command
}

/// What one run answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts the exit code, and that an error names its reason.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, reason: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(
            self.stderr.contains(reason) || self.stdout.contains(reason),
            "no {reason} in {self:?}"
        );
    }

    #[track_caller]
    pub(crate) fn good(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let answer = self.good();
        serde_json::from_str(&answer.stdout)
            .unwrap_or_else(|problem| panic!("{problem}: {}", answer.stdout))
    }
}

/// Runs the command in a folder.
pub(crate) fn run_in(folder: &Path, arguments: &[&str]) -> Answer {
    Answer::of(
        &command()
            .current_dir(folder)
            .args(arguments)
            .output()
            .unwrap(),
    )
}

/// A ledger that the quick start made.
pub(crate) struct Example {
    pub(crate) folder: TempDir,
    pub(crate) answer: Value,
}

impl Example {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let answer = run_in(folder.path(), &["quickstart", "--format", "json"]).json();
        Self { folder, answer }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The ledger's directory.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.path().join(self.text("dataDir"))
    }

    pub(crate) fn text(&self, member: &str) -> &str {
        self.answer[member].as_str().unwrap()
    }

    /// Runs a command on the ledger.
    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        let mut all = vec!["--data-dir", self.text("dataDir")];
        all.extend(arguments);
        run_in(self.path(), &all)
    }

    /// What a command on the ledger answers to programs.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--format", "json"]].concat())
            .json()
    }

    /// A copy of the ledger's directory under another name, to damage.
    pub(crate) fn copy(&self, name: &str) -> PathBuf {
        let copy = self.path().join(name);
        copy_folder(&self.ledger(), &copy);
        copy
    }
}

/// `stella serve --dev` on a port of its own; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Serves `ledger` below a folder.
    pub(crate) fn start(folder: &Path, ledger: &str) -> Self {
        Self::start_at(folder, ledger, "127.0.0.1:0")
    }

    /// Serves `ledger` below a folder, at an address of before.
    pub(crate) fn start_at(folder: &Path, ledger: &str, address: &str) -> Self {
        let mut child = command()
            .current_dir(folder)
            .args(["serve", "--dev", "--data-dir", ledger])
            .args(["--listen", address])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut told)
            .unwrap();
        let url = told.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(url.starts_with("http://"), "{told}");
        Self { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A signal that nothing can handle: as a crash.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file under a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The folder of real data beside the checkout, if this machine has it.
pub(crate) fn shared(part: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("STELLA_SHARED").map_or(beside, PathBuf::from);
    let path = folder.join(part);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: there is no {} here", path.display());
    None
}

/// A member of a document that is text.
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

/// Runs the command in a network namespace with nothing in it, where that is permitted.
pub(crate) fn without_network(folder: &Path, arguments: &[&str]) -> String {
    let permitted = Command::new("unshare").args(["-rn", "true"]).output();
    let mut run = if permitted.is_ok_and(|output| output.status.success()) {
        let mut run = Command::new("unshare");
        run.arg("-rn").arg(command().get_program());
        run
    } else {
        eprintln!("skipped: no namespace without network here");
        command()
    };
    let output = run.current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
