//! Removing snapshots that nothing needs any more.
//!
//! ```text
//! nothing needs it -> admin.remove-snapshot, snapshot.removed (durable) -> its own chunks deleted -> its list deleted
//! ```
//!
//! The event decides: from there on the snapshot is not found by anybody. A crash behind it leaves
//! blobs that nothing names; the list of chunks is deleted last, so the next open finds it and
//! deletes what is left.

use super::store::read_list;
use crate::app::writer::Draft;
use crate::app::{Act, App};
use crate::auth::Caller;
use crate::refusal::Refusal;
use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLockReadGuard};
use stella_ledger::LedgerError;
use stella_ledger::ledger::{Missing, PageSize, SnapshotRecord, View};
use stella_ledger::log::{NameRule, Named};
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_verify::event::EventType;
use stella_verify::event::payload::SnapshotRemoved;
use stella_verify::hash::{BlobDigest, SnapshotHash};
use stella_verify::snapshot::SnapshotKind;

impl App {
    /// Removes a snapshot unless something needs it. Removing it again answers the same.
    pub(crate) fn remove_snapshot(
        &self,
        caller: &Caller,
        hash: SnapshotHash,
    ) -> Result<wire::RemoveSnapshotResponse, Refusal> {
        // Alone: nobody imports a snapshot that shares chunks, nobody registers what would name
        // this one, between the question and the deletion.
        let _alone = self
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let view = self.newest()?;
        let existing = match view.snapshot(&hash) {
            Err(LedgerError::Missing(Missing::SnapshotRemoved(_))) => true,
            Err(other) => return Err(other.into()),
            Ok(record) => {
                self.refuse_in_use(&view, hash, &record)?;
                self.record_removal(caller, hash, &record)?;
                false
            }
        };
        Ok(wire::RemoveSnapshotResponse {
            hash: hash.to_string(),
            existing,
            deleted_blobs: self.delete_records(hash)?,
            removed: true,
        })
    }

    /// The right to name snapshots in an event: while it is held, none of these is removed.
    ///
    /// Taken around the append alone. It is not taken twice by one thread: a removal that waits
    /// between the two would wait for itself.
    pub(in crate::app) fn keep_snapshots(
        &self,
        named: impl IntoIterator<Item = SnapshotHash>,
    ) -> Result<RwLockReadGuard<'_, ()>, Refusal> {
        let kept = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        for hash in named {
            self.known_snapshot(hash)?;
        }
        Ok(kept)
    }

    /// Deletes what removals left when the process ended too early.
    pub(in crate::app) fn finish_removals(&self) -> Result<(), Refusal> {
        for hash in self.newest()?.removed_snapshots()? {
            self.delete_records(hash)?;
        }
        Ok(())
    }

    fn refuse_in_use(
        &self,
        view: &View<'_>,
        hash: SnapshotHash,
        record: &SnapshotRecord,
    ) -> Result<(), Refusal> {
        let kind = record.imported.header.kind();
        let by = if self.current(kind)? == Some(hash) {
            Some(format!("it is the current {kind} snapshot"))
        } else if let Some(user) = view.user_of_snapshot(&hash)? {
            let (manifest, scan) = (user.manifest.hash(), user.scan);
            Some(format!(
                "manifest {manifest} of {scan} names it, and its proofs are kept"
            ))
        } else {
            self.unfinished_job_with(hash)?
                .map(|job| format!("{job} is under way with it"))
        };
        match by {
            None => Ok(()),
            Some(by) => Err(Refusal::new(
                Reason::SnapshotInUse,
                format!("snapshot {hash} cannot be removed: {by}"),
            )),
        }
    }

    fn record_removal(
        &self,
        caller: &Caller,
        hash: SnapshotHash,
        record: &SnapshotRecord,
    ) -> Result<(), Refusal> {
        let removed = SnapshotRemoved {
            snapshot: hash,
            kind: record.imported.header.kind(),
        };
        let draft = Draft::by(caller)
            .name(NameRule::Require(Named::Snapshot(hash)))
            .act(caller, Act::RemoveSnapshot, &hash.to_string())?
            .event(
                &format!("snapshot/{hash}"),
                EventType::SNAPSHOT_REMOVED,
                removed.to_bytes(),
            )?;
        self.append(draft)?;
        // A statement about a removed snapshot could not be checked by anybody.
        let mut differences = (self.differences.lock()).unwrap_or_else(PoisonError::into_inner);
        differences.clear();
        Ok(())
    }

    /// Deletes the blobs that only a removed snapshot named; answers how many.
    ///
    /// What other snapshots name is kept. No other event names such a blob: SBOMs, reachability
    /// facts, policies and lists of scans are texts of other forms than a list of chunks, or than a
    /// chunk, which begins with the file's first line or with a row's length.
    fn delete_records(&self, hash: SnapshotHash) -> Result<u64, Refusal> {
        let view = self.newest()?;
        let list = view.imported_snapshot(&hash)?.imported.records;
        let blobs = self.ledger.blobs();
        if !blobs.contains(&list)? {
            return Ok(0);
        }
        let kept = self.blobs_of_snapshots(&view)?;
        let mut doomed: BTreeSet<BlobDigest> = self.blobs_of(list)?.into_iter().collect();
        doomed.remove(&list);
        // The list goes last: while it is there, the work can be taken up again.
        let doomed = doomed.into_iter().chain([list]);
        let mut deleted = 0;
        for digest in doomed.filter(|digest| !kept.contains(digest)) {
            blobs.remove(&digest)?;
            deleted += 1;
        }
        Ok(deleted)
    }

    /// Every blob that a snapshot names which is there.
    fn blobs_of_snapshots(&self, view: &View<'_>) -> Result<BTreeSet<BlobDigest>, Refusal> {
        let mut kept = BTreeSet::new();
        for kind in [SnapshotKind::Concelier, SnapshotKind::Excititor] {
            let mut from = None;
            loop {
                let page = view.snapshots(kind, from, PageSize::of(usize::MAX))?;
                for record in &page.items {
                    kept.extend(self.blobs_of(record.imported.records)?);
                }
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(kept)
    }

    /// A list of chunks and its chunks; a records file that is not in chunks by itself.
    fn blobs_of(&self, records: BlobDigest) -> Result<Vec<BlobDigest>, Refusal> {
        let chunks = read_list(&self.get(records)?).map(|(_, chunks)| chunks);
        let mut blobs = chunks.unwrap_or_default();
        blobs.push(records);
        Ok(blobs)
    }
}
