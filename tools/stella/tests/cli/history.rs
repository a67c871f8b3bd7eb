//! The ledger at any point of its history (`--at`), how far it is, and its registry of snapshots.

use crate::support::{Example, run_in, text, without_network};
use serde_json::Value;

#[test]
fn history_is_asked_and_folded_at_any_point() {
    let example = Example::new();
    let json = |arguments: &[&str]| example.json(arguments);
    let scan = example.text("scanId");
    let now = json(&["scan", "status", "--scan-id", scan]);
    let size = now["treeSize"].as_u64().unwrap();
    // The first score's seal, and everything before it.
    let proofs = json(&["proof", "list", "--scan-id", scan]);
    let first = proofs[0]["leafIndex"].as_u64().unwrap() + 1;
    let at = first.to_string();
    let then = json(&["scan", "status", "--scan-id", scan, "--at", &at]);
    assert_eq!(text(&then, "rootHash"), example.text("rootHash"));
    assert_ne!(then["rootHash"], now["rootHash"]);
    assert_eq!(
        json(&["scan", "list", "--at", "1"])
            .as_array()
            .unwrap()
            .len(),
        0
    );
    assert_eq!(
        json(&["scan", "list", "--at", "1999-12-31"])
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let listed = json(&["snapshot", "list", "--kind", "feed", "--at", &at]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["current"], true);

    let with = |package: &str| {
        let listed = json(&["scan", "list", "--package", package]);
        listed.as_array().unwrap().len()
    };
    assert_eq!(
        (with("pkg:cargo/serde"), with("pkg:cargo/not-there@1")),
        (1, 0)
    );

    let past = json(&["ledger", "rebuild", "--at", &at]);
    assert_eq!(past["treeSize"].as_u64(), Some(first));
    // The live projections are whole, and folding them again gives the same digest.
    example
        .run(&["ledger", "checkpoint", "--output", "now.note"])
        .good();
    let whole = json(&["ledger", "rebuild", "--at", "now.note"]);
    assert_eq!(whole["treeSize"].as_u64(), Some(size));
    json(&["ledger", "rebuild"]);
    assert_eq!(json(&["ledger", "rebuild", "--at", "now.note"]), whole);
    assert_eq!(json(&["ledger", "rebuild", "--at", &at]), past);
    assert!(!example.ledger().join("index-at").join(&at).exists());
    example
        .run(&["ledger", "rebuild", "--at", "999999"])
        .refused(5, "BEYOND_TREE_SIZE");
    example
        .run(&["ledger", "rebuild", "--at", "yesterday"])
        .refused(2, "neither a size nor a time");
    let events = json(&["ledger", "events", "--at", &at, "--limit", "9999"]);
    assert_eq!(events.as_array().unwrap().len() as u64, first);
    // The older name of the option.
    assert_eq!(
        json(&["ledger", "events", "--tree-size", &at, "--limit", "9999"]),
        events
    );
}

#[test]
fn what_came_later_is_not_there_then() {
    let example = Example::new();
    let json = |arguments: &[&str]| example.json(arguments);
    let scan = example.text("scanId");
    let now = json(&["scan", "status", "--scan-id", scan]);
    // The first score's seal, and everything before it.
    let proofs = json(&["proof", "list", "--scan-id", scan]);
    let at = (proofs[0]["leafIndex"].as_u64().unwrap() + 1).to_string();
    // The second feed came later, and so did all that can be asked of it.
    let snapshots = example.answer["snapshots"].as_array().unwrap();
    let june = snapshots[0].as_str().unwrap();
    let september = snapshots[1].as_str().unwrap();
    let policies = json(&["snapshot", "list", "--kind", "policy", "--at", &at]);
    let policy = text(&policies[0], "hash");
    let prove = [
        "snapshot",
        "prove",
        "--package",
        "pkg:cargo/h2",
        "-o",
        "p.json",
    ];
    let root = now["rootHash"].as_str().unwrap();
    for (query, reason) in [
        (
            vec!["snapshot", "show", september],
            "SNAPSHOT_NOT_FOUND|POLICY_NOT_FOUND",
        ),
        (
            vec!["snapshot", "diff", june, september],
            "SNAPSHOT_NOT_FOUND|POLICY_NOT_FOUND",
        ),
        (
            [&prove[..], &["--snapshot", september]].concat(),
            "SNAPSHOT_NOT_FOUND",
        ),
        (
            vec!["score", "explain", "--scan-id", scan, "--root-hash", root],
            "PROOF_NOT_FOUND",
        ),
    ] {
        let asked = [&query[..], &["--at", &at]].concat();
        let answer = example.run(&asked);
        let mut reasons = reason.split('|');
        assert!(
            reasons.any(|reason| answer.stderr.contains(reason)),
            "{asked:?}: {}",
            answer.stderr
        );
        example.run(&query).good();
    }
    let shown = json(&["snapshot", "show", june, "--at", &at]);
    assert_eq!(
        (&shown["current"], &shown["hash"]),
        (&true.into(), &june.into())
    );
    assert_eq!(json(&["snapshot", "show", june])["current"], false);
    let shown = json(&["snapshot", "show", policy, "--at", &at]);
    assert_eq!(text(&shown, "kind"), "policy");
    let proved = json(&[&prove[..], &["--at", &at]].concat());
    assert_eq!(text(&proved, "snapshot"), june);
    assert_eq!(text(&json(&prove), "snapshot"), september);
}

#[test]
fn a_ledger_says_what_it_is_and_how_far_it_is() {
    let example = Example::new();
    let status = example.run(&["ledger", "status", "--format", "json"]);
    let status = status.json();
    let checkpoint = example.run(&["ledger", "checkpoint", "--format", "json"]);
    let checkpoint = checkpoint.json();
    for member in ["origin", "treeSize", "rootHash"] {
        assert_eq!(status[member], checkpoint[member], "{member}");
    }
    let projections = &status["projections"];
    assert_eq!(projections["appliedSize"], status["treeSize"]);
    assert_eq!(
        (&projections["lag"], &projections["refolding"]),
        (&0.into(), &false.into())
    );
    assert!(projections["fault"].is_null());
    assert!(status["checkpoint"]["ageMs"].is_u64() && status["checkpoint"]["time"].is_string());
    for part in ["log", "index", "blobs"] {
        assert!(status["bytesOnDisk"][part].as_u64().unwrap() > 0, "{part}");
    }
    // The ids are those that signatures carry.
    let vkey = text(&status["logKey"], "vkey");
    assert!(vkey.contains(&format!("+{}+", text(&status["logKey"], "id"))));
    assert!(!text(&status["signingKey"], "id").is_empty());
    let words = example.run(&["ledger", "status"]).good();
    assert!(words.stdout.contains("up to date"), "{}", words.stdout);
}

#[test]
fn the_registry_is_listed_compared_and_proved() {
    let example = Example::new();
    let json = |arguments: &[&str]| example.json(arguments);
    let record = r#"{"id": "X-1", "modified": "2026-01-01T00:00:00Z", "affected": [
        {"package": {"ecosystem": "crates.io", "name": "extra"}, "versions": ["1.0.0"]}]}"#;
    std::fs::create_dir(example.path().join("extra")).unwrap();
    std::fs::write(example.path().join("extra/X-1.json"), record).unwrap();
    let snapshots = example.answer["snapshots"].as_array().unwrap();
    let (june, september) = (
        snapshots[0].as_str().unwrap(),
        snapshots[1].as_str().unwrap(),
    );
    let shown = json(&["snapshot", "show", june]);
    assert_eq!(text(&shown, "hash"), june);
    assert!(shown["tables"]["advisory"].as_u64().unwrap() > 0);
    let diff = json(&["snapshot", "diff", june, september]);
    assert!(!diff["rows"].as_array().unwrap().is_empty());
    let policies = json(&["snapshot", "list", "--kind", "policy"]);
    let policy = text(&policies[0], "hash");
    assert_eq!(json(&["snapshot", "publish", policy])["current"], true);
    assert!(json(&["snapshot", "show", policy])["policy"]["rules"].is_array());

    for used in [june, september] {
        let refused = example.run(&["snapshot", "remove", used]);
        refused.refused(1, "SNAPSHOT_IN_USE");
    }
    let extra = json(&["snapshot", "import", "--no-publish", "--osv", "extra"]);
    let extra = text(&extra, "hash");
    for existing in [false, true] {
        let removed = json(&["snapshot", "remove", extra]);
        assert_eq!(
            (&removed["removed"], &removed["existing"]),
            (&true.into(), &existing.into())
        );
    }
    example
        .run(&["snapshot", "show", extra])
        .refused(5, "SNAPSHOT_REMOVED");
    example.run(&["ledger", "fsck"]).good();

    let package = diff["rows"][0]["package"].as_str().unwrap();
    let purl = format!("pkg:cargo/{package}");
    let prove = [
        "snapshot",
        "prove",
        "--package",
        &purl,
        "--snapshot",
        june,
        "-o",
        "proof.json",
    ];
    let proved = json(&prove);
    let verify = ["snapshot", "verify-proof", "proof.json", "--snapshot", june];
    let answer = without_network(
        example.path(),
        &[&verify[..], &["--format", "json"]].concat(),
    );
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), proved);
    let other = [
        "snapshot",
        "verify-proof",
        "proof.json",
        "--snapshot",
        september,
    ];
    run_in(example.path(), &other).refused(3, "VERIFICATION_FAILED");
}
