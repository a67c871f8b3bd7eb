//! The transparency log's vectors (`tests/vectors`), happy path and mutants.
//!
//! Each line is a case of `stella check` plus what must come of it: `ok`; for a refused case a part
//! of its `error`; for a malformed line `malformed`; for a good one the members it must return
//! (`want`). They were made by a separate implementation, from the RFC's recursive definitions.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use serde_json::{Map, Value};
use stella_verify::base64;
use stella_verify::check::{LineStatus, run};
use stella_verify::hash::{LeafHash, NodeHash, RootHash};
use stella_verify::merkle::{Growth, LeafRange, RangeProof, TreeHead, verify_range};
use stella_verify::tile::{TilePath, new_tiles};
use stella_verify::units::{LeafIndex, TreeSize};

type Case = Map<String, Value>;

fn cases(file: &str) -> Vec<(String, Case)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/");
    let text = std::fs::read_to_string(format!("{root}{file}")).unwrap();
    let parse = |line: &str| (line.to_owned(), serde_json::from_str(line).unwrap());
    let cases: Vec<_> = text.lines().map(parse).collect();
    assert!(!cases.is_empty());
    cases
}

fn text<'a>(case: &'a Case, name: &str) -> &'a str {
    case[name].as_str().unwrap()
}

/// Runs every line of a file through the body of `stella check`.
fn check_kind(kind: &str, file: &str) {
    for (line, case) in cases(file) {
        let name = text(&case, "name");
        let out = run(kind, line.as_bytes(), &|_| Err("no files".into())).unwrap();
        let result: Case = serde_json::from_str(&out.json).unwrap();
        let expected = match (case["ok"].as_bool().unwrap(), case.get("malformed")) {
            (true, _) => LineStatus::Ok,
            (false, None) => LineStatus::Refused,
            (false, Some(_)) => LineStatus::Malformed,
        };
        assert_eq!(out.status, expected, "{kind}: {name}: {}", out.json);
        assert_eq!(result["ok"], case["ok"], "{kind}: {name}");
        assert_eq!(result["name"], case["name"]);
        if let Some(part) = case.get("error") {
            let error = text(&result, "error");
            assert!(
                error.contains(part.as_str().unwrap()),
                "{kind}: {name}: {error}"
            );
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
fn roots() {
    check_kind("root", "merkle/root.jsonl");
}

#[test]
fn inclusion_proofs() {
    check_kind("inclusion", "merkle/inclusion.jsonl");
}

#[test]
fn consistency_proofs() {
    check_kind("consistency", "merkle/consistency.jsonl");
}

#[test]
fn notes() {
    check_kind("note", "note/note.jsonl");
}

#[test]
fn checkpoints() {
    check_kind("checkpoint", "checkpoint/checkpoint.jsonl");
}

#[test]
fn cosignatures() {
    check_kind("cosignature", "cosignature/cosignature.jsonl");
}

#[test]
fn proof_files() {
    check_kind("tlog-proof", "tlog-proof/tlog-proof.jsonl");
}

#[test]
fn lines_that_are_no_case_are_malformed() {
    for line in ["", "null", "[]", "{", "7", "\"x\"", "{}"] {
        for kind in [
            "inclusion",
            "consistency",
            "root",
            "note",
            "checkpoint",
            "tlog-proof",
        ] {
            let out = run(kind, line.as_bytes(), &|_| Err("no files".into())).unwrap();
            assert_eq!(out.status, LineStatus::Malformed, "{kind}: {line}");
        }
    }
    assert!(run("no-such-kind", b"{}", &|_| Err("no files".into())).is_none());
}

fn hash(value: &Value) -> [u8; 32] {
    let bytes = base64::decode(value.as_str().unwrap()).unwrap();
    bytes.try_into().unwrap()
}

fn hashes(case: &Case, name: &str) -> Vec<[u8; 32]> {
    case[name].as_array().unwrap().iter().map(hash).collect()
}

#[test]
fn range_proofs() {
    for (_, case) in cases("merkle/range.jsonl") {
        let name = text(&case, "name");
        let start = LeafIndex::new(case["start"].as_u64().unwrap());
        let leaves = hashes(&case, "leafHashes");
        let head = TreeHead {
            size: TreeSize::new(case["treeSize"].as_u64().unwrap()),
            root: RootHash::new(hash(&case["rootHash"])),
        };
        let proof = hashes(&case, "proof")
            .into_iter()
            .map(NodeHash::new)
            .collect();
        let end = LeafIndex::new(start.get() + leaves.len() as u64);
        let run = leaves.into_iter().map(LeafHash::new);
        let verified = verify_range(start, run, head, &RangeProof::new(proof));
        match (case["ok"].as_bool().unwrap(), verified) {
            (true, verified) => {
                let included = verified.unwrap();
                assert_eq!(included.range(), LeafRange { start, end }, "{name}");
                assert_eq!(included.head(), head, "{name}");
            }
            (false, Ok(_)) => panic!("{name}: a mutant verified"),
            (false, Err(error)) => {
                let part = case.get("error").map_or("", |part| part.as_str().unwrap());
                assert!(error.to_string().contains(part), "{name}: {error}");
            }
        }
    }
}

#[test]
fn tile_paths() {
    for (_, case) in cases("tile/path.jsonl") {
        let name = text(&case, "name");
        let path = text(&case, "path");
        let parsed = path.parse::<TilePath>();
        assert_eq!(parsed.is_ok(), case["ok"], "{name}");
        let (level, index, width) = match parsed {
            Err(_) => continue,
            Ok(TilePath::Hashes(tile)) => (Some(tile.level.get()), tile.index, tile.width),
            Ok(TilePath::Entries(bundle)) => (None, bundle.index, bundle.width),
        };
        assert_eq!(
            case.get("level").and_then(Value::as_u64),
            level.map(u64::from),
            "{name}"
        );
        assert_eq!(case["index"], index.get().to_string(), "{name}");
        assert_eq!(case["width"], width.get(), "{name}");
        assert_eq!(parsed.unwrap().to_string(), path, "{name}");
    }
}

#[test]
fn tiles_of_trees() {
    for (_, case) in cases("tile/tree.jsonl") {
        let size = TreeSize::new(case["treeSize"].as_u64().unwrap());
        let growth = Growth {
            old: TreeSize::ZERO,
            new: size,
        };
        let tiles: Vec<Value> = new_tiles(growth)
            .map(|tile| tile.to_string().into())
            .collect();
        assert_eq!(
            Value::Array(tiles),
            case["tiles"],
            "{}",
            text(&case, "name")
        );
    }
}

/// A line is read so that nothing in it hides from the parser that judges it.
#[test]
fn nothing_in_a_line_is_lost_or_replaced() {
    let status = |kind: &str, line: &[u8]| {
        let read = |_: &str| Err("no files".into());
        run(kind, line, &read).unwrap().status
    };
    let good = br#"{"leafIndex":0,"treeSize":1,"leafHash":"HASH","rootHash":"HASH","proof":[]}"#;
    let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let good = String::from_utf8_lossy(good).replace("HASH", hash);
    assert_eq!(status("inclusion", good.as_bytes()), LineStatus::Ok);
    // Twice, behind a number that only some readers can hold.
    let twice = good.replace('{', r#"{"pad":18446744073709551615,"treeSize":2,"#);
    assert_eq!(status("inclusion", twice.as_bytes()), LineStatus::Refused);
    let bad_text = [b"{\"pad\":\"\xff\",", &good.as_bytes()[1..]].concat();
    assert_eq!(status("inclusion", &bad_text), LineStatus::Malformed);
    // No object is a text, whatever a library of JSON makes of it.
    for odd in [
        r#"{"a":1}"#,
        r#"{"$serde_json::private::RawValue":"\"AA==\""}"#,
    ] {
        for member in ["leafHash", "treeSize", "proof"] {
            let mut case: Map<String, Value> = serde_json::from_str(&good).unwrap();
            case.remove(member);
            let rest = Value::Object(case).to_string();
            for shape in [odd.to_owned(), format!("[{odd}]"), format!("[[{odd}]]")] {
                let line = rest.replacen('{', &format!("{{\"{member}\":{shape},"), 1);
                let found = status("inclusion", line.as_bytes());
                assert_eq!(found, LineStatus::Malformed, "{line}");
            }
        }
    }
    // An envelope as an object is read like one in text.
    for envelope in [
        r#"{"pad":1e999,"payload":"AA==","payloadType":"t","signatures":[]}"#,
        r#"{"pad":9007199254740993,"payload":"AA==","payloadType":"t","signatures":[{"sig":"AA=="}]}"#,
        r#"{"payload":"AA==","payload":"AB==","payloadType":"t","signatures":[{"sig":"AA=="}]}"#,
    ] {
        let object = format!(r#"{{"envelope":{envelope},"publicKeysPem":[]}}"#);
        let text = format!(
            r#"{{"envelope":{},"publicKeysPem":[]}}"#,
            serde_json::to_string(envelope).unwrap()
        );
        let read = |_: &str| Err("no files".into());
        let [object, text] =
            [object, text].map(|line| run("dsse", line.as_bytes(), &read).unwrap());
        assert_eq!(object, text, "{envelope}");
        assert_eq!(object.status, LineStatus::Refused, "{envelope}");
    }
}
