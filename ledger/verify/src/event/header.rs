//! The leaf of the log: one event's header.

use super::proto::{Reader, put_bytes, put_number};
use super::{Actor, EventError, EventType, LogOrigin, NameError, StreamName};
use crate::hash::PayloadCommitment;
use crate::limits::MAX_LEAF_BYTES;
use crate::units::{StreamPosition, UnixMillis};
use alloc::vec::Vec;

/// Field 1 of every leaf: the format's name and version, and its domain separation.
pub const EVENT_SCHEMA: &str = "stella.event/v1";

/// An event without its payload, as hashed into the log (FORMATS.md section 3).
///
/// Borrows its names, so that decoding a leaf and encoding one copy nothing but the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventHeader<'a> {
    /// The log this leaf was made for: a leaf copied into another log is seen to be foreign.
    pub log_origin: LogOrigin<&'a str>,
    /// The stream that the event extends.
    pub stream: StreamName<&'a str>,
    /// Place in that stream.
    pub position: StreamPosition,
    /// When the sequencer admitted it: max(clock, time of the previous event of the log).
    pub time: UnixMillis,
    /// Who caused it.
    pub actor: Actor<&'a str>,
    /// What kind of fact it is.
    pub event_type: EventType<&'a str>,
    /// What it says of its payload.
    pub payload: PayloadCommitment,
}

impl<'a> EventHeader<'a> {
    /// Appends the canonical bytes.
    ///
    /// At most [`MAX_LEAF_BYTES`]: four names of 255 bytes at most, two varints, one hash.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, 1, EVENT_SCHEMA.as_bytes());
        put_bytes(out, 2, self.log_origin.as_str().as_bytes());
        put_bytes(out, 3, self.stream.as_str().as_bytes());
        put_number(out, 4, self.position.get());
        put_number(out, 5, self.time.get());
        put_bytes(out, 6, self.actor.as_str().as_bytes());
        put_bytes(out, 7, self.event_type.as_str().as_bytes());
        put_bytes(out, 8, self.payload.as_bytes());
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        self.encode(&mut out);
        out
    }

    /// Reads a leaf; only the canonical encoding of a version 1 header is accepted.
    ///
    /// # Errors
    /// [`EventError`]; the leaf is damaged, foreign or of a later version.
    pub fn decode(leaf: &'a [u8]) -> Result<Self, EventError> {
        if leaf.len() > MAX_LEAF_BYTES {
            return Err(EventError::TooLarge {
                size: leaf.len(),
                limit: MAX_LEAF_BYTES,
            });
        }
        let mut fields = Reader::new(leaf);
        if fields.text(1)? != EVENT_SCHEMA {
            return Err(EventError::Schema {
                expected: EVENT_SCHEMA,
            });
        }
        let header = Self {
            log_origin: LogOrigin::new(fields.text(2)?).map_err(|problem| name(2, problem))?,
            stream: StreamName::new(fields.text(3)?).map_err(|problem| name(3, problem))?,
            position: StreamPosition::new(fields.number(4)?),
            time: UnixMillis::new(fields.number(5)?),
            actor: Actor::new(fields.text(6)?).map_err(|problem| name(6, problem))?,
            event_type: EventType::new(fields.text(7)?).map_err(|problem| name(7, problem))?,
            payload: PayloadCommitment::try_from(fields.bytes(8)?)
                .map_err(|_| EventError::WrongSize { number: 8 })?,
        };
        // The reader takes canonical spellings only, so there is nothing to encode and compare.
        fields.end()?;
        Ok(header)
    }
}

fn name(number: u8, problem: NameError) -> EventError {
    match problem {
        NameError::Empty => EventError::Missing { number },
        problem => EventError::Name { number, problem },
    }
}
