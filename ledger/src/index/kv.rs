//! The ordered key/value store below the projections, as a trait.
//!
//! Two implementations: sled on disk ([`super::store`]) and a sorted map in memory
//! ([`super::memory`]) for folds that are thrown away. Either may be lost at any time: everything in
//! it can be folded again.

use std::ops::ControlFlow;

use crate::limits::{INDEX_BATCH_BYTES, INDEX_BATCH_KEYS};

/// Why the store gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Its bytes are not what was written. The index drops it and folds again by itself.
    #[error("the index store is damaged ({0}); it is folded again from the log")]
    Damaged(String),
    /// The operating system refused. Check space and permissions of the index folder.
    #[error("the index store cannot be used: {0}")]
    Io(String),
}

impl StoreError {
    /// A damage, named.
    pub fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Sets a key.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key; no error when it is absent.
    Delete(Vec<u8>),
}

/// A key and its value.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// Receives a key and its value; breaks to end the scan.
pub type ScanVisitor<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Which way a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Ascending keys.
    Forward,
    /// Descending keys.
    Backward,
}

/// Keys in `from..to`, bytewise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// First key.
    pub from: Vec<u8>,
    /// The end, exclusive; `None` for no end.
    pub to: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    #[must_use]
    pub fn all() -> Self {
        Self {
            from: Vec::new(),
            to: None,
        }
    }

    /// Every key that begins with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        Self {
            from: prefix.to_vec(),
            to: successor(prefix),
        }
    }
}

/// The least key greater than every key that begins with `prefix`.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

/// An ordered map from bytes to bytes. One writer, many readers.
pub trait KvStore: Send + Sync {
    /// Hands the value of `key` to `visit`; false when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    fn read(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError>;

    /// Visits the keys of a range in order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut ScanVisitor<'_>,
    ) -> Result<(), StoreError>;

    /// Applies a batch, all or nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    fn apply(&self, batch: Vec<Op>) -> Result<(), StoreError>;

    /// Hands everything applied so far to the operating system.
    ///
    /// # Errors
    /// [`StoreError`].
    fn flush(&self) -> Result<(), StoreError>;

    /// A copy of the value of `key`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut value = None;
        self.read(key, &mut |bytes| value = Some(bytes.to_vec()))?;
        Ok(value)
    }
}

/// Collects changes and applies them in batches of bounded size.
///
/// One huge batch costs gigabytes of memory in the store below (measured), so a large change is
/// many batches. It becomes atomic by its last batch, which carries the marker: whatever a crash
/// leaves of the earlier ones is written again, with the same keys and values.
pub struct BatchWriter<'a> {
    store: &'a dyn KvStore,
    ops: Vec<Op>,
    bytes: usize,
}

impl<'a> BatchWriter<'a> {
    /// A writer without changes.
    #[must_use]
    pub fn new(store: &'a dyn KvStore) -> Self {
        Self {
            store,
            ops: Vec::new(),
            bytes: 0,
        }
    }

    /// Sets a key.
    ///
    /// # Errors
    /// [`StoreError`] of applying a full batch.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), StoreError> {
        self.bytes += key.len() + value.len();
        self.push(Op::Put(key, value))
    }

    /// Removes a key.
    ///
    /// # Errors
    /// [`StoreError`] of applying a full batch.
    pub fn delete(&mut self, key: Vec<u8>) -> Result<(), StoreError> {
        self.bytes += key.len();
        self.push(Op::Delete(key))
    }

    /// Applies what is collected, in one batch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn apply(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        if self.ops.is_empty() {
            return Ok(());
        }
        self.store.apply(std::mem::take(&mut self.ops))
    }

    fn push(&mut self, op: Op) -> Result<(), StoreError> {
        self.ops.push(op);
        if self.ops.len() >= INDEX_BATCH_KEYS || self.bytes >= INDEX_BATCH_BYTES {
            self.apply()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_its_successor_begins() {
        assert_eq!(KeyRange::prefix(b"ab").to, Some(b"ac".to_vec()));
        assert_eq!(KeyRange::prefix(b"a\xff").to, Some(b"b".to_vec()));
        assert_eq!(KeyRange::prefix(b"\xff").to, None);
    }
}
