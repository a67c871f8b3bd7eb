//! The index in use: a thread that folds behind the log, and queries beside it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use stella_verify::hash::RootHash;
use stella_verify::merkle::TreeHead;
use stella_verify::units::TreeSize;

use super::attach::{AttachError, Attached, Found, IndexFolder, fresh, seal_folder};
use super::catch_up::{FoldError, FoldProgress, Workers, catch_up};
use super::fold::Fold;
use super::kv::StoreError;
use super::source::{EventSource, SourceError};
use super::store::CacheBytes;
use crate::limits::{INDEX_LAST_LEAVES, INDEX_QUIET, INDEX_RETRY};

/// How the index runs.
#[derive(Debug, Clone)]
pub struct IndexOptions {
    /// Its folder; nothing else may be in it.
    pub folder: PathBuf,
    /// Memory for pages of the store.
    pub cache: CacheBytes,
    /// Threads that digest events while it catches up.
    pub workers: Workers,
}

/// Why a query gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IndexError {
    /// The fold has not reached the tree size that was asked for. Retry shortly.
    #[error("the projections have {applied} of {wanted} leaves")]
    Behind {
        /// How far they are.
        applied: TreeSize,
        /// How far they would have to be.
        wanted: TreeSize,
    },
    /// The log could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// How far the index is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexStats {
    /// Leaves folded.
    pub applied: TreeSize,
    /// Leaves whose fold is in the store.
    pub committed: TreeSize,
    /// How often the store was dropped and folded again since it was opened.
    pub refolds: u64,
    /// Whether it is being folded again, up to what the log held when it was dropped.
    pub refolding: bool,
    /// What keeps it from folding, if anything does.
    pub fault: Option<String>,
}

/// The projections of one log.
pub struct Index {
    shared: Arc<Shared>,
    folder: Option<JoinHandle<()>>,
}

struct Shared {
    source: Arc<dyn EventSource>,
    options: IndexOptions,
    fold: RwLock<Arc<Fold>>,
    applied: Mutex<TreeSize>,
    advanced: Condvar,
    news: Arc<News>,
    stop: AtomicBool,
    /// A query or the folder found the present store broken.
    broken: AtomicBool,
    refolds: AtomicU64,
    /// What the log held when the store was last dropped.
    refold_to: AtomicU64,
    fault: Mutex<Option<String>>,
    /// Held while folding.
    folding: Mutex<()>,
}

impl Index {
    /// Compares the folder with the log, folds what is missing, and follows the log from there.
    ///
    /// # Errors
    /// [`AttachError`].
    pub fn open(
        folder: IndexFolder,
        options: IndexOptions,
        source: Arc<dyn EventSource>,
        progress: &dyn FoldProgress,
    ) -> Result<(Self, Found), AttachError> {
        let Attached {
            mut fold,
            mut found,
        } = folder.attach(&*source)?;
        let to = source.head();
        if let Err(error) = catch_up(&fold, &*source, to, options.workers, progress) {
            // What opening did not notice may show here. Folding from nothing decides.
            found = Found::Dropped(error.to_string());
            drop(fold);
            fold = fresh(&options.folder, options.cache)?;
            match catch_up(&fold, &*source, to, options.workers, progress) {
                Ok(()) | Err(FoldError::Stopped) => {}
                Err(FoldError::Store(error)) => return Err(error.into()),
                Err(FoldError::Source(error)) => return Err(error.into()),
                Err(error @ FoldError::Root(_)) => return Err(SourceError::new(error).into()),
            }
        }
        let shared = Arc::new(Shared {
            applied: Mutex::new(fold.applied()),
            fold: RwLock::new(Arc::new(fold)),
            source,
            options,
            advanced: Condvar::new(),
            news: Arc::new(News::default()),
            stop: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            refolds: AtomicU64::new(0),
            refold_to: AtomicU64::new(0),
            fault: Mutex::new(None),
            folding: Mutex::new(()),
        });
        // The log keeps this for ever, so it holds nothing of the index but the bell.
        let bell = Arc::clone(&shared.news);
        shared.source.on_publish(Box::new(move || bell.ring()));
        let following = Arc::clone(&shared);
        let folder = thread::Builder::new()
            .name("stella-index".into())
            .spawn(move || following.follow())?;
        let index = Self {
            shared,
            folder: Some(folder),
        };
        Ok((index, found))
    }

