//! A replay as JSON documents show it, over HTTP and on the command line.

use crate::documents::points;
use serde::Serialize;
use serde_json::Number;
use stella_proto::score as wire;

/// The document that answers `POST /api/v1/scanner/scans/{id}/score/replay`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayDocument {
    /// Names the event that records the replay; absent for a dry run.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub replay_id: String,
    /// The scan.
    pub original_scan_id: String,
    /// `computed`, `verified`, `unchanged` or `dry-run`.
    pub status: String,
    /// Feed snapshot of the replay.
    pub feed_snapshot_hash: String,
    /// VEX snapshot of the replay.
    pub vex_snapshot_hash: String,
    /// Policy of the replay, by its hash.
    pub policy_version: String,
    /// Engine of the replay.
    pub engine_version: u32,
    /// Manifest of the scan.
    pub original_manifest_hash: String,
    /// Manifest of the root that holds now.
    pub replayed_manifest_hash: String,
    /// Scores before and after.
    pub score_delta: ScoreDeltaDocument,
    /// Findings before and after.
    pub findings_delta: FindingsDeltaDocument,
    /// Where the bundle is: a path of this server; absent for a dry run.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub proof_bundle_ref: String,
    /// Seconds from request to answer, as ISO 8601: `PT0.012345S`.
    pub duration: String,
    /// When it was recorded, RFC 3339; absent for a dry run.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created_at: String,
    /// The root.
    pub score_proof: ScoreProofDocument,
    /// Size of a published tree that covers all of this.
    pub tree_size: u64,
}

/// Scores in points, 0-100, with their exact basis points beside them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreDeltaDocument {
    /// Points of the original.
    pub original_score: Number,
    /// Points of the replay.
    pub replayed_score: Number,
    /// Points of the replay less those of the original.
    pub delta: Number,
    /// The same in basis points.
    pub original_score_bps: i64,
    /// The same in basis points.
    pub replayed_score_bps: i64,
    /// The same in basis points.
    pub delta_bps: i64,
}

/// How many findings changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FindingsDeltaDocument {
    /// Only in the replay.
    pub added: u64,
    /// Only in the original.
    pub removed: u64,
    /// In both, with another total or other rules.
    pub rescored: u64,
    /// In both and the same.
    pub unchanged: u64,
}

/// A root and what it covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreProofDocument {
    /// Root of the replay.
    pub root_hash: String,
    /// Root of the original.
    pub original_root_hash: String,
    /// Nodes of the replay.
    pub node_count: u64,
    /// Whether recorded nodes were recomputed and came out equal.
    pub verified_equal: bool,
}

impl From<&wire::ReplayScoreResponse> for ReplayDocument {
    fn from(answer: &wire::ReplayScoreResponse) -> Self {
        let findings = answer.findings.unwrap_or_default();
        let delta = answer
            .replayed_score_bps
            .saturating_sub(answer.original_score_bps);
        let (seconds, micros) = (
            answer.duration_us / 1_000_000,
            answer.duration_us % 1_000_000,
        );
        Self {
            replay_id: answer.replay_id.clone(),
            original_scan_id: answer.scan_id.clone(),
            status: answer.status.clone(),
            feed_snapshot_hash: answer.concelier_snapshot_hash.clone(),
            vex_snapshot_hash: answer.excititor_snapshot_hash.clone(),
            policy_version: answer.lattice_policy_hash.clone(),
            engine_version: answer.engine_version,
            original_manifest_hash: answer.original_manifest_hash.clone(),
            replayed_manifest_hash: answer.replayed_manifest_hash.clone(),
            score_delta: ScoreDeltaDocument {
                original_score: points(answer.original_score_bps),
                replayed_score: points(answer.replayed_score_bps),
                delta: points(delta),
                original_score_bps: answer.original_score_bps,
                replayed_score_bps: answer.replayed_score_bps,
                delta_bps: delta,
            },
            findings_delta: FindingsDeltaDocument {
                added: findings.added,
                removed: findings.removed,
                rescored: findings.rescored,
                unchanged: findings.unchanged,
            },
            proof_bundle_ref: answer.proof_bundle_ref.clone(),
            duration: format!("PT{seconds}.{micros:06}S"),
            created_at: answer.created_at.clone(),
            score_proof: ScoreProofDocument {
                root_hash: answer.replayed_root_hash.clone(),
                original_root_hash: answer.original_root_hash.clone(),
                node_count: answer.node_count,
                verified_equal: answer.verified_equal,
            },
            tree_size: answer.tree_size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_the_members_that_programs_read() {
        let answer = wire::ReplayScoreResponse {
            replayed_root_hash: "sha256:ab".to_owned(),
            duration_us: 12_345,
            original_score_bps: 100,
            ..wire::ReplayScoreResponse::default()
        };
        let document = serde_json::to_value(ReplayDocument::from(&answer)).unwrap();
        assert_eq!(document["scoreProof"]["rootHash"], "sha256:ab");
        assert_eq!(document["scoreDelta"]["delta"], -1.0);
        assert_eq!(document["duration"], "PT0.012345S");
        assert!(document.get("replayId").is_none());
    }
}
