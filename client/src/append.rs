//! Appending events, each request with an idempotency key.

use crate::error::unverified;
use crate::ids::{Keyed, random_ids};
use crate::retry::repeat;
use crate::{Authorized, ClientError, Connection, RequestIds, RetryPolicy};
use bytes::Bytes;
use stella_proto::ledger as wire;
use stella_proto::ledger::ledger_service_client::LedgerServiceClient;
use stella_verify::event::{EventType, StreamName};
use stella_verify::merkle::LeafRange;
use stella_verify::units::{LeafIndex, StreamPosition, TreeSize};

/// An event to be admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The stream it extends.
    pub stream: StreamName,
    /// What happened.
    pub event_type: EventType,
    /// What it says, at most 1 MiB.
    pub payload: Bytes,
    /// The place it must get in its stream, when that matters.
    pub expected: Option<StreamPosition>,
}

impl NewEvent {
    /// Bytes it takes of a window, about.
    pub(crate) fn size(&self) -> usize {
        self.payload.len() + self.stream.as_str().len() + self.event_type.as_str().len()
    }

    fn to_wire(&self) -> wire::NewEvent {
        wire::NewEvent {
            stream: self.stream.as_str().to_owned(),
            r#type: self.event_type.as_str().to_owned(),
            payload: self.payload.clone(),
            expected_position: self.expected.map(StreamPosition::get),
        }
    }
}

/// The server's acknowledgement: the events are durable, at these indexes.
///
/// It is the server's word. [`VerifyingLog::events`](crate::VerifyingLog::events) shows that the
/// events stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Their leaves, in the order given.
    pub leaves: LeafRange,
    /// A published tree that covers them.
    pub tree: TreeSize,
    /// Whether an earlier try had appended them.
    pub duplicate: bool,
}

/// Appends, and repeats what may not have arrived. Cheap to clone.
///
/// A key is drawn once for a call and stays the same for all its tries, so the events are appended
/// once however often they are sent.
#[derive(Debug, Clone)]
pub struct Appender {
    wire: LedgerServiceClient<Authorized>,
    keyed: Keyed,
}

impl Appender {
    /// Appends over a connection, with random keys of 128 bits.
    #[must_use]
    pub fn new(connection: &Connection, policy: RetryPolicy) -> Self {
        Self::with_ids(connection, policy, random_ids())
    }

    /// Appends with keys from `ids`: for callers whose own requests have names already.
    #[must_use]
    pub fn with_ids(connection: &Connection, policy: RetryPolicy, ids: RequestIds) -> Self {
        Self {
            wire: connection.ledger(),
            keyed: Keyed::new(policy, ids),
        }
    }

    /// A new key.
    pub(crate) fn draw(&self) -> Result<String, ClientError> {
        self.keyed.draw()
    }

    /// Appends a batch, all or nothing.
    ///
    /// # Errors
    /// [`ClientError`]. After an error other than a refusal for good the outcome is unknown.
    pub async fn append(&self, events: &[NewEvent]) -> Result<Appended, ClientError> {
        let id = self.draw()?;
        self.append_as(&id, events).await
    }

    /// Appends a batch under a key of the caller, for example again after an unknown outcome.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub async fn append_as(&self, id: &str, events: &[NewEvent]) -> Result<Appended, ClientError> {
        let request = wire::AppendRequest {
            request_id: id.to_owned(),
            events: events.iter().map(NewEvent::to_wire).collect(),
        };
        let answer = repeat(&self.keyed.policy, || {
            let (mut wire, request) = (self.wire.clone(), request.clone());
            async move { wire.append(request).await }
        });
        let answer = answer.await?.into_inner();
        let count = u64::from(answer.count);
        let end = answer.first_index.checked_add(count);
        let end = end.filter(|end| *end <= answer.tree_size && count == events.len() as u64);
        let end = end.ok_or_else(|| unverified("the acknowledgement is not of these events"))?;
        Ok(Appended {
            leaves: LeafRange {
                start: LeafIndex::new(answer.first_index),
                end: LeafIndex::new(end),
            },
            tree: TreeSize::new(answer.tree_size),
            duplicate: answer.duplicate,
        })
    }
}
