//! Group commit: whoever asks first leads, who asks meanwhile shares the next sync.
//!
//! The leader takes what waits, sequences it, takes the right to write (held by the commit in
//! flight until its sync returned), takes what came meanwhile, signs and lays the frame out, writes,
//! answers. Who leads when is [`super::queue`]'s. Sequencing much overlaps the previous sync, a lone
//! request meets no timer and no other thread, and a frame holds everything that waited when its
//! write began.
//!
//! The commit point is [`LogState::write`]: what is durable at each line stands there.

use super::append::{AppendError, Poisoned};
use super::batch::{Batch, Commit, Outcome, Placement};
use super::block::BlockNumber;
use super::fault::DiskFault;
use super::index::IndexedSegment;
use super::observe::CommitSample;
use super::options::UpkeepMode;
use super::publish::Published;
use super::queue::{Leader, Role, Waiting};
use super::reply::{Reply, Slot, Woken};
use super::request::Receipt;
use super::run::FrameMark;
use super::segment::FIRST_FRAME;
use super::sequencer::{AdmissionRules, Sequencer};
use super::space::WrittenSpace;
use super::state::{Durable, LogState};
use super::upkeep::SealJob;
use crate::limits::MAX_CHECKPOINT_BYTES;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

/// Batches kept for their buffers: one being sequenced, one being written.
const SPARE_BATCHES: usize = 2;

impl LogState {
    /// Queues a request and blocks until it is answered.
    pub(crate) fn append_blocking(
        &self,
        pending: super::pending::Pending,
    ) -> Result<Receipt, AppendError> {
        let slot = Slot::new();
        let reply = Reply::blocked(&slot);
        let pushed = self.queue().push(Waiting { pending, reply });
        match pushed {
            Ok(Leader::You) => self.lead(self.role_of_caller()),
            Ok(_) => {}
            Err(refused) => refused.waiting.reply.send(Err(refused.error)),
        }
        loop {
            match slot.wait() {
                Woken::Lead => self.lead(self.role_of_caller()),
                Woken::Answered(answer) => return answer,
            }
        }
    }

    /// Queues a request whose answer goes to a callback.
    pub(crate) fn append_later(&self, waiting: Waiting) {
        let mut queue = self.queue();
        match queue.push(waiting) {
            Ok(Leader::You) if self.role_of_caller() == Role::Committer => {
                drop(queue);
                self.lead(Role::Committer);
            }
            Ok(Leader::You) => {
                queue.summoned = true;
                drop(queue);
                self.summon.notify_one();
            }
            Ok(_) => {}
            Err(refused) => {
                drop(queue);
                refused.waiting.reply.send(Err(refused.error));
            }
        }
    }

    /// A committer thread: leads when callbacks or a crowd wait. There are two, so that one can
    /// sequence while the other is at its write.
    pub(crate) fn run_committer(&self) {
        loop {
            let mut queue = self.queue();
            while !queue.summoned {
                if queue.closed {
                    return;
                }
                queue = self
                    .summon
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            queue.summoned = false;
            drop(queue);
            self.lead(Role::Committer);
        }
    }

    /// What a thread that is not a committer may do: lead its own commit and pass leading on, or,
    /// where there is no committer or it may have died of what poisoned the log, all that waits.
    fn role_of_caller(&self) -> Role {
        if self.options.upkeep == UpkeepMode::Inline || self.poison.get().is_some() {
            Role::Committer
        } else {
            Role::Caller
        }
    }

    /// Leads commits until leading is someone else's or nothing waits.
    fn lead(&self, role: Role) {
        loop {
            let leadership = Leadership(self);
            let next = self.lead_one(role);
            drop(leadership);
            match next {
                Leader::You => {}
                Leader::Other => return,
                Leader::Committer => return self.summon.notify_one(),
            }
        }
    }

    /// One commit, from the queue to the answers. Says who leads the next one.
    fn lead_one(&self, role: Role) -> Leader {
        let mut sequencer = self
            .sequencer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut batch = self.batches().pop().unwrap_or_default();
        let mut right = None;
        self.fill(&mut sequencer, &mut batch, &mut right);
        right.get_or_insert_with(|| self.right_to_write());
        self.fill(&mut sequencer, &mut batch, &mut right);
        let prepared = self.prepare(&mut sequencer, &mut batch);
        drop(sequencer);
        let alone = self.role_of_caller() == Role::Committer;
        let write = self.queue().begin_write(alone);
        if write == Err(Leader::Committer) {
            self.summon.notify_one();
        }

        let written = match prepared {
            Ok(Some(commit)) => {
                let space = right.get_or_insert_with(|| self.right_to_write());
                self.write(space, &commit, &mut batch.blocks)
            }
            Ok(None) => Ok(self.publisher.latest()),
            Err(error) => Err(error),
        };
        drop(right);
        answer(&mut batch, &written);
        self.recycle(batch);
        match write {
            Ok(write) => {
                let role = match role {
                    Role::Committer => role,
                    // The log may have been poisoned meanwhile.
                    Role::Caller => self.role_of_caller(),
                };
                self.queue().end_write(write, role)
            }
            Err(_) => Leader::Other,
        }
    }

    fn right_to_write(&self) -> MutexGuard<'_, WrittenSpace> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves waiting requests into the batch until it is full or none waits.
    fn fill<'a>(
        &'a self,
        sequencer: &mut Sequencer,
        batch: &mut Batch,
        right: &mut Option<MutexGuard<'a, WrittenSpace>>,
    ) {
        let previous = sequencer.time;
        let rules = AdmissionRules {
            spec: &self.spec,
            request_window: self.options.request_window,
            time: batch.time(|| self.options.clock.now().max(previous)),
        };
        while let Some(waiting) = self.next_waiting(sequencer, batch) {
            let outcome = if let Some(poisoned) = self.poisoned() {
                Outcome::Refused(poisoned.into())
            } else if waiting.pending.is_expired() {
                // The last moment at which nothing has happened: what is sequenced is written.
                Outcome::Refused(AppendError::Expired)
            } else {
                match self.make_room(sequencer, batch, waiting.pending.bound, right) {
                    Ok(()) => {
                        let mut admission = self.admission_mut();
                        sequencer.sequence(waiting.pending, &mut admission, &rules, batch)
                    }
                    Err(fault) => Outcome::Refused(AppendError::NoRoom(fault)),
                }
            };
            batch.replies.push((waiting.reply, outcome));
        }
    }

