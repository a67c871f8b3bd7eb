//! Keys and signatures as JOSE spells them (RFC 7518): the numbers side by side, without DER.
//!
//! Everything is rewritten into the one form that this crate reads, a SubjectPublicKeyInfo and a DER
//! signature, and goes through the same checks. In scope: the numbers. Out of scope: JSON, base64,
//! tokens, and who may sign them.

use super::provider::{SignatureError, SignatureProvider};
use super::public::{Algorithm, KeyError, PublicKey};
use alloc::vec::Vec;

/// The numbers of a public key, big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyNumbers<'a> {
    /// The encoded point of an Ed25519 key (RFC 8037 2).
    Ed25519 {
        /// 32 bytes.
        x: &'a [u8],
    },
    /// A point of P-256 (RFC 7518 6.2.1).
    P256 {
        /// 32 bytes.
        x: &'a [u8],
        /// 32 bytes.
        y: &'a [u8],
    },
    /// A point of P-384.
    P384 {
        /// 48 bytes.
        x: &'a [u8],
        /// 48 bytes.
        y: &'a [u8],
    },
    /// An RSA key (RFC 7518 6.3.1), each number without leading zeros.
    Rsa {
        /// The modulus.
        n: &'a [u8],
        /// The exponent.
        e: &'a [u8],
    },
}

/// DER of the algorithm identifiers, without the outer tag and length (RFC 8410 3, RFC 5480 2.1.1,
/// RFC 3279 2.3.1).
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const RSA_AND_NULL: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

impl PublicKey {
    /// The key that these numbers are.
    ///
    /// # Errors
    /// [`KeyError::Der`] when a number has another length than its place, [`KeyError::Unacceptable`]
    /// as for any other key.
    pub fn from_numbers(numbers: KeyNumbers<'_>) -> Result<Self, KeyError> {
        let (algorithm, key) = match numbers {
            KeyNumbers::Ed25519 { x } => (ED25519.to_vec(), sized(x, 32)?.to_vec()),
            KeyNumbers::P256 { x, y } => ([EC, P256].concat(), point(x, y, 32)?),
            KeyNumbers::P384 { x, y } => ([EC, P384].concat(), point(x, y, 48)?),
            KeyNumbers::Rsa { n, e } => {
                if [n, e].iter().any(|number| matches!(number, [] | [0, ..])) {
                    return Err(KeyError::Der);
                }
                let pair = [integer(n), integer(e)].concat();
                (RSA_AND_NULL.to_vec(), tlv(SEQUENCE, &pair))
            }
        };
        let bits = [&[0], key.as_slice()].concat();
        let spki = [tlv(SEQUENCE, &algorithm), tlv(BIT_STRING, &bits)].concat();
        Self::from_spki_der(&tlv(SEQUENCE, &spki))
    }

    /// Verifies a signature of RFC 7518 3.4, whose two numbers stand side by side; of the other
    /// algorithms JOSE has the same signatures as everybody.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify_jose(
        &self,
        provider: &impl SignatureProvider,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let width = match self.algorithm() {
            Algorithm::EcdsaP256Sha256 => 32,
            Algorithm::EcdsaP384Sha384 => 48,
            Algorithm::Ed25519 | Algorithm::RsaPkcs1Sha256 => {
                return provider.verify(self, message, signature);
            }
        };
        let (r, s) = signature
            .split_at_checked(width)
            .filter(|(_, s)| s.len() == width)
            .ok_or(SignatureError::Invalid)?;
        let der = tlv(SEQUENCE, &[integer(r), integer(s)].concat());
        provider.verify(self, message, &der)
    }
}

fn sized(number: &[u8], width: usize) -> Result<&[u8], KeyError> {
    if number.len() == width {
        Ok(number)
    } else {
        Err(KeyError::Der)
    }
}

/// An uncompressed point (SEC 1, 2.3.3).
fn point(x: &[u8], y: &[u8], width: usize) -> Result<Vec<u8>, KeyError> {
    Ok([&[4], sized(x, width)?, sized(y, width)?].concat())
}

/// A number that is not negative, in its shortest DER.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(zeros..).unwrap_or_default();
    // The highest bit would be a sign; and zero is one byte.
    let padded = digits.first().is_none_or(|first| *first >= 0x80);
    let padding: &[u8] = if padded { &[0] } else { &[] };
    tlv(INTEGER, &[padding, digits].concat())
}

/// Tag, length (X.690 8.1.3) and content.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 6);
    out.push(tag);
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => out.push(length),
        _ => {
            let length = content.len().to_be_bytes();
            let zeros = length.iter().take_while(|byte| **byte == 0).count();
            let length = length.get(zeros..).unwrap_or_default();
            out.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            out.extend_from_slice(length);
        }
    }
    out.extend_from_slice(content);
    out
}
