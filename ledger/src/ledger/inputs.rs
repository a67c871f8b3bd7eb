//! Snapshots and policies.

use std::collections::BTreeSet;

use stella_verify::event::payload::{
    ManifestRegistered, PolicyPublished, PolicyRegistered, SnapshotImported, SnapshotPublished,
    SnapshotRemoved,
};
use stella_verify::event::{EventHeader, EventType};
use stella_verify::hash::{PolicyHash, SnapshotHash};
use stella_verify::snapshot::SnapshotKind;
use stella_verify::units::{LeafIndex, UnixMillis};

use super::{Event, LedgerError, Missing, Page, PageSize, View};
use crate::index::keys::Table;
use crate::index::kv::Direction;
use crate::projection::{kind_lookup, policies_lookup, removals_lookup};

/// A snapshot that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRecord {
    /// The event.
    pub leaf: LeafIndex,
    /// When.
    pub time: UnixMillis,
    /// Header and records.
    pub imported: SnapshotImported,
}

/// What an event says of a snapshot.
enum Said {
    Imported(SnapshotRecord),
    Removed,
}

impl Said {
    fn imported(self) -> Option<SnapshotRecord> {
        match self {
            Self::Imported(record) => Some(record),
            Self::Removed => None,
        }
    }
}

/// A policy that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRecord {
    /// The event.
    pub leaf: LeafIndex,
    /// When.
    pub time: UnixMillis,
    /// Hash and blob.
    pub registered: PolicyRegistered,
}

