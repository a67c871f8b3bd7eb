//! Snapshots and policies.

use stella_verify::event::EventHeader;
use stella_verify::event::payload::{
    PolicyPublished, PolicyRegistered, SnapshotImported, SnapshotPublished,
};
use stella_verify::hash::{PolicyHash, SnapshotHash};
use stella_verify::snapshot::SnapshotKind;
use stella_verify::units::{LeafIndex, UnixMillis};

use super::{Event, LedgerError, Missing, Page, PageSize, View};
use crate::index::keys::Table;
use crate::index::kv::Direction;
use crate::projection::{kind_lookup, policies_lookup};

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
    /// [`Missing::Snapshot`]; [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn snapshot(&self, hash: &SnapshotHash) -> Result<SnapshotRecord, LedgerError> {
        let place = (Table::Snapshots, hash.as_bytes().as_slice());
        let size = PageSize::of(1);
        let page = self.page(place, None, size, Direction::Forward, snapshot_record)?;
        let found = page.items.into_iter().next();
        found.ok_or_else(|| Missing::Snapshot(*hash).into())
    }

    /// Snapshots of a kind, newest first.
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
        self.page(place, from, size, Direction::Backward, snapshot_record)
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
