//! Generating and building each client below `target`.
//!
//! Every step answers with the command that runs the client, or says what this machine lacks. A
//! toolchain that is there and fails is an error of the test, not a reason to skip.

use crate::repository;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The part of the contract that a conversation needs.
const PROTOS: [(&str, &str); 7] = [
    ("stella/ledger/v1/event.proto", "ledger"),
    ("stella/ledger/v1/ledger.proto", "ledger"),
    ("stella/options/v1/http.proto", "options"),
    ("stella/proof/v1/proof.proto", "proofs"),
    ("stella/scan/v1/scan.proto", "scan"),
    ("stella/score/v1/score.proto", "score"),
    ("stella/snapshot/v1/snapshot.proto", "snapshot"),
];

/// The oldest Go whose `go.mod` may name tools and whose modules these are.
const GO: (u32, u32) = (1, 26);

fn source(language: &str) -> PathBuf {
    repository().join("tests/clients").join(language)
}

/// Whether a program answers at all.
fn there(program: &str, argument: &str) -> bool {
    let asked = Command::new(program).arg(argument).output();
    asked.is_ok_and(|output| output.status.success())
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Copies the sources of a client; those that are there already keep their times.
fn copy(language: &str, to: &Path) {
    for entry in fs::read_dir(source(language)).unwrap() {
        let entry = entry.unwrap();
        let (new, target) = (fs::read(entry.path()).unwrap(), to.join(entry.file_name()));
        if fs::read(&target).ok().as_ref() != Some(&new) {
            fs::write(target, new).unwrap();
        }
    }
}

/// Does `work` unless it was done with these very contents before: a mark says so.
fn once(mark: &Path, contents: &[u8], work: impl FnOnce()) {
    if fs::read(mark).ok().as_deref() == Some(contents) {
        return;
    }
    work();
    fs::write(mark, contents).unwrap();
}

/// Python with gRPC's tools, in an environment beside the clients. They bring protoc.
fn interpreter(clients: &Path) -> Result<PathBuf, String> {
    let probe = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))";
    let asked = Command::new("python3").args(["-c", probe]).output();
    if !asked.is_ok_and(|output| output.status.success()) {
        return Err(
            "there is no python3 (3.9 or later) that makes virtual environments".to_owned(),
        );
    }
    let folder = clients.join("python-environment");
    let python = folder.join("bin/python");
    let list = source("python").join("requirements.txt");
    once(
        &clients.join("python-environment.done"),
        &fs::read(&list).unwrap(),
        || {
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
            let install = ["-m", "pip", "install", "--quiet", "--requirement"];
            run(Command::new(&python).args(install).arg(&list));
        },
    );
    Ok(python)
}

/// protoc over the contract.
fn protoc(python: &Path) -> Command {
    let mut command = Command::new(python);
    command
        .args(["-m", "grpc_tools.protoc", "-I"])
        .arg(repository().join("proto"));
    command
}

fn protos() -> impl Iterator<Item = &'static str> {
    PROTOS.iter().map(|(path, _)| *path)
}

pub(crate) fn python(folder: &Path) -> Result<Command, String> {
    let python = interpreter(folder.parent().unwrap())?;
    let mut generate = protoc(&python);
    for kind in ["--python_out", "--grpc_python_out"] {
        generate.arg(format!("{kind}={}", folder.display()));
    }
    run(generate.args(protos()));
    copy("python", folder);
    let mut client = Command::new(python);
    client.arg(folder.join("conversation.py"));
    Ok(client)
}

pub(crate) fn go(folder: &Path) -> Result<Command, String> {
    let asked = Command::new("go").arg("version").output();
    let version = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let recent = version.is_ok_and(|text| version_of(&text).is_some_and(|found| found >= GO));
    if !recent {
        return Err(format!("there is no go ({}.{} or later)", GO.0, GO.1));
    }
    let python = interpreter(folder.parent().unwrap())?;
    copy("go", folder);
    let tools = folder.join("bin");
    let go = || {
        let mut command = Command::new("go");
        // What this machine has, so that a missing toolchain is said and not downloaded.
        command.current_dir(folder).env("GOTOOLCHAIN", "local");
        command
    };
    run(go().args(["install", "tool"]).env("GOBIN", &tools));
    let mut generate = protoc(&python);
    for kind in ["go", "go-grpc"] {
        let plugin = tools.join(format!("protoc-gen-{kind}"));
        generate.arg(format!("--plugin={}", plugin.display()));
        generate.arg(format!("--{kind}_out={}", folder.display()));
        generate.arg(format!("--{kind}_opt=module=conversation"));
        for (path, package) in PROTOS {
            generate.arg(format!("--{kind}_opt=M{path}=conversation/gen/{package}"));
        }
    }
    run(generate.args(protos()));
    run(go().args(["vet", "."]));
    run(go().args(["build", "-o", "conversation", "."]));
    Ok(Command::new(folder.join("conversation")))
}

/// `go version go1.26.8 linux/amd64` as (1, 26).
fn version_of(text: &str) -> Option<(u32, u32)> {
    let number = text.split_whitespace().nth(2)?.strip_prefix("go")?;
    let mut parts = number.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

pub(crate) fn node(folder: &Path) -> Result<Command, String> {
    for program in ["node", "npm"] {
        if !there(program, "--version") {
            return Err(format!("there is no {program}"));
        }
    }
    copy("node", folder);
    let wanted = fs::read(folder.join("package.json")).unwrap();
    once(&folder.join("installed"), &wanted, || {
        let install = ["install", "--no-audit", "--no-fund", "--silent"];
        run(Command::new("npm").args(install).current_dir(folder));
    });
    let mut client = Command::new("node");
    client.arg(folder.join("conversation.js"));
    Ok(client)
}

pub(crate) fn java(folder: &Path) -> Result<Command, String> {
    for (program, argument) in [("javac", "-version"), ("mvn", "--version")] {
        if !there(program, argument) {
            return Err(format!("there is no {program}"));
        }
    }
    copy("java", folder);
    let mut build = Command::new("mvn");
    build.args(["--batch-mode", "--quiet", "compile"]);
    build.arg(format!(
        "-Dstella.proto={}",
        repository().join("proto").display()
    ));
    build.arg(format!("-Dstella.source={}", source("java").display()));
    run(build.current_dir(folder));
    let target = folder.join("target");
    let libraries = fs::read_to_string(target.join("classpath")).unwrap();
    let mut client = Command::new("java");
    client.arg("-cp");
    client.arg(format!("{}:{libraries}", target.join("classes").display()));
    client.arg("Conversation");
    Ok(client)
}
