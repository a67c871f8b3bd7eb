//! A verifier in another language, written from FORMATS.md alone, agrees on every vector.

use std::path::Path;
use std::process::{Command, Output};

/// Set where a missing peer is a failure and no reason to skip.
const REQUIRE_PEERS: &str = "STELLA_REQUIRE_PEERS";

/// Whether Python is there with the one package that the second verifier needs; says so when it is
/// not, and fails where it must be.
pub(crate) fn can_run() -> bool {
    let there = Command::new("python3")
        .args([
            "-c",
            "import sys, cryptography; sys.exit(sys.version_info < (3, 11))",
        ])
        .output()
        .is_ok_and(|output| output.status.success());
    let required = std::env::var(REQUIRE_PEERS).is_ok_and(|value| value == "1");
    assert!(
        there || !required,
        "{REQUIRE_PEERS}=1, and there is no python3 (3.11 or later) with the package `cryptography`"
    );
    if !there {
        println!("skipped: needs python3 (3.11 or later) with the package `cryptography`");
    }
    there
}

/// Runs the second verifier with the repository as its working directory.
pub(crate) fn run(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Command::new("python3")
        .arg("tools/verify.py")
        .args(arguments)
        .current_dir(root)
        .output()
        .unwrap()
}

#[test]
fn agrees_with_every_vector() {
    if !can_run() {
        return;
    }
    let output = run(&["vectors", "tests/vectors"]);
    let told = String::from_utf8_lossy(&output.stdout);
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the second verifier disagrees:\n{told}{warned}"
    );
    println!("{told}{warned}");
}
