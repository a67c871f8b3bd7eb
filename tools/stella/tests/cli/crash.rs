//! Killing a submission at any moment, and going on.

use crate::support::{Example, command, run_in};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// How often a submission is killed, each time later by this.
const KILLS: u32 = 25;
const STEP: Duration = Duration::from_millis(6);

fn submit(folder: &Path, ledger: &str, sbom: &str) -> std::process::Command {
    let mut command = command();
    command
        .current_dir(folder)
        .args(["--data-dir", ledger, "scan", "submit", "--sbom", sbom])
        .args(["--format", "json"]);
    command
}

#[test]
fn a_killed_submission_is_finished_by_the_next_one_and_has_the_same_root() {
    let example = Example::new();
    let sbom = format!("{}/example/sbom.cdx.json", example.text("dataDir"));
    let june = example.ledger().join("example/june");
    for ledger in ["killed", "whole"] {
        let import = [
            "--data-dir",
            ledger,
            "snapshot",
            "import",
            june.to_str().unwrap(),
        ];
        run_in(example.path(), &import).good();
    }
    for kill in 1..=KILLS {
        let mut child = submit(example.path(), "killed", &sbom)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(STEP * kill);
        child.kill().unwrap();
        child.wait().unwrap();
        // What a crash left is whole each time, and nothing that was there is gone.
        run_in(example.path(), &["--data-dir", "killed", "ledger", "fsck"]).good();
    }
    let finish = |ledger: &str| {
        let output = submit(example.path(), ledger, &sbom).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let (killed, whole) = (finish("killed"), finish("whole"));
    for member in ["scanId", "manifestHash", "rootHash", "scoreBps"] {
        assert!(!killed[member].is_null(), "{member} is not in {killed}");
        assert_eq!(killed[member], whole[member], "{member}");
    }
    let proofs = ["proof", "list", "--format", "json", "--scan-id"];
    let scan = killed["scanId"].as_str().unwrap();
    let listed = run_in(
        example.path(),
        &[&["--data-dir", "killed"], &proofs[..], &[scan]].concat(),
    );
    let listed = listed.json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "sealed once: {listed}");
}
