//! Erasing payloads: first the retention event, durable; then the blanks.
//!
//! The leaf, its commitment and every proof stay as they were: salts and payloads stand outside
//! the leaf hash and outside the frame's hash. A blank is valid only where a retention event names
//! the leaf, so nobody can blank a payload quietly. A crash between event and blanks is made good
//! at the next open.

use super::append::AppendError;
use super::block::{BODY_BYTES, BlockCount, BlockNumber};
use super::fault::{DiskFault, StoreFault};
use super::frame::FrameFault;
use super::index::{FramePlace, IndexedSegment};
use super::journal::{Rewrites, carry_out};
use super::names::{Principal, RequestId};
use super::pending::{Author, Pending};
use super::read::{ReadError, entry_ends};
use super::request::{AppendRequest, Entries, Expected, NewEvent, Receipt};
use super::spec::LeafKind;
use super::state::LogState;
use crate::limits::MAX_ERASED_LEAVES;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use stella_verify::event::payload::PayloadErased;
use stella_verify::event::{Actor, EventHeader, EventType, StreamName};
use stella_verify::units::{LeafIndex, TreeSize};

/// Where retention events stand (FORMATS.md, section 4).
const STREAM: &str = "retention";

/// Blocks rewritten in one round: bounds the journal to 8 MiB.
const ROUND_BLOCKS: usize = 2048;

/// Which payloads to erase, and why.
#[derive(Debug, Clone)]
pub struct EraseRequest {
    /// Who asks.
    pub principal: Principal,
    /// Makes a retry harmless.
    pub request_id: Option<RequestId>,
    /// Who caused it, for the retention event.
    pub actor: Actor<Arc<str>>,
    /// The leaves whose payloads go.
    pub leaves: Vec<LeafIndex>,
    /// Why, for people who read the retention event.
    pub reason: String,
}

/// Why nothing, or not everything, was erased.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// More leaves than one retention event names. Split the request.
    #[error("{count} leaves are named; at most {limit} are erased at once")]
    TooMany {
        /// Leaves of the request.
        count: usize,
        /// Most that are allowed.
        limit: usize,
    },
    /// The request names no leaf, or an index that cannot be. The caller's mistake.
    #[error("the leaves cannot be named in a retention event: {0}")]
    Leaves(String),
    /// A retention event's own payload says what is missing and why; it stays.
    #[error("leaf {0} is a retention event; its payload cannot be erased")]
    Retention(LeafIndex),
    /// A log of raw leaves has no payloads.
    #[error("this log has no payloads")]
    NoPayloads,
    /// A leaf could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The retention event was not appended; nothing was erased.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The retention event stands, but not every blank could be written. Reopen the log: it
    /// finishes what it finds.
    #[error("the retention event stands, but the log must be reopened to finish: {0}")]
    Unfinished(StoreFault),
}

/// The leaves that a retention event's payload names; `None` if it is not such a payload.
pub(crate) fn erased_leaves(payload: &[u8]) -> Option<Vec<LeafIndex>> {
    let parsed = PayloadErased::parse(payload).ok()?;
    Some(parsed.leaves().to_vec())
}

impl LogState {
    /// Appends the retention event and blanks the payloads.
    pub(crate) fn erase(&self, request: EraseRequest) -> Result<Receipt, EraseError> {
        let _one_at_a_time = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let (pending, leaves) = self.retention_event(request)?;
        let receipt = self.append_blocking(pending)?;
        if !receipt.duplicate {
            self.finish_erasing(&leaves, receipt.first)
                .map_err(EraseError::Unfinished)?;
        }
        Ok(receipt)
    }

    fn retention_event(
        &self,
        request: EraseRequest,
    ) -> Result<(Pending, Vec<LeafIndex>), EraseError> {
        if self.spec.kind == LeafKind::Raw {
            return Err(EraseError::NoPayloads);
        }
        let count = request.leaves.len();
        if count > MAX_ERASED_LEAVES {
            return Err(EraseError::TooMany {
                count,
                limit: MAX_ERASED_LEAVES,
            });
        }
        let payload = PayloadErased::new(request.leaves, request.reason)
            .map_err(|error| EraseError::Leaves(error.to_string()))?;
        let leaves = payload.leaves().to_vec();
        self.refuse_retention_events(&leaves)?;
        let name = |error: stella_verify::event::NameError| EraseError::Leaves(error.to_string());
        let event = NewEvent {
            stream: StreamName::new(Arc::from(STREAM)).map_err(name)?,
            event_type: EventType::new(Arc::from(EventType::PAYLOAD_ERASED.as_str()))
                .map_err(name)?,
            actor: request.actor,
            payload: payload.to_bytes().into(),
            expected: Expected::Any,
        };
        let append = AppendRequest {
            principal: request.principal,
            request_id: request.request_id,
            entries: Entries::Events(vec![event]),
            names: Vec::new(),
        };
        let pending = self.prepare_request(append, Author::Log)?;
        Ok((pending.erasing(leaves.clone()), leaves))
    }