    /// The next request, unless it must wait for the next frame.
    fn next_waiting(&self, sequencer: &Sequencer, batch: &Batch) -> Option<Waiting> {
        let mut queue = self.queue();
        let front = queue.front()?;
        if batch.is_full_for(front) {
            return None;
        }
        // A frame never moves to the next segment half made.
        if !batch.is_empty() && !fits(sequencer, batch, front.bound) {
            return None;
        }
        queue.pop()
    }

    /// Goes to the next segment if the (empty) batch would not fit into this one.
    fn make_room<'a>(
        &'a self,
        sequencer: &mut Sequencer,
        batch: &Batch,
        bound: usize,
        right: &mut Option<MutexGuard<'a, WrittenSpace>>,
    ) -> Result<(), DiskFault> {
        if fits(sequencer, batch, bound) {
            return Ok(());
        }
        let next = self.take_spare(sequencer.segment.segment.number.next())?;
        // With the right to write in hand, every frame of the full segment is durable.
        right.get_or_insert_with(|| self.right_to_write());
        let next = Arc::new(IndexedSegment::new(
            next,
            sequencer.frontier.size().next_index(),
            super::index::FrameIndex::default(),
        ));
        let full = std::mem::replace(&mut sequencer.segment, Arc::clone(&next));
        let job = SealJob {
            segment: full,
            memory: self.admission_mut().rotate(),
            frontier: sequencer.frontier.clone(),
            end: sequencer.next_block,
            last_frame: sequencer.previous,
            time: sequencer.time,
        };
        sequencer.next_block = FIRST_FRAME;
        self.segments
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(next);
        if self.poisoned().is_none() {
            self.submit_seal(job);
        }
        Ok(())
    }

    /// Signs and lays out the frame. `None`: there is nothing to write.
    fn prepare(
        &self,
        sequencer: &mut Sequencer,
        batch: &mut Batch,
    ) -> Result<Option<Commit>, AppendError> {
        if let Some(poisoned) = self.poisoned() {
            return Err(poisoned.into());
        }
        if batch.is_empty() {
            return Ok(None);
        }
        let head = sequencer.frontier.head();
        let checkpoint = self.sign(head)?;
        let published = Arc::new(Published {
            size: head.size,
            root: head.root,
            checkpoint: Some(Arc::from(checkpoint.as_str())),
            frontier: sequencer.frontier.clone(),
            time: sequencer.time,
        });
        let first = batch.first(head.size);
        let start = sequencer.next_block;
        let (hash, end) = batch.lay_out(&Placement {
            segment: &sequencer.segment,
            log: self.spec.log,
            start,
            first,
            time: sequencer.time,
            previous: sequencer.previous,
            checkpoint: &checkpoint,
        });
        sequencer.previous = hash;
        sequencer.next_block = end;
        self.prepare_ahead(&sequencer.segment, end);
        Ok(Some(Commit {
            segment: Arc::clone(&sequencer.segment),
            mark: FrameMark {
                first,
                block: start,
            },
            end,
            published,
        }))
    }

    fn sign(&self, head: stella_verify::merkle::TreeHead) -> Result<String, AppendError> {
        // The batch is in the tree and in the admission state already; without its checkpoint it
        // cannot be written, and nothing can follow it.
        let poison = |cause: String| AppendError::from(self.poison(&cause));
        let checkpoint = self
            .options
            .signer
            .sign(&self.spec.origin, head)
            .map_err(|error| poison(error.to_string()))?;
        if checkpoint.len() > MAX_CHECKPOINT_BYTES {
            return Err(poison("the signer's checkpoint is too long".to_owned()));
        }
        Ok(checkpoint)
    }

    /// The commit point. `space` is the right to write.
    fn write(
        &self,
        space: &mut WrittenSpace,
        commit: &Commit,
        blocks: &mut Vec<u8>,
    ) -> Result<Arc<Published>, AppendError> {
        let segment = &commit.segment.segment;
        let bytes = blocks.len();
        let zeros = space.zeros_behind(segment, commit.mark.block..commit.end);
        blocks.resize(bytes + zeros.bytes(), 0);
        // A crash here leaves the frame wholly, partly or not at all on disk. Nobody was told of
        // it: a whole frame will be found and kept, a torn one zeroed.
        let written = segment
            .write(blocks, commit.mark.block)
            // A crash here: the same. If the sync fails, the frame may read back now and be gone
            // later, so nothing may be said of it, or written after it, by this process.
            .and_then(|()| {
                let begun = Instant::now();
                segment.sync().map(|()| begun.elapsed())
            });
        let sync = match written {
            Ok(sync) => sync,
            Err(fault) => {
                let Poisoned { cause } = self.poison(&fault.to_string());
                return Err(AppendError::OutcomeUnknown { cause });
            }
        };
        // From here on the frame is durable, its checkpoint in it; a crash loses only answers.
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.frame_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        commit.segment.push(commit.mark);
        *self.durable() = Durable {
            head: stella_verify::merkle::TreeHead {
                size: commit.published.size,
                root: commit.published.root,
            },
            segment: segment.number,
            end: commit.end,
        };
        // Only now may anything of it leave the process.
        self.publisher.publish(&commit.published);
        self.options.observer.committed(&CommitSample {
            leaves: commit.published.size.get() - commit.mark.first.get(),
            bytes: bytes as u64,
            sync,
            size: commit.published.size,
        });
        Ok(Arc::clone(&commit.published))
    }

    fn recycle(&self, mut batch: Batch) {
        batch.reset();
        let mut batches = self.batches();
        if batches.len() < SPARE_BATCHES {
            batches.push(batch);
        }
    }

    fn batches(&self) -> MutexGuard<'_, Vec<Batch>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells every request of the batch what became of it.
