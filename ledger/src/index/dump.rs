//! The whole content of a store as one ordered stream, to compare two of them.

use std::ops::ControlFlow;

use super::keys::Table;
use super::kv::{Direction, KeyRange, KeyValue, KvStore, StoreError};

/// Keys fetched at a time while two stores are compared.
const PAGE: usize = 256;

/// A fingerprint of every key and value in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dump {
    /// How many keys.
    pub keys: u64,
    /// BLAKE3 over the lengths and bytes of all keys and values in order.
    pub digest: blake3::Hash,
}

/// Fingerprints a store.
///
/// # Errors
/// [`StoreError`].
pub fn dump(store: &dyn KvStore) -> Result<Dump, StoreError> {
    let mut keys = 0;
    let mut hasher = blake3::Hasher::new();
    store.scan(&KeyRange::all(), Direction::Forward, &mut |key, value| {
        keys += 1;
        for part in [key, value] {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
        ControlFlow::Continue(())
    })?;
    Ok(Dump {
        keys,
        digest: hasher.finalize(),
    })
}

/// The first key whose value differs, or that only one of the stores has. The marker is left out:
/// besides what was folded it says what the log had published by then.
///
/// # Errors
/// [`StoreError`].
pub fn first_difference(
    one: &dyn KvStore,
    other: &dyn KvStore,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut from = Vec::new();
    loop {
        let (left, right) = (page(one, &from)?, page(other, &from)?);
        let differing = left.iter().zip(&right).find(|(left, right)| left != right);
        if let Some(((left, _), (right, _))) = differing {
            return Ok(Some(left.min(right).clone()));
        }
        if left.len() != right.len() {
            let longer = if left.len() > right.len() {
                &left
            } else {
                &right
            };
            let first = longer.get(left.len().min(right.len()));
            return Ok(first.map(|(key, _)| key.clone()));
        }
        let Some((last, _)) = left.last() else {
            return Ok(None);
        };
        from.clone_from(last);
        from.push(0);
    }
}

fn page(store: &dyn KvStore, from: &[u8]) -> Result<Vec<KeyValue>, StoreError> {
    let range = KeyRange {
        from: from.to_vec(),
        to: None,
    };
    let mut rows = Vec::with_capacity(PAGE);
    store.scan(&range, Direction::Forward, &mut |key, value| {
        if key.first() == Some(&Table::Marker.byte()) {
            return ControlFlow::Continue(());
        }
        rows.push((key.to_vec(), value.to_vec()));
        if rows.len() < PAGE {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::super::kv::Op;
    use super::super::memory::MemoryStore;
    use super::*;

    fn store(keys: impl Iterator<Item = u16>) -> MemoryStore {
        let store = MemoryStore::default();
        let puts = keys.map(|key| Op::Put(key.to_be_bytes().to_vec(), vec![1]));
        store.apply(puts.collect()).unwrap();
        store
    }

    #[test]
    fn the_first_difference_is_named() {
        let one = store(0..1_000);
        assert_eq!(first_difference(&one, &store(0..1_000)).unwrap(), None);
        let without = store((0..1_000).filter(|key| *key != 700));
        let key = Some(700u16.to_be_bytes().to_vec());
        assert_eq!(first_difference(&one, &without).unwrap(), key);
        assert_eq!(first_difference(&without, &one).unwrap(), key);
        let longer = store(0..1_001);
        let key = Some(1_000u16.to_be_bytes().to_vec());
        assert_eq!(first_difference(&one, &longer).unwrap(), key);
        assert_ne!(dump(&one).unwrap(), dump(&longer).unwrap());
        assert_eq!(dump(&one).unwrap().keys, 1_000);
    }
}
