//! How an open log comes to be and ends.

use super::append::AppendError;
use super::block::BlockCount;
use super::commit::room_of;
use super::fault::{DiskFault, StoreFault};
use super::handle::CloseError;
use super::head::Stop;
use super::ids::LogId;
use super::options::LogOptions;
use super::pending::{Author, Pending};
use super::publish::{Published, Publisher};
use super::queue::Queue;
use super::recover::{OpenError, Recovered};
use super::request::AppendRequest;
use super::sequencer::Sequencer;
use super::space::WrittenSpace;
use super::spec::LogSpec;
use super::state::{Durable, LogState};
use super::upkeep::Upkeep;
use crate::disk::DiskLock;
use crate::limits::{MAX_SEGMENT_BYTES, MIN_SEGMENT_BYTES};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, RwLock};
use stella_verify::units::{LeafIndex, TreeSize};

/// The lock file that one process holds.
const LOCK_PATH: &str = "LOCK";

pub(crate) fn take_lock(options: &LogOptions) -> Result<Box<dyn DiskLock>, OpenError> {
    options
        .disk
        .lock(LOCK_PATH)
        .map_err(|source| DiskFault::new("lock", LOCK_PATH, source))?
        .ok_or(OpenError::InUse)
}

pub(crate) fn new_spec(options: &LogOptions) -> Result<LogSpec, OpenError> {
    let bytes = options.segment_bytes.0;
    let refused = OpenError::SegmentBytes {
        min: MIN_SEGMENT_BYTES,
        max: MAX_SEGMENT_BYTES,
    };
    if !(MIN_SEGMENT_BYTES..=MAX_SEGMENT_BYTES).contains(&bytes) || !bytes.is_multiple_of(4096) {
        return Err(refused);
    }
    let blocks = u32::try_from(bytes / 4096).map_err(|_| refused)?;
    let mut id = [0u8; 16];
    options
        .entropy
        .fill(&mut id)
        .map_err(|error| OpenError::Entropy(Arc::new(error)))?;
    Ok(LogSpec {
        log: LogId::new(id),
        origin: options.origin.clone(),
        kind: options.kind,
        segment_blocks: BlockCount(blocks),
    })
}

impl LogState {
    pub(crate) fn new(options: LogOptions, recovered: Recovered) -> Self {
        let cursor = recovered.cursor;
        let head = cursor.frontier.head();
        let published = Published {
            size: head.size,
            root: head.root,
            checkpoint: recovered.checkpoint.map(Arc::from),
            frontier: cursor.frontier.clone(),
            time: cursor.time,
        };
        // Recovery always leaves an active segment at the end.
        let active = recovered.active;
        let durable = Durable {
            head,
            segment: active.segment.number,
            end: recovered.end,
        };
        let sequencer = Sequencer {
            frontier: cursor.frontier,
            time: cursor.time,
            segment: active,
            next_block: recovered.end,
            previous: cursor.previous,
        };
        Self {
            options,
            spec: recovered.spec,
            queue: Mutex::new(Queue::default()),
            summon: Condvar::new(),
            sequencer: Mutex::new(sequencer),
            batches: Mutex::new(Vec::new()),
            writer: Mutex::new(WrittenSpace::default()),
            admission: RwLock::new(recovered.admission),
            segments: RwLock::new(recovered.segments),
            publisher: Publisher::new(published),
            poison: OnceLock::new(),
            upkeep: Upkeep::new(recovered.last_seal, recovered.spare),
            head: Mutex::new(recovered.head_file),
            durable: Mutex::new(durable),
            erasing: Mutex::new(()),
            blanking: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            frame_bytes: AtomicU64::new(0),
        }
    }

    /// All of a request that does not depend on its place.
    pub(crate) fn prepare_request(
        &self,
        request: AppendRequest,
        author: Author,
    ) -> Result<Pending, AppendError> {
        if let Some(poisoned) = self.poisoned() {
            return Err(poisoned.into());
        }
        let runs = self.admission().runs();
        let room = room_of(self.spec.segment_blocks);
        let entropy = &*self.options.entropy;
        Pending::prepare(request, author, &self.spec, room, entropy, &runs)
    }

    /// Carries out erasures whose retention event stands at or after `from`.
    pub(crate) fn finish_all_erasing(&self, from: TreeSize) -> Result<(), StoreFault> {
        let all = self.admission().all_erased()?;
        let mut by_event: BTreeMap<LeafIndex, Vec<LeafIndex>> = BTreeMap::new();
        for (leaf, by) in all {
            if by >= from.next_index() {
                by_event.entry(by).or_default().push(leaf);
            }
        }
        for (by, leaves) in by_event {
            self.finish_erasing(&leaves, by)?;
        }
        Ok(())
    }

    pub(crate) fn stop_cleanly(&self) -> Result<(), CloseError> {
        // Whoever leads now finishes first.
        let _sequencer = self
            .sequencer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(poisoned) = self.poisoned() {
            return Err(poisoned.into());
        }
        let durable = *self.durable();
        self.head().advance_both(|head| {
            head.stop = Stop::Clean;
            head.published = durable.head;
            head.synced = (durable.segment, durable.end);
        })?;
        // A second close, or a late request, must not find a log that believes it is open.
        self.poison("the log is closed");
        Ok(())
    }
}
