//! What need not delay an append: the next segment, the full one's run and seal, the head file.
//!
//! At most one full segment is unsealed: the segment after the next is handed out only when the
//! seal before it is durable. A spare segment or a run that could not be made (disk full) leaves
//! the log as it was, and the append that needs it is refused; it is tried again from a fresh
//! temporary file at the next append. A seal or head that could not be written or synced poisons.

use super::admission::Memory;
use super::block::{BlockCount, BlockNumber};
use super::fault::{DiskFault, StoreFault};
use super::head::Stop;
use super::ids::{ChainHash, SegmentNumber};
use super::index::IndexedSegment;
use super::options::UpkeepMode;
use super::run::Run;
use super::seal::Seal;
use super::segment::Segment;
use super::state::LogState;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use stella_verify::merkle::Frontier;
use stella_verify::units::{TreeSize, UnixMillis};

/// How often the head file follows the published state while there is traffic.
const HEAD_INTERVAL: Duration = Duration::from_secs(1);

/// A full segment, waiting for its run and seal.
#[derive(Debug, Clone)]
pub(crate) struct SealJob {
    pub(crate) segment: Arc<IndexedSegment>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) frontier: Frontier,
    pub(crate) end: BlockNumber,
    pub(crate) last_frame: ChainHash,
    pub(crate) time: UnixMillis,
}

/// Shared between the appending threads and the upkeep thread.
#[derive(Debug)]
pub(crate) struct Upkeep {
    tasks: Mutex<Tasks>,
    changed: Condvar,
}

#[derive(Debug)]
struct Tasks {
    sealing: Option<SealJob>,
    spare: Spare,
    /// Hash of the youngest seal, which the next one names.
    last_seal: ChainHash,
    stop: bool,
}

#[derive(Debug)]
enum Spare {
    None,
    Wanted(SegmentNumber),
    Ready(Segment),
    Failed(DiskFault),
}

