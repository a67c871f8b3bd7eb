//! One event of an export.

use crate::event::EventHeader;
use crate::hash::{HASH_SIZE, Salt};
use crate::units::LeafIndex;
use alloc::vec::Vec;

/// The first byte of what an export says of a payload.
pub(super) const WITHHELD: u8 = 0;
pub(super) const PRESENT: u8 = 1;
pub(super) const ERASED: u8 = 2;

/// What an export says of an event's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportedPayload<'a> {
    /// It exists and is not part of this export. That is the exporter's word.
    Withheld,
    /// It is here, and is what the leaf commits to.
    Present {
        /// The salt of the commitment.
        salt: Salt,
        /// The payload.
        bytes: &'a [u8],
    },
    /// It was erased. That is the exporter's word; the event named says so in the log.
    Erased {
        /// The leaf of the retention event.
        by: LeafIndex,
    },
}

/// One event as the verifier hands it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportedEvent<'a> {
    /// Its place in the log. Proved when the whole export is: see [`super::VerifiedExport`].
    pub index: LeafIndex,
    /// The leaf's bytes.
    pub leaf: &'a [u8],
    /// The leaf, read.
    pub header: EventHeader<'a>,
    /// The payload.
    pub payload: ExportedPayload<'a>,
}

/// Appends what an export says of a payload: `state`, then
/// `salt (32) | u32 length | payload` where it is there, `u64 leaf` where it was erased.
///
/// Payloads are at most [`MAX_PAYLOAD_BYTES`](crate::limits::MAX_PAYLOAD_BYTES): what a log admits.
pub fn write_payload(out: &mut Vec<u8>, payload: &ExportedPayload<'_>) {
    match payload {
        ExportedPayload::Withheld => out.push(WITHHELD),
        ExportedPayload::Present { salt, bytes } => {
            out.reserve(1 + HASH_SIZE + 4 + bytes.len());
            out.push(PRESENT);
            out.extend_from_slice(salt.as_bytes());
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(bytes);
        }
        ExportedPayload::Erased { by } => {
            out.push(ERASED);
            out.extend_from_slice(&by.get().to_be_bytes());
        }
    }
}
