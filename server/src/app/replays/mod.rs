//! Computing a score again, against chosen inputs.
//!
//! ```text
//! request -> resolved manifest -> sealed already?  compare node by node  -> score.replayed
//!                              -> nothing it uses changed?               -> score.replayed (snapshots)
//!                              -> else compute                           -> nodes, root.sealed
//! ```
//!
//! What a replay appends stands in the scan's own stream; that is the link to the original.

mod answer;
mod changes;
mod document;
mod earlier;
mod outcome;
mod resolve;

pub(super) use changes::{Difference, Differences, Unchanged};
pub use document::{FindingsDeltaDocument, ReplayDocument, ScoreDeltaDocument, ScoreProofDocument};
pub(super) use outcome::Author;
pub(super) use resolve::{Wanted, named};

use super::App;
use super::repeats::Repeatable;
use super::scans::{ScanState, parse_scan_id, scan_state};
use crate::auth::Caller;
use crate::refusal::Refusal;
use std::time::Instant;
use stella_ledger::ledger::SealRecord;
use stella_proto::reason::Reason;
use stella_proto::score as wire;
use stella_verify::time::format_time;

impl App {
    /// The manifest of a scan, or of one of its computations.
    pub(crate) fn manifest(
        &self,
        request: &wire::GetManifestRequest,
    ) -> Result<wire::GetManifestResponse, Refusal> {
        let view = self.view_of(request.tree_size)?;
        let state = scan_state(&view, &parse_scan_id(&request.scan_id)?)?;
        let manifest = if request.root_hash.is_empty() {
            state.original()?
        } else {
            super::proofs::manifest_of(&state, state.seal(&request.root_hash)?)?
        };
        Ok(wire::GetManifestResponse {
            manifest: manifest.to_bytes().into(),
            manifest_hash: manifest.hash().to_string(),
            created_at: format_time(state.created).unwrap_or_default(),
        })
    }

    /// Replays a scan's score and says what changed.
    pub(crate) fn replay(
        &self,
        caller: &Caller,
        request: &wire::ReplayScoreRequest,
    ) -> Result<wire::ReplayScoreResponse, Refusal> {
        let begun = Instant::now();
        let asked = if request.dry_run {
            None
        } else {
            Repeatable::of(caller, "ReplayScore", &request.request_id, request)?
        };
        let _turn = self.turn(asked.as_ref());
        let _running = self.metrics.replaying();
        let scan = parse_scan_id(&request.scan_id)?;
        let (state, _) = self.scan_state(&scan)?;
        let original = seal_of_original(&state)?.clone();
        let wanted = Wanted::of(request)?;
        let outcome = if let Some(earlier) = self.earlier(asked.as_ref())? {
            self.replayed_then(&earlier)?
        } else {
            let author = Author {
                caller,
                asked: asked.as_ref(),
            };
            self.replay_one(author, &state, &wanted)?
        };
        let findings = self.findings_delta(&original, &outcome)?;
        let mut answer = answer::answer(&state, &original, &outcome, findings);
        answer.tree_size = self.newest()?.size().get();
        answer.duration_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        Ok(answer)
    }
}

/// The seal of the first manifest: what replays are compared with.
pub(super) fn seal_of_original(state: &ScanState) -> Result<&SealRecord, Refusal> {
    let original = state.original()?.hash();
    state.seal_of(original).ok_or_else(|| {
        Refusal::new(
            Reason::ProofNotFound,
            format!("{} is not sealed yet", state.id),
        )
    })
}
