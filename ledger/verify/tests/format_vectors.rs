//! The vectors of hashed objects, envelopes and bundles (`tests/vectors`), happy path and mutants.
//!
//! Each line is a case of `stella check` plus what must come of it: `ok`; for a refused case a part
//! of its `error`; for a malformed line `malformed`; for a good one the members it must return
//! (`want`). They were made from FORMATS.md by a separate implementation in another language.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use serde_json::{Map, Value};
use stella_verify::check::{LineStatus, run};

/// Runs every line of a file through the body of `stella check`.
fn check_kind(kind: &str, file: &str) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/");
    let lines = std::fs::read_to_string(format!("{root}{file}")).unwrap();
    assert!(!lines.is_empty());
    let read = |path: &str| std::fs::read(format!("{root}{path}")).map_err(|e| e.to_string());
    for line in lines.lines() {
        let case: Map<String, Value> = serde_json::from_str(line).unwrap();
        let name = case["name"].as_str().unwrap();
        let out = run(kind, line.as_bytes(), &read).unwrap();
        let expected = match (case["ok"].as_bool().unwrap(), case.get("malformed")) {
            (true, _) => LineStatus::Ok,
            (false, None) => LineStatus::Refused,
            (false, Some(_)) => LineStatus::Malformed,
        };
        assert_eq!(out.status, expected, "{kind}: {name}: {}", out.json);
        let result: Map<String, Value> = serde_json::from_str(&out.json).unwrap();
        assert_eq!(result["ok"], case["ok"], "{kind}: {name}");
        if let Some(part) = case.get("error").and_then(Value::as_str) {
            let error = result["error"].as_str().unwrap();
            assert!(error.contains(part), "{kind}: {name}: {error}");
        }
        for (member, value) in case
            .get("want")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            assert_eq!(result.get(member), Some(value), "{kind}: {name}: {member}");
        }
    }
}

#[test]
fn canonical_json() {
    check_kind("jcs", "jcs/jcs.jsonl");
}

#[test]
fn strict_ed25519() {
    check_kind("ed25519", "ed25519/ed25519.jsonl");
}

#[test]
fn event_leaves() {
    check_kind("event", "event/event.jsonl");
}

#[test]
fn event_payloads() {
    check_kind("payload", "event/payload.jsonl");
}

#[test]
fn rule_applications() {
    check_kind("rule-applied", "event/rule-applied.jsonl");
}

#[test]
fn scan_manifests() {
    check_kind("manifest", "manifest/manifest.jsonl");
}

#[test]
fn proof_nodes() {
    check_kind("node", "node/node.jsonl");
}

#[test]
fn score_proofs() {
    check_kind("score-proof", "node/score-proof.jsonl");
}

#[test]
fn snapshot_headers() {
    check_kind("snapshot", "snapshot/header.jsonl");
}

#[test]
fn snapshot_rows() {
    check_kind("snapshot-row", "snapshot/row.jsonl");
    check_kind("snapshot-proof", "snapshot/proof.jsonl");
}

#[test]
fn statements() {
    check_kind("statement", "dsse/statement.jsonl");
}

#[test]
fn envelopes() {
    check_kind("dsse", "dsse/dsse.jsonl");
}

#[test]
fn signatures_of_every_algorithm() {
    check_kind("signature", "dsse/signature.jsonl");
}

#[test]
fn strict_archives() {
    check_kind("zip", "zip/zip.jsonl");
}

#[test]
fn proof_bundles() {
    check_kind("bundle", "bundle/bundle.jsonl");
}

#[test]
fn audit_exports() {
    check_kind("export", "export/export.jsonl");
}