    /// Asks the fold as of a tree of `at` leaves.
    ///
    /// # Errors
    /// [`IndexError::Behind`] when it is not that far, also when the store turned out broken: it is
    /// then being folded again.
    pub fn query<T, E: From<IndexError>>(
        &self,
        at: TreeSize,
        ask: impl FnOnce(&Fold) -> Result<T, QueryError<E>>,
    ) -> Result<T, E> {
        let fold = self.shared.fold();
        let applied = fold.applied();
        if applied < at || self.shared.broken.load(Ordering::Acquire) {
            let behind = IndexError::Behind {
                applied,
                wanted: at,
            };
            return Err(behind.into());
        }
        ask(&fold).map_err(|error| match error {
            QueryError::Asker(error) => error,
            QueryError::Store(error) => {
                self.shared.report(&fold, &error);
                let behind = IndexError::Behind {
                    applied: TreeSize::ZERO,
                    wanted: at,
                };
                behind.into()
            }
        })
    }

    /// Waits until the fold has `size` leaves; false when `timeout` passed before.
    pub fn wait_applied(&self, size: TreeSize, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut applied = self.shared.applied();
        loop {
            if *applied >= size && !self.shared.broken.load(Ordering::Acquire) {
                return true;
            }
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                return false;
            };
            applied = self
                .shared
                .advanced
                .wait_timeout(applied, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Drops the store and folds it again in the background.
    pub fn refold(&self) {
        self.shared.broken.store(true, Ordering::Release);
        self.shared.news.ring();
    }

    /// How far it is.
    #[must_use]
    pub fn stats(&self) -> IndexStats {
        let fold = self.shared.fold();
        let refold_to = self.shared.refold_to.load(Ordering::Relaxed);
        IndexStats {
            applied: fold.applied(),
            committed: fold.committed(),
            refolding: self.shared.broken.load(Ordering::Acquire)
                || fold.applied().get() < refold_to,
            refolds: self.shared.refolds.load(Ordering::Relaxed),
            fault: self.shared.fault().clone(),
        }
    }

    /// Calls `look` with a fold that is caught up with the log, wholly in its store, and stands
    /// still meanwhile.
    ///
    /// # Errors
    /// [`FoldError`], also of `look`.
    pub fn standing_still<T>(
        &self,
        look: impl FnOnce(&Fold, TreeHead<RootHash>) -> Result<T, FoldError>,
    ) -> Result<T, FoldError> {
        let _folding = self.shared.folding();
        let fold = self.shared.fold();
        let head = self.shared.source.head();
        let workers = self.shared.options.workers;
        catch_up(&fold, &*self.shared.source, head, workers, &*self.shared)?;
        fold.commit(head)?;
        look(&fold, head)
    }

    /// The fold as it is now, whatever its size.
    #[must_use]
    pub fn fold(&self) -> Arc<Fold> {
        self.shared.fold()
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.stats().fmt(f)
    }
}

impl Drop for Index {
    /// Writes what is only in memory, closes the store and seals it.
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.news.ring();
        if let Some(folder) = self.folder.take() {
            // A folder thread that panicked leaves an unsealed store, which is counted at open.
            let sound = folder.join().is_ok() && !self.shared.broken.load(Ordering::Acquire);
            if sound {
                self.shared.close();
            }
        }
    }
}

/// Why a query was broken off.
#[derive(Debug)]
pub enum QueryError<E> {
    /// The store failed.
    Store(StoreError),
    /// The one who asked had another reason.
    Asker(E),
}

impl<E> From<StoreError> for QueryError<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Shared {
    fn fold(&self) -> Arc<Fold> {
        Arc::clone(&self.fold.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn applied(&self) -> MutexGuard<'_, TreeSize> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folding(&self) -> MutexGuard<'_, ()> {
        self.folding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self) -> MutexGuard<'_, Option<String>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the store broken, unless it was replaced since.
    fn report(&self, fold: &Arc<Fold>, error: &StoreError) {
        if Arc::ptr_eq(fold, &self.fold()) {
            *self.fault() = Some(error.to_string());
            self.broken.store(true, Ordering::Release);
            self.news.ring();
        }
    }

    /// The folder thread.
    fn follow(&self) {
        while !self.stop.load(Ordering::Acquire) {
            if let Err(error) = self.step() {
                *self.fault() = Some(error.to_string());
                // The log's own faults are not cured by folding again.
                if !matches!(error, FollowError::Fold(FoldError::Source(_))) {
                    self.broken.store(true, Ordering::Release);
                }
                self.pause();
            }
        }
        if self.finish().is_err() {
            self.broken.store(true, Ordering::Release);
        }
    }

    /// Folds the last few events and writes all of it: the next open has less to do, and the
    /// marker is evidence of all that was published.
    fn finish(&self) -> Result<(), FoldError> {
        let _folding = self.folding();
        let fold = self.fold();
        let to = self.source.head();
        let missing = to.size.get().saturating_sub(fold.applied().get());
        if missing <= INDEX_LAST_LEAVES && !self.broken.load(Ordering::Acquire) {
            catch_up(&fold, &*self.source, to, self.options.workers, &())?;
        }
        Ok(fold.commit(to)?)
    }

    /// Folds what is new, or waits for it, or uses the quiet to write the unfinished window.
    fn step(&self) -> Result<(), FollowError> {
        let folding = self.folding();
        if self.broken.load(Ordering::Acquire) {
            self.replace()?;
        }
        let fold = self.fold();
        let applied = fold.applied();
        let to = self.source.head();
        if to.size > applied {
            match catch_up(&fold, &*self.source, to, self.options.workers, self) {
                Ok(()) | Err(FoldError::Stopped) => {}
                Err(error) => return Err(error.into()),
            }
            self.fault().take();
            return Ok(());
        }
        drop(folding);
        if self.news.within(INDEX_QUIET) {
            return Ok(());
        }
        let _folding = self.folding();
        if fold.committed() < fold.applied() && self.source.head() == to {
            fold.commit(to).map_err(FoldError::from)?;
        }
        Ok(())
    }

    /// Puts an empty store in the place of a broken one.
    fn replace(&self) -> Result<(), FollowError> {
        *self.applied() = TreeSize::ZERO;
        let to = self.source.head().size;
        self.refold_to.store(to.get(), Ordering::Relaxed);
        let fold = fresh(&self.options.folder, self.options.cache)?;
        *self.fold.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fold);
        self.refolds.fetch_add(1, Ordering::Relaxed);
        self.broken.store(false, Ordering::Release);
        Ok(())
    }

    /// Lets some time pass after a failure, unless it is time to stop.
    fn pause(&self) {
        let until = Instant::now() + INDEX_RETRY;
        while !self.stop.load(Ordering::Acquire) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.news.within(left);
        }
    }

    /// Closes the store and seals its folder, unless a query still holds it.
    fn close(&self) {
        let nothing = Arc::new(Fold::empty(Arc::new(super::memory::MemoryStore::default())));
        let fold = std::mem::replace(
            &mut *self.fold.write().unwrap_or_else(PoisonError::into_inner),
            nothing,
        );
        if Arc::into_inner(fold).is_some() {
            // Without a seal the next open counts the rows; nothing is lost.
            let _ = seal_folder(&self.options.folder);
        }
    }
}

/// Wakes the folder thread: the log has grown, or there is something else to do.
#[derive(Debug, Default)]
struct News {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl News {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_one();
    }

    /// Waits at most so long; whether it rang since it was last asked.
    fn within(&self, patience: Duration) -> bool {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.wait_timeout_while(rung, patience, |rung| !*rung);
        let (mut rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *rung)
    }
}

impl FoldProgress for Shared {
    fn applied(&self, size: TreeSize) {
        *Shared::applied(self) = size;
        self.advanced.notify_all();
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire) || self.broken.load(Ordering::Acquire)
    }
}

#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Fold(#[from] FoldError),
    #[error(transparent)]
    Attach(#[from] AttachError),
}
