//! DSSE v1: signed envelopes (`protocol.md` and `envelope.md` of the specification).
//!
//! ```text
//! PAE(type, body) = "DSSEv1" SP len(type) SP type SP len(body) SP body     lengths in decimal
//! ```
//!
//! What is signed is the PAE, so a payload cannot be replayed under another type. An envelope counts
//! as many signers as there are *distinct trusted keys* with a valid signature: a key listed twice, or
//! a signature repeated, counts once. `keyid` is a hint for people and is never consulted.

mod envelope;
mod verify;

pub use envelope::{Envelope, EnvelopeError, EnvelopeSignature};
pub use verify::{Threshold, ThresholdError, VerifiedEnvelope, VerifyError};

use alloc::format;
use alloc::vec::Vec;

/// Payload type of every envelope of ours.
pub const IN_TOTO_PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The pre-authentication encoding: the bytes that are signed.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    let mut out = head.into_bytes();
    out.extend_from_slice(payload);
    out
}

#[cfg(test)]
mod tests;
