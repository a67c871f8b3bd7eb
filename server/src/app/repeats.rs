//! Requests that may be repeated: the same id and the same request answer as the first time.
//!
//! The id goes into the append that is the request's effect, with a hash of the decoded request as
//! its body (`stella_ledger::log::Asked`). A use case first asks for the events of an earlier request
//! and tells its answer again from them, as of the tree that they ended. Where there is nothing to
//! append, `request.answered` is: else a repetition at a later time could have an effect.

use super::App;
use super::writer::{AppendOutcome, Draft};
use crate::auth::Caller;
use crate::refusal::Refusal;
use prost::Message;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stella_ledger::ledger::Event;
use stella_ledger::log::{Asked, Principal, RequestId};
use stella_proto::reason::Reason;
use stella_verify::event::EventType;
use stella_verify::event::payload::RequestAnswered;
use stella_verify::hash::sha256_parts;
use stella_verify::merkle::LeafRange;
use stella_verify::units::{LeafIndex, TreeSize};

/// The stream of requests that changed nothing.
const REQUESTS: &str = "requests";

/// A request with an id.
#[derive(Debug, Clone)]
pub(super) struct Repeatable {
    principal: Principal,
    /// Its id.
    pub(super) id: RequestId,
    /// What it asks for.
    pub(super) asked: Asked,
    method: &'static str,
}

/// Who is at it: a repetition waits until the first is answered. Ids share a few locks; two that do
/// not belong together then wait for each other, and that is all.
#[derive(Debug, Default)]
pub(super) struct Turns([Mutex<()>; 32]);

/// What an earlier request appended.
#[derive(Debug)]
pub(super) struct Earlier {
    /// Its events.
    pub(super) events: Vec<Event>,
    /// The tree that they ended.
    pub(super) size: TreeSize,
}

impl Repeatable {
    /// A request as its caller sent it; `None` when it has no id.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an id that is none.
    pub(super) fn of(
        caller: &Caller,
        method: &'static str,
        request_id: &str,
        request: &impl Message,
    ) -> Result<Option<Self>, Refusal> {
        Self::of_bytes(caller, method, request_id, &[&request.encode_to_vec()])
    }

    /// A request that is more than one message, or has no one encoding.
    ///
    /// # Errors
    /// As [`Repeatable::of`].
    pub(super) fn of_bytes(
        caller: &Caller,
        method: &'static str,
        request_id: &str,
        request: &[&[u8]],
    ) -> Result<Option<Self>, Refusal> {
        if request_id.is_empty() {
            return Ok(None);
        }
        let id =
            RequestId::new(request_id).map_err(|problem| Refusal::field("request_id", problem))?;
        let principal = Principal::new(Arc::clone(caller.name()))
            .map_err(|problem| Refusal::field("principal", problem))?;
        let lengths: Vec<[u8; 8]> = (request.iter())
            .map(|part| (part.len() as u64).to_be_bytes())
            .collect();
        let mut parts: Vec<&[u8]> = vec![method.as_bytes(), b"\0"];
        for (length, part) in lengths.iter().zip(request) {
            parts.push(length);
            parts.push(part);
        }
        Ok(Some(Self {
            principal,
            id,
            asked: Asked::new(sha256_parts(&parts)),
            method,
        }))
    }
}

impl Earlier {
    /// The event of a type among what was appended.
    pub(super) fn find(&self, wanted: EventType<&str>) -> Result<Option<&Event>, Refusal> {
        for event in &self.events {
            if event.known_header()?.event_type.as_str() == wanted.as_str() {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }
}

impl App {
    /// The right to answer a request, as long as it is held; nothing for one without an id.
    pub(super) fn turn(&self, request: Option<&Repeatable>) -> Option<MutexGuard<'_, ()>> {
        let request = request?;
        let hash = sha256_parts(&[
            request.principal.as_str().as_bytes(),
            b"\0",
            request.id.as_str().as_bytes(),
        ]);
        let Turns(locks) = &self.turns;
        let place = hash.first().map_or(0, |byte| usize::from(*byte)) % locks.len();
        let lock = locks.get(place)?;
        Some(lock.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What an earlier request with this id and content appended; `None` when there was none.
    pub(super) fn earlier(&self, request: Option<&Repeatable>) -> Result<Option<Earlier>, Refusal> {
        let Some(request) = request else {
            return Ok(None);
        };
        let found = (self.ledger).earlier((&request.principal, &request.id), request.asked)?;
        found.map(|range| self.events_of(range)).transpose()
    }

    fn events_of(&self, range: LeafRange) -> Result<Earlier, Refusal> {
        let size = TreeSize::new(range.end.get());
        let view = self.view_at(size)?;
        let events = (range.start.get()..range.end.get())
            .map(|leaf| view.event(LeafIndex::new(leaf)))
            .collect::<Result<_, _>>()?;
        Ok(Earlier { events, size })
    }

    /// Remembers a request that changed nothing.
    pub(super) fn remember(
        &self,
        caller: &Caller,
        request: Option<&Repeatable>,
        subject: &str,
    ) -> Result<(), Refusal> {
        let Some(request) = request else {
            return Ok(());
        };
        let answered = RequestAnswered {
            method: request.method.to_owned(),
            subject: subject.to_owned(),
        };
        let draft = Draft::by(caller).asked(Some(request)).event(
            REQUESTS,
            EventType::REQUEST_ANSWERED,
            answered.to_bytes(),
        )?;
        self.append(draft).map(|_| ()).map_err(AppendOutcome::into)
    }
}

/// What was recorded for a request does not tell its answer.
pub(super) fn untold(request_id: &str) -> Refusal {
    let message = format!("the events of request {request_id} do not tell its answer");
    Refusal::new(Reason::LogDamaged, message)
}
