//! A frame's fixed first bytes, and the entries of its directory.

use super::{DIRECTORY_ENTRY_BYTES, HASH_BYTES, HEADER_BYTES};
use crate::log::block::BlockCount;
use crate::log::bytes::Fields;
use crate::log::ids::{ChainHash, LogId, SegmentNumber};
use crate::log::request::EventCount;
use stella_verify::units::{LeafIndex, TreeSize, UnixMillis};

pub(super) const MAGIC: &[u8; 8] = b"STLFRAM1";

/// What a frame says of itself in its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) log: LogId,
    pub(crate) segment: SegmentNumber,
    pub(crate) first: LeafIndex,
    pub(crate) count: EventCount,
    /// Lengths of the sections, in bytes.
    pub(crate) leaves: u32,
    pub(crate) admission: u32,
    pub(crate) checkpoint: u32,
    pub(crate) payloads: u32,
    /// Time of the frame's last event; admission time of its requests.
    pub(crate) time: UnixMillis,
    pub(crate) previous: ChainHash,
}

impl FrameHeader {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let fields: [&[u8]; 11] = [
            MAGIC,
            self.log.as_bytes(),
            &self.segment.0.to_le_bytes(),
            &self.first.get().to_le_bytes(),
            &self.count.0.to_le_bytes(),
            &self.leaves.to_le_bytes(),
            &self.admission.to_le_bytes(),
            &self.checkpoint.to_le_bytes(),
            &self.payloads.to_le_bytes(),
            &self.time.get().to_le_bytes(),
            &self.previous.0,
        ];
        let mut out = [0u8; HEADER_BYTES];
        let mut at = 0;
        for field in fields {
            if let Some(slot) = out.get_mut(at..at + field.len()) {
                slot.copy_from_slice(field);
            }
            at += field.len();
        }
        out
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if fields.take(MAGIC.len())? != MAGIC {
            return None;
        }
        let header = Self {
            log: LogId::new(fields.array()?),
            segment: SegmentNumber(fields.u64()?),
            first: LeafIndex::new(fields.u64()?),
            count: EventCount(fields.u32()?),
            leaves: fields.u32()?,
            admission: fields.u32()?,
            checkpoint: fields.u32()?,
            payloads: fields.u32()?,
            time: UnixMillis::new(fields.u64()?),
            previous: ChainHash(fields.array()?),
        };
        // A reserved word closes the header; one value, one spelling.
        (fields.u32()? == 0).then_some(header)
    }

    /// The tree size after this frame; `None` on overflow or an empty frame.
    pub(crate) fn end(&self) -> Option<TreeSize> {
        if self.count.0 == 0 {
            return None;
        }
        let end = self.first.get().checked_add(u64::from(self.count.0))?;
        Some(TreeSize::new(end))
    }

    pub(crate) const fn directory_start() -> usize {
        HEADER_BYTES
    }

    pub(crate) const fn leaves_start(&self) -> usize {
        HEADER_BYTES + self.count.0 as usize * DIRECTORY_ENTRY_BYTES
    }

    pub(crate) const fn admission_start(&self) -> usize {
        self.leaves_start() + self.leaves as usize
    }

    pub(crate) const fn checkpoint_start(&self) -> usize {
        self.admission_start() + self.admission as usize
    }

    pub(crate) const fn hash_start(&self) -> usize {
        self.checkpoint_start() + self.checkpoint as usize
    }

    pub(crate) const fn payloads_start(&self) -> usize {
        self.hash_start() + HASH_BYTES
    }

    /// Bytes of the whole frame before padding.
    pub(crate) const fn length(&self) -> usize {
        self.payloads_start() + self.payloads as usize
    }

    /// Blocks the frame occupies; `None` beyond what a file can have.
    pub(crate) fn blocks(&self) -> Option<BlockCount> {
        BlockCount::holding(self.length())
    }
}

/// Where one leaf ends in the frame's two sections, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct EntryEnds {
    pub(crate) leaf: u32,
    pub(crate) payload: u32,
}

impl EntryEnds {
    pub(crate) fn to_bytes(self) -> [u8; DIRECTORY_ENTRY_BYTES] {
        ((u64::from(self.payload) << 32) | u64::from(self.leaf)).to_le_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; DIRECTORY_ENTRY_BYTES]) -> Self {
        let mut fields = Fields(&bytes);
        Self {
            leaf: fields.u32().unwrap_or_default(),
            payload: fields.u32().unwrap_or_default(),
        }
    }
}
