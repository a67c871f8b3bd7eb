//! The ledger as its users see it: log, index and blobs of one directory behind one type.
//!
//! ```text
//! <data-dir>/log/     the truth                 EventLog
//! <data-dir>/index/   folded from it            Index      deleting it loses nothing
//! <data-dir>/blobs/   inputs, by their digest   BlobStore
//! ```
//!
//! Writing goes to the log alone; no write decision reads the index. Reading goes through a
//! [`View`]: everything as of one tree size, so that pages of a listing fit together and every
//! answer can be proved against one checkpoint.

mod error;
mod event;
mod fsck;
mod inputs;
mod named;
mod nodes;
mod open;
mod options;
mod page;
mod past;
mod proofs;
mod scans;
mod source;
mod tiles;
mod view;

pub use error::{LedgerError, Missing};
pub use event::{Event, Payload};
pub use fsck::{CheckProgress, IndexReport, LedgerReport};
pub use inputs::{PolicyRecord, SnapshotRecord};
pub use nodes::{NodeRecord, NodeUse};
pub use open::{LedgerStats, Opened};
pub use options::LedgerOptions;
pub use page::{Page, PageSize};
pub use past::PastFold;
pub use scans::{
    FootprintRecord, ManifestRecord, ReplayRecord, ScanRecord, ScanSummary, SealRecord,
};
pub use source::LogSource;
pub use view::{StreamPage, View};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stella_verify::merkle::LeafRange;
use stella_verify::units::{LeafIndex, TreeSize};

use crate::blobs::BlobStore;
use crate::index::Index;
use crate::log::{
    AppendCallback, AppendRequest, Asked, EarlierError, EraseRequest, EventLog, Named, Principal,
    Published, Receipt, RequestId, StreamHead,
};

/// One tenant's ledger: a directory that this process owns.
#[derive(Debug)]
pub struct Ledger {
    /// Goes first when dropped: it reads the log to its end.
    index: Index,
    log: Arc<EventLog>,
    blobs: Arc<dyn BlobStore>,
    folder: PathBuf,
}

impl Ledger {
    /// Appends and blocks until the events are acknowledged or refused; see [`EventLog::append`]
    /// for what an acknowledgement promises. Blobs that the events name must be durable already.
    ///
    /// # Errors
    /// [`LedgerError::Append`].
    pub fn append(&self, request: AppendRequest) -> Result<Receipt, LedgerError> {
        Ok(self.log.append(request)?)
    }

    /// As [`Ledger::append`], but refused (`DEADLINE_EXCEEDED`) when its turn comes too late.
    ///
    /// # Errors
    /// [`LedgerError::Append`].
    pub fn append_before(
        &self,
        request: AppendRequest,
        deadline: Option<Instant>,
    ) -> Result<Receipt, LedgerError> {
        Ok(self.log.append_before(request, deadline)?)
    }

    /// As [`Ledger::append_before`], for a request that is the same as an earlier one when `asked`
    /// is.
    ///
    /// # Errors
    /// [`LedgerError::Append`].
    pub fn append_asked(
        &self,
        request: AppendRequest,
        asked: Asked,
        deadline: Option<Instant>,
    ) -> Result<Receipt, LedgerError> {
        Ok(self.log.append_asked(request, asked, deadline)?)
    }

    /// Where the events of an earlier request with this id are; see [`EventLog::earlier`].
    ///
    /// # Errors
    /// [`LedgerError::Append`], [`LedgerError::Admission`].
    pub fn earlier(
        &self,
        id: (&Principal, &RequestId),
        asked: Asked,
    ) -> Result<Option<LeafRange>, LedgerError> {
        let found = self.log.earlier(id, asked).map_err(|error| match error {
            EarlierError::Append(error) => LedgerError::from(error),
            EarlierError::Read(error) => LedgerError::from(error),
        })?;
        Ok(found.map(|(first, count)| LeafRange {
            start: first,
            end: LeafIndex::new(first.get().saturating_add(u64::from(count.0))),
        }))
    }

    /// Appends and answers through a callback, for callers that must not block.
    pub fn submit(&self, request: AppendRequest, callback: AppendCallback) {
        self.log.submit(request, callback);
    }

    /// As [`Ledger::submit`], but refused (`DEADLINE_EXCEEDED`) when its turn comes too late.
    pub fn submit_before(
        &self,
        request: AppendRequest,
        deadline: Option<Instant>,
        callback: AppendCallback,
    ) {
        self.log.submit_before(request, deadline, callback);
    }

    /// Erases payloads; their leaves and every proof stay.
    ///
    /// # Errors
    /// [`LedgerError::Erase`].
    pub fn erase(&self, request: EraseRequest) -> Result<Receipt, LedgerError> {
        Ok(self.log.erase(request)?)
    }

    /// The latest published state: size, root, signed checkpoint.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        self.log.published()
    }

    /// Waits until at least `size` is published; the latest state then, or after `timeout`.
    #[must_use]
    pub fn wait_published(&self, size: TreeSize, timeout: Duration) -> Arc<Published> {
        self.log.wait_published(size, timeout)
    }

    /// Where a stream ends, `None` while it has no events. The admission state answers, so it is
    /// exact and never behind.
    ///
    /// # Errors
    /// [`LedgerError::Admission`].
    pub fn stream_head(
        &self,
        stream: &stella_verify::event::StreamName<Arc<str>>,
    ) -> Result<Option<StreamHead>, LedgerError> {
        Ok(self.log.stream_head(stream)?)
    }

    /// Whether the log has recorded a manifest, snapshot, policy or blob. Exact and never behind.
    ///
    /// # Errors
    /// [`LedgerError::Admission`].
    pub fn knows(&self, named: &Named) -> Result<bool, LedgerError> {
        Ok(self.log.known_since(named)?.is_some())
    }

    /// Everything as of the latest published tree. Waits up to `patience` for the projections.
    ///
    /// # Errors
    /// [`LedgerError::Index`] (`PROJECTION_BEHIND`) when they take longer.
    pub fn latest(&self, patience: Duration) -> Result<View<'_>, LedgerError> {
        self.at(self.published().size, patience)
    }

    /// Everything as of a published tree size, such as a receipt's. Waits up to `patience` for the
    /// projections, so a client reads what it wrote.
    ///
    /// # Errors
    /// [`LedgerError::BeyondTree`] when the size is not published; [`LedgerError::Index`]
    /// (`PROJECTION_BEHIND`) when the projections take longer.
    pub fn at(&self, size: TreeSize, patience: Duration) -> Result<View<'_>, LedgerError> {
        View::of(self, size, patience)
    }

    /// The blobs.
    #[must_use]
    pub fn blobs(&self) -> &Arc<dyn BlobStore> {
        &self.blobs
    }

    /// The event log.
    #[must_use]
    pub fn log(&self) -> &Arc<EventLog> {
        &self.log
    }

    /// Waits until the projections have `size` leaves; false when `timeout` passed before.
    pub fn wait_applied(&self, size: TreeSize, timeout: Duration) -> bool {
        self.index.wait_applied(size, timeout)
    }
}
