//! Reading a hashed object whose members and their order are known beforehand.
//!
//! Our own formats have one spelling, so their bytes can be followed member by member without
//! building a [`Value`](super::Value) first: hashes are read where they stand, and texts are copied
//! once. This says only yes or no. Whoever hears no reads the bytes with the general parser, which
//! names the problem; whoever hears yes compares the canonical form with the bytes, as always.

use super::parse::Parser;
use super::{JsonError, Object, SafeInteger, Text, Value};
use alloc::vec::Vec;
use core::str::FromStr;

/// A place in a hashed object that is expected to be in canonical form.
pub(crate) struct Known<'p, 'a>(&'p mut Parser<'a>);

impl<'p, 'a> Known<'p, 'a> {
    /// Reads where the parser stands.
    pub(super) const fn at(parser: &'p mut Parser<'a>) -> Self {
        Self(parser)
    }

    /// Goes over `text`, which must stand here.
    pub(crate) fn literal(&mut self, text: &'static str) -> Option<()> {
        self.0.skip(text).then_some(())
    }

    /// Goes over `text` if it stands here.
    pub(crate) fn has(&mut self, text: &'static str) -> bool {
        self.0.skip(text)
    }

    /// A string.
    pub(crate) fn text(&mut self) -> Option<Text> {
        self.0.quoted().map(|text| Text::Owned(text.into_owned()))
    }

    /// A string that is the spelling of some type.
    pub(crate) fn parsed<T: FromStr>(&mut self) -> Option<T> {
        self.0.quoted()?.parse().ok()
    }

    /// An integer.
    pub(crate) fn integer(&mut self) -> Option<SafeInteger> {
        match self.0.value().ok()? {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// An object of any content, `levels` objects deep in the document.
    pub(crate) fn object(&mut self, levels: usize) -> Option<Object> {
        self.0.enter(levels);
        let value = self.0.value().ok();
        self.0.leave(levels);
        match value? {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The items of an array; `[` was gone over.
    pub(crate) fn items<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut items = Vec::new();
        if self.has("]") {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.has("]") {
                return Some(items);
            }
            self.literal(",")?;
        }
    }
}

/// Reads a whole document with `read`; `None` when it does not have the form that `read` expects.
///
/// # Errors
/// [`JsonError`] on bytes that no document consists of.
pub(crate) fn read_known<T>(
    bytes: &[u8],
    read: impl FnOnce(&mut Known<'_, '_>) -> Option<T>,
) -> Result<Option<T>, JsonError> {
    let mut parser = Parser::hashed(bytes)?;
    let read = read(&mut Known::at(&mut parser));
    Ok(read.filter(|_| parser.rest().is_empty()))
}
