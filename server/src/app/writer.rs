//! Appending the ledger's own events.

use super::App;
use super::repeats::Repeatable;
use crate::auth::Caller;
use crate::refusal::Refusal;
use crate::trace;
use std::sync::Arc;
use std::time::Instant;
use stella_ledger::LedgerError;
use stella_ledger::log::{
    AppendError, AppendRequest, Asked, Entries, Expected, NameRule, NewEvent, Principal, Receipt,
    RequestId,
};
use stella_proto::reason::Reason;
use stella_verify::event::{Actor, EventType, StreamName};

/// A request of the ledger's own use cases, under way.
pub(super) struct Draft {
    caller: Caller,
    events: Vec<NewEvent>,
    names: Vec<NameRule>,
    asked: Option<(RequestId, Asked)>,
}

impl Draft {
    /// Starts a request that `caller` caused.
    pub(super) fn by(caller: &Caller) -> Self {
        Self {
            caller: caller.clone(),
            events: Vec::new(),
            names: Vec::new(),
            asked: None,
        }
    }

    /// Under the id of the caller's request, where it has one.
    pub(super) fn asked(mut self, request: Option<&Repeatable>) -> Self {
        self.asked = request.map(|request| (request.id.clone(), request.asked));
        self
    }

    /// What admission must record or know.
    pub(super) fn name(mut self, rule: NameRule) -> Self {
        self.names.push(rule);
        self
    }

    /// Adds an event wherever its stream ends.
    pub(super) fn event(
        self,
        stream: &str,
        event_type: EventType<&'static str>,
        payload: Vec<u8>,
    ) -> Result<Self, Refusal> {
        let stream = StreamName::new(Arc::from(stream)).map_err(internal)?;
        self.push(stream, event_type, payload, Expected::Any)
    }

    /// Adds an event of a stream, at an expected place.
    pub(super) fn push(
        mut self,
        stream: StreamName<Arc<str>>,
        event_type: EventType<&'static str>,
        payload: Vec<u8>,
        expected: Expected,
    ) -> Result<Self, Refusal> {
        let event_type = EventType::new(Arc::from(event_type.as_str())).map_err(internal)?;
        let actor = Actor::new(Arc::clone(self.caller.name())).map_err(internal)?;
        self.events.push(NewEvent {
            stream,
            event_type,
            actor,
            payload: payload.into(),
            expected,
        });
        Ok(self)
    }

    /// The request as the log takes it.
    pub(super) fn finish(self) -> Result<AppendRequest, Refusal> {
        let principal = Principal::new(Arc::clone(self.caller.name())).map_err(internal)?;
        Ok(AppendRequest {
            principal,
            request_id: self.asked.map(|(id, _)| id),
            entries: Entries::Events(self.events),
            names: self.names,
        })
    }
}

impl App {
    /// Appends and waits until it is durable.
    pub(super) fn append(&self, draft: Draft) -> Result<Receipt, AppendOutcome> {
        let asked = draft.asked.as_ref().map(|(_, asked)| *asked);
        let request = draft.finish().map_err(AppendOutcome::Refused)?;
        let (begun, deadline) = (Instant::now(), trace::deadline());
        let appended = match asked {
            None => self.ledger.append_before(request, deadline),
            Some(asked) => self.ledger.append_asked(request, asked, deadline),
        };
        self.metrics.appended(begun.elapsed());
        appended.map_err(|error| match error {
            LedgerError::Append(AppendError::AlreadyKnown { .. }) => AppendOutcome::AlreadyKnown,
            LedgerError::Append(AppendError::WrongExpectedPosition { .. }) => {
                AppendOutcome::WrongPosition
            }
            other => AppendOutcome::Refused(other.into()),
        })
    }
}

/// Why an append of the ledger's own did not happen.
#[derive(Debug)]
pub(super) enum AppendOutcome {
    /// A name that it introduces is known: somebody was first.
    AlreadyKnown,
    /// A stream is elsewhere.
    WrongPosition,
    /// Anything else.
    Refused(Refusal),
}

impl From<AppendOutcome> for Refusal {
    fn from(outcome: AppendOutcome) -> Self {
        match outcome {
            AppendOutcome::Refused(refusal) => refusal,
            AppendOutcome::AlreadyKnown => Self::new(Reason::Internal, "the name is known already"),
            AppendOutcome::WrongPosition => {
                Self::new(Reason::WrongExpectedPosition, "the stream moved meanwhile")
            }
        }
    }
}

/// A name made by this program does not fit: a fault of ours.
fn internal(problem: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Internal, problem.to_string())
}
