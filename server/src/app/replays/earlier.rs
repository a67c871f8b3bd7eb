//! What an earlier replay answered, told again from what it recorded.

use super::outcome::{Outcome, Status};
use crate::app::App;
use crate::app::repeats::{Earlier, untold};
use crate::refusal::Refusal;
use stella_proto::reason::Reason;
use stella_verify::event::EventType;
use stella_verify::event::payload::{ManifestRegistered, RequestAnswered, ScoreReplayed};
use stella_verify::hash::ManifestHash;

impl App {
    /// The outcome of an earlier replay; one that a crash cut short is completed.
    pub(super) fn replayed_then(&self, earlier: &Earlier) -> Result<Outcome, Refusal> {
        if let Some(event) = earlier.find(EventType::SCORE_REPLAYED)? {
            let replayed = event.read(ScoreReplayed::parse)?;
            return self.compared_then(&replayed, event.index());
        }
        let manifest = if let Some(event) = earlier.find(EventType::MANIFEST_REGISTERED)? {
            event.read(ManifestRegistered::parse)?.manifest.hash()
        } else if let Some(event) = earlier.find(EventType::REQUEST_ANSWERED)? {
            let subject = event.read(RequestAnswered::parse)?.subject;
            subject.parse().map_err(|_| untold("ReplayScore"))?
        } else {
            return Err(untold("ReplayScore"));
        };
        self.computed_then(manifest)
    }

    /// A replay that computed a new root.
    fn computed_then(&self, manifest: ManifestHash) -> Result<Outcome, Refusal> {
        let registered = self.newest()?.manifest(&manifest)?.registered;
        if self.newest()?.seal_of(&manifest)?.is_none() {
            let inputs = self.load(&registered.manifest)?;
            self.complete(&registered.scan, &registered.manifest, &inputs)?;
        }
        let seal = self.newest()?.seal_of(&manifest)?;
        let seal = seal.ok_or_else(|| untold("ReplayScore"))?;
        Ok(Outcome::of_seal(
            Status::Computed,
            registered.manifest,
            seal,
        ))
    }

    /// A replay that compared, or that saw that nothing changed.
    fn compared_then(
        &self,
        replayed: &ScoreReplayed,
        leaf: stella_verify::units::LeafIndex,
    ) -> Result<Outcome, Refusal> {
        if !replayed.equal {
            let message = format!(
                "recomputing {} gave root {}, first differing at node {}",
                replayed.manifest,
                replayed.root,
                replayed
                    .first_difference
                    .map(|at| at.to_string())
                    .unwrap_or_default(),
            );
            return Err(Refusal::new(Reason::ReplayDiffers, message));
        }
        let manifest = (self.newest()?.manifest(&replayed.manifest)?.registered).manifest;
        let seal = self.newest()?.seal_of(&replayed.manifest)?;
        let seal = seal.ok_or_else(|| untold("ReplayScore"))?;
        let mut outcome = match replayed.snapshots {
            None => Outcome::of_seal(Status::Verified, manifest, seal),
            Some(snapshots) => {
                let mut outcome = Outcome::of_seal(Status::Unchanged, manifest, seal);
                outcome.asked.concelier_snapshot = snapshots.concelier;
                outcome.asked.excititor_snapshot = snapshots.excititor;
                outcome
            }
        };
        outcome.equal = replayed.snapshots.is_none();
        self.at_leaf(&mut outcome, Some(leaf))?;
        Ok(outcome)
    }
}
