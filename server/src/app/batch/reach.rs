//! Which computations an update reaches, by the index from packages to scans.
//!
//! A batch asks once for each key that an update touches, not once for each scan. The answer may
//! only *spare* a footprint from being read, and only where that is provably what reading it would
//! say:
//!
//! 1. The index posts every `scan.footprint` of the log under each key that it has (an erased one
//!    under none, and then the scan's state does not show it, so it is not judged at all). A view of
//!    `n` leaves answers for all footprints at leaves below `n`.
//! 2. The index compares 40 bits of a key, so what it finds is a superset of the footprints that
//!    have the key. A footprint below `n` that none of the difference's keys finds has therefore no
//!    key of the difference: the two sets are disjoint, and [`App::unchanged`] needs no more.
//! 3. A footprint that is found, or that was appended after the view was taken, is read.
//!
//! Nothing else is decided here. Which computation of a scan counts (the newest seal), against which
//! feed it last held, and that VEX snapshot, policy, engine and all other inputs are equal, is judged
//! scan by scan from the scan's own stream, before this is asked; scans that held against different
//! feeds ask about different differences.

use crate::app::App;
use crate::app::replays::Difference;
use crate::refusal::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use stella_verify::hash::TouchedDigest;
use stella_verify::units::LeafIndex;

/// A lookup costs about as much as reading this many footprints of a hundred components, turned
/// round: below this many keys for each scan, asking the index is cheaper.
const KEYS_FOR_A_SCAN: usize = 4;

/// What is known of the differences that a job has met. They are few: one for each feed against
/// which its scans last held.
#[derive(Debug)]
pub(super) struct Reach {
    most_keys: usize,
    known: Mutex<BTreeMap<TouchedDigest, Arc<Reached>>>,
}

/// The footprints that may have a key of one difference.
#[derive(Debug)]
struct Reached {
    /// Footprints from here on were not looked for.
    until: LeafIndex,
    leaves: BTreeSet<LeafIndex>,
}

impl Reach {
    /// For a job of so many scans. A difference of more keys than are worth asking for (another
    /// model of EPSS touches every flaw there is) spares nothing.
    pub(super) fn for_scans(scans: usize) -> Self {
        Self {
            most_keys: scans.saturating_mul(KEYS_FOR_A_SCAN),
            known: Mutex::default(),
        }
    }

    /// Whether the footprint at a leaf has no key of a difference. "No" means: read it.
    pub(super) fn spares(
        &self,
        app: &App,
        difference: &Difference,
        footprint: LeafIndex,
    ) -> Result<bool, Refusal> {
        let reached = {
            // Held while looking up: the job's other threads want the same.
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(reached) = known.get(&difference.digest) {
                Arc::clone(reached)
            } else {
                let reached = Arc::new(self.look_up(app, difference)?);
                known.insert(difference.digest, Arc::clone(&reached));
                reached
            }
        };
        Ok(footprint < reached.until && !reached.leaves.contains(&footprint))
    }

    fn look_up(&self, app: &App, difference: &Difference) -> Result<Reached, Refusal> {
        let keys = difference.uses.keys();
        let mut leaves = BTreeSet::new();
        if keys.len() > self.most_keys {
            return Ok(Reached {
                until: LeafIndex::ZERO,
                leaves,
            });
        }
        let view = app.newest()?;
        for key in keys {
            leaves.extend(view.footprints_near(*key)?);
        }
        Ok(Reached {
            until: view.size().next_index(),
            leaves,
        })
    }
}

#[cfg(test)]
mod tests;
