//! Whether an update changes anything about a scan.

use crate::app::App;
use crate::app::scans::ScanState;
use crate::refusal::Refusal;
use std::sync::{Arc, PoisonError};
use stella_ledger::ledger::SealRecord;
use stella_proto::reason::Reason;
use stella_scoring::snapshot::touched;
use stella_verify::hash::{SnapshotHash, TouchedDigest};
use stella_verify::manifest::ScanManifest;
use stella_verify::snapshot::Footprint;
use stella_verify::units::LeafIndex;

/// Differences of feed snapshots that are kept.
const KEPT_DIFFERENCES: usize = 8;

/// A computation that still holds.
pub(in crate::app) struct Unchanged {
    /// Its manifest.
    pub(in crate::app) manifest: ScanManifest,
    /// Its seal.
    pub(in crate::app) seal: SealRecord,
    /// What the update touches.
    pub(in crate::app) touched: TouchedDigest,
}

/// What an update touches, with its digest.
#[derive(Debug)]
pub(in crate::app) struct Difference {
    pub(in crate::app) uses: Footprint,
    pub(in crate::app) digest: TouchedDigest,
}

/// Differences in memory, most recently used last.
pub(in crate::app) type Differences = Vec<((SnapshotHash, SnapshotHash), Arc<Difference>)>;

impl App {
    /// The newest computation of a scan, if `asked` would compute the same: when it differs from it
    /// in the feed snapshot alone, and what differs between the two feeds is nothing that the
    /// computation used. A computation without a recorded footprint is not judged.
    ///
    /// `spared` may know, without the footprint at a leaf being read, that it has no key of a
    /// difference; "no" leaves the answer to the footprint, so it decides what judging costs and
    /// never how it ends.
    pub(in crate::app) fn unchanged(
        &self,
        state: &ScanState,
        asked: &ScanManifest,
        spared: impl Fn(&Difference, LeafIndex) -> Result<bool, Refusal>,
    ) -> Result<Option<Unchanged>, Refusal> {
        let Some(seal) = state.seals.last() else {
            return Ok(None);
        };
        let hash = seal.sealed.manifest;
        let (Some(manifest), Some(footprint)) = (
            state.manifests.iter().find(|known| known.hash() == hash),
            state.footprint_of(hash),
        ) else {
            return Ok(None);
        };
        let same_but_feed = ScanManifest {
            concelier_snapshot: manifest.concelier_snapshot,
            ..asked.clone()
        };
        if same_but_feed != *manifest {
            return Ok(None);
        }
        let own = manifest.concelier_snapshot;
        let mut difference = Err(Refusal::new(
            Reason::SnapshotRemoved,
            "nothing to compare with",
        ));
        for held in state.held_against(hash).chain([own]) {
            difference = self.difference(held, asked.concelier_snapshot);
            // What held against one that is gone holds against all before it: the manifest's own
            // cannot be removed.
            if !matches!(&difference, Err(gone) if gone.reason == Reason::SnapshotRemoved) {
                break;
            }
        }
        let difference = difference?;
        let holds = spared(&difference, footprint.leaf())?
            || footprint.uses()?.is_disjoint(&difference.uses);
        Ok(holds.then(|| Unchanged {
            manifest: manifest.clone(),
            seal: seal.clone(),
            touched: difference.digest,
        }))
    }

    /// What differs between two feed snapshots, as uses.
    pub(in crate::app) fn difference(
        &self,
        old: SnapshotHash,
        new: SnapshotHash,
    ) -> Result<Arc<Difference>, Refusal> {
        // Held while comparing: another replay of the same batch wants the same difference.
        let mut kept = (self.differences.lock()).unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = kept.iter().position(|(pair, _)| *pair == (old, new)) {
            let entry = kept.remove(place);
            let found = Arc::clone(&entry.1);
            kept.push(entry);
            return Ok(found);
        }
        let uses = if old == new {
            Footprint::default()
        } else {
            touched(&self.records(old)?, &self.records(new)?).map_err(|problem| {
                Refusal::new(
                    Reason::BlobDamaged,
                    format!("comparing snapshots {old} and {new}: {problem}"),
                )
            })?
        };
        let difference = Arc::new(Difference {
            digest: uses.digest(),
            uses,
        });
        if kept.len() == KEPT_DIFFERENCES {
            kept.remove(0);
        }
        kept.push(((old, new), Arc::clone(&difference)));
        Ok(difference)
    }
}
