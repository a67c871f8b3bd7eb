//! Verifying an export while its bytes come in.
//!
//! The bytes may come in pieces of any size. What is kept is at most one entry bundle's leaves and
//! one payload, so memory does not grow with the export. Events are handed out before the last one
//! is seen: each is a well-formed event of this log whose payload is the committed one, but that
//! nothing is missing or added is known only when [`ExportVerifier::finish`] answers.

use super::body::Body;
use super::event::split_payload;
use super::{
    EXPORT_MAGIC, ExportError, ExportHeader, ExportTrust, ExportedEvent, VerifiedExport, bundle_end,
};
use crate::limits::{MAX_EXPORT_ENTRIES_BYTES, MAX_EXPORT_HEADER_BYTES};
use crate::merkle::LeafRange;
use crate::units::LeafIndex;
use alloc::vec::Vec;

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
        let body = Body::begin(&ExportHeader::parse(json)?, &self.trust)?;
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
