//! Appending: from wire messages to admitted requests, and the acknowledgement back.

use crate::auth::Caller;
use crate::refusal::Refusal;
use std::sync::Arc;
use stella_ledger::log::{
    AppendRequest, Entries, Expected, NewEvent, Principal, Receipt, RequestId,
};
use stella_proto::ledger as wire;
use stella_proto::reason::Reason;
use stella_verify::event::{Actor, EventType, StreamName};
use stella_verify::units::StreamPosition;

/// Types that only the ledger's own use cases write (FORMATS.md, section 4), by prefix: what is
/// reserved for later is refused from the start.
const RESERVED: &[&str] = &[
    "access.",
    "admin.",
    "attestation.",
    "hold.",
    "issuer.",
    "job.",
    "manifest.",
    "payload.",
    "policy.",
    "proof.",
    "request.",
    "retention.",
    "root.",
    "rule.",
    "scan.",
    "score.",
    "snapshot.",
    "trust.",
    "witness.",
];

/// A request of a caller, checked as far as that is possible without the log.
pub(super) fn admit(
    caller: &Caller,
    request: wire::AppendRequest,
) -> Result<AppendRequest, Refusal> {
    let principal = Principal::new(Arc::clone(caller.name()))
        .map_err(|problem| Refusal::field("principal", problem))?;
    let actor = Actor::new(Arc::clone(caller.name()))
        .map_err(|problem| Refusal::field("principal", problem))?;
    let request_id = match request.request_id.as_str() {
        "" => None,
        text => {
            Some(RequestId::new(text).map_err(|problem| Refusal::field("request_id", problem))?)
        }
    };
    let mut names = Names::default();
    let mut events = Vec::with_capacity(request.events.len());
    for event in request.events {
        events.push(NewEvent {
            stream: names.stream(&event.stream)?,
            event_type: names.event_type(&event.r#type)?,
            actor: actor.clone(),
            payload: event.payload,
            expected: event.expected_position.map_or(Expected::Any, |position| {
                Expected::At(StreamPosition::new(position))
            }),
        });
    }
    Ok(AppendRequest {
        principal,
        request_id,
        entries: Entries::Events(events),
        names: Vec::new(),
    })
}

/// The last names seen: events of one request mostly share theirs, and then share the text too.
#[derive(Default)]
struct Names {
    stream: Option<StreamName<Arc<str>>>,
    event_type: Option<EventType<Arc<str>>>,
}

impl Names {
    fn stream(&mut self, text: &str) -> Result<StreamName<Arc<str>>, Refusal> {
        match &self.stream {
            Some(last) if last.as_str() == text => Ok(last.clone()),
            _ => {
                let name = StreamName::new(Arc::from(text))
                    .map_err(|problem| Refusal::field("events.stream", problem))?;
                Ok(self.stream.insert(name).clone())
            }
        }
    }

    fn event_type(&mut self, text: &str) -> Result<EventType<Arc<str>>, Refusal> {
        match &self.event_type {
            Some(last) if last.as_str() == text => Ok(last.clone()),
            _ => {
                if RESERVED.iter().any(|prefix| text.starts_with(prefix)) {
                    let message = format!("events of type {text} are the ledger's own");
                    return Err(Refusal::new(Reason::EventTypeReserved, message));
                }
                let name = EventType::new(Arc::from(text))
                    .map_err(|problem| Refusal::field("events.type", problem))?;
                Ok(self.event_type.insert(name).clone())
            }
        }
    }
}

/// The acknowledgement of a durable request.
pub(super) fn acknowledge(receipt: &Receipt) -> wire::AppendResponse {
    wire::AppendResponse {
        first_index: receipt.first.get(),
        count: receipt.count.0,
        tree_size: receipt.published.size.get(),
        duplicate: receipt.duplicate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(stream: &str, kind: &str) -> wire::NewEvent {
        wire::NewEvent {
            stream: stream.to_owned(),
            r#type: kind.to_owned(),
            payload: bytes::Bytes::from_static(b"{}"),
            expected_position: None,
        }
    }

    fn reason(events: Vec<wire::NewEvent>, request_id: &str) -> Option<Reason> {
        let caller = Caller::local();
        let request = wire::AppendRequest {
            request_id: request_id.to_owned(),
            events,
        };
        admit(&caller, request).err().map(|refusal| refusal.reason)
    }

    #[test]
    fn the_ledgers_own_types_are_not_for_callers() {
        assert_eq!(reason(vec![event("s", "build.finished")], "r"), None);
        for kind in [
            "root.sealed",
            "rule.applied",
            "payload.erased",
            "trust.anything",
            "access.denied",
            "admin.rebuild",
        ] {
            assert_eq!(
                reason(vec![event("s", kind)], "r"),
                Some(Reason::EventTypeReserved)
            );
        }
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(
            reason(vec![event("", "t")], "r"),
            Some(Reason::InvalidArgument)
        );
        assert_eq!(
            reason(vec![event("a\nb", "t")], "r"),
            Some(Reason::InvalidArgument)
        );
        let long = "x".repeat(1000);
        assert_eq!(
            reason(vec![event("s", "t")], &long),
            Some(Reason::InvalidArgument)
        );
    }
}
