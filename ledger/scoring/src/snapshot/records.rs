//! The records file: a snapshot's rows and records as one blob (FORMATS.md, 7.1). Reading it is the
//! verifier's; here it is written and cut.

use std::collections::{BTreeMap, BTreeSet};

use stella_verify::hash::BlobDigest;
use stella_verify::snapshot::{
    RECORDS_MAGIC, RecordsError, Row, Snapshot, SnapshotHeader, Table, take_part,
};

/// Writes a records file. Every row's record must be among `records`.
pub(super) fn write(
    header: &SnapshotHeader,
    rows: &[Row<'_>],
    records: &BTreeMap<BlobDigest, Box<[u8]>>,
) -> Vec<u8> {
    let bytes: usize = records.values().map(|record| record.len()).sum();
    let mut out = Vec::with_capacity(RECORDS_MAGIC.len() + 1_024 + bytes + rows.len() * 192);
    out.extend_from_slice(RECORDS_MAGIC);
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
    let mut rest = bytes
        .strip_prefix(RECORDS_MAGIC)
        .ok_or(RecordsError::Magic)?;
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
