//! The last block of a full segment: where it ended, and what was remembered of it.

use super::block::{BLOCK_BYTES, BlockCount, BlockNumber, BlockWriter, is_zero};
use super::bytes::Fields;
use super::fault::{Fault, StoreFault};
use super::ids::{ChainHash, SegmentNumber};
use super::segment::Segment;
use stella_verify::hash::NodeHash;
use stella_verify::merkle::Frontier;
use stella_verify::units::{LeafIndex, TreeSize, UnixMillis};

const MAGIC: &[u8; 8] = b"STLSEAL1";

/// Which run file belongs to a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunRef {
    /// Length of the file.
    pub(crate) blocks: BlockCount,
    /// Where its meta section starts.
    pub(crate) meta: BlockNumber,
    /// BLAKE3 of the meta section, which in turn holds that of the tables.
    pub(crate) hash: [u8; 32],
}

/// A sealed segment's summary; each seal names the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seal {
    pub(crate) segment: SegmentNumber,
    pub(crate) first: LeafIndex,
    /// The tree after the segment's last frame.
    pub(crate) frontier: Frontier,
    /// The block after the last frame.
    pub(crate) end: BlockNumber,
    pub(crate) last_frame: ChainHash,
    pub(crate) time: UnixMillis,
    pub(crate) run: RunRef,
    pub(crate) previous: ChainHash,
}

impl Seal {
    pub(crate) fn size(&self) -> TreeSize {
        self.frontier.size()
    }

    fn content(&self) -> Vec<u8> {
        let nodes = self.frontier.nodes();
        let mut out = Vec::with_capacity(256 + nodes.len() * 32);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.segment.0.to_le_bytes());
        out.extend_from_slice(&self.first.get().to_le_bytes());
        out.extend_from_slice(&self.size().get().to_le_bytes());
        out.extend_from_slice(&self.end.0.to_le_bytes());
        out.extend_from_slice(&self.last_frame.0);
        out.extend_from_slice(&self.time.get().to_le_bytes());
        out.extend_from_slice(&self.run.blocks.0.to_le_bytes());
        out.extend_from_slice(&self.run.meta.0.to_le_bytes());
        out.extend_from_slice(&self.run.hash);
        out.extend_from_slice(&self.previous.0);
        for node in nodes {
            out.extend_from_slice(node.as_bytes());
        }
        out
    }

    /// What the next seal names.
    pub(crate) fn hash(&self) -> ChainHash {
        ChainHash(*blake3::hash(&self.content()).as_bytes())
    }

    /// The block to write at the segment's end. A right edge has at most 63 hashes, so one block
    /// always suffices.
    pub(crate) fn block(&self, segment: &Segment) -> Vec<u8> {
        let content = self.content();
        let mut out = Vec::with_capacity(BLOCK_BYTES);
        let mut writer = BlockWriter::new(&mut out, segment.key, segment.seal_block());
        writer.put(&content);
        writer.put(blake3::hash(&content).as_bytes());
        writer.finish();
        out
    }

    /// Reads a segment's seal; `None` while it has none.
    pub(crate) fn read(segment: &Segment) -> Result<Option<Self>, StoreFault> {
        let at = segment.seal_block();
        let mut raw = Vec::new();
        segment.read_raw(at, BlockCount(1), &mut raw)?;
        if is_zero(&raw) {
            return Ok(None);
        }
        let body = segment
            .key
            .open(&raw, at, at)
            .ok_or_else(|| segment.damage(at, Fault::Checksum))?;
        let seal = Self::parse(body)
            .ok_or_else(|| segment.damage(at, Fault::Seal("its fields are wrong")))?;
        if seal.segment != segment.number {
            return Err(segment
                .damage(at, Fault::Seal("it belongs to another segment"))
                .into());
        }
        Ok(Some(seal))
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(body);
        if fields.take(MAGIC.len())? != MAGIC {
            return None;
        }
        let segment = SegmentNumber(fields.u64()?);
        let first = LeafIndex::new(fields.u64()?);
        let size = TreeSize::new(fields.u64()?);
        let end = BlockNumber(fields.u32()?);
        let last_frame = ChainHash(fields.array()?);
        let time = UnixMillis::new(fields.u64()?);
        let run = RunRef {
            blocks: BlockCount(fields.u32()?),
            meta: BlockNumber(fields.u32()?),
            hash: fields.array()?,
        };
        let previous = ChainHash(fields.array()?);
        let mut nodes = Vec::new();
        for _ in 0..size.get().count_ones() {
            nodes.push(NodeHash::new(fields.array()?));
        }
        let seal = Self {
            segment,
            first,
            frontier: Frontier::from_parts(size, nodes).ok()?,
            end,
            last_frame,
            time,
            run,
            previous,
        };
        let hash: [u8; 32] = fields.array()?;
        (hash == seal.hash().0 && is_zero(fields.0)).then_some(seal)
    }
}
