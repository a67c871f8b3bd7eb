//! The marker: how far the store was folded, and what it must then contain.

use bincode::{Decode, Encode};
use stella_verify::hash::RootHash;
use stella_verify::merkle::TreeHead;
use stella_verify::units::TreeSize;
use xxhash_rust::xxh3::xxh3_128;

use super::keys::Table;
use super::kv::{KvStore, StoreError};

/// Version of everything in the store. Another one is dropped and folded again.
const FORMAT_VERSION: u8 = 3;

/// The marker's key.
pub(crate) const MARKER_KEY: [u8; 1] = [Table::Marker.byte()];

/// A checksum over a set of rows that does not depend on their order: it tells of rows that the
/// store below has silently lost or brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Inventory {
    rows: u64,
    sum: u128,
}

impl Inventory {
    /// Counts a row in.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(row_sum(key, value));
    }

    /// Counts a row out.
    pub fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(row_sum(key, value));
    }

    /// How many rows.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }
}

fn row_sum(key: &[u8], value: &[u8]) -> u128 {
    let mut row = Vec::with_capacity(8 + key.len() + value.len());
    row.extend_from_slice(&u64::try_from(key.len()).unwrap_or(u64::MAX).to_be_bytes());
    row.extend_from_slice(key);
    row.extend_from_slice(value);
    xxh3_128(&row)
}

/// What the store says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// Leaves that were folded.
    pub folded: TreeSize,
    /// What the log had published when they were: at least as much. Only sizes that were published
    /// can be compared with the log, and this one is evidence that the log once had it.
    pub published: TreeHead<RootHash>,
    /// The rows of the complete windows.
    pub inventory: Inventory,
}

#[derive(Encode, Decode)]
struct Stored {
    folded: u64,
    size: u64,
    root: [u8; 32],
    inventory: Inventory,
}

impl Marker {
    /// The marker of a store; `None` in an empty one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is not of this version.
    pub fn load(store: &dyn KvStore) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = store.get(&MARKER_KEY)? else {
            return Ok(None);
        };
        let stored: Stored = decode(&bytes)?;
        Ok(Some(Self {
            folded: TreeSize::new(stored.folded),
            published: TreeHead {
                size: TreeSize::new(stored.size),
                root: RootHash::new(stored.root),
            },
            inventory: stored.inventory,
        }))
    }

    /// The value to store.
    ///
    /// # Errors
    /// Never in practice; [`StoreError::Damaged`] if encoding fails.
    pub fn to_bytes(self) -> Result<Vec<u8>, StoreError> {
        encode(&Stored {
            folded: self.folded.get(),
            size: self.published.size.get(),
            root: *self.published.root.as_bytes(),
            inventory: self.inventory,
        })
    }
}

/// A private value: a version byte, then bincode.
pub(crate) fn encode(value: &impl Encode) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![FORMAT_VERSION];
    bincode::encode_into_std_write(value, &mut bytes, bincode::config::standard())
        .map_err(|error| StoreError::damaged(error.to_string()))?;
    Ok(bytes)
}

/// Reads a private value that must end where the bytes do.
pub(crate) fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, StoreError> {
    let Some((&FORMAT_VERSION, body)) = bytes.split_first() else {
        return Err(StoreError::damaged("a value is of another version"));
    };
    // Bounded: the claimed length of a list is checked against this before it is allocated.
    let config = bincode::config::standard().with_limit::<{ 1 << 20 }>();
    match bincode::decode_from_slice(body, config) {
        Ok((value, read)) if read == body.len() => Ok(value),
        Ok(_) => Err(StoreError::damaged("a value has trailing bytes")),
        Err(error) => Err(StoreError::damaged(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_reads_back_and_refuses_other_versions() {
        let mut inventory = Inventory::default();
        inventory.add(b"key", b"value");
        let marker = Marker {
            folded: TreeSize::new(5),
            published: TreeHead {
                size: TreeSize::new(7),
                root: RootHash::new([1; 32]),
            },
            inventory,
        };
        let store = crate::index::memory::MemoryStore::default();
        assert_eq!(Marker::load(&store).unwrap(), None);
        let put = |bytes: Vec<u8>| {
            let op = crate::index::kv::Op::Put(MARKER_KEY.to_vec(), bytes);
            store.apply(vec![op]).unwrap();
        };
        let bytes = marker.to_bytes().unwrap();
        put(bytes.clone());
        assert_eq!(Marker::load(&store).unwrap(), Some(marker));
        for bad in [
            [&[FORMAT_VERSION + 1], &bytes[1..]].concat(),
            [&bytes[..], &[0]].concat(),
            bytes[..bytes.len() - 1].to_vec(),
        ] {
            put(bad);
            assert!(Marker::load(&store).is_err());
        }
    }

    #[test]
    fn an_inventory_ignores_order_and_notices_rows() {
        let mut one = Inventory::default();
        one.add(b"a", b"1");
        one.add(b"b", b"2");
        let mut other = Inventory::default();
        other.add(b"b", b"2");
        assert_ne!(one, other);
        other.add(b"a", b"1");
        assert_eq!(one, other);
        one.remove(b"a", b"1");
        one.add(b"a1", b"");
        assert_ne!(one, other);
    }
}