fn answer(batch: &mut Batch, written: &Result<Arc<Published>, AppendError>) {
    for (reply, outcome) in batch.replies.drain(..) {
        reply.send(match (outcome, written) {
            (Outcome::Refused(error), _) => Err(error),
            (_, Err(error)) => Err(error.clone()),
            (Outcome::Appended { first, count }, Ok(published)) => Ok(Receipt {
                first,
                count,
                published: Arc::clone(published),
                duplicate: false,
            }),
            (Outcome::Duplicate { first, count }, Ok(published)) => Ok(Receipt {
                first,
                count,
                published: Arc::clone(published),
                duplicate: true,
            }),
        });
    }
}

/// Whether the frame still fits its segment with a request of `bound` bytes added.
fn fits(sequencer: &Sequencer, batch: &Batch, bound: usize) -> bool {
    let room = sequencer
        .segment
        .segment
        .seal_block()
        .since(sequencer.next_block);
    super::block::BlockCount::holding(batch.bound_with(bound)).is_some_and(|need| need <= room)
}

/// Most bytes of requests that an empty segment can take in one frame.
pub(crate) fn room_of(blocks: super::block::BlockCount) -> usize {
    let frames = BlockNumber(blocks.0.saturating_sub(1)).since(FIRST_FRAME);
    (frames.0 as usize * super::block::BODY_BYTES).saturating_sub(Batch::default().bound_with(0))
}

/// Leading must not end without leadership being passed on: if the leader panics (a fault in this
/// program), the log is poisoned and the queue answered, so that nobody waits for ever.
struct Leadership<'a>(&'a LogState);

impl Drop for Leadership<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.poison("a committing thread panicked");
            let waiting = self.0.queue().abandon();
            for one in waiting {
                one.reply.send(Err(self.0.poison("").into()));
            }
        }
    }
}
