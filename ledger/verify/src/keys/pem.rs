//! PEM (RFC 7468) with exactly one block.

use crate::base64;
use crate::limits::MAX_KEY_PEM_BYTES;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A text is not the PEM that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// Larger than [`MAX_KEY_PEM_BYTES`].
    #[error("a key's PEM has at most {MAX_KEY_PEM_BYTES} bytes")]
    TooLarge,
    /// The first line is another, or there is text before it.
    #[error("expected a PEM block that begins with -----BEGIN {label}-----")]
    Label {
        /// What the block should be.
        label: &'static str,
    },
    /// The block does not end, or something follows it.
    #[error("the PEM block does not end with its -----END line, or something follows it")]
    End,
    /// What stands between the two lines is not padded base64.
    #[error("the PEM block is not valid base64")]
    Base64,
}

/// What may stand around a block and between its base64 digits.
const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The bytes of the one block in `text`; [`WHITE_SPACE`] around it and line lengths are free.
pub(super) fn decode(text: &str, label: &'static str) -> Result<Vec<u8>, PemError> {
    if text.len() > MAX_KEY_PEM_BYTES {
        return Err(PemError::TooLarge);
    }
    let begin = format!("-----BEGIN {label}-----");
    let body = text
        .trim_matches(WHITE_SPACE)
        .strip_prefix(&begin)
        .ok_or(PemError::Label { label })?;
    let body = body
        .strip_suffix(&format!("-----END {label}-----"))
        .ok_or(PemError::End)?;
    if body.contains('-') {
        return Err(PemError::End);
    }
    let joined: String = body.split(WHITE_SPACE).collect();
    base64::decode(&joined).map_err(|_| PemError::Base64)
}

/// One block with lines of 64 characters.
pub(super) fn encode(bytes: &[u8], label: &str) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (place, character) in base64::encode(bytes).chars().enumerate() {
        if place > 0 && place % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text + &format!("\n-----END {label}-----\n")
}
