//! Wire messages as JSON documents, the same over HTTP and on the command line: numbers as numbers,
//! ids as `sha256:` text, camelCase.

use serde_json::{Number, Value, json};
use stella_proto::proof::ProofSummary;
use stella_proto::scan::Scan;
use stella_proto::snapshot::{RemoveSnapshotResponse, Snapshot, SnapshotKind};
use stella_scoring::explain::score_text;
use stella_verify::units::BasisPoints;

/// Basis points as a JSON number of points, written from integers: what is compared by programs
/// must not be text, of which "9.50" is greater than "77.59".
#[must_use]
pub fn points(bps: i64) -> Number {
    let text = score_text(BasisPoints::new(bps));
    serde_json::from_str(&text).unwrap_or_else(|_| Number::from(0))
}

/// A scan.
#[must_use]
pub fn scan(scan: &Scan) -> Value {
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
    })
}

/// A sealed proof.
#[must_use]
pub fn proof(proof: &ProofSummary) -> Value {
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
    })
}

/// A snapshot.
#[must_use]
pub fn snapshot(snapshot: &Snapshot) -> Value {
    let kind = match snapshot.kind() {
        SnapshotKind::Concelier => "concelier",
        SnapshotKind::Excititor => "excititor",
        SnapshotKind::Unspecified => "",
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

/// What became of a snapshot that was removed.
#[must_use]
pub fn removed_snapshot(removed: &RemoveSnapshotResponse) -> Value {
    json!({
        "hash": removed.hash,
        "removed": removed.removed,
        "existing": removed.existing,
        "deletedBlobs": removed.deleted_blobs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_numbers() {
        let shown = |bps| points(bps).to_string();
        assert_eq!(
            [shown(8731), shown(-5), shown(0), shown(10_000)],
            ["87.31", "-0.05", "0.0", "100.0"]
        );
    }
}
