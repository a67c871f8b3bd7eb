//! The server that a client talks to, and how it is told about it.

use crate::repository;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// Lines that `serve --dev` prints; the last of them sets the client's environment.
const ANNOUNCEMENT: usize = 3;

/// `stella serve --dev` in a directory of its own; killed when dropped.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    address: String,
    token: String,
    /// Kept open: the server may go on to write there.
    _told: BufReader<ChildStdout>,
}

fn stella(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
    for name in ["STELLA_SERVER", "STELLA_TOKEN"] {
        command.env_remove(name);
    }
    command.env("STELLA_DATA_DIR", folder.join("ledger"));
    command
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = stella(folder.path())
            .args(["serve", "--dev", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap());
        let mut announced = String::new();
        for _ in 0..ANNOUNCEMENT {
            told.read_line(&mut announced).unwrap();
        }
        let value = |name: &str| {
            let (_, rest) = announced
                .split_once(name)
                .unwrap_or_else(|| panic!("no {name} in {announced}"));
            rest.split_whitespace().next().unwrap().to_owned()
        };
        Self {
            address: value("STELLA_SERVER=http://"),
            token: value("STELLA_TOKEN="),
            child,
            folder,
            _told: told,
        }
    }

    /// Tells a client where the server is and whom to trust. The keys come from the server's
    /// directory, as an auditor gets them: not over the connection that they are to check.
    pub(crate) fn describe<'a>(&self, client: &'a mut Command) -> &'a mut Command {
        let key = |name: &str| {
            let shown = stella(self.folder.path())
                .args(["keys", "show", name, "--public"])
                .output()
                .unwrap();
            assert!(shown.status.success(), "{shown:?}");
            String::from_utf8(shown.stdout).unwrap()
        };
        let signing = self.folder.path().join("signing.pem");
        std::fs::write(&signing, key("signing")).unwrap();
        let repository = repository();
        client
            .env("STELLA_ADDRESS", &self.address)
            .env("STELLA_TOKEN", &self.token)
            .env("STELLA_LOG_KEY", key("log").trim())
            .env("STELLA_SIGNING_KEY", signing)
            .env("STELLA_FEED", repository.join("examples/feeds/june"))
            .env("STELLA_SBOM", repository.join("tests/clients/sbom.json"))
            .env("STELLA_PROTO", repository.join("proto"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
