//! Which blobs the log's events name: what must be in the store, or be known to be missing.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use stella_verify::event::EventHeader;
use stella_verify::event::payload::{
    JobStarted, ManifestRegistered, PolicyRegistered, SnapshotImported,
};
use stella_verify::hash::BlobDigest;
use stella_verify::merkle::LeafRange;
use stella_verify::units::LeafIndex;

use super::{Ledger, LedgerError};
use crate::log::StoredPayload;

impl Ledger {
    /// The blobs that published events name. An erased payload names nothing any more.
    pub(super) fn named_blobs(&self) -> Result<BTreeSet<BlobDigest>, LedgerError> {
        let at = self.published().size;
        let all = LeafRange {
            start: LeafIndex::ZERO,
            end: LeafIndex::new(at.get()),
        };
        let mut named = BTreeSet::new();
        self.log.visit(all, at, |event| {
            if let StoredPayload::Present { bytes, .. } = event.payload
                && let Ok(header) = EventHeader::decode(event.leaf)
            {
                add_named(header.event_type.as_str(), bytes, &mut named);
            }
            ControlFlow::Continue(())
        })?;
        Ok(named)
    }
}

/// Adds the blobs that one event names. A payload of such a type that does not parse names none:
/// the fold over the same events is where it is noticed.
fn add_named(event_type: &str, payload: &[u8], named: &mut BTreeSet<BlobDigest>) {
    match event_type {
        "manifest.registered" => {
            if let Ok(registered) = ManifestRegistered::parse(payload) {
                named.insert(registered.manifest.sbom_digest);
                named.extend(registered.manifest.reachability_digest);
            }
        }
        "snapshot.imported" => {
            named.extend(SnapshotImported::parse(payload).map(|imported| imported.records));
        }
        "policy.registered" => {
            named.extend(PolicyRegistered::parse(payload).map(|registered| registered.blob));
        }
        "job.started" => {
            named.extend(JobStarted::parse(payload).map(|started| started.scans));
        }
        _ => (),
    }
}
