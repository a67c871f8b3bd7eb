//! A verifier in another language, written from FORMATS.md alone, agrees on every vector.

use std::path::Path;
use std::process::Command;

/// Whether Python is there with the one package that the second verifier needs.
fn can_run() -> bool {
    Command::new("python3")
        .args([
            "-c",
            "import sys, cryptography; sys.exit(sys.version_info < (3, 11))",
        ])
        .output()
        .is_ok_and(|output| output.status.success())
}

#[test]
fn agrees_with_every_vector() {
    if !can_run() {
        println!("skipped: needs python3 (3.11 or later) with the package `cryptography`");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new("python3")
        .args(["tools/verify.py", "vectors", "tests/vectors"])
        .current_dir(root)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the second verifier disagrees:\n{told}{warned}"
    );
    println!("{told}{warned}");
}
