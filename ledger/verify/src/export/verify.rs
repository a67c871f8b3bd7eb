//! Verifying an export while its bytes come in.
//!
//! The bytes may come in pieces of any size. What is kept is at most one entry bundle's leaves and
//! one payload, so memory does not grow with the export. Events are handed out before the last one
//! is seen: each is a well-formed event of this log whose payload is the committed one, but that
//! nothing is missing or added is known only when [`ExportVerifier::finish`] answers.

use super::event::{ERASED, PRESENT, WITHHELD};
use super::{EXPORT_MAGIC, ExportError, ExportHeader, ExportedEvent, ExportedPayload, bundle_end};
use crate::checkpoint::{Checkpoint, OpenCheckpointError, Origin, SignedCheckpoint};
use crate::event::EventHeader;
use crate::hash::{HASH_SIZE, PayloadCommitment, Salt};
use crate::limits::{MAX_EXPORT_ENTRIES_BYTES, MAX_EXPORT_HEADER_BYTES, MAX_PAYLOAD_BYTES};
use crate::merkle::{
    Growth, LeafRange, RangeWalk, TreeHead, empty_root, leaf_hash, verify_consistency,
};
use crate::note::{Note, SignatureMeaning, VerifierKey};
use crate::units::{LeafIndex, TreeSize, UnixMillis};
use alloc::string::String;
use alloc::vec::Vec;

/// Whose checkpoints are believed. Nothing of this is taken from the export.
#[derive(Debug, Clone, Copy)]
pub enum ExportTrust<'a> {
    /// Those that one of these keys of the log signed.
    Log {
        /// Keys of the log, not of witnesses.
        keys: &'a [VerifierKey],
        /// The log that is expected; `None` accepts whichever log the keys belong to.
        origin: Option<&'a Origin>,
    },
    /// This closing checkpoint, byte for byte, judged elsewhere; and no opening one.
    Closing(&'a str),
}

/// Counts over an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportSummary {
    /// Events whose payload is there.
    pub present: u64,
    /// Events whose payload was erased, by the exporter's word.
    pub erased: u64,
    /// Events whose payload is not part of the export.
    pub withheld: u64,
    /// Time of the first event.
    pub first_time: Option<UnixMillis>,
    /// Time of the last event.
    pub last_time: Option<UnixMillis>,
}

/// Evidence that an export is what it says: only [`ExportVerifier::finish`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedExport {
    /// The log.
    pub origin: Origin,
    /// The leaves, which are exactly those of the closing tree there.
    pub range: LeafRange,
    /// The earlier tree; the empty one when the export has no opening checkpoint.
    pub opening: TreeHead,
    /// The later tree, which continues the earlier one.
    pub closing: TreeHead,
    /// What was counted on the way.
    pub summary: ExportSummary,
}

/// What the next bytes are.
#[derive(Debug)]
enum Stage {
    Magic,
    HeaderLength,
    Header { length: usize },
    EntriesLength,
    Entries { length: usize },
    Payload { entry: usize },
    Done,
}

/// What is known once the header is verified.
#[derive(Debug)]
struct Body {
    origin: Origin,
    range: LeafRange,
    opening: TreeHead,
    closing: TreeHead,
    walk: RangeWalk,
    next: LeafIndex,
    bundle_end: LeafIndex,
    /// The first leaf behind the last whole bundle.
    whole_next: LeafIndex,
    summary: ExportSummary,
}

/// Verifies an export whose bytes are pushed.
#[derive(Debug)]
pub struct ExportVerifier<'a> {
    trust: ExportTrust<'a>,
    stage: Stage,
    /// Bytes that came and are not used up, from `used` on.
    waiting: Vec<u8>,
    used: usize,
    /// The entries of the current bundle.
    entries: Vec<u8>,
    body: Option<Body>,
    /// Bytes used up to the end of the last whole bundle, or of the header.
    whole: u64,
    consumed: u64,
}

impl<'a> ExportVerifier<'a> {
    /// Begins before the first byte.
    #[must_use]
    pub const fn new(trust: ExportTrust<'a>) -> Self {
        Self {
            trust,
            stage: Stage::Magic,
            waiting: Vec::new(),
            used: 0,
            entries: Vec::new(),
            body: None,
            whole: 0,
            consumed: 0,
        }
    }

