//! Strict Ed25519 verification (RFC 8032 5.1.7).
//!
//! RFC 8032 leaves room in which verifiers differ. Here every choice is the strict one, so that no
//! signature is valid for one reader and not for another who is stricter:
//!
//! * the public key and R are canonically encoded points (y below 2^255-19) and not of small order;
//! * S is below the group order;
//! * R is compared as bytes with the R recomputed without cofactor: SHA-512(R || A || M) as RFC 8032
//!   5.1.7, equation `[S]B = R + [k]A`.

use super::SignatureError;
use ed25519_dalek::{Signature, VerifyingKey};

/// Verifies one signature.
///
/// # Errors
/// [`SignatureError::Key`] when the key is no point that may verify, [`SignatureError::Invalid`] for
/// everything else.
pub fn verify_strict(
    public_key: &[u8; 32],
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), SignatureError> {
    verify_with(&key(public_key)?, message, signature)
}

/// Reads a public key: canonical, on the curve and not of small order.
pub(crate) fn key(bytes: &[u8; 32]) -> Result<VerifyingKey, SignatureError> {
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError::Key)?;
    if is_canonical(bytes) && !key.is_weak() {
        Ok(key)
    } else {
        Err(SignatureError::Key)
    }
}

pub(super) fn verify_with(
    key: &VerifyingKey,
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), SignatureError> {
    key.verify_strict(message, &Signature::from_bytes(signature))
        .map_err(|_| SignatureError::Invalid)
}

/// Whether y, little-endian without the sign bit, is below p = 2^255-19. The library reduces a
/// larger one, which gives the same key a second spelling.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    high & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff) || *low < 0xed
}
