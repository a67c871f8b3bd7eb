//! Killing a submission at any moment, and going on.

use crate::support::{Answer, Example, Server, command, run_in};
use std::collections::BTreeSet;
use std::fs;
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

/// Scans in the batch that is killed, and how often it is.
const SCANS: usize = 60;
const BATCH_KILLS: u32 = 6;

#[test]
fn a_killed_batch_goes_on_where_it_was() {
    let example = Example::new();
    let folder = example.path();
    let feeds = example.ledger().join("example");
    let stella = |arguments: &[&str]| {
        let all = [&["--data-dir", "killed", "--format", "json"], arguments].concat();
        run_in(folder, &all)
    };
    let june = feeds.join("june");
    stella(&["snapshot", "import", june.to_str().unwrap()]).json();
    let mut scans = BTreeSet::new();
    for number in 0..SCANS {
        let sbom = serde_json::json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5",
            "components": [
                {"type": "library", "name": "h2", "version": "0.4.20", "purl": "pkg:cargo/h2@0.4.20"},
                {"type": "library", "name": "own", "version": format!("{number}.0.0")},
            ],
        });
        let name = format!("{number}.json");
        fs::write(folder.join(&name), sbom.to_string()).unwrap();
        let scan = stella(&["scan", "submit", "--sbom", &name]).json();
        scans.insert(scan["scanId"].as_str().unwrap().to_owned());
    }
    let september = feeds.join("september");
    stella(&["snapshot", "import", september.to_str().unwrap()]).json();
    let start = [
        "score",
        "replay",
        "--batch",
        "--detach",
        "--request-id",
        "night",
    ];
    let more = ["--max-concurrency", "2"];
    let mut name = String::new();
    for kill in 0..BATCH_KILLS {
        let server = Server::start(folder, "killed");
        // The same request each time: the batch that is there, never another one.
        let operation = remote(folder, &server, &[&start[..], &more[..]].concat()).json();
        let found = operation["name"].as_str().unwrap();
        assert!(name.is_empty() || name == found, "{name} and {found}");
        found.clone_into(&mut name);
        std::thread::sleep(STEP * kill);
    }
    let server = Server::start(folder, "killed");
    remote(folder, &server, &["score", "batch", "wait", &name]).good();
    let status = remote(folder, &server, &["score", "batch", "status", &name]).json();
    let results = status["results"].as_array().unwrap();
    let replayed: BTreeSet<String> = (results.iter())
        .map(|result| result["scanId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(results.len(), SCANS, "one result a scan: {status}");
    assert_eq!(replayed, scans);
    // What was sealed before a crash and had no result yet is found, compared or left as it is when
    // it is done again: not sealed twice, and never left out.
    for result in results {
        let status = result["status"].as_str().unwrap();
        assert!(
            ["computed", "verified", "unchanged"].contains(&status),
            "{result}"
        );
        let score = |member: &str| result[member].as_i64().unwrap();
        assert!(
            score("replayedScoreBps") > score("originalScoreBps"),
            "{result}"
        );
    }
    drop(server);
    stella(&["ledger", "fsck"]).good();
    // Each scan has its first root and one more, however often it was begun.
    let first = scans.first().unwrap();
    let proofs = stella(&["proof", "list", "--scan-id", first]).json();
    assert_eq!(proofs.as_array().unwrap().len(), 2);
}

fn remote(folder: &Path, server: &Server, arguments: &[&str]) -> Answer {
    let token = fs::read_to_string(folder.join("killed/dev-token")).unwrap();
    let token = token.trim().to_owned();
    let place = [
        "--server",
        &server.url,
        "--token",
        &token,
        "--format",
        "json",
    ];
    run_in(folder, &[&place[..], arguments].concat())
}
