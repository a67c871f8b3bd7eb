//! Audit exports: a range of the log with all that it takes to verify it offline.

use super::{App, WAIT};
use crate::refusal::Refusal;
use std::ops::ControlFlow;
use stella_ledger::log::{ReadError, StoredEvent, StoredPayload, Stretch};
use stella_proto::audit as wire;
use stella_proto::audit::export_point::Point;
use stella_proto::reason::Reason;
use stella_verify::export::{ExportHeader, ExportedPayload, bundle_end, write_payload};
use stella_verify::limits::TILE_WIDTH;
use stella_verify::merkle::{ConsistencyProof, LeafRange};
use stella_verify::units::{LeafIndex, TreeSize, UnixMillis};

/// Bytes of payloads that are gathered before a bundle is sent in pieces.
const PIECE_BYTES: usize = 1024 * 1024;

/// An export that is about to be sent.
#[derive(Debug)]
pub(crate) struct Export {
    /// The file's first bytes; empty when an export goes on.
    pub(crate) header: Vec<u8>,
    /// The whole range.
    pub(crate) range: LeafRange,
    /// The first leaf to send.
    pub(crate) next: LeafIndex,
}

/// A piece of the file behind its header.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// The entries of a bundle behind their length; empty when they were sent before.
    pub(crate) entries: Vec<u8>,
    /// What is said of payloads.
    pub(crate) payloads: Vec<u8>,
    /// The first leaf of the next bundle, when this one is complete.
    pub(crate) next: Option<LeafIndex>,
}

impl App {
    /// Fixes the range of an export and proves it.
    pub(crate) fn begin_export(
        &self,
        request: &wire::ExportEventsRequest,
    ) -> Result<Export, Refusal> {
        if let Some(token) = &request.resume {
            if request.from.is_some() || request.to.is_some() {
                return Err(Refusal::field("resume", "stands without from and to"));
            }
            return self.go_on(token);
        }
        let published = self.ledger.published().size;
        let from = self.place(request.from.as_ref(), TreeSize::ZERO)?;
        let to = self.place(request.to.as_ref(), published)?;
        let range = LeafRange {
            start: from,
            end: to,
        };
        self.check_export(range)?;
        let header = self.export_header(range)?;
        Ok(Export {
            header: header.to_bytes().map_err(internal)?,
            range,
            next: from,
        })
    }

    fn go_on(&self, token: &wire::ResumeToken) -> Result<Export, Refusal> {
        let [from, to, next] = [token.from, token.to, token.next].map(LeafIndex::new);
        let range = LeafRange {
            start: from,
            end: to,
        };
        self.check_export(range)?;
        let width = u64::try_from(TILE_WIDTH).unwrap_or(u64::MAX);
        let begins_bundle = next == from || next == to || next.get() % width == 0;
        if !begins_bundle || !(from..=to).contains(&next) {
            return Err(Refusal::field("resume", "is not one of ours"));
        }
        Ok(Export {
            header: Vec::new(),
            range,
            next,
        })
    }

    /// The leaf that a point names; where it names none, the end of the tree given.
    fn place(
        &self,
        point: Option<&wire::ExportPoint>,
        otherwise: TreeSize,
    ) -> Result<LeafIndex, Refusal> {
        match point.and_then(|point| point.point.as_ref()) {
            None => Ok(otherwise.next_index()),
            Some(Point::LeafIndex(index)) => Ok(LeafIndex::new(*index)),
            Some(Point::UnixMs(time)) => {
                let size = self.newest()?.size_before(UnixMillis::new(*time))?;
                Ok(size.next_index())
            }
        }
    }

    fn check_export(&self, range: LeafRange) -> Result<(), Refusal> {
        let published = self.ledger.published().size;
        if range.end > published.next_index() {
            let message = format!("the log has {published} leaves, not {}", range.end);
            return Err(Refusal::new(Reason::BeyondTreeSize, message));
        }
        if range.start >= range.end {
            let (start, end) = (range.start, range.end);
            let message = format!("there are no events from leaf {start} up to, excluded, {end}");
            return Err(Refusal::new(Reason::NotFound, message));
        }
        Ok(())
    }

    /// The header of an export: the last checkpoint at or before its start, the first at or after
    /// its end. Both were signed with their commits, so the same range has the same header.
    fn export_header(&self, range: LeafRange) -> Result<ExportHeader, Refusal> {
        let log = self.ledger.log();
        let read = |problem| Refusal::from(stella_ledger::LedgerError::from(problem));
        let opening = TreeSize::new(log.commit_of(range.start).map_err(read)?.first.get());
        let mut header = self.closed_header(range)?;
        if opening > TreeSize::ZERO {
            let last = LeafIndex::new(range.end.get().saturating_sub(1));
            let closing = log.commit_of(last).map_err(read)?.size;
            header.opening = Some(self.ledger.checkpoint_at(opening)?.to_string());
            header.consistency = self.view_at(closing)?.prove_consistency(opening)?;
        }
        Ok(header)
    }

