//! Requests waiting for the sequencer, and who leads the next commit.
//!
//! One thread *leads*: it sequences what waits and writes it. While it is at its write, leading is
//! free for a request that brings enough work to be sequenced meanwhile; small ones rather wait
//! and share the next frame. After its write the leader passes leading on: a few waiting threads
//! are woken to lead themselves, a crowd is led by the committer, which then need not be woken
//! between commits. A lone request finds nobody leading and waits for no other thread.

use super::append::AppendError;
use super::pending::Pending;
use super::reply::Reply;
use crate::limits::MAX_QUEUED_BYTES;
use std::collections::VecDeque;

/// Waiting bytes from which sequencing them beside a running sync is worth waking a thread.
const OVERLAP_BYTES: usize = 64 * 1024;

/// Waiting requests from which the committer leads.
const CROWD: usize = 4;

/// One waiting request.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) pending: Pending,
    pub(crate) reply: Reply,
}

/// The queue, and whether someone leads.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    led: Led,
    writes: u64,
    /// A committer thread is to lead.
    pub(crate) summoned: bool,
    pub(crate) closed: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Led {
    #[default]
    Nobody,
    /// Someone sequences, or was told to.
    Sequencing,
    /// The leader is at this write; nobody sequences.
    Writing(Write),
}

/// One write of a leader that has not passed leading on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Write(u64);

/// Who leads after a queue operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leader {
    /// The caller of the operation.
    You,
    /// A parked thread, woken for it, or one that leads already; or nobody has to.
    Other,
    /// A committer thread, which the caller must wake.
    Committer,
}

/// Which thread asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// One that has a request of its own to be answered.
    Caller,
    /// One that may lead on and on.
    Committer,
}

/// A request that may not wait here.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) waiting: Waiting,
    pub(crate) error: AppendError,
}

impl Refused {
    fn new(waiting: Waiting, error: AppendError) -> Box<Self> {
        Box::new(Self { waiting, error })
    }
}

impl Queue {
    /// Adds a request. [`Leader::You`] when the caller must lead.
    pub(crate) fn push(&mut self, waiting: Waiting) -> Result<Leader, Box<Refused>> {
        if self.closed {
            return Err(Refused::new(waiting, AppendError::Closed));
        }
        let bytes = self.bytes.saturating_add(waiting.pending.bound);
        // A request is never too large for an empty queue.
        if bytes > MAX_QUEUED_BYTES && !self.waiting.is_empty() {
            return Err(Refused::new(waiting, AppendError::QueueFull));
        }
        self.bytes = bytes;
        self.waiting.push_back(waiting);
        let free = match self.led {
            Led::Nobody => true,
            Led::Sequencing => false,
            Led::Writing(_) => self.bytes >= OVERLAP_BYTES,
        };
        if !free {
            return Ok(Leader::Other);
        }
        self.led = Led::Sequencing;
        Ok(Leader::You)
    }

    /// The oldest request.
    pub(crate) fn front(&self) -> Option<&Pending> {
        self.waiting.front().map(|waiting| &waiting.pending)
    }

    pub(crate) fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(waiting.pending.bound);
        Some(waiting)
    }

    /// The leader has sequenced and goes to write. `Err`: it passed leading on, to whom it says.
    pub(crate) fn begin_write(&mut self, alone: bool) -> Result<Write, Leader> {
        if self.bytes >= OVERLAP_BYTES && !alone && !self.closed {
            return Err(self.pass_to_front());
        }
        self.writes += 1;
        let write = Write(self.writes);
        self.led = Led::Writing(write);
        Ok(write)
    }

    /// The leader's write is over and answered; who leads next.
    pub(crate) fn end_write(&mut self, write: Write, role: Role) -> Leader {
        if self.led != Led::Writing(write) {
            // Someone took over meanwhile.
            return Leader::Other;
        }
        if self.waiting.is_empty() {
            self.led = Led::Nobody;
            return Leader::Other;
        }
        self.led = Led::Sequencing;
        match role {
            Role::Committer => Leader::You,
            Role::Caller if self.waiting.len() < CROWD => self.pass_to_front(),
            Role::Caller => self.summon(),
        }
    }

    /// Takes everything out and leaves nobody leading: the log is poisoned.
    pub(crate) fn abandon(&mut self) -> VecDeque<Waiting> {
        self.led = Led::Nobody;
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }

    fn pass_to_front(&mut self) -> Leader {
        let front = self.waiting.front();
        match front.and_then(|waiting| waiting.reply.parked()) {
            Some(slot) => {
                slot.promote();
                Leader::Other
            }
            None => self.summon(),
        }
    }

    const fn summon(&mut self) -> Leader {
        self.summoned = true;
        Leader::Committer
    }
}
