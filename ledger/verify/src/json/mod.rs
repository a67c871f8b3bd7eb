//! Strict JSON (RFC 8259, I-JSON) and its canonical form (RFC 8785, JCS).
//!
//! Two profiles share one parser. [`parse_strict`] reads any JSON that has a canonical form, with
//! fractions and exponents as IEEE 754 doubles. [`parse_canonical`] reads our own hashed objects:
//! integers only, no `null`, and the bytes must already be the canonical form (FORMATS.md, opening
//! paragraph). Both refuse what makes two readers disagree: duplicate member names (compared after
//! unescaping), integer literals beyond 2^53-1, lone surrogates, a byte order mark, bytes after the
//! document, invalid UTF-8, numbers that overflow a double, and nesting deeper than
//! [`MAX_JSON_DEPTH`](crate::limits::MAX_JSON_DEPTH).
//!
//! A double never takes part in arithmetic here: it is read, and written as ECMAScript writes it.
//! Only literals are checked for safety: `1e20` is a double and becomes `100000000000000000000`, as
//! RFC 8785 says, although that spelling, an integer literal, would itself be refused.

mod error;
mod fields;
mod items;
mod known;
mod names;
mod number;
mod object;
mod owned;
mod parse;
mod scan;
mod value;
mod write;

pub use error::{JsonError, JsonProblem};
pub use fields::{FieldError, FieldProblem, Fields};
pub(crate) use items::{Item, Items};
pub(crate) use known::{Known, read_known};
pub use number::{Double, MAX_SAFE_INTEGER, SafeInteger, UnsafeInteger};
pub use object::{Object, utf16_order};
pub(crate) use owned::OwnedFields;
pub(crate) use parse::{check_same, parse_hashed};
pub use parse::{parse_canonical, parse_strict};
pub use value::Value;
pub(crate) use write::write_object;
pub use write::{ArrayWriter, ObjectWriter, canonicalize, write_hash, write_string, write_value};

use alloc::borrow::Cow;

/// Text in a JSON value: borrowed when it is a constant of the program, owned when it was read.
pub type Text = Cow<'static, str>;

#[cfg(test)]
mod tests;
