//! An event as the log gives it, held against its own leaf.

use crate::ClientError;
use crate::error::unverified;
use bytes::Bytes;
use stella_proto::ledger as wire;
use stella_verify::checkpoint::Origin;
use stella_verify::event::{Actor, EventHeader, EventType, StreamName};
use stella_verify::hash::{LeafHash, PayloadCommitment, Salt};
use stella_verify::merkle::leaf_hash;
use stella_verify::units::{LeafIndex, StreamPosition, UnixMillis};

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// Its leaf.
    pub index: LeafIndex,
    /// The stream it extends.
    pub stream: StreamName,
    /// Its place there.
    pub position: StreamPosition,
    /// When the log admitted it.
    pub time: UnixMillis,
    /// Who caused it.
    pub actor: Actor,
    /// What happened.
    pub event_type: EventType,
    /// What it says.
    pub payload: EventPayload,
    /// The leaf's hash in the log's tree.
    pub leaf: LeafHash,
}

/// A payload, or that there is none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventPayload {
    /// The one that the leaf commits to.
    Present(Bytes),
    /// Erased, by the server's word: the commitment in the leaf is all that is left to check.
    Erased,
}

impl LogEvent {
    /// Reads an event; its payload must be the one that its leaf commits to, and the leaf one of
    /// the log of `origin`. That the leaf is in the log's tree is still to be shown.
    pub(crate) fn check(event: wire::Event, origin: &Origin) -> Result<Self, ClientError> {
        let index = LeafIndex::new(event.leaf_index);
        let wrong = |what: &str| unverified(format!("event {index}: {what}"));
        let header =
            EventHeader::decode(&event.leaf).map_err(|problem| wrong(&problem.to_string()))?;
        if header.log_origin.as_str() != origin.as_str() {
            return Err(wrong("it is of another log"));
        }
        let payload = if event.erased {
            if !event.salt.is_empty() || !event.payload.is_empty() {
                return Err(wrong("it is called erased and is there"));
            }
            EventPayload::Erased
        } else {
            let salt = event.salt.as_ref().try_into().map(Salt::new);
            let salt = salt.map_err(|_| wrong("its salt is not 32 bytes"))?;
            if PayloadCommitment::of(&salt, &event.payload) != header.payload {
                return Err(wrong("its payload is not the one it commits to"));
            }
            EventPayload::Present(event.payload)
        };
        Ok(Self {
            index,
            stream: header.stream.to_owned(),
            position: header.position,
            time: header.time,
            actor: header.actor.to_owned(),
            event_type: header.event_type.to_owned(),
            payload,
            leaf: leaf_hash(&event.leaf),
        })
    }
}
