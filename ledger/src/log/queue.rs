//! Requests waiting for the sequencer, and how their answers get back.

use super::append::AppendError;
use super::pending::Pending;
use super::request::Receipt;
use crate::limits::MAX_QUEUED_BYTES;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;

/// What an append answers.
pub(crate) type Answer = Result<Receipt, AppendError>;

/// Called once, from the thread that committed; it must be quick and must not append itself.
pub type AppendCallback = Box<dyn FnOnce(Result<Receipt, AppendError>) + Send>;

/// One waiting request.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) pending: Pending,
    pub(crate) reply: Reply,
}

/// The way back to whoever asked. Dropped without an answer (a panic), it answers that the
/// outcome is unknown, so nobody waits for ever.
pub(crate) struct Reply(Option<ReplyTo>);

enum ReplyTo {
    Blocked(Arc<Slot>),
    Callback(AppendCallback),
}

impl Reply {
    pub(crate) fn blocked(slot: &Arc<Slot>) -> Self {
        Self(Some(ReplyTo::Blocked(Arc::clone(slot))))
    }

    pub(crate) fn callback(callback: AppendCallback) -> Self {
        Self(Some(ReplyTo::Callback(callback)))
    }

    pub(crate) fn send(mut self, answer: Answer) {
        self.deliver(answer);
    }

    fn deliver(&mut self, answer: Answer) {
        match self.0.take() {
            Some(ReplyTo::Blocked(slot)) => slot.set(SlotState::Answered(Box::new(answer))),
            Some(ReplyTo::Callback(callback)) => callback(answer),
            None => {}
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.deliver(Err(AppendError::OutcomeUnknown {
            cause: Arc::from("the committing thread ended early"),
        }));
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &self.0 {
            Some(ReplyTo::Blocked(_)) => "Reply(blocked)",
            Some(ReplyTo::Callback(_)) => "Reply(callback)",
            None => "Reply(sent)",
        })
    }
}

/// Where one blocked thread parks. One parking place per request: nobody is woken for nothing.
#[derive(Debug)]
pub(crate) struct Slot {
    thread: Thread,
    state: Mutex<SlotState>,
}

#[derive(Debug)]
enum SlotState {
    Waiting,
    Lead,
    Answered(Box<Answer>),
}

/// Why a parked thread goes on.
#[derive(Debug)]
pub(crate) enum Woken {
    /// It must lead the next commit, its own request included.
    Lead,
    /// Its request is answered.
    Answered(Answer),
}

impl Slot {
    /// A place for the current thread.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            thread: std::thread::current(),
            state: Mutex::new(SlotState::Waiting),
        })
    }

    /// Parks the current thread until there is something to do.
    pub(crate) fn wait(&self) -> Woken {
        loop {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match std::mem::replace(&mut *state, SlotState::Waiting) {
                SlotState::Answered(answer) => return Woken::Answered(*answer),
                SlotState::Lead => return Woken::Lead,
                SlotState::Waiting => {}
            }
            drop(state);
            std::thread::park();
        }
    }

    fn set(&self, new: SlotState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = new;
        self.thread.unpark();
    }
}

/// The queue, and whether someone leads.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    led: bool,
    /// The committer thread is to lead.
    pub(crate) summoned: bool,
    pub(crate) closed: bool,
}

/// Who leads after a queue operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leader {
    /// The caller of the operation.
    You,
    /// A parked thread, woken for it, or one that leads already; or nobody has to.
    Other,
    /// The committer thread, which the caller must wake.
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
    /// Adds a request. [`Leader::You`] when nobody leads and the caller must.
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
        if self.led {
            return Ok(Leader::Other);
        }
        self.led = true;
        Ok(Leader::You)
    }

    /// The oldest request's bound on frame bytes, and its entries.
    pub(crate) fn front(&self) -> Option<&Pending> {
        self.waiting.front().map(|waiting| &waiting.pending)
    }

    pub(crate) fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(waiting.pending.bound);
        Some(waiting)
    }

    /// Gives leadership to the oldest request's thread, to the committer, or up.
    pub(crate) fn pass_on(&mut self) -> Leader {
        match self.waiting.front() {
            None => {
                self.led = false;
                Leader::Other
            }
            Some(Waiting {
                reply: Reply(Some(ReplyTo::Blocked(slot))),
                ..
            }) => {
                slot.set(SlotState::Lead);
                Leader::Other
            }
            Some(_) => {
                self.summoned = true;
                Leader::Committer
            }
        }
    }
}
