//! Clients in other languages, generated from the checked-in contract, each in one conversation
//! with a real server. What they say is in `tests/clients/README.md`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and say what they skip"
)]

mod build;
mod server;

use server::Server;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The root that the example feed and the bill of `tests/clients` make: every client must see it.
const ROOT: &str = "sha256:3cbc9dafbccadbaa85d225f22fc2b9d6e366ed8e3dfb693cf50407c59d066f2b";

/// Toolchains download and compile: one after the other, so that a small machine gets through.
static TURN: Mutex<()> = Mutex::new(());

/// The checkout.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Holds the conversation of a language, if this machine has what it needs.
fn converse(language: &str, build: fn(&Path) -> Result<Command, String>) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // Kept between runs, like the rest of `target`: the second run is quick.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("clients")
        .join(language);
    std::fs::create_dir_all(&folder).unwrap();
    let mut client = match build(&folder) {
        Ok(client) => client,
        Err(missing) => {
            let required = std::env::var("STELLA_REQUIRE_PEERS").is_ok_and(|value| value == "1");
            assert!(!required, "STELLA_REQUIRE_PEERS=1, and {missing}");
            eprintln!("skipped: {missing}");
            return;
        }
    };
    let server = Server::start();
    let output = server.describe(&mut client).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{language}: {told}{complained}");
    let last = told.lines().last().unwrap_or_default();
    let said: serde_json::Value =
        serde_json::from_str(last).unwrap_or_else(|problem| panic!("{problem}: {told}"));
    assert_eq!(said["client"], language);
    assert_eq!(said["rootHash"], ROOT);
    assert!(said["nodes"].as_u64().unwrap() > 20, "{said}");
}

#[test]
fn python() {
    converse("python", build::python);
}

#[test]
fn go() {
    converse("go", build::go);
}

#[test]
fn node() {
    converse("node", build::node);
}

#[test]
fn java() {
    converse("java", build::java);
}
