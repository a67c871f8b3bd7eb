//! Tolerant JSON for foreign documents: a member of an unexpected type is noticed, not fatal.
//!
//! [`Text`], [`List`] and [`Object`] accept any JSON value and remember whether it was of the type
//! they stand for. What remains fatal is text that is not JSON, a member that is read and occurs twice, and
//! nesting beyond the parser's bound; [`parse`] reports those with a JSON pointer.

use std::borrow::Cow;

use serde::Deserialize;

use super::bytes::DecompressError;
use crate::limits::MAX_WARNING_DETAIL_BYTES;
use crate::model::JsonPointer;

mod locate;
mod unique;
mod visit;

pub use unique::check_members;

/// Why a document could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The bytes could not be decompressed.
    #[error(transparent)]
    Compressed(#[from] DecompressError),
    /// The text is not JSON, or has a member twice.
    #[error("at {pointer:?}: {reason}", pointer = pointer.as_str())]
    Json {
        /// The innermost value that was being read.
        pointer: JsonPointer,
        /// What the parser met, with line and column.
        reason: Box<str>,
    },
    /// It is JSON, but not such a document.
    #[error("at {pointer:?}: {reason}", pointer = pointer.as_str())]
    Content {
        /// Where.
        pointer: JsonPointer,
        /// Why it cannot be read.
        reason: Box<str>,
    },
}

impl DocumentError {
    /// A document that is JSON but not what it should be.
    pub(crate) fn content(pointer: JsonPointer, reason: impl Into<Box<str>>) -> Self {
        Self::Content {
            pointer,
            reason: reason.into(),
        }
    }
}

/// Parses a whole document, an object; a byte order mark before it is skipped (RFC 8259, 8.1).
///
/// # Errors
/// [`DocumentError::Json`] with the pointer of the innermost value that was being read;
/// [`DocumentError::Content`] when the document is not an object.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DocumentError> {
    let text = without_mark(bytes);
    if let Some(other) = another_format(text) {
        return Err(DocumentError::content(JsonPointer::root(), other));
    }
    let document: Object<T> =
        serde_json::from_slice(text).map_err(|error| json_error(text, &error))?;
    match document {
        Object::Is(document) => Ok(*document),
        _ => Err(DocumentError::content(
            JsonPointer::root(),
            "not a JSON object",
        )),
    }
}

/// What a text is instead of JSON in UTF-8, where that is plain to see: a parser would only say that
/// its first byte is none of a value.
fn another_format(text: &[u8]) -> Option<&'static str> {
    match text.trim_ascii_start() {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16; JSON is read in UTF-8"),
        [b'<', ..] => Some("XML; CycloneDX, SPDX and VEX documents are read as JSON"),
        _ => None,
    }
}

/// The text behind its byte order mark, if it has one.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// Places an error of the parser in the text it was given.
pub(crate) fn json_error(text: &[u8], error: &serde_json::Error) -> DocumentError {
    DocumentError::Json {
        pointer: locate::pointer_at(text, error.line(), error.column()),
        reason: error.to_string().into(),
    }
}

/// The text, cut at a character boundary so that it fits a warning.
pub(crate) fn shorten(text: &str) -> Box<str> {
    let mut end = text.len().min(MAX_WARNING_DETAIL_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().into()
}

/// A member that should be a string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    /// Absent, or null.
    #[default]
    Absent,
    /// A string.
    Is(Cow<'a, str>),
    /// Something else.
    Invalid,
}

impl<'a> Text<'a> {
    /// The string, unless it is absent, of another type or empty.
    pub(crate) fn get(&self) -> Option<&str> {
        match self {
            Self::Is(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The string, owned; empty unless it is one.
    pub(crate) fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Is(text) => text,
            _ => Cow::Borrowed(""),
        }
    }

    pub(crate) fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid)
    }
}

/// A member that should be an array.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum List<T> {
    /// Absent, or null.
    #[default]
    Absent,
    /// An array.
    Is(Vec<T>),
    /// Something else.
    Invalid,
}

impl<T> List<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Self::Is(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn into_vec(self) -> Vec<T> {
        match self {
            Self::Is(items) => items,
            _ => Vec::new(),
        }
    }

    pub(crate) fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid)
    }
}

/// A member that should be an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Object<T> {
    /// Absent, or null.
    #[default]
    Absent,
    /// An object.
    Is(Box<T>),
    /// Something else.
    Invalid,
}

impl<T> Object<T> {
    pub(crate) fn get(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid)
    }
}

/// A member that is a string in one version of a format and something else in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextOr<'a, T> {
    /// A string; absent; or neither a string nor a `T`.
    Text(Text<'a>),
    /// A `T`.
    Other(T),
}

impl<T> Default for TextOr<'_, T> {
    fn default() -> Self {
        Self::Text(Text::Absent)
    }
}

#[cfg(test)]
mod tests;
