//! Why bytes are not the JSON that was asked for.

use alloc::string::String;

/// The first problem found, and where. It is the sender's fault; nothing was accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("JSON refused at byte {offset}: {problem}")]
pub struct JsonError {
    /// Bytes before the problem.
    pub offset: usize,
    /// What is wrong there.
    pub problem: JsonProblem,
}

impl JsonError {
    /// The same problem of a part that begins `start` bytes into the whole.
    pub(crate) fn behind(self, start: usize) -> Self {
        Self {
            offset: self.offset + start,
            ..self
        }
    }
}

/// What can be wrong with a JSON text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonProblem {
    /// Larger than [`MAX_CANONICAL_JSON_BYTES`](crate::limits::MAX_CANONICAL_JSON_BYTES).
    #[error("the document is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// RFC 8259 8.1 asks for UTF-8.
    #[error("invalid UTF-8")]
    NotUtf8,
    /// RFC 8259 8.1 forbids writers a byte order mark; a hash would depend on it.
    #[error("a byte order mark is not allowed")]
    ByteOrderMark,
    /// Nested deeper than [`MAX_JSON_DEPTH`](crate::limits::MAX_JSON_DEPTH).
    #[error("nested deeper than {limit} levels")]
    Depth {
        /// The limit, in levels.
        limit: usize,
    },
    /// The text stops inside a value.
    #[error("the document ends too early")]
    UnexpectedEnd,
    /// A byte that the grammar does not allow at this place.
    #[error("unexpected byte 0x{byte:02x}, expected {expected}")]
    Unexpected {
        /// The byte found.
        byte: u8,
        /// What the grammar allows instead.
        expected: &'static str,
    },
    /// U+0000 to U+001F must be escaped in a string.
    #[error("unescaped control character in a string")]
    ControlCharacter,
    /// Not one of the escapes of RFC 8259 7.
    #[error("invalid escape in a string")]
    BadEscape,
    /// Half of a surrogate pair has no UTF-8 form.
    #[error("lone surrogate in a string")]
    LoneSurrogate,
    /// Two members of one object have the same name after unescaping.
    #[error("duplicate member name \"{name}\"")]
    DuplicateMember {
        /// The name, unescaped.
        name: String,
    },
    /// Leading zero, missing digit, or the like.
    #[error("malformed number")]
    BadNumber,
    /// An integer literal above 2^53-1 in magnitude: readers that use doubles would alter it.
    #[error("integer beyond 2^53-1 in magnitude is not interoperable")]
    UnsafeInteger,
    /// A number too large for an IEEE 754 double.
    #[error("number overflows an IEEE 754 double")]
    NumberOverflow,
    /// Hashed objects hold integers in a declared unit.
    #[error("fraction or exponent in an object that allows integers only")]
    NotInteger,
    /// Hashed objects omit absent members.
    #[error("null in an object that omits absent members instead")]
    Null,
    /// More bytes follow the document.
    #[error("bytes after the end of the document")]
    TrailingBytes,
    /// Well-formed, but not the one spelling that is hashed.
    #[error("the bytes differ from their canonical form (RFC 8785)")]
    NotCanonical,
}
