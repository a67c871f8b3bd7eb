//! One frame in the making.

use super::append::AppendError;
use super::block::BlockNumber;
use super::frame::{DIRECTORY_ENTRY_BYTES, EntryEnds, FrameHeader, FrameParts, HASH_BYTES};
use super::ids::ChainHash;
use super::index::IndexedSegment;
use super::pending::{Pending, PendingEntries};
use super::publish::Published;
use super::record::Record;
use super::reply::Reply;
use super::request::EventCount;
use super::run::FrameMark;
use crate::limits::{FRAME_TARGET_BYTES, FRAME_TARGET_EVENTS, MAX_CHECKPOINT_BYTES};
use std::sync::Arc;
use stella_verify::hash::LeafHash;
use stella_verify::merkle::leaf_hash;
use stella_verify::units::{LeafIndex, TreeSize, UnixMillis};

/// What a request will be told once the commit is durable.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Appended { first: LeafIndex, count: EventCount },
    Duplicate { first: LeafIndex, count: EventCount },
    Refused(AppendError),
}

/// Sections of the frame, and the requests it answers.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    directory: Vec<u8>,
    leaves: Vec<u8>,
    admission: Vec<u8>,
    payload_bytes: u32,
    count: u32,
    bound: usize,
    /// One time for all of a frame's events: set when its first request is taken.
    time: Option<UnixMillis>,
    admitted: Vec<Pending>,
    pub(crate) replies: Vec<(Reply, Outcome)>,
    /// The laid-out blocks; kept here so that the allocation is used again.
    pub(crate) blocks: Vec<u8>,
}

/// A frame laid out, not yet written.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) segment: Arc<IndexedSegment>,
    pub(crate) mark: FrameMark,
    pub(crate) end: BlockNumber,
    pub(crate) published: Arc<Published>,
}

/// Where a frame goes and what it must say.
#[derive(Debug)]
pub(crate) struct Placement<'a> {
    pub(crate) segment: &'a IndexedSegment,
    pub(crate) log: super::ids::LogId,
    pub(crate) start: BlockNumber,
    pub(crate) first: LeafIndex,
    pub(crate) time: UnixMillis,
    pub(crate) previous: ChainHash,
    pub(crate) checkpoint: &'a str,
}

impl Batch {
    /// Whether nothing is to be written (there may still be replies).
    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The frame's time; `now` if this is the first to ask.
    pub(crate) fn time(&mut self, now: impl FnOnce() -> UnixMillis) -> UnixMillis {
        *self.time.get_or_insert_with(now)
    }

    /// The frame's first leaf, when the tree after it has `size` leaves.
    pub(crate) fn first(&self, size: TreeSize) -> LeafIndex {
        LeafIndex::new(size.get().saturating_sub(u64::from(self.count)))
    }

    /// Most bytes the frame takes if a request of `bound` bytes joins it.
    pub(crate) fn bound_with(&self, bound: usize) -> usize {
        super::frame::HEADER_BYTES + HASH_BYTES + MAX_CHECKPOINT_BYTES + self.bound + bound
    }

    /// Whether another request of `bound` bytes should rather wait for the next frame.
    pub(crate) fn is_full_for(&self, pending: &Pending) -> bool {
        self.count > 0
            && (self.bound + pending.bound > FRAME_TARGET_BYTES
                || self.count as usize + pending.content.len() > FRAME_TARGET_EVENTS)
    }

    /// Appends one leaf: `encode` writes it, `secret` is the length of salt and payload.
    pub(crate) fn push_leaf(
        &mut self,
        secret_bytes: usize,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> LeafHash {
        let start = self.leaves.len();
        self.leaves.extend_from_slice(&[0, 0]);
        encode(&mut self.leaves);
        let length = self.leaves.len() - start - 2;
        // Lengths were bounded when the request was prepared: a leaf fits u16, a frame u32.
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        if let Some(prefix) = self.leaves.get_mut(start..start + 2) {
            prefix.copy_from_slice(&length.to_be_bytes());
        }
        self.payload_bytes = self
            .payload_bytes
            .saturating_add(u32::try_from(secret_bytes).unwrap_or(u32::MAX));
        let ends = EntryEnds {
            leaf: u32::try_from(self.leaves.len()).unwrap_or(u32::MAX),
            payload: self.payload_bytes,
        };
        self.directory.extend_from_slice(&ends.to_bytes());
        self.count += 1;
        leaf_hash(self.leaves.get(start + 2..).unwrap_or_default())
    }

    pub(crate) fn push_record(&mut self, record: &Record) {
        record.put(&mut self.admission);
    }

    /// Keeps a request whose leaves were all pushed: its payloads are laid out from it.
    pub(crate) fn admit(&mut self, pending: Pending) {
        self.bound += pending.bound;
        self.admitted.push(pending);
    }

    /// Lays the frame out into [`Batch::blocks`].
    pub(crate) fn lay_out(&mut self, placement: &Placement<'_>) -> (ChainHash, BlockNumber) {
        debug_assert_eq!(
            self.directory.len(),
            self.count as usize * DIRECTORY_ENTRY_BYTES
        );
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let parts = FrameParts {
            header: FrameHeader {
                log: placement.log,
                segment: placement.segment.segment.number,
                first: placement.first,
                count: EventCount(self.count),
                leaves: length(self.leaves.len()),
                admission: length(self.admission.len()),
                checkpoint: length(placement.checkpoint.len()),
                payloads: self.payload_bytes,
                time: placement.time,
                previous: placement.previous,
            },
            directory: &self.directory,
            leaves: &self.leaves,
            admission: &self.admission,
            checkpoint: placement.checkpoint.as_bytes(),
        };
        self.blocks.clear();
        parts.write(
            &mut self.blocks,
            placement.segment.segment.key,
            placement.start,
            |writer| {
                for pending in &self.admitted {
                    if let PendingEntries::Events {
                        events, secrets, ..
                    } = &pending.content
                    {
                        for (event, (salt, _)) in events.iter().zip(secrets) {
                            writer.put(salt.as_bytes());
                            writer.put(&event.payload);
                        }
                    }
                }
            },
        )
    }

    /// Empties the batch, keeping its allocations.
    pub(crate) fn reset(&mut self) {
        self.directory.clear();
        self.leaves.clear();
        self.admission.clear();
        self.payload_bytes = 0;
        self.count = 0;
        self.bound = 0;
        self.time = None;
        self.admitted.clear();
        self.replies.clear();
        self.blocks.clear();
    }
}
