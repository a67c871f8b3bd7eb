//! Checking everything: the log, what was folded from it, the blobs.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use stella_verify::hash::{BlobDigest, to_hex};
use stella_verify::units::TreeSize;

use super::{Ledger, LedgerError, LogSource};
use crate::blobs::BlobError;
use crate::index::disk::DiskStore;
use crate::index::dump::first_difference;
use crate::index::kv::KvStore;

use crate::index::{CacheBytes, Fold, FoldError, FoldProgress, Workers, catch_up};
use crate::log::{CheckpointVerifier, FsckProgress, FsckReport};

/// The folder that a check folds into, beside the index.
const CHECK_FOLDER: &str = "index-check";

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckProgress {
    /// Reading every byte of the log.
    Log(FsckProgress),
    /// Folding the log again, to compare with the index.
    Index {
        /// Leaves folded.
        folded: TreeSize,
        /// Leaves to fold.
        of: TreeSize,
    },
    /// Reading blobs.
    Blobs {
        /// Blobs read.
        checked: usize,
        /// Blobs to read.
        of: usize,
    },
}

/// What a check found.
#[derive(Debug, Clone)]
pub struct LedgerReport {
    /// Of the log.
    pub log: FsckReport,
    /// Of the index.
    pub index: IndexReport,
    /// Blobs looked at: those in the store and those that events name.
    pub blobs: usize,
    /// Blobs that are damaged or missing, and how.
    pub damaged_blobs: Vec<(BlobDigest, BlobError)>,
}

/// How the index compares with a new fold of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexReport {
    /// Every key and value is the same, up to this size.
    Equal(TreeSize),
    /// The first key that differs, in hex. `Ledger::rebuild` puts it right.
    Differs(String),
    /// The index or the new fold could not be read.
    Unreadable(String),
}

impl LedgerReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.log.is_good()
            && matches!(self.index, IndexReport::Equal(_))
            && self.damaged_blobs.is_empty()
    }
}

impl Ledger {
    /// Checks every byte of the ledger while it is in use. Projections stand still meanwhile.
    ///
    /// # Errors
    /// [`LedgerError`]; damage is not an error but what the report is for.
    pub fn fsck(
        &self,
        verifier: Option<&dyn CheckpointVerifier>,
        progress: &mut (dyn FnMut(CheckProgress) -> ControlFlow<()> + Send),
    ) -> Result<LedgerReport, LedgerError> {
        let log = self
            .log
            .fsck(verifier, &mut |at| progress(CheckProgress::Log(at)))?;
        let index = self.check_index(progress)?;
        // A blob that an event names and that is not there is damage as much as a wrong byte.
        let mut digests = self.named_blobs()?;
        digests.extend(self.blobs.list()?);
        let mut damaged_blobs = Vec::new();
        for (checked, digest) in digests.iter().enumerate() {
            if let Err(error) = self.blobs.check(digest) {
                damaged_blobs.push((*digest, error));
            }
            let of = digests.len();
            if progress(CheckProgress::Blobs { checked, of }).is_break() {
                return Err(crate::log::FsckError::Interrupted.into());
            }
        }
        Ok(LedgerReport {
            log,
            index,
            blobs: digests.len(),
            damaged_blobs,
        })
    }

    /// Folds the log anew into a folder of its own and compares every key and value.
    fn check_index(
        &self,
        progress: &mut (dyn FnMut(CheckProgress) -> ControlFlow<()> + Send),
    ) -> Result<IndexReport, LedgerError> {
        let folder = CheckFolder(self.folder.join(CHECK_FOLDER));
        folder.remove();
        let compared = self.index.standing_still(|fold, head| {
            let store: Arc<dyn KvStore> = Arc::new(DiskStore::open(&folder.0, CHECK_CACHE)?);
            let again = Fold::empty(Arc::clone(&store));
            let source = LogSource(Arc::clone(&self.log));
            let watch = Watch {
                progress: std::sync::Mutex::new((progress, false)),
                of: head.size,
            };
            catch_up(&again, &source, head, Workers::of_this_machine(), &watch)?;
            again.commit(head)?;
            Ok(match first_difference(fold.store(), &*store)? {
                None => IndexReport::Equal(head.size),
                Some(key) => IndexReport::Differs(to_hex(&key)),
            })
        });
        match compared {
            Ok(report) => Ok(report),
            Err(FoldError::Store(error)) => Ok(IndexReport::Unreadable(error.to_string())),
            Err(FoldError::Source(error)) => Ok(IndexReport::Unreadable(error.to_string())),
            Err(FoldError::Root(size)) => {
                Ok(IndexReport::Unreadable(FoldError::Root(size).to_string()))
            }
            Err(FoldError::Stopped) => Err(crate::log::FsckError::Interrupted.into()),
        }
    }
}

/// Memory of the store that a check folds into: it is written once and read once.
const CHECK_CACHE: CacheBytes = CacheBytes(32 * 1024 * 1024);

/// Removed when the check ends, however it ends.
struct CheckFolder(PathBuf);

impl CheckFolder {
    fn remove(&self) {
        // What cannot be removed is in nobody's way: the next check tries again.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Drop for CheckFolder {
    fn drop(&mut self) {
        self.remove();
    }
}

type Callback<'a> = &'a mut (dyn FnMut(CheckProgress) -> ControlFlow<()> + Send);

struct Watch<'a> {
    progress: std::sync::Mutex<(Callback<'a>, bool)>,
    of: TreeSize,
}

impl FoldProgress for Watch<'_> {
    fn applied(&self, folded: TreeSize) {
        let mut progress = self
            .progress
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let of = self.of;
        progress.1 |= (progress.0)(CheckProgress::Index { folded, of }).is_break();
    }

    fn stopped(&self) -> bool {
        self.progress
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .1
    }
}
