//! Sections 2 and 5.1 of the operators' runbook: replays, one and many, with and without a ledger.

use crate::support::{Example, files, run_in, shared, text, without_network};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn a_score_is_replayed_compared_and_looked_at_as_operators_do() {
    let example = Example::new();
    let json = |arguments: &[&str]| example.json(arguments);
    let scan = example.text("scanId");
    let replayed = text(&example.answer["replay"], "rootHash");
    let snapshots: Vec<&str> = (example.answer["snapshots"].as_array().unwrap().iter())
        .map(|hash| hash.as_str().unwrap())
        .collect();

    let scans = json(&["scan", "list", "--since", "7d"]);
    assert_eq!(scans[0]["scanId"], scan);
    assert_eq!(
        json(&["scan", "status", "--scan-id", scan])["rootHash"],
        replayed
    );
    let quiet = example
        .run(&["score", "replay", "--scan-id", scan, "--quiet"])
        .good();
    assert!(quiet.stdout.is_empty(), "{quiet:?}");

    let current = json(&["score", "replay", "--scan-id", scan]);
    assert_eq!(current["status"], "verified");
    assert_eq!(current["scoreProof"]["rootHash"], replayed);
    let named = [
        "score",
        "replay",
        "--scan-id",
        scan,
        "--feed-snapshot",
        snapshots[0],
    ];
    assert_eq!(
        json(&named)["scoreProof"]["rootHash"],
        example.text("rootHash")
    );
    let original = json(&[
        "score",
        "replay",
        "--scan-id",
        scan,
        "--use-original-snapshots",
    ]);
    assert_eq!(original["scoreProof"]["rootHash"], example.text("rootHash"));
    assert_eq!(original["scoreProof"]["verifiedEqual"], true);
    let skipped = json(&["score", "replay", "--scan-id", scan, "--skip-unchanged"]);
    assert_eq!(skipped["status"], "unchanged");
    let dry = json(&["score", "replay", "--scan-id", scan, "--dry-run"]);
    assert_eq!(dry["status"], "dry-run");

    let manifest = json(&["score", "manifest", "--scan-id", scan]);
    assert_eq!(text(&manifest, "concelierSnapshotHash"), snapshots[0]);
    let inputs = json(&["score", "inputs", "--scan-id", scan, "--hash"]);
    let hashes: BTreeMap<&str, &str> = (inputs.as_array().unwrap().iter())
        .map(|row| (text(row, "input"), text(row, "hash")))
        .collect();
    assert_eq!(hashes["feed"], snapshots[0]);
    assert_eq!(hashes["manifest"], example.text("manifestHash"));

    let diff = json(&[
        "score",
        "diff",
        "--scan-id",
        scan,
        "--original",
        "--replayed",
    ]);
    explains(&diff);
    let with = json(&["score", "replay", "--scan-id", scan, "--diff"]);
    assert_eq!(with["diff"], diff);
    for drawing in ["table", "mermaid", "dot"] {
        let drawn = ["score", "diff", "--scan-id", scan, "--as", drawing];
        let drawn = example.run(&drawn).good().stdout;
        assert!(drawn.contains("feed"), "{drawing}: {drawn}");
    }
}

/// The rows add up, and the feed's change is told by its rows.
fn explains(diff: &Value) {
    let rows = diff["rows"].as_array().unwrap();
    let sum: i64 = rows
        .iter()
        .map(|row| row["deltaBps"].as_i64().unwrap())
        .sum();
    assert_eq!(diff["deltaBps"].as_i64(), Some(sum));
    for row in rows {
        let change = |rule: &Value| {
            let bps = |member: &str| rule[member].as_i64().unwrap_or(0);
            bps("newDeltaBps") - bps("oldDeltaBps")
        };
        let by_rule: i64 = row["rules"].as_array().unwrap().iter().map(change).sum();
        let total = |member: &str| row[member].as_i64().unwrap_or(0);
        if row["change"] != "scan-rule" {
            assert_eq!(
                by_rule,
                total("newTotalBps") - total("oldTotalBps"),
                "{row}"
            );
        }
    }
    let feed = &diff["inputs"][0];
    assert_eq!(feed["name"], "feed");
    assert!(!feed["totals"].as_array().unwrap().is_empty());
    assert!(!feed["rows"].as_array().unwrap().is_empty(), "{feed}");
}

