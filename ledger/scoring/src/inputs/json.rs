//! Tolerant JSON for foreign documents: a member of an unexpected type is noticed, not fatal.
//!
//! [`Text`], [`List`] and [`Object`] accept any JSON value and remember whether it was of the type
//! they stand for. What remains fatal is text that is not JSON, a member that occurs twice, and
//! nesting beyond the parser's bound; [`parse`] reports those with a JSON pointer.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::bytes::DecompressError;
use crate::limits::MAX_WARNING_DETAIL_BYTES;
use crate::model::JsonPointer;

mod locate;

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
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
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

/// Implements the visits of scalars that the wanted type is not.
macro_rules! refuse {
    ($($visit:ident: $from:ty),*) => {
        $(fn $visit<E: de::Error>(self, _: $from) -> Result<Self::Value, E> {
            Ok(Self::Value::Invalid)
        })*
    };
}

macro_rules! absent_when_null {
    () => {
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::Absent)
        }
    };
}

macro_rules! refuse_map {
    ($life:lifetime) => {
        fn visit_map<A: MapAccess<$life>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Self::Value::Invalid)
        }
    };
}

macro_rules! refuse_seq {
    ($life:lifetime) => {
        fn visit_seq<A: SeqAccess<$life>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Self::Value::Invalid)
        }
    };
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Seen<'a> {
            type Value = Text<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'a>, E> {
                Ok(Text::Is(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'a>, E> {
                Ok(Text::Is(Cow::Owned(text.to_owned())))
            }
            absent_when_null!();
            refuse!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64);
            refuse_map!('de);
            refuse_seq!('de);
        }
        deserializer.deserialize_any(Seen(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Seen<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(List::Is(items))
            }
            absent_when_null!();
            refuse!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
            refuse_map!('de);
        }
        deserializer.deserialize_any(Seen(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Seen<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                let value = T::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Object::Is(Box::new(value)))
            }
            absent_when_null!();
            refuse!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
            refuse_seq!('de);
        }
        deserializer.deserialize_any(Seen(PhantomData))
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for TextOr<'a, Object<T>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen<'a, T>(PhantomData<(&'a (), T)>);
        impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for Seen<'a, T> {
            type Value = TextOr<'a, Object<T>>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an object")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Is(Cow::Borrowed(text))))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Is(Cow::Owned(text.to_owned()))))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let value = T::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(TextOr::Other(Object::Is(Box::new(value))))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(TextOr::Text(Text::Invalid))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Absent))
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Invalid))
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Invalid))
            }
            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Invalid))
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Invalid))
            }
        }
        deserializer.deserialize_any(Seen(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TextOr<'a, u64> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Seen<'a> {
            type Value = TextOr<'a, u64>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a whole number")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Is(Cow::Borrowed(text))))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Is(Cow::Owned(text.to_owned()))))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(TextOr::Other(number))
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Invalid))
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Invalid))
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Invalid))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(TextOr::Text(Text::Absent))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(TextOr::Text(Text::Invalid))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(TextOr::Text(Text::Invalid))
            }
        }
        deserializer.deserialize_any(Seen(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Default, Debug, PartialEq, Eq)]
    #[serde(default)]
    struct Sample<'a> {
        #[serde(borrow)]
        text: Text<'a>,
        list: List<Object<Inner<'a>>>,
    }

    #[derive(serde::Deserialize, Default, Debug, PartialEq, Eq)]
    #[serde(default)]
    struct Inner<'a> {
        #[serde(borrow)]
        name: Text<'a>,
    }

    #[test]
    fn other_types_are_noticed_and_the_rest_is_read() {
        let text = br#"{"text": [1, {"a": 2}], "list": [{"name": "x"}, 7, null, {"name": 8}]}"#;
        let sample: Sample<'_> = parse(text).unwrap();
        assert_eq!(sample.text, Text::Invalid);
        let list = sample.list.as_slice();
        assert_eq!(list[0].get().unwrap().name.get(), Some("x"));
        assert!(list[1].is_invalid());
        assert_eq!(list[2], Object::Absent);
        assert!(list[3].get().unwrap().name.is_invalid());
    }

    #[test]
    fn a_syntax_error_names_its_place() {
        let cases: [(&[u8], &str); 4] = [
            (
                br#"{"list": [{"name": "x"}, {"name": tru}]}"#,
                "/list/1/name",
            ),
            (br#"{"text": "a", "text": "b"}"#, "/text"),
            (br#"{"list": [{}"#, "/list/0"),
            (b"", ""),
        ];
        for (text, pointer) in cases {
            let error = parse::<Sample<'_>>(text).unwrap_err();
            let DocumentError::Json { pointer: found, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!(found.as_str(), pointer, "{error}");
        }
    }
}
