//! Which frame holds a leaf: sparse in memory, exact by walking the frames' headers.

use super::block::{BlockCount, BlockNumber};
use super::fault::StoreFault;
use super::frame::{FrameFault, FrameHeader};
use super::run::FrameMark;
use super::segment::Segment;
use std::sync::{PoisonError, RwLock};
use stella_verify::units::LeafIndex;

/// Marks are this many blocks apart (64 KiB) or a frame apart, whichever is more.
const STRIDE: BlockCount = BlockCount(16);

/// Places of some frames of one segment, always of its first. A pure function of the frames.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FrameIndex {
    marks: Vec<FrameMark>,
}

impl FrameIndex {
    pub(crate) fn from_marks(marks: Vec<FrameMark>) -> Self {
        Self { marks }
    }

    /// Takes note of the segment's next frame.
    pub(crate) fn push(&mut self, mark: FrameMark) {
        let due = self
            .marks
            .last()
            .is_none_or(|last| mark.block.since(last.block) >= STRIDE);
        if due {
            self.marks.push(mark);
        }
    }

    pub(crate) fn marks(&self) -> &[FrameMark] {
        &self.marks
    }

    fn at_or_before(&self, leaf: LeafIndex) -> Option<FrameMark> {
        let after = self.marks.partition_point(|mark| mark.first <= leaf);
        self.marks.get(after.checked_sub(1)?).copied()
    }
}

/// A segment as readers see it.
#[derive(Debug)]
pub(crate) struct IndexedSegment {
    pub(crate) segment: Segment,
    /// Its first leaf.
    pub(crate) first: LeafIndex,
    frames: RwLock<FrameIndex>,
}

/// A frame found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FramePlace {
    pub(crate) block: BlockNumber,
    pub(crate) header: FrameHeader,
}

impl IndexedSegment {
    pub(crate) fn new(segment: Segment, first: LeafIndex, frames: FrameIndex) -> Self {
        Self {
            segment,
            first,
            frames: RwLock::new(frames),
        }
    }

    pub(crate) fn push(&self, mark: FrameMark) {
        self.frames
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(mark);
    }

    pub(crate) fn frames(&self) -> FrameIndex {
        self.frames
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The frame that holds `leaf`, which is published and in this segment.
    pub(crate) fn find(&self, leaf: LeafIndex) -> Result<FramePlace, StoreFault> {
        let mark = self
            .frames
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .at_or_before(leaf);
        let mut block = mark.map_or(super::segment::FIRST_FRAME, |mark| mark.block);
        loop {
            let header = self.header(block)?;
            let wrong = self.segment.damage(block, FrameFault::Discontinuous);
            let (Some(end), Some(blocks)) = (header.end(), header.blocks()) else {
                return Err(wrong.into());
            };
            let next = block.plus(blocks);
            if header.first > leaf || next > self.segment.seal_block() {
                return Err(wrong.into());
            }
            if end.contains(leaf) {
                return Ok(FramePlace { block, header });
            }
            block = next;
        }
    }

    /// The header of the frame at a block that is known to start one.
    pub(crate) fn header(&self, block: BlockNumber) -> Result<FrameHeader, StoreFault> {
        let body = self.segment.read_unit(block, block, BlockCount(1))?;
        let header = FrameHeader::parse(&body)
            .ok_or_else(|| self.segment.damage(block, FrameFault::Magic))?;
        if header.segment != self.segment.number {
            return Err(self.segment.damage(block, FrameFault::Elsewhere).into());
        }
        Ok(header)
    }
}
