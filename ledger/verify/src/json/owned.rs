//! Moving typed members out of an object, and refusing the rest.

use super::{FieldError, FieldProblem, Object, SafeInteger, Text, Value, utf16_order};
use alloc::vec::Vec;
use core::str::FromStr;

/// As [`Fields`](super::Fields), for an object that is read once and given up: members are moved, not
/// copied. For what is read in the hundred thousands.
#[derive(Debug)]
pub(crate) struct OwnedFields(Vec<(Text, Option<Value>)>);

impl OwnedFields {
    /// Starts taking members of `value`, which must be an object; `member` is where it stands.
    pub(crate) fn new(value: Value, member: &'static str) -> Result<Self, FieldError> {
        match value {
            Value::Object(object) => Ok(Self::of(object)),
            _ => Err(wrong_type(member, "an object")),
        }
    }

    /// Starts taking members of `object`.
    pub(crate) fn of(object: Object) -> Self {
        Self(
            object
                .into_iter()
                .map(|(name, value)| (name, Some(value)))
                .collect(),
        )
    }

    /// A member that may be absent.
    pub(crate) fn optional(&mut self, name: &'static str) -> Option<Value> {
        let place = self
            .0
            .binary_search_by(|(other, _)| utf16_order(other, name))
            .ok()?;
        self.0.get_mut(place)?.1.take()
    }

    /// A string that may be absent.
    pub(crate) fn optional_text(&mut self, name: &'static str) -> Result<Option<Text>, FieldError> {
        match self.optional(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong_type(name, "a string")),
        }
    }

    /// A string.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Text, FieldError> {
        self.optional_text(name)?.ok_or_else(|| missing(name))
    }

    /// A string that is the spelling of some type.
    pub(crate) fn parsed<T: FromStr>(
        &mut self,
        name: &'static str,
        what: &'static str,
    ) -> Result<T, FieldError> {
        self.text(name)?
            .parse()
            .map_err(|_| FieldError::value(name, what))
    }

    /// An integer that may be absent and fits `T`.
    pub(crate) fn optional_integer<T: TryFrom<i64>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, FieldError> {
        let number = match self.optional(name) {
            None => return Ok(None),
            Some(Value::Integer(number)) => number.get(),
            Some(_) => return Err(wrong_type(name, "an integer")),
        };
        let number = T::try_from(number);
        number
            .map(Some)
            .map_err(|_| FieldError::value(name, "an integer in range"))
    }

    /// An integer.
    pub(crate) fn integer(&mut self, name: &'static str) -> Result<SafeInteger, FieldError> {
        match self.optional(name).ok_or_else(|| missing(name))? {
            Value::Integer(number) => Ok(number),
            _ => Err(wrong_type(name, "an integer")),
        }
    }

    /// An array.
    pub(crate) fn array(&mut self, name: &'static str) -> Result<Vec<Value>, FieldError> {
        match self.optional(name).ok_or_else(|| missing(name))? {
            Value::Array(items) => Ok(items),
            _ => Err(wrong_type(name, "an array")),
        }
    }

    /// An object.
    pub(crate) fn object(&mut self, name: &'static str) -> Result<Object, FieldError> {
        match self.optional(name).ok_or_else(|| missing(name))? {
            Value::Object(object) => Ok(object),
            _ => Err(wrong_type(name, "an object")),
        }
    }

    /// Refuses members that nobody asked for.
    pub(crate) fn finish(self) -> Result<(), FieldError> {
        let left = self.0.iter().find(|(_, value)| value.is_some());
        left.map_or(Ok(()), |(name, _)| {
            Err(FieldError::new(name, FieldProblem::Unknown))
        })
    }
}

fn missing(name: &str) -> FieldError {
    FieldError::new(name, FieldProblem::Missing)
}

fn wrong_type(name: &str, expected: &'static str) -> FieldError {
    FieldError::new(name, FieldProblem::Type { expected })
}
