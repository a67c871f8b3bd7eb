//! The erase journal: new contents of blocks that are about to be rewritten in place.
//!
//! Erasing is the only thing that writes over bytes in use. A crash in the middle could leave a
//! block that is neither the old nor the new one, so the new blocks are first made durable here,
//! then written in place, then the journal is removed. Finding a journal at open means: write its
//! blocks again.
//!
//! ```text
//! u64 length of the rest | u64 segment | u32 count | count x (u32 block | 4096 bytes)
//! ```
//! laid out in checksummed blocks.

use super::block::{BLOCK_BYTES, BlockCount, BlockKey, BlockNumber, BlockWriter, FileKind, strip};
use super::bytes::Fields;
use super::fault::{Damage, DiskFault, Fault, Place, StoreFault};
use super::ids::SegmentNumber;
use super::segment::{LOG_FOLDER, Segment, temporary};
use super::spec::LogSpec;
use crate::disk::Disk;
use std::collections::BTreeMap;

const PATH: &str = "log/erase.journal";

/// Blocks to be written over, by number.
pub(crate) type Rewrites = BTreeMap<BlockNumber, Vec<u8>>;

/// Makes the rewrites durable, carries them out, forgets them.
pub(crate) fn carry_out(
    disk: &dyn Disk,
    spec: &LogSpec,
    segment: &Segment,
    rewrites: &Rewrites,
) -> Result<(), DiskFault> {
    let draft = temporary(PATH);
    let file = disk
        .create(&draft)
        .map_err(|source| DiskFault::new("create", &draft, source))?;
    file.write_at(
        &encode(spec, segment.number, rewrites),
        BlockNumber(0).offset(),
    )
    .map_err(|source| DiskFault::new("write", &draft, source))?;
    file.sync_data()
        .map_err(|source| DiskFault::new("sync", &draft, source))?;
    disk.rename(&draft, PATH)
        .map_err(|source| DiskFault::new("rename into", PATH, source))?;
    disk.sync_dir(LOG_FOLDER)
        .map_err(|source| DiskFault::new("sync", LOG_FOLDER, source))?;
    // A crash from here on: the journal is found and carried out again.
    apply(disk, segment, rewrites)
}

/// Carries out a journal that a crash left behind.
pub(crate) fn replay(disk: &dyn Disk, spec: &LogSpec) -> Result<(), StoreFault> {
    let file = match disk.open(PATH) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(DiskFault::new("open", PATH, source).into()),
    };
    let length = file
        .length()
        .map_err(|source| DiskFault::new("measure", PATH, source))?;
    let mut bytes = vec![0; usize::try_from(length.0).unwrap_or(0)];
    file.read_at(&mut bytes, BlockNumber(0).offset())
        .map_err(|source| DiskFault::new("read", PATH, source))?;
    let (number, rewrites) =
        decode(spec, bytes).ok_or_else(|| Damage::new(PATH, Place::File, Fault::EraseJournal))?;
    let segment = Segment::open(disk, spec, number)?;
    apply(disk, &segment, &rewrites)?;
    Ok(())
}

fn apply(disk: &dyn Disk, segment: &Segment, rewrites: &Rewrites) -> Result<(), DiskFault> {
    for (block, content) in rewrites {
        segment.write(content, *block)?;
    }
    segment.sync()?;
    disk.remove(PATH)
        .map_err(|source| DiskFault::new("remove", PATH, source))?;
    disk.sync_dir(LOG_FOLDER)
        .map_err(|source| DiskFault::new("sync", LOG_FOLDER, source))
}

fn key(spec: &LogSpec) -> BlockKey {
    BlockKey::new(spec.log, FileKind::EraseJournal, 0)
}

fn encode(spec: &LogSpec, segment: SegmentNumber, rewrites: &Rewrites) -> Vec<u8> {
    let mut content = Vec::with_capacity(20 + rewrites.len() * (4 + BLOCK_BYTES));
    content.extend_from_slice(&segment.0.to_le_bytes());
    content.extend_from_slice(&u32::try_from(rewrites.len()).unwrap_or(0).to_le_bytes());
    for (block, bytes) in rewrites {
        content.extend_from_slice(&block.0.to_le_bytes());
        content.extend_from_slice(bytes);
    }
    let mut out = Vec::with_capacity(content.len() + 2 * BLOCK_BYTES);
    let mut writer = BlockWriter::new(&mut out, key(spec), BlockNumber(0));
    writer.put(&(content.len() as u64).to_le_bytes());
    writer.put(&content);
    writer.finish();
    out
}

fn decode(spec: &LogSpec, mut bytes: Vec<u8>) -> Option<(SegmentNumber, Rewrites)> {
    if !bytes.len().is_multiple_of(BlockCount(1).bytes()) {
        return None;
    }
    strip(&mut bytes, key(spec), BlockNumber(0), BlockNumber(0)).ok()?;
    let mut fields = Fields(&bytes);
    let length = usize::try_from(fields.u64()?).ok()?;
    let mut fields = Fields(fields.take(length)?);
    let segment = SegmentNumber(fields.u64()?);
    let mut rewrites = Rewrites::new();
    for _ in 0..fields.u32()? {
        let block = BlockNumber(fields.u32()?);
        rewrites.insert(block, fields.take(BLOCK_BYTES)?.to_vec());
    }
    fields.is_empty().then_some((segment, rewrites))
}