    fn refuse_retention_events(&self, leaves: &[LeafIndex]) -> Result<(), EraseError> {
        let published = self.publisher.latest().size;
        for leaf in leaves {
            let event = self.get(*leaf, published)?;
            let retention = EventHeader::decode(&event.leaf).is_ok_and(|header| {
                header.event_type.as_str() == EventType::PAYLOAD_ERASED.as_str()
            });
            if retention {
                return Err(EraseError::Retention(*leaf));
            }
        }
        Ok(())
    }

    /// Blanks what the retention event at `by` names, then notes that it is done. A failure
    /// poisons: a block may be half written until the journal is replayed.
    pub(crate) fn finish_erasing(
        &self,
        leaves: &[LeafIndex],
        by: LeafIndex,
    ) -> Result<(), StoreFault> {
        self.blank(leaves)
            .and_then(|()| {
                let done = by.covering_size().unwrap_or(TreeSize::ZERO);
                self.advance_head(|head| head.erased = head.erased.max(done))?;
                Ok(())
            })
            .inspect_err(|fault| {
                self.poison(&fault.to_string());
            })
    }

    fn blank(&self, leaves: &[LeafIndex]) -> Result<(), StoreFault> {
        let mut round: Option<(Arc<IndexedSegment>, Rewrites)> = None;
        for leaf in leaves {
            let (segment, place) = self.place_of(*leaf)?;
            let same = |(open, rewrites): &(Arc<IndexedSegment>, Rewrites)| {
                open.segment.number == segment.segment.number && rewrites.len() < ROUND_BLOCKS
            };
            if !round.as_ref().is_some_and(same) {
                self.end_round(round.take())?;
            }
            let (_, rewrites) =
                round.get_or_insert_with(|| (Arc::clone(&segment), Rewrites::new()));
            let (before, ends) = entry_ends(&segment, &place, *leaf)?;
            let start = place.header.payloads_start();
            let secret = start + before.payload as usize..start + ends.payload as usize;
            blank_range(&segment, &place, secret, rewrites)?;
        }
        self.end_round(round)
    }

    fn end_round(&self, round: Option<(Arc<IndexedSegment>, Rewrites)>) -> Result<(), StoreFault> {
        match round {
            Some((segment, rewrites)) if !rewrites.is_empty() => {
                let disk = &*self.options.disk;
                self.blanking.fetch_add(1, Ordering::SeqCst);
                let blanked = carry_out(disk, &self.spec, &segment.segment, &rewrites);
                self.blanking.fetch_add(1, Ordering::SeqCst);
                blanked.map_err(DiskFault::into)
            }
            _ => Ok(()),
        }
    }
}

/// Adds the blocks of a frame that `range` (bytes of the frame) touches, with zeros there.
fn blank_range(
    segment: &IndexedSegment,
    place: &FramePlace,
    range: Range<usize>,
    rewrites: &mut Rewrites,
) -> Result<(), StoreFault> {
    let file = &segment.segment;
    let wrong = || StoreFault::from(file.damage(place.block, FrameFault::Lengths));
    if range.end > place.header.length() {
        return Err(wrong());
    }
    let mut at = range.start;
    while at < range.end {
        let number = u32::try_from(at / BODY_BYTES).map_err(|_| wrong())?;
        let block: BlockNumber = place.block.plus(BlockCount(number));
        let block_start = at / BODY_BYTES * BODY_BYTES;
        let until = range.end.min(block_start + BODY_BYTES);
        let mut body = match rewrites.get(&block) {
            Some(rewritten) => rewritten.clone(),
            None => file.read_unit(place.block, block, BlockCount(1))?,
        };
        body.truncate(BODY_BYTES);
        body.get_mut(at - block_start..until - block_start)
            .ok_or_else(wrong)?
            .fill(0);
        rewrites.insert(block, file.key.close(body, block, place.block));
        at = until;
    }
    Ok(())
}
