//! What differs between two snapshots.

use super::damaged;
use crate::app::App;
use crate::app::scans::{parse_scan_id, scan_state};
use crate::refusal::Refusal;
use std::collections::BTreeSet;
use stella_ledger::ledger::View;
use stella_proto::snapshot as wire;
use stella_scoring::snapshot::{DiffError, RowChange, RowChangeKind, diff, uses_of_row};
use stella_verify::hash::SnapshotHash;
use stella_verify::snapshot::UseKey;

/// Rows in one message of an answer.
const ROWS_IN_MESSAGE: usize = 1000;

impl App {
    /// Rows that differ, in messages; the last one has the totals.
    pub(crate) fn diff_snapshots(
        &self,
        request: &wire::DiffSnapshotsRequest,
    ) -> Result<Vec<wire::DiffSnapshotsResponse>, Refusal> {
        let hash = |field: &str, text: &str| -> Result<SnapshotHash, Refusal> {
            text.parse()
                .map_err(|problem| Refusal::field(field, problem))
        };
        let old = hash("old_hash", &request.old_hash)?;
        let new = hash("new_hash", &request.new_hash)?;
        let view = self.view_of(request.tree_size)?;
        let uses = uses_of_scan(&view, &request.scan_id)?;
        let before = self.records_at(&view, old)?;
        let after = self.records_at(&view, new)?;
        let found = diff(&before, &after, |key, before, after| {
            let Some(uses) = &uses else { return true };
            let mut touched = false;
            uses_of_row(key, [before, after], |key| touched |= uses.contains(&key));
            touched
        });
        let (changes, totals) = found.map_err(|problem| match problem {
            DiffError::Kinds => Refusal::field("new_hash", problem),
            DiffError::Records(_) => damaged(new, &problem),
        })?;
        let mut messages: Vec<_> = (changes.chunks(ROWS_IN_MESSAGE))
            .map(|changes| wire::DiffSnapshotsResponse {
                changes: changes.iter().map(change_to_wire).collect(),
                totals: Vec::new(),
            })
            .collect();
        let totals = totals
            .into_iter()
            .map(|((table, kind), rows)| wire::DiffTotal {
                table: table.as_str().to_owned(),
                kind: kind_to_wire(kind).into(),
                rows,
            });
        messages.push(wire::DiffSnapshotsResponse {
            changes: Vec::new(),
            totals: totals.collect(),
        });
        Ok(messages)
    }
}

/// What all computations of a scan used as far as a tree has them; `None` without a scan.
fn uses_of_scan(view: &View<'_>, scan_id: &str) -> Result<Option<BTreeSet<UseKey>>, Refusal> {
    if scan_id.is_empty() {
        return Ok(None);
    }
    let state = scan_state(view, &parse_scan_id(scan_id)?)?;
    let mut keys = BTreeSet::new();
    for footprint in &state.footprints {
        keys.extend(footprint.uses()?.keys().iter().copied());
    }
    Ok(Some(keys))
}

fn change_to_wire(change: &RowChange) -> wire::RowChange {
    let key = &change.key;
    let said = |said: &Option<Box<str>>| said.as_deref().unwrap_or_default().to_owned();
    wire::RowChange {
        kind: kind_to_wire(change.kind).into(),
        table: key.table.as_str().to_owned(),
        ecosystem: key.ecosystem.to_string(),
        package: key.package.to_string(),
        source: key.source.to_string(),
        id: key.id.to_string(),
        old_value: said(&change.old),
        new_value: said(&change.new),
    }
}

fn kind_to_wire(kind: RowChangeKind) -> wire::RowChangeKind {
    match kind {
        RowChangeKind::Added => wire::RowChangeKind::Added,
        RowChangeKind::Removed => wire::RowChangeKind::Removed,
        RowChangeKind::Withdrawn => wire::RowChangeKind::Withdrawn,
        RowChangeKind::Rescored => wire::RowChangeKind::Rescored,
        RowChangeKind::Ranges => wire::RowChangeKind::Ranges,
        RowChangeKind::Edited => wire::RowChangeKind::Edited,
    }
}
