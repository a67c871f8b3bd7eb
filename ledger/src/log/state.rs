//! The parts of an open log and who guards them.
//!
//! Locks are taken in this order, and none is held while a lower one is waited for:
//! sequencer, writer, admission, segments, head, durable. The queue's lock is never held together
//! with another.

use super::admission::Admission;
use super::append::Poisoned;
use super::batch::Batch;
use super::block::BlockNumber;
use super::head::HeadFile;
use super::ids::SegmentNumber;
use super::index::IndexedSegment;
use super::options::LogOptions;
use super::publish::Publisher;
use super::queue::Queue;
use super::sequencer::Sequencer;
use super::space::WrittenSpace;
use super::spec::LogSpec;
use super::upkeep::Upkeep;
use std::sync::atomic::AtomicU64;
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard,
};
use stella_verify::merkle::TreeHead;

/// Everything behind an open [`super::EventLog`], shared with its threads.
pub(crate) struct LogState {
    pub(crate) options: LogOptions,
    pub(crate) spec: LogSpec,
    pub(crate) queue: Mutex<Queue>,
    /// Wakes the committer thread.
    pub(crate) summon: Condvar,
    pub(crate) sequencer: Mutex<Sequencer>,
    /// Finished batches, for their buffers.
    pub(crate) batches: Mutex<Vec<Batch>>,
    /// The right to write: one commit is in flight at most. It guards what only a writer needs.
    pub(crate) writer: Mutex<WrittenSpace>,
    pub(crate) admission: RwLock<Admission>,
    /// All segments that have frames, oldest first, the active one last.
    pub(crate) segments: RwLock<Vec<Arc<IndexedSegment>>>,
    pub(crate) publisher: Publisher,
    pub(crate) poison: OnceLock<Poisoned>,
    pub(crate) upkeep: Upkeep,
    pub(crate) head: Mutex<HeadFile>,
    pub(crate) durable: Mutex<Durable>,
    /// Erasing is one at a time.
    pub(crate) erasing: Mutex<()>,
    /// Odd while blocks are being blanked: a payload over several blocks may then be read half
    /// there and half gone.
    pub(crate) blanking: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) frame_bytes: AtomicU64,
}

/// How far the last completed sync reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Durable {
    pub(crate) head: TreeHead,
    pub(crate) segment: SegmentNumber,
    pub(crate) end: BlockNumber,
}

impl LogState {
    /// The first failure, once there was one.
    pub(crate) fn poisoned(&self) -> Option<Poisoned> {
        self.poison.get().cloned()
    }

    /// Latches: from now on only reads below the published size are answered.
    pub(crate) fn poison(&self, cause: &str) -> Poisoned {
        let poisoned = self.poison.get_or_init(|| Poisoned {
            cause: Arc::from(cause),
        });
        self.publisher.wake();
        self.upkeep.wake();
        poisoned.clone()
    }

    pub(crate) fn admission(&self) -> RwLockReadGuard<'_, Admission> {
        self.admission
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn admission_mut(&self) -> RwLockWriteGuard<'_, Admission> {
        self.admission
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn durable(&self) -> MutexGuard<'_, Durable> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn head(&self) -> MutexGuard<'_, HeadFile> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for LogState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogState")
            .field("spec", &self.spec)
            .field("published", &self.publisher.latest().size)
            .field("poison", &self.poison.get())
            .finish_non_exhaustive()
    }
}
