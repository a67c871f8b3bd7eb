//! Opening and closing a ledger.

use std::path::Path;
use std::sync::Arc;

use stella_verify::units::TreeSize;

use super::{Ledger, LedgerError, LedgerOptions, LogSource};
use crate::blobs::{BlobStore, FileBlobs};
use crate::disk::{DelayedSync, Disk, RealDisk};
use crate::index::{FoldProgress, Found, Index, IndexFolder, IndexOptions, IndexStats};
use crate::log::{EventLog, Evidence, LogOptions, LogStats, OpenError, OpenReport};

/// The folders of a data directory (FORMATS.md section 10).
const INDEX_FOLDER: &str = "index";
const BLOBS_FOLDER: &str = "blobs";

/// Who speaks when the index has seen more than the log has.
const INDEX_WITNESS: &str = "the index";

/// What opening found and did.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Of the log.
    pub log: OpenReport,
    /// Of the index.
    pub index: Found,
}

/// How the ledger is doing.
#[derive(Debug, Clone)]
pub struct LedgerStats {
    /// Leaves published.
    pub size: TreeSize,
    /// Of the log.
    pub log: LogStats,
    /// Of the index.
    pub index: IndexStats,
}

impl Ledger {
    /// Makes a new, empty ledger in `folder`.
    ///
    /// # Errors
    /// [`LedgerError::Open`], with [`OpenError::Exists`] when there is one.
    pub fn create(folder: &Path, options: LedgerOptions) -> Result<(Self, Opened), LedgerError> {
        let index = index_options(folder, &options);
        let opened = EventLog::create(log_options(folder, options))?;
        let found = IndexFolder::open(&index.folder, index.cache)?;
        Self::over(folder, opened, found, index, &())
    }

    /// Opens the ledger in `folder`: recovers the log, compares the index with it, and folds what
    /// the index lacks, all of the log if need be. `progress` hears of the folding.
    ///
    /// What the index has seen is evidence: a log that lacks some of it is not opened
    /// (`LOG_TRUNCATED`), before anything is published or changed.
    ///
    /// # Errors
    /// [`LedgerError::Open`] or [`LedgerError::Attach`].
    pub fn open(
        folder: &Path,
        mut options: LedgerOptions,
        progress: &dyn FoldProgress,
    ) -> Result<(Self, Opened), LedgerError> {
        let index = index_options(folder, &options);
        let found = IndexFolder::open(&index.folder, index.cache)?;
        let without_index = log_options(folder, options.clone());
        options
            .evidence
            .extend(found.evidence().map(|head| Evidence {
                source: INDEX_WITNESS.into(),
                head,
            }));
        let opened = match EventLog::open(log_options(folder, options)) {
            // An index of another root at a size that the log has is no evidence against the log,
            // which is signed; the index is not. It is dropped below.
            Err(OpenError::Forked { evidence }) if evidence.source == INDEX_WITNESS => {
                EventLog::open(without_index)?
            }
            opened => opened?,
        };
        Self::over(folder, opened, found, index, progress)
    }

    fn over(
        folder: &Path,
        (log, log_report): (EventLog, OpenReport),
        found: IndexFolder,
        index: IndexOptions,
        progress: &dyn FoldProgress,
    ) -> Result<(Self, Opened), LedgerError> {
        let log = Arc::new(log);
        let blobs: Arc<dyn BlobStore> = Arc::new(FileBlobs::open(&folder.join(BLOBS_FOLDER))?);
        let source = Arc::new(LogSource(Arc::clone(&log)));
        progress.to_do(log.published().size);
        let (index, found) = Index::open(found, index, source, progress)?;
        let ledger = Self {
            index,
            log,
            blobs,
            folder: folder.to_path_buf(),
        };
        let opened = Opened {
            log: log_report,
            index: found,
        };
        Ok((ledger, opened))
    }

    /// Stops taking requests, writes what the index has in memory, marks the log as cleanly
    /// stopped. Dropping does the same but cannot say whether it worked.
    ///
    /// # Errors
    /// [`LedgerError::Close`]: the log is then as after a crash, nothing more.
    pub fn close(self) -> Result<(), LedgerError> {
        let Self { index, log, .. } = self;
        drop(index);
        // Others that still hold the log close it when they let go.
        Arc::into_inner(log).map_or(Ok(()), EventLog::close)?;
        Ok(())
    }

    /// Drops the index and folds it again in the background, as if its folder had been deleted.
    pub fn rebuild(&self) {
        self.index.refold();
    }

    /// How the ledger is doing.
    #[must_use]
    pub fn stats(&self) -> LedgerStats {
        LedgerStats {
            size: self.published().size,
            log: self.log.stats(),
            index: self.index.stats(),
        }
    }
}

fn index_options(folder: &Path, options: &LedgerOptions) -> IndexOptions {
    IndexOptions {
        folder: folder.join(INDEX_FOLDER),
        cache: options.index_cache,
        workers: options.index_workers,
    }
}

fn log_options(folder: &Path, options: LedgerOptions) -> LogOptions {
    let mut disk: Arc<dyn Disk> = Arc::new(RealDisk::new(folder));
    if !options.sync_delay.is_zero() {
        disk = Arc::new(DelayedSync::new(disk, options.sync_delay));
    }
    LogOptions {
        clock: options.clock,
        entropy: options.entropy,
        kind: options.kind,
        segment_bytes: options.segment_bytes,
        request_window: options.request_window,
        verifier: options.verifier,
        evidence: options.evidence,
        observer: options.observer,
        ..LogOptions::new(disk, options.origin, options.signer)
    }
}
