//! How far a segment's reserved space has been written.
//!
//! A new segment's space is reserved and reads as zeros. The first sync after a write into such space
//! must commit the file system's journal, too, which takes a disk about as long as the sync itself.
//! A small frame therefore takes zeros along for the frames after it, which then write where something
//! was written before. A large frame does without: its bytes take so long that the journal hardly
//! shows, and zeros would be written once more than anybody needs.
//!
//! Zeros change nothing that can be read there, so a crash leaves what it would have left without
//! them.

use super::block::{BlockCount, BlockNumber};
use super::ids::SegmentNumber;
use super::segment::Segment;
use crate::limits::{SMALL_FRAME_BLOCKS, ZEROS_AHEAD_BLOCKS};
use std::ops::Range;

/// The space known to have been written. Of a segment opened again nothing is known: the first
/// small frame writes zeros over zeros.
#[derive(Debug, Default)]
pub(crate) struct WrittenSpace {
    segment: SegmentNumber,
    end: BlockNumber,
}

impl WrittenSpace {
    /// How many blocks of zeros to write behind a frame, with it.
    pub(crate) fn zeros_behind(
        &mut self,
        segment: &Segment,
        frame: Range<BlockNumber>,
    ) -> BlockCount {
        self.extend(segment.number, frame, segment.seal_block())
    }

    /// `limit` is where the segment's frames end.
    fn extend(
        &mut self,
        segment: SegmentNumber,
        frame: Range<BlockNumber>,
        limit: BlockNumber,
    ) -> BlockCount {
        if segment != self.segment {
            let end = BlockNumber(0);
            *self = Self { segment, end };
        }
        if frame.end <= self.end {
            return BlockCount(0);
        }
        self.end = frame.end;
        if frame.end.since(frame.start) > BlockCount(SMALL_FRAME_BLOCKS) {
            return BlockCount(0);
        }
        self.end = BlockNumber(frame.end.0.next_multiple_of(ZEROS_AHEAD_BLOCKS)).min(limit);
        self.end.since(frame.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: BlockNumber = BlockNumber(10 * ZEROS_AHEAD_BLOCKS - 1);

    fn blocks(space: &mut WrittenSpace, segment: u64, start: u32, end: u32) -> u32 {
        let frame = BlockNumber(start)..BlockNumber(end);
        space.extend(SegmentNumber(segment), frame, LIMIT).0
    }

    #[test]
    fn one_small_frame_in_a_step_takes_zeros_along() {
        let mut space = WrittenSpace::default();
        assert_eq!(blocks(&mut space, 0, 1, 2), ZEROS_AHEAD_BLOCKS - 2);
        for start in 2..ZEROS_AHEAD_BLOCKS {
            assert_eq!(blocks(&mut space, 0, start, start + 1), 0);
        }
        assert_eq!(
            blocks(&mut space, 0, ZEROS_AHEAD_BLOCKS, ZEROS_AHEAD_BLOCKS + 1),
            ZEROS_AHEAD_BLOCKS - 1
        );
        // The next segment begins anew.
        assert_eq!(blocks(&mut space, 1, 1, 2), ZEROS_AHEAD_BLOCKS - 2);
    }

    #[test]
    fn a_large_frame_takes_none_and_the_small_one_after_it_does() {
        let large = SMALL_FRAME_BLOCKS + 1;
        let mut space = WrittenSpace::default();
        assert_eq!(blocks(&mut space, 0, 1, 1 + large), 0);
        assert_eq!(
            blocks(&mut space, 0, 1 + large, 2 + large),
            ZEROS_AHEAD_BLOCKS - large - 2
        );
    }

    #[test]
    fn zeros_end_before_the_seal() {
        let mut space = WrittenSpace::default();
        assert_eq!(blocks(&mut space, 0, LIMIT.0 - 2, LIMIT.0 - 1), 1);
        assert_eq!(blocks(&mut space, 0, LIMIT.0 - 1, LIMIT.0), 0);
    }
}
