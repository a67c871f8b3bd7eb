//! Keys of snapshot rows: how a fact names the record it was read from (FORMATS.md, 7).

use std::borrow::Cow;

pub use stella_verify::snapshot::Table;

/// Key of a row that a fact was read from; [`to_entry`](stella_verify::snapshot::RowKey::to_entry)
/// is the `entry` of an evidence reference.
pub type RowKey = stella_verify::snapshot::RowKey<'static>;

/// Key of a record that belongs to no package.
pub(crate) fn unpackaged(table: Table, source: &str, id: &str) -> RowKey {
    RowKey {
        table,
        ecosystem: Cow::Borrowed(""),
        package: Cow::Borrowed(""),
        source: Cow::Owned(source.to_owned()),
        id: Cow::Owned(id.to_owned()),
    }
}
