//! A store in memory, for folds that are thrown away: checks, and projections as of the past.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::{PoisonError, RwLock};

use super::kv::{Direction, KeyRange, KvStore, Op, ScanVisitor, StoreError};

/// An ordered map behind a lock.
#[derive(Debug, Default)]
pub struct MemoryStore {
    map: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl KvStore for MemoryStore {
    fn read(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let value = map.get(key);
        if let Some(value) = value {
            visit(value);
        }
        Ok(value.is_some())
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut ScanVisitor<'_>,
    ) -> Result<(), StoreError> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let to = range
            .to
            .as_deref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        if range.to.as_ref().is_some_and(|to| *to <= range.from) {
            return Ok(());
        }
        let mut rows = map.range::<[u8], _>((Bound::Included(range.from.as_slice()), to));
        loop {
            let next = match direction {
                Direction::Forward => rows.next(),
                Direction::Backward => rows.next_back(),
            };
            let Some((key, value)) = next else {
                return Ok(());
            };
            if let ControlFlow::Break(()) = visit(key, value) {
                return Ok(());
            }
        }
    }

    fn apply(&self, batch: Vec<Op>) -> Result<(), StoreError> {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        for op in batch {
            match op {
                Op::Put(key, value) => {
                    map.insert(key, value);
                }
                Op::Delete(key) => {
                    map.remove(&key);
                }
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