    /// Takes the next bytes and hands out the events that are complete.
    ///
    /// # Errors
    /// [`ExportError`]; what comes after is not looked at, so stop.
    pub fn push(
        &mut self,
        bytes: &[u8],
        mut visit: impl FnMut(&ExportedEvent<'_>),
    ) -> Result<(), ExportError> {
        self.waiting.extend_from_slice(bytes);
        while self.step(&mut visit)? {}
        self.waiting.drain(..self.used);
        self.used = 0;
        Ok(())
    }

    /// Where an export that broke off can be taken up: the leaves that are left behind the last whole
    /// entry bundle, and how many bytes of the file stay. `None` before the header is whole.
    #[must_use]
    pub fn resume_point(&self) -> Option<(LeafRange, u64)> {
        let body = self.body.as_ref()?;
        let left = LeafRange {
            start: body.whole_next,
            end: body.range.end,
        };
        Some((left, self.whole))
    }

    /// The range that the header states, once it is verified.
    #[must_use]
    pub fn range(&self) -> Option<LeafRange> {
        self.body.as_ref().map(|body| body.range)
    }

    /// Ends behind the last byte.
    ///
    /// # Errors
    /// [`ExportError`]: something is missing, or the leaves are not the tree's.
    pub fn finish(self) -> Result<VerifiedExport, ExportError> {
        let at = self.body.as_ref().map_or(LeafIndex::ZERO, |body| body.next);
        let Some(body) = self.body.filter(|_| matches!(self.stage, Stage::Done)) else {
            return Err(ExportError::Truncated { at });
        };
        if !self.waiting.is_empty() {
            return Err(ExportError::Trailing);
        }
        body.walk.finish()?;
        Ok(VerifiedExport {
            origin: body.origin,
            range: body.range,
            opening: body.opening,
            closing: body.closing,
            summary: body.summary,
        })
    }

    /// Does what the bytes at hand allow; false when more are needed.
    fn step(&mut self, visit: &mut impl FnMut(&ExportedEvent<'_>)) -> Result<bool, ExportError> {
        match self.stage {
            Stage::Magic => self.magic(),
            Stage::HeaderLength => {
                let length = self.length("header", MAX_EXPORT_HEADER_BYTES)?;
                Ok(self.turn(length, |length| Stage::Header { length }))
            }
            Stage::Header { length } => self.header(length),
            Stage::EntriesLength => {
                let length = self.length("entry bundle", MAX_EXPORT_ENTRIES_BYTES)?;
                Ok(self.turn(length, |length| Stage::Entries { length }))
            }
            Stage::Entries { length } => self.take_entries(length),
            Stage::Payload { entry } => self.event(entry, visit),
            Stage::Done => {
                if self.rest().is_empty() {
                    Ok(false)
                } else {
                    Err(ExportError::Trailing)
                }
            }
        }
    }

    fn turn(&mut self, length: Option<usize>, stage: impl FnOnce(usize) -> Stage) -> bool {
        match length {
            Some(length) => {
                self.stage = stage(length);
                true
            }
            None => false,
        }
    }

    fn rest(&self) -> &[u8] {
        self.waiting.get(self.used..).unwrap_or_default()
    }

    fn consume(&mut self, count: usize) {
        self.used += count;
        self.consumed += u64::try_from(count).unwrap_or(u64::MAX);
    }

    /// A length of 32 bits, when it is there.
    fn length(&mut self, what: &'static str, limit: usize) -> Result<Option<usize>, ExportError> {
        let Some(bytes) = self.rest().first_chunk::<4>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*bytes)).unwrap_or(usize::MAX);
        if length > limit {
            return Err(ExportError::TooLarge { what });
        }
        self.consume(4);
        Ok(Some(length))
    }

    fn magic(&mut self) -> Result<bool, ExportError> {
        let rest = self.rest();
        let seen = rest.len().min(EXPORT_MAGIC.len());
        if rest.get(..seen) != EXPORT_MAGIC.get(..seen) {
            return Err(ExportError::Magic);
        }
        if seen < EXPORT_MAGIC.len() {
            return Ok(false);
        }
        self.consume(EXPORT_MAGIC.len());
        self.stage = Stage::HeaderLength;
        Ok(true)
    }

