//! The kinds of hashed objects: whether bytes are the one spelling of such an object, and its hash.
//!
//! | kind | members | result |
//! |---|---|---|
//! | `jcs` | input | output: the RFC 8785 form of any JSON |
//! | `event` | leaf | logOrigin, stream, position, time, actor, type, payloadCommitment, leafHash |
//! | `payload` | type, payload | nothing more: whether an event of that type may have that payload |
//! | `rule-applied` | payload | computation, sequence, nodeId |
//! | `manifest` | input | manifestHash |
//! | `node` | input | nodeId |
//! | `score-proof` | input, manifestHash? (checks the order too) | rootHash, nodeCount, scoreBps |
//! | `snapshot` | input | snapshotHash |
//! | `snapshot-row` | input | leafHash |
//! | `snapshot-proof` | input, snapshotHash | rows\[\]: how many rows each answer has |
//! | `statement` | input | predicateType |
//! | `zip` | input | names\[\] |
//!
//! Every member but type, manifestHash and snapshotHash is bytes. Numbers in results are decimal strings where 2^53 may be
//! passed.

use super::case::{bytes, members, optional_text, text};
use super::{CaseFailure, Members};
use crate::base64;
use crate::event::{EventHeader, RuleApplied, payload::check_payload};
use crate::hash::{ManifestHash, SnapshotHash};
use crate::json::{canonicalize, parse_strict};
use crate::manifest::ScanManifest;
use crate::merkle::leaf_hash;
use crate::node::ProofNode;
use crate::score_proof::ScoreProof;
use crate::snapshot::{Row, SnapshotHeader, verify_snapshot_proof};
use crate::statement::{
    SCAN_MANIFEST_PREDICATE, SCORE_PROOF_PREDICATE, ScanManifestStatement, ScoreProofStatement,
    Statement,
};
use crate::zip;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use serde_json::Value;

type CaseResult = Result<Members, CaseFailure>;

/// The canonical form of any JSON.
pub(super) fn jcs(case: &Members) -> CaseResult {
    let input = bytes(case, "input")?;
    let value = parse_strict(&input).map_err(CaseFailure::refused)?;
    Ok(members([("output", base64::encode(&canonicalize(&value)))]))
}

/// An event leaf.
pub(super) fn event(case: &Members) -> CaseResult {
    let leaf = bytes(case, "leaf")?;
    let header = EventHeader::decode(&leaf).map_err(CaseFailure::refused)?;
    Ok(members([
        ("logOrigin", header.log_origin.to_string()),
        ("stream", header.stream.to_string()),
        ("position", header.position.to_string()),
        ("time", header.time.to_string()),
        ("actor", header.actor.to_string()),
        ("type", header.event_type.to_string()),
        ("payloadCommitment", header.payload.to_string()),
        ("leafHash", leaf_hash(&leaf).to_string()),
    ]))
}

/// The payload of an event, where it is canonical JSON.
pub(super) fn payload(case: &Members) -> CaseResult {
    let (event_type, payload) = (text(case, "type")?, bytes(case, "payload")?);
    let undefined = "event payload: this format does not define JSON payloads of this type";
    check_payload(event_type, &payload)
        .ok_or_else(|| CaseFailure::refused(undefined))?
        .map_err(CaseFailure::refused)?;
    Ok(Members::new())
}

/// The payload of a rule application.
pub(super) fn rule_applied(case: &Members) -> CaseResult {
    let payload = bytes(case, "payload")?;
    let rule = RuleApplied::decode(&payload).map_err(CaseFailure::refused)?;
    Ok(members([
        ("computation", rule.computation.to_string()),
        ("sequence", rule.sequence.to_string()),
        ("nodeId", rule.node_id().to_string()),
    ]))
}

/// A scan manifest.
pub(super) fn manifest(case: &Members) -> CaseResult {
    let manifest = ScanManifest::parse(&bytes(case, "input")?).map_err(CaseFailure::refused)?;
    Ok(members([("manifestHash", manifest.hash().to_string())]))
}

/// A proof node without `id`.
pub(super) fn node(case: &Members) -> CaseResult {
    let node = ProofNode::parse(&bytes(case, "input")?).map_err(CaseFailure::refused)?;
    Ok(members([("nodeId", node.seal().id().to_string())]))
}

/// All nodes of a computation.
pub(super) fn score_proof(case: &Members) -> CaseResult {
    let proof = ScoreProof::parse(&bytes(case, "input")?).map_err(CaseFailure::refused)?;
    if let Some(manifest) = optional_text(case, "manifestHash")? {
        let manifest: ManifestHash = manifest.parse().map_err(CaseFailure::refused)?;
        proof.check_order(manifest).map_err(CaseFailure::refused)?;
    }
    Ok(members([
        ("rootHash", proof.root().to_string()),
        ("nodeCount", proof.count().to_string()),
        ("scoreBps", proof.score().to_string()),
    ]))
}

/// A snapshot's header.
pub(super) fn snapshot(case: &Members) -> CaseResult {
    let header = SnapshotHeader::parse(&bytes(case, "input")?).map_err(CaseFailure::refused)?;
    Ok(members([("snapshotHash", header.hash().to_string())]))
}

/// A snapshot's row.
pub(super) fn snapshot_row(case: &Members) -> CaseResult {
    let row = Row::parse(&bytes(case, "input")?).map_err(CaseFailure::refused)?;
    Ok(members([("leafHash", row.leaf_hash().to_string())]))
}

/// A proof of what a snapshot holds, against the snapshot's hash.
pub(super) fn snapshot_proof(case: &Members) -> CaseResult {
    let wanted = text(case, "snapshotHash")?;
    let wanted: SnapshotHash = wanted.parse().map_err(CaseFailure::refused)?;
    let verified = verify_snapshot_proof(&bytes(case, "input")?, &wanted);
    let verified = verified.map_err(CaseFailure::refused)?;
    let counts = verified.answers().iter().map(|answer| answer.rows.len());
    let rows: Vec<Value> = counts.map(Value::from).collect();
    Ok(core::iter::once(("rows".into(), Value::Array(rows))).collect())
}

/// An in-toto statement: one of ours strictly, any other as its specification reads it.
pub(super) fn statement(case: &Members) -> CaseResult {
    let input = bytes(case, "input")?;
    let statement = Statement::parse(&input).map_err(CaseFailure::refused)?;
    match statement.predicate_type.as_str() {
        SCORE_PROOF_PREDICATE => {
            ScoreProofStatement::parse(&input).map_err(CaseFailure::refused)?;
        }
        SCAN_MANIFEST_PREDICATE => {
            ScanManifestStatement::parse(&input).map_err(CaseFailure::refused)?;
        }
        _ => {}
    }
    Ok(members([("predicateType", statement.predicate_type)]))
}

/// A strict archive.
pub(super) fn zip(case: &Members) -> CaseResult {
    let input = bytes(case, "input")?;
    let entries = zip::read(&input).map_err(CaseFailure::refused)?;
    let names = entries.iter().map(|entry| Value::String(entry.name.into()));
    Ok(core::iter::once(("names".into(), names.collect())).collect())
}
