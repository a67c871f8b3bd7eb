//! Counting what a store must contain.
//!
//! A store that was not closed cleanly has no seal. sled may then have lost rows, or have brought
//! back rows that were deleted, without an error; the marker's inventory tells. Packed values (runs,
//! tiles) need no counting: it is known which must exist, and one that does not is damage wherever
//! it is missed.

use std::ops::ControlFlow;

use stella_verify::units::LeafIndex;

use super::fold::complete_windows;
use super::keys::{self, Table};
use super::kv::{Direction, KeyRange, KvStore, StoreError};
use super::marker::{Inventory, Marker};
use super::window::StreamPart;

/// Compares the rows of the complete windows with the marker's inventory.
///
/// # Errors
/// [`StoreError::Damaged`] when they differ.
pub fn count_rows(store: &dyn KvStore, marker: &Marker) -> Result<(), StoreError> {
    let base = complete_windows(marker.folded);
    let mut found = Inventory::default();
    let mut damage = None;
    for table in Table::ROWS {
        let range = KeyRange::prefix(&[table.byte()]);
        store.scan(&range, Direction::Forward, &mut |key, value| {
            match leaf_of(table, key, value) {
                // Rows of an unfinished window are folded again; they may be there or not.
                Ok(leaf) if leaf < base.get() => found.add(key, value),
                Ok(_) => {}
                Err(error) => {
                    damage = Some(error);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
    }
    match damage {
        Some(error) => Err(error),
        None if found == marker.inventory => Ok(()),
        None => Err(StoreError::damaged(format!(
            "it has {} rows and should have {}, or other ones",
            found.rows(),
            marker.inventory.rows()
        ))),
    }
}

/// The leaf that gave a row.
fn leaf_of(table: Table, key: &[u8], value: &[u8]) -> Result<u64, StoreError> {
    let leaf = if table == Table::Streams {
        StreamPart::from_bytes(value)?
            .first_leaf()
            .map(LeafIndex::get)
    } else {
        keys::last_number(key)
    };
    leaf.ok_or_else(|| StoreError::damaged("a row names no leaf"))
}
