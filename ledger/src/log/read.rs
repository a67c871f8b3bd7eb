//! Reading what is published. Readers take none of the writer's locks: below a published size
//! nothing ever changes, except that a payload may be erased.

use super::block::{BODY_BYTES, BlockCount, BlockNumber};
use super::event::{OwnedEvent, StoredCommit, StoredEvent, StoredPayload};
use super::fault::{Damage, Fault, StoreFault};
use super::frame::{DIRECTORY_ENTRY_BYTES, EntryEnds, Frame, FrameEvent, FrameFault, FrameHeader};
use super::index::{FramePlace, IndexedSegment};
use super::state::LogState;
use crate::limits::MAX_OWNED_READ_EVENTS;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use stella_verify::merkle::LeafRange;
use stella_verify::units::{LeafIndex, TreeSize};

/// Why a read gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The range ends beyond the tree size it is pinned to, or that size is not published. Ask
    /// for the newest checkpoint first.
    #[error("leaf {end} lies beyond tree size {size}")]
    BeyondTreeSize {
        /// The end of the range, or the size asked for.
        end: LeafIndex,
        /// The size it must not exceed.
        size: TreeSize,
    },
    /// The range ends before it starts. The caller's mistake.
    #[error("the range from {} to {} ends before it starts", range.start, range.end)]
    Reversed {
        /// The range.
        range: LeafRange,
    },
    /// More events than one owned read gives. Visit the range instead.
    #[error("the range has {count} events; at most {limit} are read at once")]
    TooMany {
        /// Events of the range.
        count: u64,
        /// Most that are given.
        limit: u64,
    },
    /// The stored bytes cannot be read or are not what was written.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

impl From<Damage> for ReadError {
    fn from(damage: Damage) -> Self {
        Self::Store(damage.into())
    }
}

impl LogState {
    /// Checks a range against a pinned size and that against what is published.
    pub(crate) fn check_range(&self, range: LeafRange, at: TreeSize) -> Result<(), ReadError> {
        let published = self.publisher.latest().size;
        if range.end < range.start {
            return Err(ReadError::Reversed { range });
        }
        if at > published {
            return Err(ReadError::BeyondTreeSize {
                end: at.next_index(),
                size: published,
            });
        }
        if range.end > at.next_index() {
            return Err(ReadError::BeyondTreeSize {
                end: range.end,
                size: at,
            });
        }
        Ok(())
    }

