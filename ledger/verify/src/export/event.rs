//! One event of an export, and what stands of its payload: both ways.

use super::ExportError;
use crate::event::EventHeader;
use crate::hash::{HASH_SIZE, Salt};
use crate::limits::MAX_PAYLOAD_BYTES;
use crate::units::LeafIndex;
use alloc::vec::Vec;

/// The first byte of what an export says of a payload.
const WITHHELD: u8 = 0;
const PRESENT: u8 = 1;
const ERASED: u8 = 2;

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
/// Payloads are at most [`MAX_PAYLOAD_BYTES`]: what a log admits.
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

/// What is said of a payload, and how many bytes that takes; `None` when more are needed.
pub(super) fn split_payload(
    bytes: &[u8],
    at: LeafIndex,
) -> Result<Option<(ExportedPayload<'_>, usize)>, ExportError> {
    let Some((state, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    match *state {
        WITHHELD => Ok(Some((ExportedPayload::Withheld, 1))),
        ERASED => {
            let by = rest.first_chunk::<8>().map(|by| u64::from_be_bytes(*by));
            Ok(by.map(|by| {
                let by = LeafIndex::new(by);
                (ExportedPayload::Erased { by }, 9)
            }))
        }
        PRESENT => present(rest),
        _ => Err(ExportError::State { at }),
    }
}

fn present(bytes: &[u8]) -> Result<Option<(ExportedPayload<'_>, usize)>, ExportError> {
    let Some((salt, rest)) = bytes.split_first_chunk::<HASH_SIZE>() else {
        return Ok(None);
    };
    let Some((length, rest)) = rest.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > MAX_PAYLOAD_BYTES {
        return Err(ExportError::TooLarge { what: "payload" });
    }
    Ok(rest.get(..length).map(|bytes| {
        let salt = Salt::new(*salt);
        let size = 1 + HASH_SIZE + 4 + length;
        (ExportedPayload::Present { salt, bytes }, size)
    }))
}
