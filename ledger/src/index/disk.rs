//! The index on disk: sled for everything that is looked up, flat files for hash tiles.
//!
//! Both are one store to the fold: the table byte of a key says where it lives. Tiles are written
//! before the batch that follows them, so the marker, which goes last, never claims a tile that was
//! not written.

use std::ops::ControlFlow;
use std::path::Path;

use super::keys::Table;
use super::kv::{Direction, KeyRange, KvStore, Op, ScanVisitor, StoreError};
use super::store::{CacheBytes, SledStore};
use super::tile_files::{TileFiles, TileKey};

/// The database's folder inside the store's.
const SLED_FOLDER: &str = "sled";

/// The tiles' folder inside the store's.
const TILES_FOLDER: &str = "tiles";

/// A sled database and tile files in one folder.
#[derive(Debug)]
pub struct DiskStore {
    sled: SledStore,
    tiles: TileFiles,
}

impl DiskStore {
    /// Opens the store in `folder`, creating it when absent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(folder: &Path, cache: CacheBytes) -> Result<Self, StoreError> {
        Ok(Self {
            sled: SledStore::open(&folder.join(SLED_FOLDER), cache)?,
            tiles: TileFiles::open(&folder.join(TILES_FOLDER))?,
        })
    }

    /// Visits the tiles of a range; whether to go on.
    fn scan_tiles(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut ScanVisitor<'_>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let mut levels: Vec<u8> = (0..self.tiles.levels()).collect();
        if direction == Direction::Backward {
            levels.reverse();
        }
        for level in levels {
            let count = self.tiles.count(level)?;
            for step in 0..count {
                let index = match direction {
                    Direction::Forward => step,
                    Direction::Backward => count - 1 - step,
                };
                let tile = TileKey { level, index };
                let key = tile.to_bytes();
                if key < range.from || range.to.as_ref().is_some_and(|to| key >= *to) {
                    continue;
                }
                let mut flow = ControlFlow::Continue(());
                self.tiles
                    .read(tile, &mut |bytes| flow = visit(&key, bytes))?;
                if flow.is_break() {
                    return Ok(flow);
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Visits the rest of a range, either below the tiles' keys or above them; whether to go on.
    fn scan_sled(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut ScanVisitor<'_>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let mut last = ControlFlow::Continue(());
        self.sled.scan(range, direction, &mut |key, value| {
            last = visit(key, value);
            last
        })?;
        Ok(last)
    }
}

fn is_tile(key: &[u8]) -> bool {
    key.first() == Some(&Table::Tiles.byte())
}

impl KvStore for DiskStore {
    fn read(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError> {
        match TileKey::of(key).filter(|_| is_tile(key)) {
            Some(tile) => self.tiles.read(tile, visit),
            None => self.sled.read(key, visit),
        }
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut ScanVisitor<'_>,
    ) -> Result<(), StoreError> {
        let tiles = KeyRange::prefix(&[Table::Tiles.byte()]);
        let above = tiles.to.clone().unwrap_or_default();
        let reaches = range.to.as_ref().is_none_or(|to| *to > tiles.from);
        if range.from >= above || !reaches {
            return self.sled.scan(range, direction, visit);
        }
        let below = KeyRange {
            from: range.from.clone(),
            to: Some(tiles.from),
        };
        let above = KeyRange {
            from: above,
            to: range.to.clone(),
        };
        let (first, last) = match direction {
            Direction::Forward => (&below, &above),
            Direction::Backward => (&above, &below),
        };
        if self.scan_sled(first, direction, visit)?.is_continue()
            && self.scan_tiles(range, direction, visit)?.is_continue()
        {
            // The range ends here, whether or not the visitor broke off.
            let _ = self.scan_sled(last, direction, visit)?;
        }
        Ok(())
    }

    fn apply(&self, batch: Vec<Op>) -> Result<(), StoreError> {
        let mut rest = Vec::with_capacity(batch.len());
        for op in batch {
            match &op {
                Op::Put(key, tile) if is_tile(key) => {
                    let key = TileKey::of(key).ok_or_else(|| StoreError::damaged("no tile"))?;
                    self.tiles.write(key, tile)?;
                }
                _ => rest.push(op),
            }
        }
        if rest.is_empty() {
            return Ok(());
        }
        self.sled.apply(rest)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.sled.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::keys;

    #[test]
    fn tiles_stand_among_the_other_keys_in_both_directions() {
        let dir = tempfile::tempdir().unwrap();
        let store = DiskStore::open(dir.path(), CacheBytes(1 << 20)).unwrap();
        let tile = vec![7; crate::index::tiles::TILE_BYTES];
        let mut keys = vec![b"A1".to_vec(), keys::tile(0, 0), keys::tile(0, 1)];
        keys.extend([keys::tile(1, 0), b"K1".to_vec()]);
        let puts = keys.iter().map(|key| Op::Put(key.clone(), tile.clone()));
        store.apply(puts.collect()).unwrap();
        let scan = |range: &KeyRange, direction| {
            let mut found = Vec::new();
            store
                .scan(range, direction, &mut |key, value| {
                    assert_eq!(value, tile);
                    found.push(key.to_vec());
                    ControlFlow::Continue(())
                })
                .unwrap();
            found
        };
        assert_eq!(scan(&KeyRange::all(), Direction::Forward), keys);
        let mut reversed = keys.clone();
        reversed.reverse();
        assert_eq!(scan(&KeyRange::all(), Direction::Backward), reversed);
        let from_second = KeyRange {
            from: keys::tile(0, 1),
            to: Some(keys::tile(1, 0)),
        };
        assert_eq!(scan(&from_second, Direction::Forward), keys[2..3]);
        let others = KeyRange::prefix(b"K");
        assert_eq!(scan(&others, Direction::Forward), keys[4..]);
        assert_eq!(store.get(&keys::tile(0, 1)).unwrap(), Some(tile.clone()));
        assert_eq!(store.get(&keys::tile(0, 2)).unwrap(), None);
    }
}
