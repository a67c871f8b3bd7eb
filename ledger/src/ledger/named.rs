//! Which blobs the log's events name: what must be in the store, or be known to be missing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use stella_verify::event::EventHeader;
use stella_verify::event::payload::{
    JobStarted, ManifestRegistered, PolicyRegistered, SnapshotImported, SnapshotRemoved,
};
use stella_verify::hash::{BlobDigest, SnapshotHash};
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
        let mut named = NamedBlobs::default();
        self.log.visit(all, at, |event| {
            if let StoredPayload::Present { bytes, .. } = event.payload
                && let Ok(header) = EventHeader::decode(event.leaf)
            {
                named.take(header.event_type.as_str(), bytes);
            }
            ControlFlow::Continue(())
        })?;
        named.blobs.extend(named.snapshots.into_values());
        Ok(named.blobs)
    }
}

/// What the events so far name.
#[derive(Default)]
struct NamedBlobs {
    blobs: BTreeSet<BlobDigest>,
    /// The records of the snapshots that are there.
    snapshots: BTreeMap<SnapshotHash, BlobDigest>,
}

impl NamedBlobs {
    /// Adds the blobs that one event names. A payload of such a type that does not parse names none:
    /// the fold over the same events is where it is noticed.
    fn take(&mut self, event_type: &str, payload: &[u8]) {
        match event_type {
            "manifest.registered" => {
                if let Ok(registered) = ManifestRegistered::parse(payload) {
                    self.blobs.insert(registered.manifest.sbom_digest);
                    self.blobs.extend(registered.manifest.reachability_digest);
                }
            }
            "snapshot.imported" => {
                if let Ok(imported) = SnapshotImported::parse(payload) {
                    let hash = imported.header.hash();
                    self.snapshots.insert(hash, imported.records);
                }
            }
            "snapshot.removed" => {
                if let Ok(removed) = SnapshotRemoved::parse(payload) {
                    self.snapshots.remove(&removed.snapshot);
                }
            }
            "policy.registered" => {
                let registered = PolicyRegistered::parse(payload);
                self.blobs
                    .extend(registered.map(|registered| registered.blob));
            }
            "job.started" => {
                let started = JobStarted::parse(payload);
                self.blobs.extend(started.map(|started| started.scans));
            }
            _ => (),
        }
    }
}