    pub(crate) fn visit(
        &self,
        range: LeafRange,
        at: TreeSize,
        mut visitor: impl FnMut(StoredEvent<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.visit_stretches(range, at, |stretch| {
            for event in stretch.events() {
                if visitor(event?).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    pub(crate) fn read_owned(
        &self,
        range: LeafRange,
        at: TreeSize,
    ) -> Result<Vec<OwnedEvent>, ReadError> {
        let count = range.end.get().saturating_sub(range.start.get());
        if count > MAX_OWNED_READ_EVENTS {
            return Err(ReadError::TooMany {
                count,
                limit: MAX_OWNED_READ_EVENTS,
            });
        }
        let mut events = Vec::new();
        self.visit(range, at, |event| {
            events.push(event.to_owned());
            ControlFlow::Continue(())
        })?;
        Ok(events)
    }

    /// One event, reading only the blocks it stands in.
    pub(crate) fn get(&self, index: LeafIndex, at: TreeSize) -> Result<OwnedEvent, ReadError> {
        let range = LeafRange {
            start: index,
            end: LeafIndex::new(index.get().saturating_add(1)),
        };
        self.check_range(range, at)?;
        let (segment, place) = self.place_of(index)?;
        let (entry, secret) = self.undisturbed(|| {
            let (before, ends) = entry_ends(&segment, &place, index)?;
            let leaves = place.header.leaves_start();
            let secrets = place.header.payloads_start();
            Ok((
                section(&segment, &place, leaves, before.leaf, ends.leaf)?,
                section(&segment, &place, secrets, before.payload, ends.payload)?,
            ))
        })?;
        let event = FrameEvent {
            index,
            leaf: entry
                .get(2..)
                .ok_or_else(|| damaged(&segment, &place, FrameFault::Directory))?,
            secret: &secret,
        };
        Ok(self.stored(&segment, &event)?.to_owned())
    }

    /// What `read` gives while no block is being blanked: else a payload could be half there.
    fn undisturbed<T>(
        &self,
        mut read: impl FnMut() -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        loop {
            let before = self.blanking.load(Ordering::SeqCst);
            if before.is_multiple_of(2) {
                let result = read();
                if self.blanking.load(Ordering::SeqCst) == before {
                    return result;
                }
            }
            // Whoever blanks holds this until it is done.
            drop(self.erasing.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// The stored entries of a range: u16 big-endian length || leaf, one after the other, as a
    /// tlog-tiles entry bundle has them.
    pub(crate) fn entries(&self, range: LeafRange, at: TreeSize) -> Result<Vec<u8>, ReadError> {
        let mut out = Vec::new();
        self.visit_stretches(range, at, |stretch| {
            out.extend_from_slice(stretch.entries(range)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(out)
    }

    /// The commit that holds a leaf.
    pub(crate) fn commit_of(&self, index: LeafIndex) -> Result<StoredCommit, ReadError> {
        let published = self.publisher.latest().size;
        if !published.contains(index) {
            return Err(ReadError::BeyondTreeSize {
                end: index,
                size: published,
            });
        }
        let (segment, place) = self.place_of(index)?;
        let header = &place.header;
        let wrong = |fault| StoreFault::from(damaged(&segment, &place, fault));
        let text = read_logical(
            &segment,
            &place,
            header.checkpoint_start()..header.hash_start(),
        )?;
        Ok(StoredCommit {
            first: header.first,
            size: header.end().ok_or_else(|| wrong(FrameFault::Lengths))?,
            checkpoint: String::from_utf8(text).map_err(|_| wrong(FrameFault::CheckpointText))?,
        })
    }

    /// The segment and frame of a published leaf.
    pub(crate) fn place_of(
        &self,
        index: LeafIndex,
    ) -> Result<(Arc<IndexedSegment>, FramePlace), StoreFault> {
        let segment = self.segment_of(index)?;
        let place = segment.find(index)?;
        Ok((segment, place))
    }

    fn segment_of(&self, index: LeafIndex) -> Result<Arc<IndexedSegment>, StoreFault> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let after = segments.partition_point(|segment| segment.first <= index);
        let found = after.checked_sub(1).and_then(|at| segments.get(at));
        found
            .map(Arc::clone)
            .ok_or_else(|| Damage::new(super::segment::LOG_FOLDER, index, Fault::Missing).into())
    }

    /// Every frame that holds some leaf of the (checked, published) range, whole.
    pub(super) fn each_frame(
        &self,
        range: LeafRange,
        mut visit: impl FnMut(&IndexedSegment, &Frame<'_>) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<(), ReadError> {
        let mut buffer = Vec::new();
        let mut next = range.start;
        let mut segment: Option<Arc<IndexedSegment>> = None;
        let mut block = BlockNumber(0);
        while next < range.end {
            // Frames follow each other without gaps; only a segment's end needs a new search.
            let current = if let Some(current) = segment.take() {
                current
            } else {
                let (found, place) = self.place_of(next)?;
                block = place.block;
                found
            };
            let (header, blocks) = self.undisturbed(|| read_frame(&current, block, &mut buffer))?;
            let wrong = |fault| StoreFault::from(current.segment.damage(block, fault));
            let frame = Frame::parse(&buffer).map_err(wrong)?;
            if visit(&current, &frame)?.is_break() {
                return Ok(());
            }
            let end = header.end().ok_or_else(|| wrong(FrameFault::Lengths))?;
            next = end.next_index();
            block = block.plus(blocks);
            if next < range.end && self.segment_of(next)?.first == current.first {
                segment = Some(current);
            }
        }
        Ok(())
    }

    pub(super) fn stored<'a>(
        &self,
        segment: &IndexedSegment,
        event: &FrameEvent<'a>,
    ) -> Result<StoredEvent<'a>, StoreFault> {
        // Where blanking failed, what is left of a payload is not one.
        let unfinished = match self.poison.get() {
            Some(_) => self.admission().erased(event.index)?,
            None => None,
        };
        let payload = match event.salt_and_payload() {
            None => StoredPayload::None,
            Some(_) if let Some(by) = unfinished => StoredPayload::Erased { by },
            Some(_) if event.is_blank() => {
                let by = self.admission().erased(event.index)?;
                let unexplained = || segment.segment.damage(event.index, Fault::BlankUnexplained);
                StoredPayload::Erased {
                    by: by.ok_or_else(unexplained)?,
                }
            }
            Some((salt, bytes)) => StoredPayload::Present { salt, bytes },
        };
        Ok(StoredEvent {
            index: event.index,
            leaf: event.leaf,
            payload,
        })
    }
}

/// Reads a whole frame into `buffer`, blocks verified and stripped.
pub(crate) fn read_frame(
    segment: &IndexedSegment,
    block: BlockNumber,
    buffer: &mut Vec<u8>,
) -> Result<(FrameHeader, BlockCount), StoreFault> {
    let header = segment.header(block)?;
    let wrong = || segment.segment.damage(block, FrameFault::Lengths);
    let blocks = header.blocks().ok_or_else(wrong)?;
    if block.plus(blocks) > segment.segment.seal_block() {
        return Err(wrong().into());
    }
    segment
        .segment
        .read_unit_into(block, block, blocks, buffer)?;
    Ok((header, blocks))
}

/// Bytes of a frame, `range` counted from its start without block checksums.
pub(crate) fn read_logical(
    segment: &IndexedSegment,
    place: &FramePlace,
    range: Range<usize>,
) -> Result<Vec<u8>, StoreFault> {
    let wrong = || StoreFault::from(damaged(segment, place, FrameFault::Lengths));
    if range.end > place.header.length() {
        return Err(wrong());
    }
    if range.is_empty() {
        return Ok(Vec::new());
    }
    let block_of = |byte: usize| u32::try_from(byte / BODY_BYTES).map_err(|_| wrong());
    let (first, last) = (block_of(range.start)?, block_of(range.end - 1)?);
    let start = place.block.plus(BlockCount(first));
    let count = BlockCount(last - first + 1);
    let mut bytes = segment.segment.read_unit(place.block, start, count)?;
    bytes.truncate(range.end - first as usize * BODY_BYTES);
    bytes.drain(..range.start - first as usize * BODY_BYTES);
    Ok(bytes)
}

/// Where a leaf's entry starts and ends in the frame's sections.
pub(crate) fn entry_ends(
    segment: &IndexedSegment,
    place: &FramePlace,
    index: LeafIndex,
) -> Result<(EntryEnds, EntryEnds), StoreFault> {
    let wrong = || StoreFault::from(damaged(segment, place, FrameFault::Directory));
    let number = index.get().saturating_sub(place.header.first.get());
    let number = usize::try_from(number).map_err(|_| wrong())?;
    let end = FrameHeader::directory_start() + (number + 1) * DIRECTORY_ENTRY_BYTES;
    let start = end - DIRECTORY_ENTRY_BYTES * if number == 0 { 1 } else { 2 };
    let bytes = read_logical(segment, place, start..end)?;
    let (entries, _) = bytes.as_chunks::<DIRECTORY_ENTRY_BYTES>();
    match entries {
        [only] => Ok((EntryEnds::default(), EntryEnds::from_bytes(*only))),
        [before, this] => Ok((EntryEnds::from_bytes(*before), EntryEnds::from_bytes(*this))),
        _ => Err(wrong()),
    }
}

fn section(
    segment: &IndexedSegment,
    place: &FramePlace,
    section_start: usize,
    from: u32,
    to: u32,
) -> Result<Vec<u8>, StoreFault> {
    if to < from {
        return Err(damaged(segment, place, FrameFault::Directory).into());
    }
    let range = section_start + from as usize..section_start + to as usize;
    read_logical(segment, place, range)
}

fn damaged(segment: &IndexedSegment, place: &FramePlace, fault: FrameFault) -> Damage {
    segment.segment.damage(place.block, fault)
}
