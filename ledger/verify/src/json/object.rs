//! JSON objects in canonical member order.

use super::{Text, Value};
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Members of a JSON object, always sorted by name as UTF-16 code units (RFC 8785 3.2.3), so that
/// writing an object never sorts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object(Vec<(Text, Value)>);

impl Object {
    /// No members.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The member called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let place = self.place(name).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// Adds or replaces a member; returns what it replaced.
    pub fn insert(&mut self, name: impl Into<Text>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        match self.place(&name) {
            Ok(place) => {
                let slot = self.0.get_mut(place)?;
                Some(core::mem::replace(&mut slot.1, value))
            }
            Err(place) => {
                self.0.insert(place, (name, value));
                None
            }
        }
    }

    /// The same object with one more member, for building in one expression.
    #[must_use]
    pub fn with(mut self, name: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.insert(name, value);
        self
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let place = self.place(name).ok()?;
        Some(self.0.remove(place).1)
    }

    /// Number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Members in canonical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Sorts members in the order they were read; gives back a name that occurs twice.
    pub(super) fn from_members(mut members: Vec<(Text, Value)>) -> Result<Self, Text> {
        let ordered = |pair: &[(Text, Value)]| match pair {
            [(left, _), (right, _)] => utf16_order(left, right),
            _ => Ordering::Less,
        };
        if !members.windows(2).all(|pair| ordered(pair).is_lt()) {
            members.sort_by(|(left, _), (right, _)| utf16_order(left, right));
            if let Some([(name, _), ..]) = members.windows(2).find(|pair| ordered(pair).is_eq()) {
                return Err(name.clone());
            }
        }
        Ok(Self(members))
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(other, _)| utf16_order(other, name))
    }
}

impl<N: Into<Text>, V: Into<Value>> FromIterator<(N, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(members: I) -> Self {
        let mut object = Self::new();
        for (name, value) in members {
            object.insert(name, value);
        }
        object
    }
}

impl IntoIterator for Object {
    type Item = (Text, Value);
    type IntoIter = alloc::vec::IntoIter<(Text, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Orders two strings as their UTF-16 code units order, without converting them.
///
/// UTF-8 bytes order as code points do. UTF-16 differs in one place: surrogates (D800-DFFF, which
/// encode U+10000 and up) stand below U+E000-U+FFFF. In UTF-8 the former begin with F0-F4 and the
/// latter with EE or EF, so the first unequal byte decides once these two leads are moved to the top.
#[must_use]
pub fn utf16_order(left: &str, right: &str) -> Ordering {
    let unequal = left.bytes().zip(right.bytes()).find(|(l, r)| l != r);
    let rank = |byte: u8| match byte {
        0xEE | 0xEF => u16::from(byte) + 0x100,
        _ => u16::from(byte),
    };
    unequal.map_or_else(
        || left.len().cmp(&right.len()),
        |(l, r)| rank(l).cmp(&rank(r)),
    )
}
