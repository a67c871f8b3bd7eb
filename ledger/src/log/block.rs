//! The physical layer: 4,096-byte blocks, each with its own checksum.
//!
//! ```text
//! block = body (4,088 bytes) || xxh3-64 of the body, little-endian
//! ```
//!
//! The checksum's seed is drawn from the log id, the file, the block's number and the number of
//! the block where its *unit* (frame, seal, ...) starts. So a block that was misplaced, left over
//! from another file, or belongs to another frame fails like one that was changed. A block of
//! zeros is never valid: files start as zeros, and "never written" must be told from "written".

use super::ids::LogId;
use crate::disk::ByteOffset;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Bytes of a block.
pub(crate) const BLOCK_BYTES: usize = 4096;
/// Bytes of a block that carry content.
pub(crate) const BODY_BYTES: usize = BLOCK_BYTES - 8;

/// A block's number in its file, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BlockNumber(pub u32);

impl BlockNumber {
    pub(crate) const fn offset(self) -> ByteOffset {
        ByteOffset(self.0 as u64 * BLOCK_BYTES as u64)
    }

    /// The block `count` further on; saturates, which no file reaches.
    pub(crate) const fn plus(self, count: BlockCount) -> Self {
        Self(self.0.saturating_add(count.0))
    }

    /// Blocks from `start` up to here; zero if `start` is not before.
    pub(crate) const fn since(self, start: Self) -> BlockCount {
        BlockCount(self.0.saturating_sub(start.0))
    }
}

/// How many blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BlockCount(pub u32);

impl BlockCount {
    /// Blocks that hold `content` bytes of bodies; `None` beyond what a file can have.
    pub(crate) fn holding(content: usize) -> Option<Self> {
        u32::try_from(content.div_ceil(BODY_BYTES)).ok().map(Self)
    }

    pub(crate) const fn bytes(self) -> usize {
        self.0 as usize * BLOCK_BYTES
    }
}

/// What kind of file a block belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Segment,
    Run,
    Head,
    EraseJournal,
}

/// Where checksums of one file's blocks start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockKey(u64);

impl BlockKey {
    pub(crate) fn new(log: LogId, kind: FileKind, number: u64) -> Self {
        let mut name = [0u8; 25];
        let (id, rest) = name.split_at_mut(16);
        id.copy_from_slice(log.as_bytes());
        if let Some((kind_byte, number_bytes)) = rest.split_first_mut() {
            *kind_byte = match kind {
                FileKind::Segment => 1,
                FileKind::Run => 2,
                FileKind::Head => 3,
                FileKind::EraseJournal => 4,
            };
            number_bytes.copy_from_slice(&number.to_le_bytes());
        }
        Self(xxh3_64(&name))
    }

    fn checksum(self, body: &[u8], block: BlockNumber, unit: BlockNumber) -> u64 {
        // Odd multipliers, so that distinct numbers give distinct seeds.
        let seed = self
            .0
            .wrapping_add(u64::from(block.0).wrapping_mul(0x9E37_79B9_7F4A_7C15))
            .wrapping_add(u64::from(unit.0).wrapping_mul(0xC2B2_AE3D_27D4_EB4F));
        // Zero is kept for "never written".
        xxh3_64_with_seed(body, seed).max(1)
    }

    /// The block of a body of [`BODY_BYTES`].
    pub(crate) fn close(self, mut body: Vec<u8>, at: BlockNumber, unit: BlockNumber) -> Vec<u8> {
        let sum = self.checksum(&body, at, unit);
        body.extend_from_slice(&sum.to_le_bytes());
        body
    }

    /// The body of a valid block, `None` of any other.
    pub(crate) fn open(self, block: &[u8], at: BlockNumber, unit: BlockNumber) -> Option<&[u8]> {
        let (body, sum) = block.split_at_checked(BODY_BYTES)?;
        let sum = u64::from_le_bytes(sum.try_into().ok()?);
        (self.checksum(body, at, unit) == sum).then_some(body)
    }
}

/// Lays content out into blocks at the end of a buffer.
#[derive(Debug)]
pub(crate) struct BlockWriter<'a> {
    out: &'a mut Vec<u8>,
    key: BlockKey,
    unit: BlockNumber,
    next: BlockNumber,
    filled: usize,
}

impl<'a> BlockWriter<'a> {
    /// Starts a unit at block `unit`.
    pub(crate) fn new(out: &'a mut Vec<u8>, key: BlockKey, unit: BlockNumber) -> Self {
        Self {
            out,
            key,
            unit,
            next: unit,
            filled: 0,
        }
    }