impl Upkeep {
    pub(crate) fn new(last_seal: ChainHash, spare: Option<Segment>) -> Self {
        Self {
            tasks: Mutex::new(Tasks {
                sealing: None,
                spare: spare.map_or(Spare::None, Spare::Ready),
                last_seal,
                stop: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the segment after the active one to be prepared, once.
    fn want(&self, number: SegmentNumber) {
        let mut tasks = self.tasks();
        if matches!(tasks.spare, Spare::None) {
            tasks.spare = Spare::Wanted(number);
            self.changed.notify_all();
        }
    }

    /// Lets everyone look again, after the log was poisoned.
    pub(crate) fn wake(&self) {
        let _tasks = self.tasks();
        self.changed.notify_all();
    }

    /// Ends the upkeep thread after the task it is at.
    pub(crate) fn stop(&self) {
        self.tasks().stop = true;
        self.changed.notify_all();
    }
}

impl LogState {
    /// Asks for the next segment when a quarter of the active one is used: early enough not to
    /// wait for it, late enough that a small log stays one file.
    pub(crate) fn prepare_ahead(&self, active: &IndexedSegment, next_block: BlockNumber) {
        let quarter = active.segment.blocks.0 / 4;
        if self.options.upkeep == UpkeepMode::Threads && next_block.0 > quarter {
            self.upkeep.want(active.segment.number.next());
        }
    }

    /// The next segment, durable under its name, the seal before the active one durable, too.
    pub(crate) fn take_spare(&self, number: SegmentNumber) -> Result<Segment, DiskFault> {
        if self.options.upkeep == UpkeepMode::Inline {
            self.seal_pending()?;
            let ready = std::mem::replace(&mut self.upkeep.tasks().spare, Spare::None);
            return match ready {
                Spare::Ready(segment) => Ok(segment),
                _ => self.make_spare(number),
            };
        }
        let mut tasks = self.upkeep.tasks();
        if !matches!(tasks.spare, Spare::Ready(_)) {
            // Also after a failure: whoever needs the segment tries again.
            tasks.spare = Spare::Wanted(number);
            self.upkeep.changed.notify_all();
        }
        loop {
            if tasks.stop || self.poison.get().is_some() {
                let closed = std::io::Error::other("the log is closed or poisoned");
                return Err(DiskFault::new("prepare", "the next segment", closed));
            }
            match std::mem::replace(&mut tasks.spare, Spare::None) {
                Spare::Ready(segment) if tasks.sealing.is_none() => return Ok(segment),
                Spare::Failed(fault) => return Err(fault),
                other => tasks.spare = other,
            }
            tasks = self
                .upkeep
                .changed
                .wait(tasks)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Hands a full segment over to be sealed.
    pub(crate) fn submit_seal(&self, job: SealJob) {
        self.upkeep.tasks().sealing = Some(job);
        if self.options.upkeep == UpkeepMode::Inline {
            // A failure is told to the append that needs the seal: the job stays.
            let _ = self.seal_pending();
        } else {
            self.upkeep.changed.notify_all();
        }
    }

    /// The upkeep thread: seals, prepares, writes the head file behind.
    pub(crate) fn run_upkeep(&self) {
        let mut told = self.durable().head.size;
        loop {
            let (stop, seal, wanted) = self.next_task(told);
            if seal && let Err(fault) = self.seal_pending() {
                self.fail_spare(fault);
            } else if let Some(number) = wanted {
                match self.make_spare(number) {
                    Ok(segment) => self.upkeep.tasks().spare = Spare::Ready(segment),
                    Err(fault) => self.fail_spare(fault),
                }
                self.upkeep.changed.notify_all();
            } else if stop {
                return;
            } else {
                told = self.write_head_behind(told);
            }
        }
    }

    /// Waits for something to do: (stop, a seal, a spare), in this order of urgency reversed.
    fn next_task(&self, told: TreeSize) -> (bool, bool, Option<SegmentNumber>) {
        let mut tasks = self.upkeep.tasks();
        loop {
            let wanted = match tasks.spare {
                Spare::Wanted(number) if !tasks.stop => Some(number),
                _ => None,
            };
            // A seal that failed is tried again when a spare is wanted again.
            let retry = !matches!(tasks.spare, Spare::Failed(_));
            let seal = tasks.sealing.is_some() && retry && self.poison.get().is_none();
            if tasks.stop || seal || wanted.is_some() {
                return (tasks.stop, seal, wanted);
            }
            let (guard, timeout) = self
                .upkeep
                .changed
                .wait_timeout(tasks, HEAD_INTERVAL)
                .unwrap_or_else(PoisonError::into_inner);
            tasks = guard;
            if timeout.timed_out() && self.durable().head.size != told {
                return (false, false, None);
            }
        }
    }

    fn fail_spare(&self, fault: DiskFault) {
        self.upkeep.tasks().spare = Spare::Failed(fault);
        self.upkeep.changed.notify_all();
    }

    fn make_spare(&self, number: SegmentNumber) -> Result<Segment, DiskFault> {
        let segment = Segment::create(&*self.options.disk, &self.spec, number)?;
        // Known to exist before it is used, so that its loss is noticed.
        self.advance_head(|head| head.highest = head.highest.max(number))?;
        Ok(segment)
    }

    /// Seals the waiting segment, if there is one.
    fn seal_pending(&self) -> Result<(), DiskFault> {
        let (job, previous) = {
            let tasks = self.upkeep.tasks();
            let Some(job) = tasks.sealing.clone() else {
                return Ok(());
            };
            (job, tasks.last_seal)
        };
        let (run, seal) = match write_seal(self, &job, previous) {
            Ok(sealed) => sealed,
            Err(StoreFault::Disk(fault)) => return Err(fault),
            Err(StoreFault::Damage(damage)) => {
                self.poison(&damage.to_string());
                let error = std::io::Error::other(damage);
                return Err(DiskFault::new("read back", "an admission run", error));
            }
        };
        self.admission_mut().sealed(run);
        {
            let mut tasks = self.upkeep.tasks();
            tasks.last_seal = seal.hash();
            tasks.sealing = None;
        }
        self.upkeep.changed.notify_all();
        self.advance_head(|head| head.sealed = head.sealed.max(seal.segment.next()))
    }

    fn write_head_behind(&self, told: TreeSize) -> TreeSize {
        let size = self.durable().head.size;
        // A failure has poisoned the log; there is nothing to add here.
        if size == told || self.poison.get().is_some() || self.advance_head(|_| {}).is_err() {
            return told;
        }
        size
    }

    /// Brings the head file up to the last completed sync, and `change` with it.
    pub(crate) fn advance_head(
        &self,
        change: impl FnOnce(&mut super::head::Head),
    ) -> Result<(), DiskFault> {
        let mut head = self.head();
        let durable = *self.durable();
        let written = head.advance(|head| {
            head.stop = Stop::Unclean;
            head.published = durable.head;
            head.synced = (durable.segment, durable.end);
            change(head);
        });
        written.inspect_err(|fault| {
            self.poison(&fault.to_string());
        })
    }
}

/// Run first, durable; then the seal that names it, durable.
fn write_seal(
    state: &LogState,
    job: &SealJob,
    previous: ChainHash,
) -> Result<(Run, Seal), StoreFault> {
    let segment = &job.segment.segment;
    let content = job.memory.to_run(&job.segment.frames());
    let disk = &*state.options.disk;
    let (run, reference) = Run::create(disk, state.spec.log, segment.number, &content)?;
    let seal = Seal {
        segment: segment.number,
        first: job.segment.first,
        frontier: job.frontier.clone(),
        end: job.end,
        last_frame: job.last_frame,
        time: job.time,
        run: reference,
        previous,
    };
    seal.install(segment).inspect_err(|fault| {
        state.poison(&fault.to_string());
    })?;
    Ok((run, seal))
}

impl Seal {
    /// Writes the seal into its segment and syncs it.
    pub(crate) fn install(&self, segment: &Segment) -> Result<(), DiskFault> {
        debug_assert_eq!(self.block(segment).len(), BlockCount(1).bytes());
        segment.write(&self.block(segment), segment.seal_block())?;
        segment.sync()
    }
}
