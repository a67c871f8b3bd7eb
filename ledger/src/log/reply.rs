//! How an answer gets back to whoever asked.

use super::append::AppendError;
use super::request::Receipt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;

/// What an append answers.
pub(crate) type Answer = Result<Receipt, AppendError>;

/// Called once, from the thread that committed; it must be quick and must not append itself.
pub type AppendCallback = Box<dyn FnOnce(Result<Receipt, AppendError>) + Send>;

/// The way back to whoever asked. Dropped without an answer (a panic), it answers that the
/// outcome is unknown, so nobody waits for ever.
pub(crate) struct Reply(Option<ReplyTo>);

enum ReplyTo {
    Blocked(Arc<Slot>),
    Callback(AppendCallback),
}

impl Reply {
    /// The parked thread that waits for it, if one does.
    pub(crate) const fn parked(&self) -> Option<&Arc<Slot>> {
        match &self.0 {
            Some(ReplyTo::Blocked(slot)) => Some(slot),
            _ => None,
        }
    }

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

    /// Makes the parked thread lead.
    pub(crate) fn promote(&self) {
        self.set(SlotState::Lead);
    }

    fn set(&self, new: SlotState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = new;
        self.thread.unpark();
    }
}
