//! The language-neutral vectors of this crate's formats, under `tests/vectors` of the repository.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests report by panicking, and say what they skip or measure"
)]

use std::cmp::Ordering;
use std::path::Path;

use serde_json::Value;
use stella_scoring::inputs::{reachability, sbom};
use stella_scoring::model::Ecosystem;
use stella_scoring::purl::Purl;
use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex, Snapshot, VexIndex};
use stella_scoring::version::compare;
use stella_verify::base64;
use stella_verify::hash::{BlobDigest, sha256};
use stella_verify::snapshot::SnapshotKind;

fn cases(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors")
        .join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cases: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        cases.iter().any(|case| case["ok"] == true) && cases.iter().any(|case| case["ok"] == false)
    );
    cases
}

/// Checks what a case says of `result`; `error` is a part of the text.
#[track_caller]
fn check<T>(case: &Value, result: Result<T, String>) -> Option<T> {
    let name = &case["name"];
    match (case["ok"].as_bool().unwrap(), result) {
        (true, Ok(value)) => return Some(value),
        (false, Err(error)) => {
            let part = case["error"].as_str().unwrap();
            assert!(error.contains(part), "{name}: {error}");
        }
        (true, Err(error)) => panic!("{name}: {error}"),
        (false, Ok(_)) => panic!("{name}: accepted"),
    }
    None
}

#[test]
fn purls() {
    for case in cases("purl/purl.jsonl") {
        let input = case["input"].as_str().unwrap();
        let parsed = input.parse::<Purl>().map_err(|error| error.to_string());
        if let Some(purl) = check(&case, parsed) {
            assert_eq!(
                purl.as_str(),
                case["canonical"].as_str().unwrap(),
                "{}",
                case["name"]
            );
            assert_eq!(purl.as_str().parse::<Purl>().unwrap(), purl);
        }
    }
}

#[test]
fn version_orders() {
    for case in cases("versions/order.jsonl") {
        let kind = Ecosystem::parse(case["ecosystem"].as_str().unwrap()).kind();
        let (a, b) = (case["a"].as_str().unwrap(), case["b"].as_str().unwrap());
        let order = compare(kind, a, b).ok_or_else(|| "no version".to_owned());
        if let Some(order) = check(&case, order) {
            let expected = if case["order"] == 0 {
                Ordering::Equal
            } else {
                Ordering::Less
            };
            assert_eq!(order, expected, "{}: {a} and {b}", case["name"]);
            assert_eq!(compare(kind, b, a), Some(expected.reverse()), "{b} and {a}");
        }
    }
}

#[test]
fn snapshots() {
    for case in cases("snapshot-build/snapshot-build.jsonl") {
        let kind: SnapshotKind = case["kind"].as_str().unwrap().parse().unwrap();
        let mut builder = Builder::new(kind);
        let built = case["files"]
            .as_array()
            .unwrap()
            .iter()
            .try_for_each(|file| {
                let bytes = base64::decode(file["bytes"].as_str().unwrap()).unwrap();
                builder.add(file["name"].as_str().unwrap(), &bytes)
            })
            .and_then(|()| builder.finish(BadRecords::Refuse))
            .map_err(|error| error.to_string());
        let Some(built) = check(&case, built) else {
            continue;
        };
        let name = &case["name"];
        let mut snapshot = Snapshot::open(&built.records).unwrap();
        let mut rows = Vec::new();
        while let Some((key, _)) = snapshot.next().unwrap() {
            rows.push(serde_json::from_str::<Value>(&key.to_entry()).unwrap());
        }
        assert_eq!(Value::from(rows), case["rows"], "{name}");
        let header = String::from_utf8(built.header.to_bytes()).unwrap();
        assert_eq!(header, case["header"].as_str().unwrap(), "{name}");
        assert_eq!(
            built.header.hash().to_string(),
            case["snapshot"].as_str().unwrap(),
            "{name}"
        );
        let records = BlobDigest::new(sha256(&built.records));
        assert_eq!(
            records.to_string(),
            case["records"].as_str().unwrap(),
            "{name}"
        );
        match kind {
            SnapshotKind::Concelier => drop(FeedIndex::load(&built.records).unwrap()),
            SnapshotKind::Excititor => drop(VexIndex::load(&built.records).unwrap()),
        }
    }
}

#[test]
fn bills_of_materials() {
    for case in cases("sbom/sbom.jsonl") {
        let bytes = base64::decode(case["input"].as_str().unwrap()).unwrap();
        let bom = sbom::read(&bytes).map_err(|error| error.to_string());
        let Some(bom) = check(&case, bom) else {
            continue;
        };
        let components: Vec<Value> = bom
            .components
            .iter()
            .map(|component| {
                let purl = component.purl.as_ref().map(Purl::as_str);
                serde_json::json!([component.pointer.as_str(), purl])
            })
            .collect();
        assert_eq!(
            Value::from(components),
            case["components"],
            "{}",
            case["name"]
        );
        let warnings: Vec<Value> = bom
            .warnings
            .iter()
            .map(|warning| serde_json::json!([warning.pointer.as_str(), warning.code.name()]))
            .collect();
        assert_eq!(Value::from(warnings), case["warnings"], "{}", case["name"]);
    }
}

#[test]
fn reachability_facts() {
    for case in cases("reachability/reachability.jsonl") {
        let set = reachability::read(case["input"].as_str().unwrap().as_bytes());
        let Some(set) = check(&case, set.map_err(|error| error.to_string())) else {
            continue;
        };
        let facts: Vec<Value> = set
            .facts
            .iter()
            .map(|fact| {
                let hops = fact.path.as_ref().map(|path| path.hops);
                let gates: Vec<&str> = fact
                    .path
                    .iter()
                    .flat_map(|path| path.gates.iter().map(|gate| &*gate.0))
                    .collect();
                let (purl, id) = (fact.purl.as_str(), &*fact.vulnerability);
                serde_json::json!([purl, id, fact.level.name(), hops, gates])
            })
            .collect();
        assert_eq!(Value::from(facts), case["facts"], "{}", case["name"]);
    }
}
