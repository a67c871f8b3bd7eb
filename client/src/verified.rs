//! Evidence that a value was checked.

use std::ops::Deref;

/// A value that was checked against keys or hashes of the caller; only this crate makes one.
///
/// What was checked stands with the method that returned it. Code that needs truth asks for a
/// `Verified<T>` and cannot be handed an answer as it came: those are only to be had from a
/// [`Connection`](crate::Connection).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value alone, without the evidence.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
