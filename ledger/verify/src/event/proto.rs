//! The canonical protobuf encoding: ascending fields, each once, defaults omitted, minimal varints.

use super::NameError;
use alloc::vec::Vec;

/// Bytes are not a canonical message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// Larger than its limit in `limits.rs`.
    #[error("the message has {size} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The message stops inside a field.
    #[error("the message ends inside a field")]
    Truncated,
    /// Not the field, or not the wire type, that may stand here: unknown, repeated or out of order.
    #[error("field key 0x{key:x} is unknown, repeated or out of order here")]
    UnexpectedField {
        /// The key as on the wire: number << 3 | wire type.
        key: u64,
    },
    /// Understood, but spelt otherwise than we would spell it.
    #[error("the message is not in canonical encoding")]
    NotCanonical,
    /// A field that must be present is absent.
    #[error("field {number} is missing")]
    Missing {
        /// The field's number.
        number: u8,
    },
    /// A text field is not UTF-8.
    #[error("field {number} is not UTF-8")]
    NotUtf8 {
        /// The field's number.
        number: u8,
    },
    /// A hash field is not 32 bytes, or a number does not fit its type.
    #[error("field {number} has the wrong size")]
    WrongSize {
        /// The field's number.
        number: u8,
    },
    /// A name is empty, too long or has control characters.
    #[error("field {number}: {problem}")]
    Name {
        /// The field's number.
        number: u8,
        /// What is wrong with it.
        problem: NameError,
    },
    /// The message is of another format or a later version of it.
    #[error("the message's schema is not {expected}")]
    Schema {
        /// The schema this reader understands.
        expected: &'static str,
    },
}

const VARINT: u64 = 0;
const BYTES: u64 = 2;

/// Appends a number; zero, the default, is omitted.
pub(super) fn put_number(out: &mut Vec<u8>, field: u8, number: u64) {
    if number != 0 {
        put_varint(out, u64::from(field) << 3 | VARINT);
        put_varint(out, number);
    }
}

/// Appends a byte string; the empty one, the default, is omitted.
pub(super) fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_varint(out, u64::from(field) << 3 | BYTES);
        put_varint(out, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        out.extend_from_slice(bytes);
    }
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(low_seven(number) | 0x80);
        number >>= 7;
    }
    out.push(low_seven(number));
}

fn low_seven(number: u64) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or_default()
}

/// Reads the fields of one message in ascending order, each in its one spelling: what was read to the
/// end encodes to the same bytes again.
pub(super) struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self { left: message }
    }

    /// The field if it stands here, else its default, zero.
    pub(super) fn number(&mut self, field: u8) -> Result<u64, EventError> {
        if !self.starts_with_key(u64::from(field) << 3 | VARINT)? {
            return Ok(0);
        }
        match self.varint()? {
            0 => Err(EventError::NotCanonical),
            number => Ok(number),
        }
    }

    /// The field if it stands here, else its default, the empty string.
    pub(super) fn bytes(&mut self, field: u8) -> Result<&'a [u8], EventError> {
        if !self.starts_with_key(u64::from(field) << 3 | BYTES)? {
            return Ok(&[]);
        }
        let size = usize::try_from(self.varint()?).map_err(|_| EventError::Truncated)?;
        if size == 0 {
            return Err(EventError::NotCanonical);
        }
        let (bytes, left) = self
            .left
            .split_at_checked(size)
            .ok_or(EventError::Truncated)?;
        self.left = left;
        Ok(bytes)
    }

    /// The text field if it stands here, else its default, the empty string.
    pub(super) fn text(&mut self, field: u8) -> Result<&'a str, EventError> {
        let bytes = self.bytes(field)?;
        core::str::from_utf8(bytes).map_err(|_| EventError::NotUtf8 { number: field })
    }

    /// Nothing may be left over.
    pub(super) fn end(mut self) -> Result<(), EventError> {
        if self.left.is_empty() {
            return Ok(());
        }
        Err(EventError::UnexpectedField {
            key: self.varint()?,
        })
    }

    fn starts_with_key(&mut self, key: u64) -> Result<bool, EventError> {
        if self.left.is_empty() {
            return Ok(false);
        }
        let before = self.left;
        let found = self.varint()? == key;
        if !found {
            self.left = before;
        }
        Ok(found)
    }

    /// A varint of at most 64 bits, not padded.
    fn varint(&mut self) -> Result<u64, EventError> {
        let mut number = 0u64;
        for shift in (0..70).step_by(7) {
            let (byte, left) = self.left.split_first().ok_or(EventError::Truncated)?;
            self.left = left;
            let bits = u64::from(byte & 0x7f);
            let padded = shift > 0 && *byte == 0;
            if padded || (shift == 63 && bits > 1) {
                return Err(EventError::NotCanonical);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(EventError::NotCanonical)
    }
}