    pub(crate) fn put(&mut self, mut bytes: &[u8]) {
        while let Some((head, rest)) = bytes.split_at_checked(BODY_BYTES - self.filled) {
            self.out.extend_from_slice(head);
            self.close_block();
            bytes = rest;
        }
        self.out.extend_from_slice(bytes);
        self.filled += bytes.len();
    }

    /// Fills the last block up with zeros; the block after the unit.
    pub(crate) fn finish(mut self) -> BlockNumber {
        if self.filled > 0 {
            let padding = BODY_BYTES - self.filled;
            self.out.resize(self.out.len() + padding, 0);
            self.close_block();
        }
        self.next
    }

    fn close_block(&mut self) {
        let start = self.out.len().saturating_sub(BODY_BYTES);
        let body = self.out.get(start..).unwrap_or_default();
        let sum = self.key.checksum(body, self.next, self.unit);
        self.out.extend_from_slice(&sum.to_le_bytes());
        self.next = self.next.plus(BlockCount(1));
        self.filled = 0;
    }
}

/// Whether a block was never written.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    // Whole words first: this runs over the unused tail of a segment at every open.
    let (words, rest) = bytes.as_chunks::<32>();
    words.iter().all(|word| *word == [0; 32]) && rest.iter().all(|byte| *byte == 0)
}

/// A block that fails its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadBlock(pub(crate) BlockNumber);

/// Verifies consecutive blocks of one unit, the first of them numbered `first`, and leaves only
/// their bodies in the buffer, in place.
pub(crate) fn strip(
    blocks: &mut Vec<u8>,
    key: BlockKey,
    first: BlockNumber,
    unit: BlockNumber,
) -> Result<(), BadBlock> {
    let count = blocks.len() / BLOCK_BYTES;
    for number in 0..count {
        let at = BlockNumber(
            first
                .0
                .saturating_add(u32::try_from(number).unwrap_or(u32::MAX)),
        );
        let start = number * BLOCK_BYTES;
        let block = blocks.get(start..start + BLOCK_BYTES).unwrap_or_default();
        if key.open(block, at, unit).is_none() {
            return Err(BadBlock(at));
        }
        blocks.copy_within(start..start + BODY_BYTES, number * BODY_BYTES);
    }
    blocks.truncate(count * BODY_BYTES);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOG: LogId = LogId::new([7; 16]);

    fn key() -> BlockKey {
        BlockKey::new(LOG, FileKind::Segment, 3)
    }

    fn lay_out(content: &[u8], unit: BlockNumber) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = BlockWriter::new(&mut out, key(), unit);
        for piece in content.chunks(1000) {
            writer.put(piece);
        }
        let end = writer.finish();
        assert_eq!(end.since(unit).bytes(), out.len());
        out
    }

    proptest! {
        #[test]
        fn content_comes_back_and_any_flip_is_found(
            content in proptest::collection::vec(any::<u8>(), 1..20_000),
            unit in 0u32..1000,
            at in any::<proptest::sample::Index>(),
            bit in 0u8..8,
        ) {
            let unit = BlockNumber(unit);
            let blocks = lay_out(&content, unit);
            let mut stripped = blocks.clone();
            prop_assert_eq!(strip(&mut stripped, key(), unit, unit), Ok(()));
            prop_assert_eq!(&stripped[..content.len()], &content[..]);
            prop_assert!(is_zero(&stripped[content.len()..]));

            let mut flipped = blocks;
            let at = at.index(flipped.len());
            flipped[at] ^= 1 << bit;
            let expected = unit.plus(BlockCount(u32::try_from(at / BLOCK_BYTES).unwrap()));
            prop_assert_eq!(strip(&mut flipped, key(), unit, unit), Err(BadBlock(expected)));
        }
    }

    #[test]
    fn a_block_is_valid_in_one_place_only() {
        let block = lay_out(b"content", BlockNumber(5));
        let five = BlockNumber(5);
        assert!(key().open(&block, five, five).is_some());
        assert!(key().open(&block, BlockNumber(6), five).is_none());
        assert!(key().open(&block, five, BlockNumber(4)).is_none());
        for other in [
            BlockKey::new(LOG, FileKind::Segment, 4),
            BlockKey::new(LOG, FileKind::Run, 3),
            BlockKey::new(LogId::new([8; 16]), FileKind::Segment, 3),
        ] {
            assert!(other.open(&block, five, five).is_none());
        }
    }

    #[test]
    fn zeros_are_never_valid() {
        let zeros = [0; BLOCK_BYTES];
        assert!(key().open(&zeros, BlockNumber(0), BlockNumber(0)).is_none());
        assert!(is_zero(&zeros));
        let mut last = zeros;
        last[BLOCK_BYTES - 1] = 1;
        assert!(!is_zero(&last));
    }
}
