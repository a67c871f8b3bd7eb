//! Reading a records file: a snapshot's rows and records as one blob (FORMATS.md section 7.1).
//!
//! ```text
//!   "stella.snapshot-records/v1\n"
//!   length, header
//!   for each row in order:
//!     length, row
//!     length, record          only where the record's hash first occurs
//! ```
//!
//! Lengths are u32, big-endian. There is one such file for a snapshot; a reader that verifies it
//! knows the snapshot's hash, order, root and every record.

use super::{Row, RowError, RowKey, SnapshotError, SnapshotHeader};
use crate::hash::{BlobDigest, SnapshotHash, SnapshotRoot, sha256};
use crate::merkle::{Frontier, leaf_hash};
use alloc::collections::BTreeMap;

/// First line of a records file.
pub const RECORDS_MAGIC: &[u8] = b"stella.snapshot-records/v1\n";

/// Why bytes are not a snapshot's records file. The bytes are damaged or forged.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The first line is another.
    #[error("not a snapshot's records file: the first line is another")]
    Magic,
    /// The bytes end within a part, or go on after the last.
    #[error("the records file is cut short, or goes on after its last row")]
    Length,
    /// The header is none.
    #[error(transparent)]
    Header(#[from] SnapshotError),
    /// A row is none.
    #[error("row {index}: {error}")]
    Row {
        /// Place of the row, from 0.
        index: u64,
        /// Why.
        error: RowError,
    },
    /// A row is not after the one before it.
    #[error("row {index} is not after the row before it")]
    Order {
        /// Place of the row, from 0.
        index: u64,
    },
    /// A record is not the one its row names.
    #[error("the record of row {index} has another hash than the row says")]
    Record {
        /// Place of the row, from 0.
        index: u64,
    },
    /// The rows are not those the header's root was computed over.
    #[error("the rows' root is {computed}, the header says {stated}")]
    Root {
        /// What the rows give.
        computed: SnapshotRoot,
        /// What the header says.
        stated: SnapshotRoot,
    },
}

/// A records file that is being read. Everything is verified on the way; only when
/// [`next`](Self::next) has returned `None` is the whole known to be the snapshot.
#[derive(Debug)]
pub struct Snapshot<'a> {
    header: SnapshotHeader,
    rest: &'a [u8],
    seen: BTreeMap<BlobDigest, &'a [u8]>,
    last: Option<RowKey<'static>>,
    tree: Frontier<SnapshotRoot>,
    index: u64,
}

impl<'a> Snapshot<'a> {
    /// Opens a records file and reads its header.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn open(bytes: &'a [u8]) -> Result<Self, RecordsError> {
        let mut rest = bytes
            .strip_prefix(RECORDS_MAGIC)
            .ok_or(RecordsError::Magic)?;
        let header = SnapshotHeader::parse(take_part(&mut rest)?)?;
        Ok(Self {
            header,
            rest,
            seen: BTreeMap::new(),
            last: None,
            tree: Frontier::default(),
            index: 0,
        })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// The snapshot's hash.
    #[must_use]
    pub fn hash(&self) -> SnapshotHash {
        self.header.hash()
    }

    /// Reads the next row and its record; `None` after the last, when all was as the header says.
    ///
    /// # Errors
    /// [`RecordsError`].
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator could be dropped before its end"
    )]
    pub fn next(&mut self) -> Result<Option<(RowKey<'static>, &'a [u8])>, RecordsError> {
        let row = self.next_row()?;
        Ok(row.map(|(row, record)| (row.key, record)))
    }

    /// As [`next`](Self::next), with the record's digest.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn next_row(&mut self) -> Result<Option<(Row<'static>, &'a [u8])>, RecordsError> {
        if self.index == self.header.rows().get() {
            return self.finish().map(|()| None);
        }
        let index = self.index;
        let bytes = take_part(&mut self.rest)?;
        let row = Row::parse(bytes).map_err(|error| RecordsError::Row { index, error })?;
        if self.last.as_ref().is_some_and(|last| *last >= row.key) {
            return Err(RecordsError::Order { index });
        }
        let record = if let Some(record) = self.seen.get(&row.record) {
            record
        } else {
            let record = take_part(&mut self.rest)?;
            if BlobDigest::new(sha256(record)) != row.record {
                return Err(RecordsError::Record { index });
            }
            self.seen.insert(row.record, record);
            record
        };
        self.tree.push(leaf_hash(bytes));
        self.last = Some(row.key.clone());
        self.index += 1;
        Ok(Some((row, record)))
    }

    fn finish(&self) -> Result<(), RecordsError> {
        if !self.rest.is_empty() {
            return Err(RecordsError::Length);
        }
        let (computed, stated) = (self.tree.root(), self.header.root());
        if computed == stated {
            Ok(())
        } else {
            Err(RecordsError::Root { computed, stated })
        }
    }
}

/// Takes the next part of a records file from what is left of it.
///
/// # Errors
/// [`RecordsError::Length`].
pub fn take_part<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], RecordsError> {
    let (length, after) = rest.split_first_chunk::<4>().ok_or(RecordsError::Length)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| RecordsError::Length)?;
    let (part, after) = after.split_at_checked(length).ok_or(RecordsError::Length)?;
    *rest = after;
    Ok(part)
}