    /// The same without an opening checkpoint: what comes before the range is the closing tree's.
    pub(super) fn closed_header(&self, range: LeafRange) -> Result<ExportHeader, Refusal> {
        let last = LeafIndex::new(range.end.get().saturating_sub(1));
        let commit = self.ledger.log().commit_of(last);
        let commit = commit.map_err(stella_ledger::LedgerError::from)?;
        let view = self.ledger.at(commit.size, WAIT)?;
        Ok(ExportHeader {
            range,
            opening: None,
            closing: commit.checkpoint,
            range_proof: view.prove_range(range)?,
            consistency: ConsistencyProof::new(Vec::new()),
        })
    }

    /// Reads what stands behind the header from `next` on, an entry bundle at a time, until told to
    /// break. Payloads for which `include` says no are withheld.
    ///
    /// Straight from the segments: published events need no projections. Memory is bounded by a
    /// bundle's leaves and [`PIECE_BYTES`] of payloads.
    pub(crate) fn export_body(
        &self,
        range: LeafRange,
        next: LeafIndex,
        include: impl Fn(&StoredEvent<'_>) -> bool,
        send: impl FnMut(Piece) -> ControlFlow<()>,
    ) -> Result<(), Refusal> {
        let at = TreeSize::new(range.end.get());
        let mut bundler = Bundler {
            app: self,
            range,
            next,
            bundle: LeafRange {
                start: next,
                end: bundle_end(next, range.end),
            },
            piece: Piece::default(),
            entries_sent: false,
            send,
        };
        let left = LeafRange {
            start: next,
            end: range.end,
        };
        let read = self
            .ledger
            .log()
            .visit_stretches(left, at, |stretch| bundler.take_stretch(&stretch, &include));
        Ok(read.map_err(stella_ledger::LedgerError::from)?)
    }
}

/// Gathers events into the entry bundles of an export.
struct Bundler<'a, S> {
    app: &'a App,
    range: LeafRange,
    next: LeafIndex,
    bundle: LeafRange,
    piece: Piece,
    entries_sent: bool,
    send: S,
}

impl<S: FnMut(Piece) -> ControlFlow<()>> Bundler<'_, S> {
    /// Entries go into the bundle as they are stored, all of a stretch at once.
    fn take_stretch(
        &mut self,
        stretch: &Stretch<'_>,
        include: impl Fn(&StoredEvent<'_>) -> bool,
    ) -> Result<ControlFlow<()>, ReadError> {
        for event in stretch.events() {
            let event = event?;
            if event.index == self.bundle.start || event.index == stretch.range().start {
                self.put_entries(stretch.entries(LeafRange {
                    start: event.index,
                    end: self.bundle.end,
                })?);
            }
            write_payload(&mut self.piece.payloads, &exported(&event, include(&event)));
            if self.take_next(event.index)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn put_entries(&mut self, entries: &[u8]) {
        if self.entries_sent {
            return;
        }
        if self.piece.entries.is_empty() {
            // Room for their length.
            self.piece.entries.extend_from_slice(&[0; 4]);
        }
        self.piece.entries.extend_from_slice(entries);
    }

    /// Goes on behind an event whose payload was put down.
    fn take_next(&mut self, event: LeafIndex) -> Result<ControlFlow<()>, ReadError> {
        self.next = LeafIndex::new(event.get().saturating_add(1));
        if self.next == self.bundle.end {
            return Ok(self.end_bundle());
        }
        if self.piece.payloads.len() < PIECE_BYTES {
            return Ok(ControlFlow::Continue(()));
        }
        self.send_piece()
    }

    fn end_bundle(&mut self) -> ControlFlow<()> {
        self.piece.next = Some(self.next);
        self.bundle = LeafRange {
            start: self.next,
            end: bundle_end(self.next, self.range.end),
        };
        self.entries_sent = false;
        self.hand_over()
    }

    /// Large payloads: the bundle's leaves come first, so those that were not met yet are read too.
    fn send_piece(&mut self) -> Result<ControlFlow<()>, ReadError> {
        if !self.entries_sent {
            let at = TreeSize::new(self.range.end.get());
            let entries = self.app.ledger.log().entry_bundle(self.bundle, at)?;
            self.piece.entries.truncate(4);
            self.piece.entries.extend_from_slice(&entries);
            self.entries_sent = true;
        }
        Ok(self.hand_over())
    }

    fn hand_over(&mut self) -> ControlFlow<()> {
        // The next piece is about as large: growing it step by step would cost more than filling it.
        let next = Piece {
            entries: Vec::with_capacity(self.piece.entries.len()),
            payloads: Vec::with_capacity(self.piece.payloads.len()),
            next: None,
        };
        let mut piece = std::mem::replace(&mut self.piece, next);
        let entries = piece.entries.len().saturating_sub(4);
        if let Some(length) = piece.entries.first_chunk_mut::<4>() {
            *length = u32::try_from(entries).unwrap_or(u32::MAX).to_be_bytes();
        }
        (self.send)(piece)
    }
}

fn exported<'a>(event: &StoredEvent<'a>, include: bool) -> ExportedPayload<'a> {
    match &event.payload {
        StoredPayload::Erased { by } => ExportedPayload::Erased { by: *by },
        StoredPayload::Present { salt, bytes } if include => {
            ExportedPayload::Present { salt: *salt, bytes }
        }
        StoredPayload::Present { .. } | StoredPayload::None => ExportedPayload::Withheld,
    }
}

fn internal(problem: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Internal, problem.to_string())
}
