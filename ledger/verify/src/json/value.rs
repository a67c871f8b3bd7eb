//! A JSON value that has a canonical form.

use super::{Double, Object, SafeInteger, Text};
use alloc::string::String;
use alloc::vec::Vec;

/// A JSON value. Every value can be written canonically: what could not (an unsafe integer, a
/// duplicate member, a lone surrogate) cannot be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`; never in hashed objects.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number written without fraction and exponent.
    Integer(SafeInteger),
    /// A number written with a fraction or an exponent; never in hashed objects.
    Double(Double),
    /// A string.
    String(Text),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

impl Value {
    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is an integer.
    #[must_use]
    pub const fn as_integer(&self) -> Option<SafeInteger> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if this is an object.
    #[must_use]
    pub const fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Whether a hashed object may contain this: no `null` and no fraction at any depth, and no more
    /// than `depth` levels of arrays and objects.
    #[must_use]
    pub fn is_hashable(&self, depth: usize) -> bool {
        let below = depth.checked_sub(1);
        match self {
            Self::Null | Self::Double(_) => false,
            Self::Bool(_) | Self::Integer(_) | Self::String(_) => true,
            Self::Array(items) => {
                below.is_some_and(|depth| items.iter().all(|item| item.is_hashable(depth)))
            }
            Self::Object(members) => {
                below.is_some_and(|depth| members.iter().all(|(_, item)| item.is_hashable(depth)))
            }
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<SafeInteger> for Value {
    fn from(number: SafeInteger) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::String(Text::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(Text::Owned(text))
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::String(text)
    }
}

impl From<Object> for Value {
    fn from(members: Object) -> Self {
        Self::Object(members)
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}
