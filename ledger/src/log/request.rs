//! What a writer asks for, and what it gets.

use super::names::{Principal, RequestId};
use super::publish::Published;
use bytes::Bytes;
use std::sync::Arc;
use stella_verify::event::{Actor, EventType, StreamName};
use stella_verify::hash::{BlobDigest, ManifestHash, PolicyHash, SnapshotHash};
use stella_verify::units::{LeafIndex, StreamPosition, TreeSize};

/// One atomic append: all of its entries become consecutive leaves of one frame, or none does.
#[derive(Debug, Clone)]
pub struct AppendRequest {
    /// Who asks: the scope of `request_id`.
    pub principal: Principal,
    /// Makes a retry harmless: the same id with the same body answers as the first time did.
    pub request_id: Option<RequestId>,
    /// What to append.
    pub entries: Entries,
    /// What the log's admission state must record or know for this request to be admitted.
    pub names: Vec<NameRule>,
}

/// The leaves-to-be of a request. A log holds one kind, chosen when it is created.
#[derive(Debug, Clone)]
pub enum Entries {
    /// Events: the log makes the leaf and keeps the payload beside it.
    Events(Vec<NewEvent>),
    /// Ready leaves, stored and hashed as they are; no payloads.
    Raw(Vec<Vec<u8>>),
}

impl Entries {
    /// How many leaves they will be.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Events(events) => events.len(),
            Self::Raw(leaves) => leaves.len(),
        }
    }

    /// Whether there are none; such a request is refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An event before the log gave it a position, a time and a leaf index.
///
/// Its names share their text: clone them from event to event, and runs of one stream are quick.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The stream it belongs to.
    pub stream: StreamName<Arc<str>>,
    /// What happened.
    pub event_type: EventType<Arc<str>>,
    /// Who caused it.
    pub actor: Actor<Arc<str>>,
    /// The facts; the leaf carries only a salted commitment to them. Events of one request may share
    /// the buffer they came in.
    pub payload: Bytes,
    /// Where in the stream it must land.
    pub expected: Expected,
}

/// The optimistic lock of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expected {
    /// Wherever the stream ends.
    #[default]
    Any,
    /// Exactly at this position, counting earlier events of the same request. Position 0 means
    /// that the stream must not exist.
    At(StreamPosition),
}

/// A thing outside the log that events speak of, by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Named {
    /// A registered scan manifest.
    Manifest(ManifestHash),
    /// A manifest whose computation has a sealed root.
    Sealed(ManifestHash),
    /// An imported snapshot.
    Snapshot(SnapshotHash),
    /// A registered policy.
    Policy(PolicyHash),
    /// A durable blob. The blob store must hold it before a request records it.
    Blob(BlobDigest),
}

/// What admission does with a name, in the order given by the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// Record it as of this request's first leaf, unless it is recorded already.
    Record(Named),
    /// Record it; refuse the request if it is recorded already.
    Introduce(Named),
    /// Refuse the request unless it is recorded (by this request's earlier rules, too).
    Require(Named),
}

/// Proof of work done: the events are durable at these indexes, under a durable signed checkpoint.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Index of the request's first leaf; the others follow it.
    pub first: LeafIndex,
    /// How many leaves.
    pub count: EventCount,
    /// A published state that covers them (for a duplicate, a later one than the first answer's).
    pub published: Arc<Published>,
    /// The request had been appended before; this is the first answer again.
    pub duplicate: bool,
}

impl Receipt {
    /// Size of the tree that the request's last leaf ended.
    #[must_use]
    pub fn end(&self) -> TreeSize {
        TreeSize::new(self.first.get().saturating_add(u64::from(self.count.0)))
    }
}

/// How many events a request or frame has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventCount(pub u32);

/// The end of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamHead {
    /// The position that the stream's next event will have: how many events it has.
    pub next: StreamPosition,
    /// Leaf index of its last event.
    pub last: LeafIndex,
}
