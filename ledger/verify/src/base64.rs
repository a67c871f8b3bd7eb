//! Base64 (RFC 4648): one spelling when written, the lenient readings that formats ask for.
//!
//! [`decode`] accepts one spelling of every byte string. [`decode_either`] is for what others wrote,
//! where the bytes are signed and their spelling is not.

use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The text is not base64 of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not valid base64 (RFC 4648)")]
pub struct Base64Error;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STRICT: GeneralPurposeConfig = GeneralPurposeConfig::new();

/// Standard alphabet with padding: what we write.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    GeneralPurpose::new(&STANDARD, STRICT).encode(bytes)
}

/// Reads exactly what [`encode`] writes: padded, no white space, no bits after the last byte.
///
/// # Errors
/// [`Base64Error`].
pub fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    GeneralPurpose::new(&STANDARD, STRICT)
        .decode(text)
        .map_err(|_| Base64Error)
}

/// Reads base64url as JOSE writes it (RFC 7515 2): without padding, one spelling of every byte string.
///
/// # Errors
/// [`Base64Error`].
pub fn decode_url(text: &str) -> Result<Vec<u8>, Base64Error> {
    const UNPADDED: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireNone);
    GeneralPurpose::new(&URL_SAFE, UNPADDED)
        .decode(text)
        .map_err(|_| Base64Error)
}

/// Reads the standard or the URL-safe alphabet, padded or not, with any bits after the last byte, but
/// never a mixture of alphabets and never white space.
///
/// DSSE allows both alphabets; envelopes inside Sigstore bundles are protobuf JSON, whose readers must
/// take both with and without padding; and the decoders of Go and Python, by which the producers of
/// real envelopes tested them, ignore the bits that are left over.
///
/// # Errors
/// [`Base64Error`].
pub fn decode_either(text: &str) -> Result<Vec<u8>, Base64Error> {
    let url_safe = text.bytes().any(|byte| byte == b'-' || byte == b'_');
    let alphabet = if url_safe { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, LENIENT)
        .decode(text)
        .map_err(|_| Base64Error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_has_one_reading() {
        assert_eq!(encode(&[0xfb, 0xff]), "+/8=");
        assert_eq!(decode("+/8="), Ok([0xfb, 0xff].to_vec()));
        for refused in ["+/8", "-_8=", "+/9=", "+/8=\n", " +/8=", "+/8==", "+_8="] {
            assert_eq!(decode(refused), Err(Base64Error), "{refused}");
        }
    }

    #[test]
    fn either_alphabet_but_not_both() {
        for text in ["+/8=", "-_8=", "+/8", "-_8", "-_9="] {
            assert_eq!(decode_either(text), Ok([0xfb, 0xff].to_vec()), "{text}");
        }
        for refused in ["+_8=", "-/8=", "-_8=\n", "=", "A", "-_8=="] {
            assert_eq!(decode_either(refused), Err(Base64Error), "{refused}");
        }
    }

    #[test]
    fn base64url_has_one_spelling() {
        assert_eq!(decode_url("-_8").as_deref(), Ok([0xfb, 0xff].as_slice()));
        assert_eq!(decode_url("").as_deref(), Ok([].as_slice()));
        for other in ["-_8=", "+/8", "-_9", "-_8 ", "-", "-_8\n"] {
            assert_eq!(decode_url(other), Err(Base64Error), "{other:?}");
        }
    }
}
