//! The schemas of documents.

use super::comments;
use super::operations;
use crate::http::json::{Bytes, Field, Kind, Shapes};
use serde_json::{Map, Value, json};

/// A reference to a schema.
pub(super) fn named(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Every schema that an operation names, and what those name.
pub(super) fn all() -> Map<String, Value> {
    let mut schemas = Map::new();
    for (name, schema) in by_hand() {
        schemas.insert(name.to_owned(), schema);
    }
    let items = [
        "stella.ledger.v1.Event",
        "stella.proof.v1.ProofSummary",
        "stella.scan.v1.Scan",
        "stella.snapshot.v1.Snapshot",
    ];
    let mut wanted: Vec<String> = items.map(str::to_owned).into();
    for operation in &operations::all() {
        let named = operation.answers.iter().map(|answer| answer.schema);
        wanted.extend(named.filter(|name| name.contains('.')).map(str::to_owned));
    }
    while let Some(name) = wanted.pop() {
        if !schemas.contains_key(&name) {
            schemas.insert(name.clone(), of_message(&name, &mut wanted));
        }
    }
    schemas
}

fn of_message(name: &str, wanted: &mut Vec<String>) -> Value {
    if name == "google.protobuf.Any" {
        return json!({
            "type": "object",
            "description": "A document that says itself what it is.",
            "required": ["@type"],
            "properties": {"@type": {"type": "string"}},
        });
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    let more: Vec<_> = more().into_iter().filter(|(of, ..)| *of == name).collect();
    for field in Shapes::get().message(name).unwrap().values() {
        if more.iter().any(|(_, member, _)| *member == field.name) {
            required.push(field.name.clone());
            continue;
        }
        let mut schema = of_field(field, wanted);
        schema["description"] = json!(comments::of_field(name, field.place));
        if !field.optional {
            required.push(field.name.clone());
        }
        properties.insert(field.name.clone(), schema);
    }
    for (_, member, schema) in more {
        properties.insert(member.to_owned(), schema);
    }
    json!({
        "type": "object",
        "description": comments::of_message(name),
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

fn of_field(field: &Field, wanted: &mut Vec<String>) -> Value {
    let one = match &field.kind {
        Kind::Text | Kind::Bytes(Bytes::Text) => json!({"type": "string"}),
        Kind::Bytes(Bytes::Base64) => json!({"type": "string", "contentEncoding": "base64"}),
        Kind::Bytes(Bytes::Json) => json!({"type": "object"}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Unsigned => json!({"type": "integer", "minimum": 0}),
        Kind::Signed => json!({"type": "integer"}),
        Kind::Word(words) => json!({"type": "string", "enum": words.values().collect::<Vec<_>>()}),
        Kind::Message(name) => {
            wanted.push(name.clone());
            named(name)
        }
    };
    if field.repeated {
        json!({"type": "array", "items": one})
    } else {
        one
    }
}

/// Members that documents have beside the fields of their messages.
fn more() -> Vec<(&'static str, &'static str, Value)> {
    let score = || json!({"type": "number", "description": "The score in points, 0-100."});
    let links = || json!({"type": "object", "additionalProperties": {"type": "string"}});
    vec![
        ("stella.scan.v1.Scan", "score", score()),
        ("stella.scan.v1.Scan", "_links", links()),
        ("stella.proof.v1.ProofSummary", "proofBundleId", named("Id")),
        ("stella.proof.v1.ProofSummary", "score", score()),
        ("stella.proof.v1.ProofSummary", "_links", links()),
        (
            "stella.snapshot.v1.GetSnapshotResponse",
            "tables",
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        ),
    ]
}

/// A list under its name.
fn page(member: &str, item: &str) -> Value {
    json!({
        "type": "object",
        "required": [member, "next_page_token"],
        "properties": {
            member: {"type": "array", "items": named(item)},
            "next_page_token": {"type": "string", "description": "Empty at the end."},
        },
        "additionalProperties": false,
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "documents are written in place"
)]
fn object(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "properties": properties})
}

/// What is no message of the contract.
#[expect(clippy::too_many_lines, reason = "a table")]
fn by_hand() -> Vec<(&'static str, Value)> {
    let text = || json!({"type": "string"});
    let flag = || json!({"type": "boolean"});
    let hash = || json!({"type": "string"});
    let count = || json!({"type": "integer", "minimum": 0});
    let reasons: Vec<&str> = stella_proto::reason::Reason::ALL
        .iter()
        .map(|reason| reason.name())
        .collect();
    let overrides = json!({"type": "object", "additionalProperties": false, "properties": {
        "concelierSnapshotHash": hash(), "excititorSnapshotHash": hash(),
        "latticePolicyHash": hash(),
    }});
    let mut replay_overrides = overrides.clone();
    replay_overrides["properties"]["engineVersion"] = count();
    let document =
        json!({"anyOf": [{"type": "object"}, {"type": "string", "contentEncoding": "base64"}]});
    vec![
        (
            "Id",
            json!({"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}),
        ),
        (
            "Problem",
            object(
                &["type", "title", "status", "detail", "hint", "code", "error"],
                json!({
                    "type": text(), "title": text(), "status": {"type": "integer"}, "detail": text(),
                    "hint": text(), "code": {"type": "string", "enum": reasons},
                    "error": object(&["code", "message", "trace_id"], json!({
                        "code": text(), "message": text(), "trace_id": text(),
                    })),
                    "errors": {"type": "array", "items": object(&["field", "detail"], json!({
                        "field": text(), "detail": text(),
                    }))},
                }),
            ),
        ),
        ("Scans", page("scans", "stella.scan.v1.Scan")),
        ("Proofs", page("proofs", "stella.proof.v1.ProofSummary")),
        (
            "Snapshots",
            page("snapshots", "stella.snapshot.v1.Snapshot"),
        ),
        (
            "Events",
            object(
                &["events", "treeSize"],
                json!({
                    "events": {"type": "array", "items": named("stella.ledger.v1.Event")},
                    "treeSize": count(), "next": count(), "nextPosition": count(),
                }),
            ),
        ),
        (
            "SubmittedScan",
            object(
                &["scanId", "score", "warnings"],
                json!({
                    "scanId": text(), "score": {"type": "number"},
                    "warnings": {"type": "array", "items": text()},
                }),
            ),
        ),
        (
            "Submission",
            json!({
                "type": "object", "required": ["sbom"], "additionalProperties": false,
                "properties": {
                    "sbom": document, "reachability": document, "artifactDigest": hash(),
                    "artifactPurl": text(), "scannerVersion": text(), "workerVersion": text(),
                    "concelierSnapshotHash": hash(), "excititorSnapshotHash": hash(),
                    "latticePolicyHash": hash(), "deterministic": {"const": true},
                    "seed": {"type": "string", "pattern": "^([0-9a-f]{64})?$"},
                    "knobs": {"type": "object", "additionalProperties": text()},
                },
            }),
        ),
        (
            "Replay",
            json!({"type": "object", "additionalProperties": false, "properties": {
                "overrides": replay_overrides, "useOriginalSnapshots": flag(),
                "skipUnchanged": flag(), "dryRun": flag(),
            }}),
        ),
        (
            "Replayed",
            object(
                &[
                    "originalScanId",
                    "status",
                    "scoreDelta",
                    "findingsDelta",
                    "scoreProof",
                ],
                json!({
                    "replayId": text(), "originalScanId": text(), "status": text(),
                    "scoreDelta": {"type": "object"}, "findingsDelta": {"type": "object"},
                    "scoreProof": object(&["rootHash"], json!({"rootHash": named("Id")})),
                }),
            ),
        ),
        (
            "Batch",
            json!({"type": "object", "additionalProperties": false, "properties": {
                "scanIds": {"type": "array", "items": text()}, "sinceUnixMs": count(),
                "parallel": flag(), "maxConcurrency": {"type": "integer", "minimum": 0, "maximum": 64},
                "overrides": overrides, "useOriginalSnapshots": flag(),
                "recomputeUnchanged": flag(), "requestId": {"type": "string", "maxLength": 255},
            }}),
        ),
        (
            "BatchOperation",
            object(
                &["name", "done", "status", "progress", "_links"],
                json!({
                    "name": text(), "done": flag(), "status": text(), "progress": {"type": "object"},
                    "results": {"type": "array", "items": {"type": "object"}}, "next_page_token": text(),
                }),
            ),
        ),
        ("BatchOperations", page("operations", "BatchOperation")),
        (
            "Verification",
            json!({
                "type": "object", "required": ["proofBundleId"], "additionalProperties": false,
                "properties": {
                    "proofBundleId": text(), "checkRekor": flag(),
                    "anchorIds": {"type": "array", "items": text()},
                },
            }),
        ),
        ("Report", object(&["verified"], json!({"verified": flag()}))),
        ("SnapshotProof", json!({"type": "object"})),
        (
            "Description",
            object(&["openapi"], json!({"openapi": text()})),
        ),
        (
            "Rebuild",
            json!({"type": "object", "additionalProperties": false, "properties": {
                "atTreeSize": {"type": ["integer", "null"], "minimum": 0},
                "atUnixMs": {"type": ["integer", "null"], "minimum": 0},
            }}),
        ),
        (
            "Policy",
            json!({"type": "string", "description": "YAML or JSON text: docs/policies."}),
        ),
        (
            "Note",
            json!({"type": "string", "description": "A C2SP signed note."}),
        ),
        (
            "File",
            json!({"type": "string", "contentEncoding": "binary"}),
        ),
    ]
}
