//! The answers to an append.

use super::fault::{DiskFault, StoreFault};
use super::request::Named;
use crate::entropy::EntropyError;
use std::sync::Arc;
use stella_verify::event::{EventType, StreamName};
use stella_verify::units::{LeafIndex, StreamPosition};

/// Why the log no longer takes appends, and what to do: reopen it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the log is poisoned until it is reopened: {cause}")]
pub struct Poisoned {
    /// The first failure.
    pub cause: Arc<str>,
}

/// Why an append was not acknowledged.
///
/// Except for [`AppendError::OutcomeUnknown`], nothing of the request was or will be appended.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The request has no entries. The caller's mistake.
    #[error("the request has nothing to append")]
    Empty,
    /// More entries than one request may have. Split it.
    #[error("the request has {count} entries; at most {limit} are allowed")]
    TooManyEvents {
        /// Entries of the request.
        count: usize,
        /// Most that are allowed.
        limit: usize,
    },
    /// More bytes than one request may have (or than a segment of this log can hold). Split it.
    #[error("the request has {bytes} bytes; at most {limit} are allowed")]
    RequestTooLarge {
        /// Bytes of leaves, salts and payloads, rounded up.
        bytes: usize,
        /// Most that are allowed.
        limit: usize,
    },
    /// One payload or raw leaf is too large. Put the bytes into a blob and name it.
    #[error("entry {entry} of the request has {bytes} bytes; at most {limit} are allowed")]
    EntryTooLarge {
        /// Which entry, from 0.
        entry: usize,
        /// Its bytes.
        bytes: usize,
        /// Most that are allowed.
        limit: usize,
    },
    /// More names than one request may have. Split it.
    #[error("the request has {count} names; at most {limit} are allowed")]
    TooManyNames {
        /// Names of the request.
        count: usize,
        /// Most that are allowed.
        limit: usize,
    },
    /// Raw leaves for an event log, or the reverse. The caller's mistake.
    #[error("this log holds leaves of another kind")]
    WrongLeafKind,
    /// Events of this type are written by the log itself only.
    #[error("events of type {event_type} are written by the log itself only")]
    EventTypeReserved {
        /// The reserved type.
        event_type: EventType<Arc<str>>,
    },
    /// The deadline passed while the request waited for its turn.
    #[error("the deadline passed before the request was admitted; nothing was appended")]
    Expired,
    /// Too much is waiting already. Retry later.
    #[error("too many requests are waiting; retry later")]
    QueueFull,
    /// The request id was used before with another body. Use a new id for a new request.
    #[error("the request id was used before with another body, at leaf {first}")]
    RequestIdReused {
        /// First leaf of the earlier request.
        first: LeafIndex,
    },
    /// The request id was used before the window in which repeats are recognised. Look whether
    /// the earlier request at that leaf is the same one.
    #[error("the request id was used at leaf {first}, longer ago than repeats are recognised")]
    RequestIdExpired {
        /// First leaf of the earlier request.
        first: LeafIndex,
    },
    /// A stream is not where the request expected it. Read it and decide again.
    #[error("entry {entry} expected position {expected} of stream {stream}, which is at {actual}")]
    WrongExpectedPosition {
        /// Which entry, from 0.
        entry: usize,
        /// The stream.
        stream: StreamName<Arc<str>>,
        /// Where the request wanted to land.
        expected: StreamPosition,
        /// Where it would have landed.
        actual: StreamPosition,
    },
    /// A name that the request introduces is known already.
    #[error("{named:?} is known already, since leaf {at}")]
    AlreadyKnown {
        /// The name.
        named: Named,
        /// First leaf of the request that recorded it.
        at: LeafIndex,
    },
    /// A name that the request requires is not known.
    #[error("{named:?} is not known to the log")]
    NotKnown {
        /// The name.
        named: Named,
    },
    /// No salts could be drawn. Retry.
    #[error(transparent)]
    Entropy(Arc<EntropyError>),
    /// The next segment could not be made, for example because the disk is full. Free some
    /// space and retry; the log is intact.
    #[error("no room for the append: {0}")]
    NoRoom(DiskFault),
    /// The admission state could not be read. The operator's to solve.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The write or its sync failed: the request may or may not be found when the log is
    /// reopened. Reopen, then repeat it with the same request id.
    #[error("the outcome is unknown until the log is reopened: {cause}")]
    OutcomeUnknown {
        /// What failed.
        cause: Arc<str>,
    },
    /// An earlier write failed. Reopen the log.
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
    /// The log is closing or closed.
    #[error("the log is closed")]
    Closed,
}

impl From<EntropyError> for AppendError {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(Arc::new(error))
    }
}
