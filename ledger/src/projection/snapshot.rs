//! `snapshot.*` and `policy.*`: the inputs that scans share.

use stella_verify::event::payload::{
    PolicyPublished, PolicyRegistered, SnapshotImported, SnapshotPublished, SnapshotRemoved,
};
use stella_verify::snapshot::SnapshotKind;
use stella_verify::units::LeafIndex;

use super::Row;
use crate::index::keys::{Table, text_lookup};

/// What snapshots of one kind are found under.
#[must_use]
pub fn kind_lookup(kind: SnapshotKind) -> Vec<u8> {
    text_lookup(kind.as_str())
}

/// What policies are found under, in the order of their registration.
#[must_use]
pub fn policies_lookup() -> Vec<u8> {
    text_lookup("policy")
}

/// What removals of snapshots are found under.
#[must_use]
pub fn removals_lookup() -> Vec<u8> {
    text_lookup("removed")
}

/// Rows of a `snapshot.imported` payload.
pub(super) fn imported_rows(leaf: LeafIndex, payload: &[u8]) -> Option<Vec<Row>> {
    let header = SnapshotImported::parse(payload).ok()?.header;
    Some(vec![
        Row::pointer(Table::Snapshots, header.hash().as_bytes(), leaf),
        Row::pointer(Table::Imports, &kind_lookup(header.kind()), leaf),
    ])
}

/// Rows of a `snapshot.published` payload.
pub(super) fn published_rows(leaf: LeafIndex, payload: &[u8]) -> Option<Vec<Row>> {
    let kind = SnapshotPublished::parse(payload).ok()?.kind;
    Some(vec![Row::pointer(
        Table::Published,
        &kind_lookup(kind),
        leaf,
    )])
}

/// Rows of a `snapshot.removed` payload. It stands under the snapshot's hash as its import does: the
/// last of them says whether the snapshot is there.
pub(super) fn removed_rows(leaf: LeafIndex, payload: &[u8]) -> Option<Vec<Row>> {
    let snapshot = SnapshotRemoved::parse(payload).ok()?.snapshot;
    Some(vec![
        Row::pointer(Table::Snapshots, snapshot.as_bytes(), leaf),
        Row::pointer(Table::Imports, &removals_lookup(), leaf),
    ])
}

/// Rows of a `policy.registered` payload.
pub(super) fn policy_rows(leaf: LeafIndex, payload: &[u8]) -> Option<Vec<Row>> {
    let policy = PolicyRegistered::parse(payload).ok()?.policy;
    Some(vec![
        Row::pointer(Table::Policies, policy.as_bytes(), leaf),
        Row::pointer(Table::Imports, &policies_lookup(), leaf),
    ])
}

/// Rows of a `policy.published` payload.
pub(super) fn policy_published_rows(leaf: LeafIndex, payload: &[u8]) -> Option<Vec<Row>> {
    PolicyPublished::parse(payload).ok()?;
    Some(vec![Row::pointer(
        Table::Published,
        &policies_lookup(),
        leaf,
    )])
}