#[test]
fn a_replayable_bundle_is_all_it_takes() {
    let example = Example::new();
    let scan = example.text("scanId");
    let download = |name: &str, more: &[&str]| {
        let words = ["proof", "download", "--scan-id", scan, "--output", name];
        example.run(&[&words[..], more].concat()).good();
    };
    download("inputs.zip", &["--replayable"]);
    download("plain.zip", &[]);
    let answer = without_network(example.path(), &offline(scan, "inputs.zip"));
    let document: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        document["scoreProof"]["rootHash"],
        example.answer["replay"]["rootHash"]
    );
    assert_eq!(document["status"], "verified");
    let plain = run_in(example.path(), &offline(scan, "plain.zip"));
    plain.refused(3, "--replayable");
    // It still verifies as a bundle, and a changed input is found out.
    let trusted = [
        "--public-key",
        example.text("publicKey"),
        "--log-key",
        example.text("logKey"),
    ];
    let verify = ["proof", "verify", "--bundle", "inputs.zip", "--offline"];
    run_in(example.path(), &[&verify[..], &trusted[..]].concat()).good();
    let path = example.path().join("inputs.zip");
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes
        .windows(7)
        .position(|part| part == b"inputs/")
        .unwrap();
    bytes[place + 100] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    run_in(example.path(), &offline(scan, "inputs.zip")).refused(3, "VERIFICATION_FAILED");
    let other = [
        "score",
        "replay",
        "--scan-id",
        "scan-00000000000000000000",
        "--offline",
    ];
    run_in(
        example.path(),
        &[&other[..], &["--bundle", "plain.zip"]].concat(),
    )
    .refused(3, scan);
}

/// The words that replay a bundle.
fn offline<'a>(scan: &'a str, name: &'a str) -> Vec<&'a str> {
    let words = ["score", "replay", "--format", "json", "--scan-id", scan];
    [&words[..], &["--offline", "--bundle", name]].concat()
}

#[test]
fn many_scans_are_replayed_at_once() {
    let example = Example::new();
    let words = [
        "score",
        "replay",
        "--batch",
        "--since",
        "7d",
        "--max-concurrency",
        "2",
    ];
    let document = example
        .run(&[&words[..], &["--format", "json"]].concat())
        .json();
    assert_eq!(document["done"], true);
    assert_eq!(document["metadata"]["unchanged"], 1, "{document}");
    let name = text(&document, "name");
    let listed = example
        .run(&["score", "batch", "list", "--format", "json"])
        .json();
    assert_eq!(listed[0]["name"], name);
    let again = [
        "score",
        "replay",
        "--batch",
        "--recompute-unchanged",
        "--format",
        "json",
    ];
    assert_eq!(example.run(&again).json()["metadata"]["verified"], 1);
    let unknown = [
        "score",
        "replay",
        "--batch",
        "--scan-ids",
        "scan-00000000000000000000",
    ];
    example.run(&unknown).refused(1, "SCAN_NOT_FOUND");
}

/// Numbers for an order: no order that a computation depends on may matter.
fn shuffled(mut items: Vec<String>, seed: u64) -> Vec<String> {
    let mut state = seed;
    for place in (1..items.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let other = usize::try_from(state >> 33).unwrap() % (place + 1);
        items.swap(place, other);
    }
    items
}

#[test]
fn every_real_scan_replays_to_its_root() {
    let Some(data) = shared("data") else { return };
    let folder = tempfile::tempdir().unwrap();
    let stella = |arguments: &[&str]| {
        let all = [&["--data-dir", "ledger", "--format", "json"], arguments].concat();
        run_in(folder.path(), &all)
    };
    let feeds: Vec<_> = files(&data.join("feeds/osv/2026-07-23"))
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(".zip"))
        .collect();
    let mut import = vec!["snapshot", "import"];
    import.extend(feeds.iter().map(|path| path.to_str().unwrap()));
    stella(&import).json();
    let mut roots = BTreeMap::new();
    for sbom in files(&data.join("sbom")) {
        let name = sbom.to_string_lossy().into_owned();
        if !name
            .trim_end_matches(".gz")
            .to_lowercase()
            .ends_with("json")
        {
            continue;
        }
        // Some of the edge cases are refused; they have no score to replay.
        let answer = stella(&["scan", "submit", "--idempotent", "--sbom", &name]);
        if answer.code == 0 {
            let scan = answer.json();
            roots.insert(
                text(&scan, "scanId").to_owned(),
                text(&scan, "rootHash").to_owned(),
            );
        }
    }
    assert!(roots.len() > 5, "only {} scans", roots.len());
    // A process of its own and a cold store each time; one scan after the other and 16 at once, each
    // on every core; in an order of its own; at last on projections folded anew.
    let mut orders = BTreeSet::new();
    for (seed, concurrency, refolded) in [
        (1, "1", false),
        (2, "16", false),
        (3, "16", true),
        (4, "1", true),
    ] {
        if refolded {
            std::fs::remove_dir_all(folder.path().join("ledger/index")).unwrap();
        }
        let order = shuffled(roots.keys().cloned().collect(), seed).join(",");
        assert!(orders.insert(order.clone()), "the orders differ");
        let words = ["score", "replay", "--batch", "--use-original-snapshots"];
        let more = ["--max-concurrency", concurrency, "--scan-ids", &order];
        let document = stella(&[&words[..], &more[..]].concat()).json();
        let results = document["results"].as_array().unwrap();
        assert_eq!(results.len(), roots.len());
        for result in results {
            assert_eq!(result["status"], "verified", "{result}");
            assert_eq!(text(result, "rootHash"), roots[text(result, "scanId")]);
        }
    }
}
