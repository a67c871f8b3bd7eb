//! A range as it is stored: stretch by stretch, one for each frame.

use super::event::StoredEvent;
use super::fault::StoreFault;
use super::frame::{Frame, FrameFault};
use super::index::IndexedSegment;
use super::read::ReadError;
use super::state::LogState;
use std::ops::ControlFlow;
use stella_verify::merkle::LeafRange;
use stella_verify::units::TreeSize;

/// The part of a range that stands in one frame.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    state: &'a LogState,
    segment: &'a IndexedSegment,
    frame: &'a Frame<'a>,
    range: LeafRange,
}

impl<'a> Stretch<'a> {
    /// Its leaves.
    #[must_use]
    pub const fn range(&self) -> LeafRange {
        self.range
    }

    /// The entries of some of its leaves exactly as a tlog-tiles entry bundle has them: u16
    /// big-endian length || leaf, one after the other.
    ///
    /// # Errors
    /// [`ReadError::Store`] when the frame is damaged.
    pub fn entries(&self, of: LeafRange) -> Result<&'a [u8], ReadError> {
        let start = of.start.max(self.range.start);
        let end = of.end.min(self.range.end);
        let entries = self.frame.entries(start, end).ok_or_else(|| {
            let first = self.frame.header.first;
            StoreFault::from(self.segment.segment.damage(first, FrameFault::Directory))
        })?;
        Ok(entries)
    }

    /// Its events, in order.
    pub fn events(&self) -> impl Iterator<Item = Result<StoredEvent<'a>, ReadError>> + use<'a> {
        let Self {
            state,
            segment,
            frame,
            range,
        } = *self;
        let events = frame.events();
        let events = events.skip_while(move |event| event.index < range.start);
        let events = events.take_while(move |event| event.index < range.end);
        events.map(move |event| Ok(state.stored(segment, &event)?))
    }
}

impl LogState {
    /// Visits a range, frame by frame, until told to break.
    pub(crate) fn visit_stretches(
        &self,
        range: LeafRange,
        at: TreeSize,
        mut visitor: impl FnMut(Stretch<'_>) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<(), ReadError> {
        self.check_range(range, at)?;
        self.each_frame(range, |segment, frame| {
            let end = frame.header.end().map_or(range.end, TreeSize::next_index);
            visitor(Stretch {
                state: self,
                segment,
                frame,
                range: LeafRange {
                    start: range.start.max(frame.header.first),
                    end: range.end.min(end),
                },
            })
        })
    }
}