    fn header(&mut self, length: usize) -> Result<bool, ExportError> {
        let Some(json) = self.rest().get(..length) else {
            return Ok(false);
        };
        let body = begin(&ExportHeader::parse(json)?, &self.trust)?;
        self.consume(length);
        self.body = Some(body);
        self.whole = self.consumed;
        self.stage = Stage::EntriesLength;
        Ok(true)
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "a stage like the others, which may refuse"
    )]
    fn take_entries(&mut self, length: usize) -> Result<bool, ExportError> {
        let Some(bytes) = self
            .waiting
            .get(self.used..)
            .and_then(|rest| rest.get(..length))
        else {
            return Ok(false);
        };
        self.entries.clear();
        self.entries.extend_from_slice(bytes);
        self.consume(length);
        if let Some(body) = &mut self.body {
            body.bundle_end = bundle_end(body.next, body.range.end);
        }
        self.stage = Stage::Payload { entry: 0 };
        Ok(true)
    }

    /// One event: its leaf is at hand, its payload may not be yet.
    fn event(
        &mut self,
        entry: usize,
        visit: &mut impl FnMut(&ExportedEvent<'_>),
    ) -> Result<bool, ExportError> {
        let Some(body) = &mut self.body else {
            return Ok(false);
        };
        let at = body.next;
        let bad = ExportError::Entries { at };
        let entries = self.entries.get(entry..).unwrap_or_default();
        let (length, entries) = entries
            .split_first_chunk::<2>()
            .ok_or_else(|| bad.clone())?;
        let leaf_size = usize::from(u16::from_be_bytes(*length));
        let leaf = entries.get(..leaf_size).ok_or_else(|| bad.clone())?;
        let rest = self.waiting.get(self.used..).unwrap_or_default();
        let Some((payload, size)) = split_payload(rest, at)? else {
            return Ok(false);
        };
        visit(&body.take(leaf, payload)?);
        let after = entry + 2 + leaf_size;
        let bundle_ends = body.next == body.bundle_end;
        if bundle_ends && after != self.entries.len() {
            return Err(bad);
        }
        self.stage = if !bundle_ends {
            Stage::Payload { entry: after }
        } else if body.next == body.range.end {
            Stage::Done
        } else {
            Stage::EntriesLength
        };
        if bundle_ends {
            body.whole_next = body.next;
        }
        self.consume(size);
        if bundle_ends {
            self.whole = self.consumed;
        }
        Ok(true)
    }
}

impl Body {
    /// Holds one event against the log, the time before it and its payload.
    fn take<'e>(
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

/// Holds the checkpoints against the caller's trust and against each other.
fn begin(header: &ExportHeader, trust: &ExportTrust<'_>) -> Result<Body, ExportError> {
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
    Ok(Body {
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

/// One checkpoint, once the caller's trust covers it.
fn judge(
    which: &'static str,
    note: &str,
    trust: &ExportTrust<'_>,
) -> Result<Checkpoint, ExportError> {
    match trust {
        ExportTrust::Log { keys, origin } => {
            let signed = SignedCheckpoint::open(note.as_bytes(), keys, *origin)
                .map_err(|problem| ExportError::Unsigned { which, problem })?;
            let mut signatures = signed.note().verified().iter();
            if !signatures.any(|signature| signature.meaning == SignatureMeaning::Text) {
                return Err(ExportError::CosignersOnly { which });
            }
            Ok(signed.checkpoint().clone())
        }
        ExportTrust::Closing(expected) => {
            if which != "closing" || note != *expected {
                return Err(ExportError::OtherCheckpoint);
            }
            let note = Note::parse(note.as_bytes())
                .map_err(|problem| ExportError::Note { which, problem })?;
            Checkpoint::parse(note.unverified_text())
                .map_err(|problem| ExportError::Checkpoint { which, problem })
        }
    }
}

/// What is said of a payload, and how many bytes that takes; `None` when more are needed.
fn split_payload(
    bytes: &[u8],
    at: LeafIndex,
) -> Result<Option<(ExportedPayload<'_>, usize)>, ExportError> {
    let Some((state, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    match *state {
        WITHHELD => Ok(Some((ExportedPayload::Withheld, 1))),
        ERASED => {
            let by = rest.first_chunk::<8>().map(|by| u64::from_be_bytes(*by));
            Ok(by.map(|by| {
                let by = LeafIndex::new(by);
                (ExportedPayload::Erased { by }, 9)
            }))
        }
        PRESENT => present(rest),
        _ => Err(ExportError::State { at }),
    }
}

fn present(bytes: &[u8]) -> Result<Option<(ExportedPayload<'_>, usize)>, ExportError> {
    let Some((salt, rest)) = bytes.split_first_chunk::<HASH_SIZE>() else {
        return Ok(None);
    };
    let Some((length, rest)) = rest.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > MAX_PAYLOAD_BYTES {
        return Err(ExportError::TooLarge { what: "payload" });
    }
    Ok(rest.get(..length).map(|bytes| {
        let salt = Salt::new(*salt);
        let size = 1 + HASH_SIZE + 4 + length;
        (ExportedPayload::Present { salt, bytes }, size)
    }))
}
