//! Taking typed members out of an object, and refusing the rest.

use super::{Object, SafeInteger, Value};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::str::FromStr;

/// A member of a hashed object is missing, of the wrong type, or not part of the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("member \"{member}\" {problem}")]
pub struct FieldError {
    /// The member's name.
    pub member: String,
    /// What is wrong with it.
    pub problem: FieldProblem,
}

/// What can be wrong with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldProblem {
    /// The format requires it.
    #[error("is missing")]
    Missing,
    /// It has another JSON type.
    #[error("is not {expected}")]
    Type {
        /// The type the format asks for.
        expected: &'static str,
    },
    /// It has the right type and a value outside the format's.
    #[error("has a value outside the format: {reason}")]
    Value {
        /// What the format asks for.
        reason: &'static str,
    },
    /// The format has no such member.
    #[error("is not part of this format")]
    Unknown,
}

impl FieldError {
    /// Names a member and its problem.
    pub(crate) fn new(member: &str, problem: FieldProblem) -> Self {
        Self {
            member: member.to_string(),
            problem,
        }
    }

    /// The member's value is outside the format.
    pub(crate) fn value(member: &str, reason: &'static str) -> Self {
        Self::new(member, FieldProblem::Value { reason })
    }
}

/// Reads the members of one object; [`Fields::finish`] refuses those that nobody asked for.
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Object,
    taken: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Starts reading `object`.
    #[must_use]
    pub fn new(object: &'a Object) -> Self {
        Self {
            object,
            taken: Vec::with_capacity(object.len()),
        }
    }

    /// Starts reading a value that must be an object, and whose `schema` must be `schema`.
    ///
    /// # Errors
    /// [`FieldError`] on member `schema`.
    pub fn of_schema(value: &'a Value, schema: &'static str) -> Result<Self, FieldError> {
        let expected = FieldProblem::Type {
            expected: "an object with a schema",
        };
        let object = value
            .as_object()
            .ok_or_else(|| FieldError::new("schema", expected))?;
        let mut fields = Self::new(object);
        if fields.text("schema")? == schema {
            Ok(fields)
        } else {
            Err(FieldError::value("schema", schema))
        }
    }

    /// A member that may be absent.
    pub fn optional(&mut self, name: &'static str) -> Option<&'a Value> {
        let value = self.object.get(name)?;
        self.taken.push(name);
        Some(value)
    }

    /// A member of any type.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`].
    pub fn any(&mut self, name: &'static str) -> Result<&'a Value, FieldError> {
        self.optional(name)
            .ok_or_else(|| FieldError::new(name, FieldProblem::Missing))
    }

    /// A string.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`] or [`FieldProblem::Type`].
    pub fn text(&mut self, name: &'static str) -> Result<&'a str, FieldError> {
        typed(name, "a string", self.any(name)?.as_str())
    }

    /// A string that may be absent.
    ///
    /// # Errors
    /// [`FieldProblem::Type`].
    pub fn optional_text(&mut self, name: &'static str) -> Result<Option<&'a str>, FieldError> {
        self.optional(name)
            .map(|value| typed(name, "a string", value.as_str()))
            .transpose()
    }

    /// A string that is the spelling of some type, such as a hash.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`], [`FieldProblem::Type`] or [`FieldProblem::Value`].
    pub fn parsed<T: FromStr>(
        &mut self,
        name: &'static str,
        what: &'static str,
    ) -> Result<T, FieldError> {
        self.text(name)?
            .parse()
            .map_err(|_| FieldError::value(name, what))
    }

    /// A string that may be absent and is the spelling of some type.
    ///
    /// # Errors
    /// [`FieldProblem::Type`] or [`FieldProblem::Value`].
    pub fn optional_parsed<T: FromStr>(
        &mut self,
        name: &'static str,
        what: &'static str,
    ) -> Result<Option<T>, FieldError> {
        let text = self.optional_text(name)?;
        text.map(|text| text.parse().map_err(|_| FieldError::value(name, what)))
            .transpose()
    }

    /// An integer.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`] or [`FieldProblem::Type`].
    pub fn integer(&mut self, name: &'static str) -> Result<SafeInteger, FieldError> {
        typed(name, "an integer", self.any(name)?.as_integer())
    }

    /// An integer that fits `T`, such as `u32`.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`], [`FieldProblem::Type`] or [`FieldProblem::Value`].
    pub fn integer_as<T: TryFrom<i64>>(&mut self, name: &'static str) -> Result<T, FieldError> {
        let number = self.integer(name)?.get();
        T::try_from(number).map_err(|_| FieldError::value(name, "an integer in range"))
    }

    /// An integer that may be absent and fits `T`.
    ///
    /// # Errors
    /// [`FieldProblem::Type`] or [`FieldProblem::Value`].
    pub fn optional_integer_as<T: TryFrom<i64>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, FieldError> {
        self.object
            .get(name)
            .map(|_| self.integer_as(name))
            .transpose()
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`] or [`FieldProblem::Type`].
    pub fn boolean(&mut self, name: &'static str) -> Result<bool, FieldError> {
        typed(name, "true or false", self.any(name)?.as_bool())
    }

    /// An array.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`] or [`FieldProblem::Type`].
    pub fn array(&mut self, name: &'static str) -> Result<&'a [Value], FieldError> {
        typed(name, "an array", self.any(name)?.as_array())
    }

    /// An object.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`] or [`FieldProblem::Type`].
    pub fn object(&mut self, name: &'static str) -> Result<&'a Object, FieldError> {
        typed(name, "an object", self.any(name)?.as_object())
    }

    /// Refuses members that nobody asked for.
    ///
    /// # Errors
    /// [`FieldProblem::Unknown`] for the first of them.
    pub fn finish(self) -> Result<(), FieldError> {
        let unknown = self
            .object
            .iter()
            .find(|(name, _)| !self.taken.contains(name));
        unknown.map_or(Ok(()), |(name, _)| {
            Err(FieldError::new(name, FieldProblem::Unknown))
        })
    }
}

fn typed<T>(name: &str, expected: &'static str, value: Option<T>) -> Result<T, FieldError> {
    value.ok_or_else(|| FieldError::new(name, FieldProblem::Type { expected }))
}
