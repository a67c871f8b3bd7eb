//! Wire messages as JSON documents: numbers as numbers, ids as `sha256:` text, camelCase.

use crate::app::points;
use crate::refusal::Refusal;
use serde_json::{Value, json};
use stella_proto::proof::ProofSummary;
use stella_proto::reason::Reason;
use stella_proto::scan::Scan;
use stella_proto::snapshot::{Snapshot, SnapshotKind};

/// A scan.
pub(super) fn scan(scan: &Scan) -> Value {
    let place = format!("{}/{}", super::routes::SCANS, scan.scan_id);
    json!({
        "scanId": scan.scan_id,
        "status": scan.status,
        "createdAt": scan.created_at,
        "artifactDigest": scan.artifact_digest,
        "manifestHash": scan.manifest_hash,
        "rootHash": scan.root_hash,
        "score": points(scan.score_bps),
        "scoreBps": scan.score_bps,
        "nodeCount": scan.node_count,
        "treeSize": scan.tree_size,
        "_links": {
            "self": place,
            "manifest": format!("{place}/manifest"),
            "proofs": format!("{place}/proofs"),
        },
    })
}

/// A sealed proof.
pub(super) fn proof(proof: &ProofSummary) -> Value {
    let proofs = format!("{}/{}/proofs", super::routes::SCANS, proof.scan_id);
    json!({
        "proofBundleId": proof.root_hash,
        "rootHash": proof.root_hash,
        "manifestHash": proof.manifest_hash,
        "scanId": proof.scan_id,
        "score": points(proof.score_bps),
        "scoreBps": proof.score_bps,
        "nodeCount": proof.node_count,
        "sealedAt": proof.sealed_at,
        "leafIndex": proof.leaf_index,
        "engineVersion": proof.engine_version,
        "_links": {"bundle": format!("{proofs}/{}", proof.root_hash)},
    })
}

/// A snapshot.
pub(super) fn snapshot(snapshot: &Snapshot) -> Value {
    let kind = match snapshot.kind() {
        SnapshotKind::Excititor => "excititor",
        _ => "concelier",
    };
    json!({
        "hash": snapshot.hash,
        "kind": kind,
        "count": snapshot.count,
        "root": snapshot.root,
        "sources": snapshot.sources,
        "importedAt": snapshot.imported_at,
        "current": snapshot.current,
    })
}

/// Canonical JSON that the ledger stores, inside another document.
///
/// # Errors
/// [`Reason::Internal`] when it is not JSON, which would be a fault of ours.
pub(super) fn stored(bytes: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|problem| Refusal::new(Reason::Internal, format!("a stored document: {problem}")))
}