impl View<'_> {
    /// A snapshot by its hash.
    ///
    /// # Errors
    /// [`Missing::Snapshot`] and [`Missing::SnapshotRemoved`]; [`LedgerError::Index`] or
    /// [`LedgerError::Read`].
    pub fn snapshot(&self, hash: &SnapshotHash) -> Result<SnapshotRecord, LedgerError> {
        match self.last_of_snapshot(hash)? {
            None => Err(Missing::Snapshot(*hash).into()),
            Some(Said::Removed) => Err(Missing::SnapshotRemoved(*hash).into()),
            Some(Said::Imported(record)) => Ok(record),
        }
    }

    /// The import of a snapshot, whether or not it was removed since.
    ///
    /// # Errors
    /// [`Missing::Snapshot`]; [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn imported_snapshot(&self, hash: &SnapshotHash) -> Result<SnapshotRecord, LedgerError> {
        let place = (Table::Snapshots, hash.as_bytes().as_slice());
        let mut from = None;
        loop {
            let size = PageSize::of(8);
            let page = self.page(place, from, size, Direction::Backward, snapshot_or_removal)?;
            let mut said = page.items.into_iter();
            if let Some(record) = said.find_map(Said::imported) {
                return Ok(record);
            }
            from = page.next;
            if from.is_none() {
                return Err(Missing::Snapshot(*hash).into());
            }
        }
    }

    /// What the last event of a snapshot says; `None` where there is none.
    fn last_of_snapshot(&self, hash: &SnapshotHash) -> Result<Option<Said>, LedgerError> {
        let place = (Table::Snapshots, hash.as_bytes().as_slice());
        let size = PageSize::of(1);
        let page = self.page(place, None, size, Direction::Backward, snapshot_or_removal)?;
        Ok(page.items.into_iter().next())
    }

    /// Snapshots whose records were removed and not imported again.
    ///
    /// # Errors
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn removed_snapshots(&self) -> Result<BTreeSet<SnapshotHash>, LedgerError> {
        let lookup = removals_lookup();
        let place = (Table::Imports, lookup.as_slice());
        let (mut removed, mut from) = (BTreeSet::new(), None);
        loop {
            let size = PageSize::of(usize::MAX);
            let page = self.page(place, from, size, Direction::Backward, |event, _| {
                event.read(SnapshotRemoved::parse)
            })?;
            for removal in page.items {
                if let Some(Said::Removed) = self.last_of_snapshot(&removal.snapshot)? {
                    removed.insert(removal.snapshot);
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(removed);
            }
        }
    }

    /// A manifest that names a snapshot, the first of them; `None` when none does whose payload is
    /// kept.
    ///
    /// # Errors
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn user_of_snapshot(
        &self,
        hash: &SnapshotHash,
    ) -> Result<Option<ManifestRegistered>, LedgerError> {
        let place = (Table::SnapshotUsers, hash.as_bytes().as_slice());
        let mut from = None;
        loop {
            let size = PageSize::of(8);
            let page = self.page(place, from, size, Direction::Forward, |event, _| {
                event.read(ManifestRegistered::parse)
            })?;
            if let Some(user) = page.items.into_iter().next() {
                return Ok(Some(user));
            }
            from = page.next;
            if from.is_none() {
                return Ok(None);
            }
        }
    }

    /// Snapshots of a kind that are there, newest first.
    ///
    /// # Errors
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn snapshots(
        &self,
        kind: SnapshotKind,
        from: Option<LeafIndex>,
        size: PageSize,
    ) -> Result<Page<SnapshotRecord>, LedgerError> {
        let lookup = kind_lookup(kind);
        let place = (Table::Imports, lookup.as_slice());
        let mut page = self.page(place, from, size, Direction::Backward, snapshot_record)?;
        let mut there = Vec::with_capacity(page.items.len());
        for record in page.items {
            // Of one that was removed and imported again, the last import counts.
            let last = self.last_of_snapshot(&record.imported.header.hash())?;
            let last = last.and_then(Said::imported);
            if last.is_some_and(|last| last.leaf == record.leaf) {
                there.push(record);
            }
        }
        page.items = there;
        Ok(page)
    }

    /// The snapshot of a kind that was published last.
    ///
    /// # Errors
    /// [`Missing::CurrentSnapshot`]; [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn current_snapshot(&self, kind: SnapshotKind) -> Result<SnapshotRecord, LedgerError> {
        let lookup = kind_lookup(kind);
        let place = (Table::Published, lookup.as_slice());
        let size = PageSize::of(1);
        let page = self.page(place, None, size, Direction::Backward, |event, _| {
            event.read(SnapshotPublished::parse)
        })?;
        let published = page.items.into_iter().next();
        let published = published.ok_or(Missing::CurrentSnapshot(kind))?;
        self.snapshot(&published.snapshot)
    }

    /// A policy by its hash.
    ///
    /// # Errors
    /// [`Missing::Policy`]; [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn policy(&self, hash: &PolicyHash) -> Result<PolicyRecord, LedgerError> {
        let place = (Table::Policies, hash.as_bytes().as_slice());
        let size = PageSize::of(1);
        let page = self.page(place, None, size, Direction::Forward, policy_record)?;
        let found = page.items.into_iter().next();
        found.ok_or_else(|| Missing::Policy(*hash).into())
    }

    /// The policy that was published last; `None` before any was.
    ///
    /// # Errors
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn current_policy(&self) -> Result<Option<PolicyHash>, LedgerError> {
        let lookup = policies_lookup();
        let place = (Table::Published, lookup.as_slice());
        let size = PageSize::of(1);
        let page = self.page(place, None, size, Direction::Backward, |event, _| {
            event.read(PolicyPublished::parse)
        })?;
        Ok(page.items.first().map(|published| published.policy))
    }

    /// Policies, newest first.
    ///
    /// # Errors
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn policies(
        &self,
        from: Option<LeafIndex>,
        size: PageSize,
    ) -> Result<Page<PolicyRecord>, LedgerError> {
        let lookup = policies_lookup();
        let place = (Table::Imports, lookup.as_slice());
        self.page(place, from, size, Direction::Backward, policy_record)
    }
}

fn snapshot_or_removal(event: &Event, header: &EventHeader<'_>) -> Result<Said, LedgerError> {
    if header.event_type == EventType::SNAPSHOT_REMOVED {
        return event.read(SnapshotRemoved::parse).map(|_| Said::Removed);
    }
    snapshot_record(event, header).map(Said::Imported)
}

fn snapshot_record(event: &Event, header: &EventHeader<'_>) -> Result<SnapshotRecord, LedgerError> {
    Ok(SnapshotRecord {
        leaf: event.index(),
        time: header.time,
        imported: event.read(SnapshotImported::parse)?,
    })
}

fn policy_record(event: &Event, header: &EventHeader<'_>) -> Result<PolicyRecord, LedgerError> {
    Ok(PolicyRecord {
        leaf: event.index(),
        time: header.time,
        registered: event.read(PolicyRegistered::parse)?,
    })
}
