//! Witness cosignatures (C2SP tlog-cosignature, Ed25519 v1).
//!
//! A cosigner states that, at a time, the checkpoint was the largest it had seen of this log and
//! consistent with all before. It is a note signature of type 0x04 over
//!
//! ```text
//! cosignature/v1
//! time <seconds since 1970>
//! <the checkpoint's text>
//! ```
//!
//! and its bytes in the line are the time (u64, big-endian) and the Ed25519 signature (64 bytes).
//! Out of scope: ML-DSA-44 cosignatures (type 0x06), and who counts as a quorum.

use crate::note::{KeyName, NoteSignature, NoteText, SignatureType, VerifierKey};
use alloc::format;
use alloc::string::String;
use core::fmt;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// When a cosigner saw a checkpoint: seconds since 1970-01-01T00:00:00Z, at most 2^63 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CosignatureTime(u64);

impl CosignatureTime {
    /// Names seconds as a time; `None` above 2^63 - 1, which the specification forbids.
    #[must_use]
    pub const fn new(seconds: u64) -> Option<Self> {
        if seconds > i64::MAX.unsigned_abs() {
            return None;
        }
        Some(Self(seconds))
    }

    /// The seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CosignatureTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A cosigner's Ed25519 private key in memory. Cleared when dropped; never printed.
///
/// Deciding whether to cosign is the caller's: only a checkpoint whose consistency with the
/// largest one cosigned before was verified. The message does not name the cosigner, so one key
/// must not serve two.
pub struct Cosigner {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Cosigner {
    /// The cosigner of a 32-byte seed, which must come from a cryptographic generator.
    #[must_use]
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::of_signing_key(name, SignatureType::COSIGNATURE_V1, &key);
        Self { key, verifier }
    }

    /// The key that verifies the cosignatures.
    #[must_use]
    pub const fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Cosigns a checkpoint's text: the line to [add](crate::note::Note::add) to the note.
    #[must_use]
    pub fn cosign(&self, checkpoint: &NoteText, time: CosignatureTime) -> NoteSignature {
        let signature = self.key.sign(message(checkpoint, time).as_bytes());
        let bytes = [&time.0.to_be_bytes()[..], &signature.to_bytes()].concat();
        NoteSignature {
            name: self.verifier.name().clone(),
            id: self.verifier.id(),
            signature: bytes,
        }
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({})", self.verifier)
    }
}

/// The time a cosignature states, if `key` made it over this text.
pub(crate) fn verify_line(
    key: &VerifyingKey,
    checkpoint: &NoteText,
    timestamped: &[u8],
) -> Option<CosignatureTime> {
    let (time, signature) = timestamped.split_first_chunk::<8>()?;
    let time = CosignatureTime::new(u64::from_be_bytes(*time))?;
    let signature = Signature::from_slice(signature).ok()?;
    let message = message(checkpoint, time);
    key.verify_strict(message.as_bytes(), &signature).ok()?;
    Some(time)
}

fn message(checkpoint: &NoteText, time: CosignatureTime) -> String {
    format!("cosignature/v1\ntime {time}\n{}", checkpoint.as_str())
}

#[cfg(test)]
mod tests;
