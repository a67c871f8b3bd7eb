//! Reading a long array item by item, so that one item at a time is in memory as a value.

use super::known::Known;
use super::parse::Parser;
use super::{JsonError, JsonProblem, Value};

/// The items of an array that stands in a hashed object after bytes known beforehand.
///
/// Sees nothing but items: what stands before and behind the array is the caller's to compare with
/// the canonical form, as is each item.
pub(crate) struct Items<'a> {
    parser: Parser<'a>,
    first: bool,
}

/// An item and its bytes.
type Spelled<'a, T> = (Item<T>, &'a [u8]);

/// One item.
pub(crate) enum Item<T> {
    /// It has the expected form.
    Known(T),
    /// It has another one.
    Other(Value),
}

impl<'a> Items<'a> {
    /// Starts behind `prefix`, which ends with the array's `[`; `None` when the document begins
    /// otherwise.
    pub(crate) fn after(
        prefix: &'static str,
        depth: usize,
        bytes: &'a [u8],
    ) -> Result<Option<Self>, JsonError> {
        let mut parser = Parser::hashed(bytes)?;
        let found = parser.skip(prefix);
        parser.enter(depth);
        Ok(found.then_some(Self {
            parser,
            first: true,
        }))
    }

    /// The next item and its bytes, read with `known` when it has the form that this expects;
    /// `None` behind the last one.
    pub(crate) fn next<T>(
        &mut self,
        known: impl FnOnce(&mut Known<'_, '_>) -> Option<T>,
    ) -> Result<Option<Spelled<'a, T>>, JsonError> {
        if self.parser.skip("]") {
            return Ok(None);
        }
        if !self.first && !self.parser.skip(",") {
            return Err(self.parser.error(JsonProblem::NotCanonical));
        }
        self.first = false;
        let before = self.parser.rest();
        let start = self.parser.place();
        let item = if let Some(item) = known(&mut Known::at(&mut self.parser)) {
            Item::Known(item)
        } else {
            self.parser.back_to(start);
            Item::Other(self.parser.value()?)
        };
        let size = before.len() - self.parser.rest().len();
        Ok(Some((
            item,
            before.as_bytes().get(..size).unwrap_or_default(),
        )))
    }

    /// Bytes read so far.
    pub(crate) fn offset(&self) -> usize {
        self.parser.offset()
    }

    /// What follows the array.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.parser.rest().as_bytes()
    }
}
