//! The ledger as of one tree size.

use std::ops::ControlFlow;
use std::time::Duration;

use stella_verify::event::{EventHeader, StreamName};
use stella_verify::merkle::LeafRange;
use stella_verify::units::{LeafIndex, StreamPosition, TreeSize, UnixMillis};

use super::{Event, Ledger, LedgerError, Page, PageSize};
use crate::index::keys::Table;
use crate::index::kv::{Direction, StoreError};
use crate::index::postings::Wanted;
use crate::index::{Fold, QueryError};
use crate::log::StoredEvent;

/// Queries as of one tree size. Cheap; make one per request.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) size: TreeSize,
}

/// Some events of a stream, and where it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPage {
    /// The events, in the stream's order.
    pub events: Vec<Event>,
    /// Position of the next one; `None` at the end.
    pub next: Option<StreamPosition>,
}

impl<'a> View<'a> {
    pub(super) fn of(
        ledger: &'a Ledger,
        size: TreeSize,
        patience: Duration,
    ) -> Result<Self, LedgerError> {
        let published = ledger.published().size;
        if size > published {
            return Err(LedgerError::BeyondTree {
                asked: size.get(),
                size: published,
            });
        }
        let view = Self { ledger, size };
        if !ledger.index.wait_applied(size, patience) {
            // Asks only to have it said how far the projections are.
            view.ask(|_| Ok(()))?;
        }
        Ok(view)
    }

    /// The tree size.
    #[must_use]
    pub const fn size(&self) -> TreeSize {
        self.size
    }

    /// One event.
    ///
    /// # Errors
    /// [`LedgerError::BeyondTree`] or [`LedgerError::Read`].
    pub fn event(&self, index: LeafIndex) -> Result<Event, LedgerError> {
        if !self.size.contains(index) {
            return Err(LedgerError::BeyondTree {
                asked: index.get(),
                size: self.size,
            });
        }
        Ok(self.ledger.log.get(index)?.into())
    }

    /// The events from `from` on.
    ///
    /// # Errors
    /// [`LedgerError::Read`].
    pub fn events(&self, from: LeafIndex, size: PageSize) -> Result<Page<Event>, LedgerError> {
        let count = u64::try_from(size.get()).unwrap_or(u64::MAX);
        let end = from
            .get()
            .saturating_add(count)
            .min(self.size.get())
            .max(from.get());
        let range = LeafRange {
            start: from,
            end: LeafIndex::new(end),
        };
        if range.start >= self.size.next_index() {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        }
        let events = self.ledger.log.read(range, self.size)?;
        Ok(Page {
            items: events.into_iter().map(Event::from).collect(),
            next: (end < self.size.get()).then_some(range.end),
        })
    }

    /// Visits the events of a range in order, until told to break: for exports, with flat memory.
    ///
    /// # Errors
    /// [`LedgerError::Read`].
    pub fn visit(
        &self,
        range: LeafRange,
        visit: impl FnMut(StoredEvent<'_>) -> ControlFlow<()>,
    ) -> Result<(), LedgerError> {
        Ok(self.ledger.log.visit(range, self.size, visit)?)
    }

    /// The events of a stream from `from` on; none when there is no such stream.
    ///
    /// # Errors
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn stream<S: AsRef<str>>(
        &self,
        stream: &StreamName<S>,
        from: StreamPosition,
        size: PageSize,
    ) -> Result<StreamPage, LedgerError> {
        let mut leaves = self.stream_leaves(stream.as_str(), from, size.get() + 1)?;
        let more = leaves.len() > size.get();
        leaves.truncate(size.get());
        let count = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
        Ok(StreamPage {
            events: self.events_at(&leaves)?,
            next: more.then(|| StreamPosition::new(from.get().saturating_add(count))),
        })
    }

    /// How many leaves have a time before `time`: the tree as it was then.
    ///
    /// Times never fall from leaf to leaf, so this halves the log until it knows.
    ///
    /// # Errors
    /// [`LedgerError::Read`]; [`LedgerError::Malformed`] in a log of raw leaves.
    pub fn size_before(&self, time: UnixMillis) -> Result<TreeSize, LedgerError> {
        let (mut low, mut high) = (0, self.size.get());
        while low < high {
            let middle = low + (high - low) / 2;
            let event = self.event(LeafIndex::new(middle))?;
            if event.known_header()?.time < time {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(TreeSize::new(low))
    }

    pub(super) fn stream_leaves(
        &self,
        stream: &str,
        from: StreamPosition,
        limit: usize,
    ) -> Result<Vec<LeafIndex>, LedgerError> {
        self.ask(|fold| fold.stream(stream, from, self.size, limit))
    }

    /// The events at ascending leaves; neighbours are read together.
    pub(super) fn events_at(&self, leaves: &[LeafIndex]) -> Result<Vec<Event>, LedgerError> {
        let mut events = Vec::with_capacity(leaves.len());
        for run in leaves.chunk_by(|left, right| left.get().checked_add(1) == Some(right.get())) {
            if let (Some(first), Some(last)) = (run.first(), run.last()) {
                let range = LeafRange {
                    start: *first,
                    end: LeafIndex::new(last.get().saturating_add(1)),
                };
                let read = self.ledger.log.read(range, self.size)?;
                events.extend(read.into_iter().map(Event::from));
            }
        }
        Ok(events)
    }

    /// A page of the leaves that a table has under `lookup`, and of what `read` makes of the
    /// events there. Payloads that were erased in the meantime are left out.
    pub(super) fn page<T>(
        &self,
        (table, lookup): (Table, &[u8]),
        from: Option<LeafIndex>,
        size: PageSize,
        direction: Direction,
        read: impl Fn(&Event, &EventHeader<'_>) -> Result<T, LedgerError>,
    ) -> Result<Page<T>, LedgerError> {
        let wanted = self.wanted(from, size, direction);
        let leaves = self.ask(|fold| fold.pointers(table, lookup, &wanted, direction))?;
        let (leaves, next) = Page::<T>::of(leaves, size);
        let mut items = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let event = self.event(leaf)?;
            match read(&event, &event.known_header()?) {
                Ok(item) => items.push(item),
                Err(LedgerError::Erased { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Page { items, next })
    }

    /// What a page asks of the index: one item more than it shows.
    pub(super) fn wanted(
        &self,
        from: Option<LeafIndex>,
        size: PageSize,
        direction: Direction,
    ) -> Wanted {
        let end = self.size.next_index();
        let (first, end) = match (from, direction) {
            (None, _) => (LeafIndex::ZERO, end),
            (Some(from), Direction::Forward) => (from, end),
            (Some(from), Direction::Backward) => {
                let after = LeafIndex::new(from.get().saturating_add(1));
                (LeafIndex::ZERO, after.min(end))
            }
        };
        Wanted {
            from: first,
            end,
            limit: size.get() + 1,
        }
    }

    pub(super) fn ask<T>(
        &self,
        ask: impl FnOnce(&Fold) -> Result<T, StoreError>,
    ) -> Result<T, LedgerError> {
        let ask = |fold: &Fold| ask(fold).map_err(QueryError::Store);
        self.ledger.index.query(self.size, ask)
    }
}
