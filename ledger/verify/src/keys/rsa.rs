//! RSASSA-PKCS1-v1_5 verification with SHA-256 (RFC 8017 8.2.2).
//!
//! Verification needs one public-key operation and a comparison, so it stands here over the
//! arithmetic that the curves use already, instead of an RSA library whose open advisory concerns
//! private keys. The expected encoding is built and compared whole: no padding is parsed, hence none
//! can be forged (RFC 8017 8.2.2 note, the "Bleichenbacher 2006" class of mistakes).

use super::SignatureError;
use crate::hash::sha256;
use alloc::vec::Vec;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};

/// Smallest modulus that is accepted, in bits: NIST SP 800-131A disallows less.
pub const MIN_MODULUS_BITS: u32 = 2048;
/// Largest modulus that is accepted, in bits: keys in use end at 4096; cost grows with the square.
pub const MAX_MODULUS_BITS: u32 = 8192;

/// DigestInfo of SHA-256 up to the digest (RFC 8017 9.2 note 1).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// An RSA public key of acceptable size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaPublicKey {
    modulus: Odd<BoxedUint>,
    exponent: u64,
}

impl RsaPublicKey {
    /// Reads modulus and public exponent, both big-endian.
    ///
    /// # Errors
    /// [`SignatureError::Key`]: the modulus is even or out of bounds, or the exponent is even, below
    /// 3 or beyond 64 bits.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, SignatureError> {
        if modulus.len() > usize::try_from(MAX_MODULUS_BITS / 8).unwrap_or_default() + 1 {
            return Err(SignatureError::Key);
        }
        let modulus = BoxedUint::from_be_slice_vartime(modulus);
        let bits = modulus.bits_vartime();
        let odd = Option::<Odd<BoxedUint>>::from(Odd::new(modulus)).ok_or(SignatureError::Key)?;
        let exponent = exponent.iter().try_fold(0u64, |sum, byte| {
            Some(sum.checked_mul(256)? + u64::from(*byte))
        });
        match exponent {
            Some(exponent @ 3..)
                if exponent % 2 == 1 && (MIN_MODULUS_BITS..=MAX_MODULUS_BITS).contains(&bits) =>
            {
                Ok(Self {
                    modulus: odd,
                    exponent,
                })
            }
            _ => Err(SignatureError::Key),
        }
    }

    /// Verifies one signature over a message.
    ///
    /// # Errors
    /// [`SignatureError::Invalid`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let bits = self.modulus.as_ref().bits_vartime();
        let size = usize::try_from(bits.div_ceil(8)).map_err(|_| SignatureError::Invalid)?;
        if signature.len() != size {
            return Err(SignatureError::Invalid);
        }
        let precision = self.modulus.as_ref().bits_precision();
        let signature =
            BoxedUint::from_be_slice(signature, precision).map_err(|_| SignatureError::Invalid)?;
        if signature >= *self.modulus.as_ref() {
            return Err(SignatureError::Invalid);
        }
        let params = BoxedMontyParams::new_vartime(self.modulus.clone());
        let power = BoxedMontyForm::new(signature, &params)
            .pow_bounded_exp(
                &BoxedUint::from(self.exponent),
                u64::BITS - self.exponent.leading_zeros(),
            )
            .retrieve();
        let expected = BoxedUint::from_be_slice(&encode_message(message, size), precision);
        if expected.is_ok_and(|expected| expected == power) {
            Ok(())
        } else {
            Err(SignatureError::Invalid)
        }
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 9.2): 00 01 ff..ff 00 DigestInfo digest, `size` bytes in all.
fn encode_message(message: &[u8], size: usize) -> Vec<u8> {
    let digest = sha256(message);
    let fixed = 3 + SHA256_DIGEST_INFO.len() + digest.len();
    let mut encoded = Vec::with_capacity(size);
    encoded.extend_from_slice(&[0x00, 0x01]);
    encoded.extend(core::iter::repeat_n(0xff, size.saturating_sub(fixed)));
    encoded.push(0x00);
    encoded.extend_from_slice(&SHA256_DIGEST_INFO);
    encoded.extend_from_slice(&digest);
    encoded
}
