//! The records file: a snapshot's rows and records as one blob (FORMATS.md, 7.1).
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

use std::collections::{BTreeMap, BTreeSet};

use stella_verify::hash::{BlobDigest, SnapshotHash, SnapshotRoot, sha256};
use stella_verify::merkle::{Frontier, leaf_hash};
use stella_verify::snapshot::{Row, RowError, SnapshotError, SnapshotHeader, Table};

use crate::model::RowKey;

/// First line of a records file.
pub(super) const MAGIC: &[u8] = b"stella.snapshot-records/v1\n";

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

/// Writes a records file. Every row's record must be among `records`.
pub(super) fn write(
    header: &SnapshotHeader,
    rows: &[Row<'_>],
    records: &BTreeMap<BlobDigest, Box<[u8]>>,
) -> Vec<u8> {
    let bytes: usize = records.values().map(|record| record.len()).sum();
    let mut out = Vec::with_capacity(MAGIC.len() + 1_024 + bytes + rows.len() * 192);
    out.extend_from_slice(MAGIC);
    push_part(&mut out, &header.to_bytes());
    let mut written = BTreeSet::new();
    for row in rows {
        push_part(&mut out, &row.to_bytes());
        if written.insert(row.record) {
            push_part(
                &mut out,
                records.get(&row.record).map_or(&[], |record| &**record),
            );
        }
    }
    out
}

fn push_part(out: &mut Vec<u8>, part: &[u8]) {
    // Parts are bounded far below 4 GiB where they are read in.
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(part);
}

/// A records file that is being read. Everything is verified on the way; only when
/// [`next`](Self::next) has returned `None` is the whole known to be the snapshot.
#[derive(Debug)]
pub struct Snapshot<'a> {
    header: SnapshotHeader,
    rest: &'a [u8],
    seen: BTreeMap<BlobDigest, &'a [u8]>,
    last: Option<RowKey>,
    tree: Frontier<SnapshotRoot>,
    index: u64,
}

impl<'a> Snapshot<'a> {
    /// Opens a records file and reads its header.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn open(bytes: &'a [u8]) -> Result<Self, RecordsError> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(RecordsError::Magic)?;
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
    pub fn next(&mut self) -> Result<Option<(RowKey, &'a [u8])>, RecordsError> {
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

/// Bytes that a chunk has on average.
const CHUNK_BYTES: u64 = 256 * 1024;

/// Most bytes of a chunk, except that a row is never cut from its record.
const MAX_CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Cuts a records file into chunks that together are the file. Where it is cut depends on the row
/// before the cut alone, so files with equal stretches share chunks.
///
/// # Errors
/// [`RecordsError`]: the parts do not fit together. Nothing else is verified.
pub fn chunks(bytes: &[u8]) -> Result<Vec<&[u8]>, RecordsError> {
    let mut rest = bytes.strip_prefix(MAGIC).ok_or(RecordsError::Magic)?;
    let header = SnapshotHeader::parse(take_part(&mut rest)?)?;
    let mut seen = BTreeSet::new();
    let mut cuts = vec![bytes.len() - rest.len()];
    for index in 0..header.rows().get() {
        let before = rest.len();
        let part = take_part(&mut rest)?;
        let row = Row::parse(part).map_err(|error| RecordsError::Row { index, error })?;
        if seen.insert(row.record) {
            take_part(&mut rest)?;
        }
        let length = u64::try_from(before - rest.len()).unwrap_or(u64::MAX);
        let end = bytes.len() - rest.len();
        let start = cuts.last().copied().unwrap_or_default();
        // A row is a cut with a chance that grows with its length, drawn from its own hash.
        let drawn = row.leaf_hash().as_bytes().first_chunk::<4>().copied();
        let drawn = u64::from(u32::from_be_bytes(drawn.unwrap_or_default()));
        if drawn < length.saturating_mul(u64::from(u32::MAX)) / CHUNK_BYTES
            || end - start >= MAX_CHUNK_BYTES
        {
            cuts.push(end);
        }
    }
    if !rest.is_empty() {
        return Err(RecordsError::Length);
    }
    cuts.push(bytes.len());
    let mut start = 0;
    let mut chunks = Vec::with_capacity(cuts.len());
    for end in cuts {
        match bytes.get(start..end) {
            Some(chunk) if !chunk.is_empty() => chunks.push(chunk),
            _ => {}
        }
        start = end;
    }
    Ok(chunks)
}

/// Rows of a records file by table, all of it verified.
///
/// # Errors
/// [`RecordsError`].
pub fn count_rows(bytes: &[u8]) -> Result<BTreeMap<Table, u64>, RecordsError> {
    let mut snapshot = Snapshot::open(bytes)?;
    let mut counts = BTreeMap::new();
    while let Some((key, _)) = snapshot.next()? {
        *counts.entry(key.table).or_default() += 1;
    }
    Ok(counts)
}

fn take_part<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], RecordsError> {
    let (length, after) = rest.split_first_chunk::<4>().ok_or(RecordsError::Length)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| RecordsError::Length)?;
    let (part, after) = after.split_at_checked(length).ok_or(RecordsError::Length)?;
    *rest = after;
    Ok(part)
}
