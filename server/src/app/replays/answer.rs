//! What a replay answers.

use super::outcome::{Outcome, Status};
use crate::app::App;
use crate::app::scans::ScanState;
use crate::refusal::Refusal;
use stella_ledger::ledger::SealRecord;
use stella_proto::reason::Reason;
use stella_proto::score as wire;
use stella_scoring::explain::{Change, Outline, ScoreDiff};
use stella_verify::node::SealedNode;
use stella_verify::time::format_time;

impl App {
    /// How the findings of a replay differ from those of the original.
    pub(super) fn findings_delta(
        &self,
        original: &SealRecord,
        outcome: &Outcome,
    ) -> Result<wire::FindingsDelta, Refusal> {
        let old = outline(self.score_proof(original)?.nodes())?;
        let new = match (&outcome.computed, &outcome.seal) {
            _ if original.sealed.root == outcome.root => None,
            (Some(nodes), _) => Some(outline(nodes)?),
            (None, Some(seal)) => Some(outline(self.score_proof(seal)?.nodes())?),
            (None, None) => None,
        };
        let diff = ScoreDiff::between(&old, new.as_ref().unwrap_or(&old));
        let count = |wanted: &[Change]| {
            let rows = diff.rows.iter();
            let found = rows.filter(|row| wanted.contains(&row.change)).count();
            u64::try_from(found).unwrap_or(u64::MAX)
        };
        let unchanged = u64::try_from(diff.unchanged).unwrap_or(u64::MAX);
        Ok(wire::FindingsDelta {
            added: count(&[Change::Appeared]),
            removed: count(&[Change::Vanished]),
            rescored: count(&[Change::Rescored]),
            // Its part of the score moved because others did; its own total did not.
            unchanged: unchanged.saturating_add(count(&[Change::Shifted])),
        })
    }
}

fn outline(nodes: &[SealedNode]) -> Result<Outline, Refusal> {
    Outline::of(nodes).map_err(|problem| Refusal::new(Reason::Internal, problem.to_string()))
}

/// The answer, without what only its sender knows: tree size and duration.
pub(super) fn answer(
    state: &ScanState,
    original: &SealRecord,
    outcome: &Outcome,
    findings: wire::FindingsDelta,
) -> wire::ReplayScoreResponse {
    let recorded = outcome.status != Status::DryRun;
    let bundle = format!("/api/v1/scanner/scans/{}/proofs/{}", state.id, outcome.root);
    let leaf = outcome.leaf.filter(|_| recorded);
    let time = format_time(outcome.time).unwrap_or_default();
    wire::ReplayScoreResponse {
        scan_id: state.id.to_string(),
        original_manifest_hash: original.sealed.manifest.to_string(),
        replayed_manifest_hash: outcome.manifest.hash().to_string(),
        original_root_hash: original.sealed.root.to_string(),
        replayed_root_hash: outcome.root.to_string(),
        original_score_bps: original.sealed.score.get(),
        replayed_score_bps: outcome.score.get(),
        verified_equal: outcome.equal,
        tree_size: 0,
        replay_id: leaf
            .map(|leaf| format!("replay-{leaf}"))
            .unwrap_or_default(),
        status: outcome.status.name().to_owned(),
        concelier_snapshot_hash: outcome.asked.concelier_snapshot.to_string(),
        excititor_snapshot_hash: outcome.asked.excititor_snapshot.to_string(),
        lattice_policy_hash: outcome.asked.lattice_policy.to_string(),
        engine_version: outcome.asked.engine_version.get(),
        findings: Some(findings),
        proof_bundle_ref: if recorded { bundle } else { String::new() },
        duration_us: 0,
        created_at: if recorded { time } else { String::new() },
        node_count: u64::from(outcome.nodes.get()),
    }
}
