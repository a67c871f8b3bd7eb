//! The range's events, each held against the log, the time before it and its payload.

use super::trust::judge;
use super::{
    ExportError, ExportHeader, ExportSummary, ExportTrust, ExportedEvent, ExportedPayload,
};
use crate::checkpoint::{OpenCheckpointError, Origin};
use crate::event::EventHeader;
use crate::hash::PayloadCommitment;
use crate::merkle::{
    Growth, LeafRange, RangeWalk, TreeHead, empty_root, leaf_hash, verify_consistency,
};
use crate::units::{LeafIndex, TreeSize};
use alloc::string::String;

/// What is known once the header is verified.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) origin: Origin,
    pub(super) range: LeafRange,
    pub(super) opening: TreeHead,
    pub(super) closing: TreeHead,
    pub(super) walk: RangeWalk,
    pub(super) next: LeafIndex,
    pub(super) bundle_end: LeafIndex,
    /// The first leaf behind the last whole bundle.
    pub(super) whole_next: LeafIndex,
    pub(super) summary: ExportSummary,
}

impl Body {
    /// Holds the checkpoints against the caller's trust and against each other.
    pub(super) fn begin(
        header: &ExportHeader,
        trust: &ExportTrust<'_>,
    ) -> Result<Self, ExportError> {
        let closing = judge("closing", &header.closing, trust)?;
        let opening = match &header.opening {
            None => TreeHead {
                size: TreeSize::ZERO,
                root: empty_root(),
            },
            Some(note) => {
                let opening = judge("opening", note, trust)?;
                if opening.origin != closing.origin {
                    return Err(ExportError::Unsigned {
                        which: "opening",
                        problem: OpenCheckpointError::OriginMismatch {
                            expected: closing.origin,
                            found: opening.origin,
                        },
                    });
                }
                opening.head
            }
        };
        let (range, closing_head) = (header.range, closing.head);
        if opening.size.next_index() > range.start || range.end > closing_head.size.next_index() {
            return Err(ExportError::NotBetween);
        }
        let heads = Growth {
            old: opening,
            new: closing_head,
        };
        verify_consistency(heads, &header.consistency)?;
        Ok(Self {
            origin: closing.origin,
            range,
            opening,
            closing: closing_head,
            walk: RangeWalk::new(range.start, closing_head, &header.range_proof)?,
            next: range.start,
            bundle_end: range.start,
            whole_next: range.start,
            summary: ExportSummary::default(),
        })
    }

    /// Holds one event against the log, the time before it and its payload.
    pub(super) fn take<'e>(
        &mut self,
        leaf: &'e [u8],
        payload: ExportedPayload<'e>,
    ) -> Result<ExportedEvent<'e>, ExportError> {
        let at = self.next;
        let header =
            EventHeader::decode(leaf).map_err(|problem| ExportError::Event { at, problem })?;
        if header.log_origin.as_str() != self.origin.as_str() {
            let found = String::from(header.log_origin.as_str());
            return Err(ExportError::Origin { at, found });
        }
        if self
            .summary
            .last_time
            .is_some_and(|last| header.time < last)
        {
            return Err(ExportError::Time { at });
        }
        match &payload {
            ExportedPayload::Withheld => self.summary.withheld += 1,
            ExportedPayload::Erased { .. } => self.summary.erased += 1,
            ExportedPayload::Present { salt, bytes } => {
                if PayloadCommitment::of(salt, bytes) != header.payload {
                    return Err(ExportError::Commitment { at });
                }
                self.summary.present += 1;
            }
        }
        self.summary.first_time.get_or_insert(header.time);
        self.summary.last_time = Some(header.time);
        self.walk.push(leaf_hash(leaf))?;
        self.next = LeafIndex::new(at.get().saturating_add(1));
        Ok(ExportedEvent {
            index: at,
            leaf,
            header,
            payload,
        })
    }
}
