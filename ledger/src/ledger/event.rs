//! One event as read from the log.

use stella_verify::event::{EventError, EventHeader};
use stella_verify::hash::{LeafHash, Salt};
use stella_verify::merkle::leaf_hash;
use stella_verify::units::LeafIndex;

use super::LedgerError;
use crate::log::{OwnedEvent, OwnedPayload};

/// What stands beside a leaf.
pub use crate::log::OwnedPayload as Payload;

/// An event: the leaf's bytes, and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event(OwnedEvent);

impl Event {
    /// Its place in the log.
    #[must_use]
    pub const fn index(&self) -> LeafIndex {
        self.0.index
    }

    /// The leaf: the very bytes that were hashed.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        &self.0.leaf
    }

    /// The leaf's hash.
    #[must_use]
    pub fn leaf_hash(&self) -> LeafHash {
        leaf_hash(&self.0.leaf)
    }

    /// The leaf, read as an event header.
    ///
    /// # Errors
    /// [`EventError`] when it is none, as in a log of raw leaves.
    pub fn header(&self) -> Result<EventHeader<'_>, EventError> {
        EventHeader::decode(&self.0.leaf)
    }

    /// Salt and payload, unless there never were any or they were erased.
    #[must_use]
    pub const fn stored_payload(&self) -> &Payload {
        &self.0.payload
    }

    /// The payload.
    ///
    /// # Errors
    /// [`LedgerError::Erased`]; [`LedgerError::Malformed`] for a raw leaf, which has none.
    pub fn payload(&self) -> Result<&[u8], LedgerError> {
        match &self.0.payload {
            OwnedPayload::Present { bytes, .. } => Ok(bytes),
            OwnedPayload::Erased { by } => Err(LedgerError::Erased {
                leaf: self.index(),
                by: *by,
            }),
            OwnedPayload::None => Err(self.malformed("it has no payload")),
        }
    }

    /// The salt of the payload's commitment, while the payload is there.
    #[must_use]
    pub const fn salt(&self) -> Option<&Salt> {
        match &self.0.payload {
            OwnedPayload::Present { salt, .. } => Some(salt),
            _ => None,
        }
    }

    /// The payload, read by `parse`.
    ///
    /// # Errors
    /// As [`Event::payload`]; [`LedgerError::Malformed`] when `parse` refuses it.
    pub fn read<T, E: std::fmt::Display>(
        &self,
        parse: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Result<T, LedgerError> {
        parse(self.payload()?).map_err(|error| self.malformed(&error.to_string()))
    }

    /// The leaf, read as an event header, where the log must have one.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`].
    pub fn known_header(&self) -> Result<EventHeader<'_>, LedgerError> {
        self.header()
            .map_err(|error| self.malformed(&error.to_string()))
    }

    fn malformed(&self, what: &str) -> LedgerError {
        LedgerError::Malformed {
            leaf: self.index(),
            what: what.into(),
        }
    }
}

impl From<OwnedEvent> for Event {
    fn from(event: OwnedEvent) -> Self {
        Self(event)
    }
}
