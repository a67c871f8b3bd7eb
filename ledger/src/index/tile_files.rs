//! Hash tiles on disk: one flat file per tile level, a tile at a place computed from its index.
//!
//! Full tiles are fixed in size, numbered without gaps and written once, in order. In sled they
//! cost the most of all tables and gain nothing from it: measured at 10 million leaves, 340 MB of
//! tiles made a random read a page of 16 tiles (20 to 40 us and evictions, 480 MB of memory), and
//! two thirds of all bytes written. Here a read is one `pread` of one tile, and the operating
//! system's page cache is the only cache.
//!
//! A tile's checksum covers its level and index. A tile that was lost to a crash is a hole, fails
//! its checksum and is damage like any other: the index is folded again.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::keys;
use super::kv::StoreError;
use super::tiles::TILE_BYTES;

const CHECKSUM_BYTES: usize = 8;

const RECORD_BYTES: usize = TILE_BYTES + CHECKSUM_BYTES;

/// The files of all tile levels.
#[derive(Debug)]
pub struct TileFiles {
    folder: PathBuf,
    levels: RwLock<Vec<Arc<File>>>,
}

/// Which tile, as its key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileKey {
    /// Tile level.
    pub level: u8,
    /// Place in the level.
    pub index: u64,
}

impl TileKey {
    /// The tile that a key of the tiles table names.
    #[must_use]
    pub fn of(key: &[u8]) -> Option<Self> {
        let (_, rest) = key.split_first()?;
        let (level, rest) = rest.split_first()?;
        let index = u64::from_be_bytes(*rest.first_chunk::<8>()?);
        (rest.len() == 8).then_some(Self {
            level: *level,
            index,
        })
    }

    /// Its key.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        keys::tile(self.level, self.index)
    }

    fn offset(self) -> Result<u64, StoreError> {
        let record = u64::try_from(RECORD_BYTES).unwrap_or(u64::MAX);
        let offset = self.index.checked_mul(record);
        offset.ok_or_else(|| StoreError::damaged("a tile index is impossible"))
    }

    fn checksum(self, tile: &[u8]) -> [u8; CHECKSUM_BYTES] {
        let seed = xxh3_64_with_seed(&self.to_bytes(), 0);
        xxh3_64_with_seed(tile, seed).to_le_bytes()
    }
}

impl TileFiles {
    /// The files in `folder`, which is created when absent.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|error| refused(&error))?;
        let files = Self {
            folder: folder.to_path_buf(),
            levels: RwLock::new(Vec::new()),
        };
        let mut level = 0;
        while files.path(level).exists() {
            files.add_level(level)?;
            level += 1;
        }
        Ok(files)
    }

    /// Reads a stored tile; false when there is none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is not what was written.
    pub fn read(&self, key: TileKey, visit: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError> {
        let Some(file) = self.level(key.level) else {
            return Ok(false);
        };
        let mut record = [0; RECORD_BYTES];
        match file.read_exact_at(&mut record, key.offset()?) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(refused(&error)),
        }
        let (tile, sum) = record.split_at(TILE_BYTES);
        if sum != key.checksum(tile) {
            return Err(StoreError::damaged("a hash tile fails its checksum"));
        }
        visit(tile);
        Ok(true)
    }

    /// Writes a tile.
    ///
    /// # Errors
    /// [`StoreError::Io`]; [`StoreError::Damaged`] for a value that is no tile (a fault).
    pub fn write(&self, key: TileKey, tile: &[u8]) -> Result<(), StoreError> {
        if tile.len() != TILE_BYTES {
            return Err(StoreError::damaged("a hash tile of another size"));
        }
        let file = match self.level(key.level) {
            Some(file) => file,
            None => self.add_level(key.level)?,
        };
        let mut record = Vec::with_capacity(RECORD_BYTES);
        record.extend_from_slice(tile);
        record.extend_from_slice(&key.checksum(tile));
        file.write_all_at(&record, key.offset()?)
            .map_err(|error| refused(&error))
    }

    /// How many tiles a level has.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn count(&self, level: u8) -> Result<u64, StoreError> {
        let Some(file) = self.level(level) else {
            return Ok(0);
        };
        let length = file.metadata().map_err(|error| refused(&error))?.len();
        Ok(length / u64::try_from(RECORD_BYTES).unwrap_or(u64::MAX))
    }

    /// How many levels there are.
    #[must_use]
    pub fn levels(&self) -> u8 {
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        u8::try_from(levels.len()).unwrap_or(u8::MAX)
    }

    fn level(&self, level: u8) -> Option<Arc<File>> {
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        levels.get(usize::from(level)).cloned()
    }

    /// Levels come into being one above the other, as the tree grows.
    fn add_level(&self, level: u8) -> Result<Arc<File>, StoreError> {
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        if levels.len() != usize::from(level) {
            return Err(StoreError::damaged("a level of tiles is missing"));
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path(level))
            .map_err(|error| refused(&error))?;
        let file = Arc::new(file);
        levels.push(Arc::clone(&file));
        Ok(file)
    }

    fn path(&self, level: u8) -> PathBuf {
        self.folder.join(format!("level-{level}"))
    }
}

fn refused(error: &io::Error) -> StoreError {
    StoreError::Io(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_is_read_back_from_its_place_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let files = TileFiles::open(dir.path()).unwrap();
        let key = |level, index| TileKey { level, index };
        let tile = |byte| vec![byte; TILE_BYTES];
        files.write(key(0, 0), &tile(1)).unwrap();
        files.write(key(0, 2), &tile(3)).unwrap();
        files.write(key(1, 0), &tile(4)).unwrap();
        let files = TileFiles::open(dir.path()).unwrap();
        let mut found = Vec::new();
        let mut read = |key| files.read(key, &mut |bytes| found = bytes.to_vec());
        assert!(read(key(0, 2)).unwrap());
        assert!(!read(key(0, 3)).unwrap());
        assert!(!read(key(2, 0)).unwrap());
        assert!(
            matches!(read(key(0, 1)), Err(StoreError::Damaged(_))),
            "a hole"
        );
        assert_eq!(found, tile(3));
        assert_eq!((files.levels(), files.count(0).unwrap()), (2, 3));
        assert!(files.write(key(3, 0), &tile(5)).is_err());
        // One tile in the place of another is noticed.
        let path = dir.path().join("level-0");
        let mut bytes = fs::read(&path).unwrap();
        bytes.copy_within(0..RECORD_BYTES, 2 * RECORD_BYTES);
        fs::write(&path, bytes).unwrap();
        assert!(files.read(key(0, 2), &mut |_| {}).is_err());
    }

    #[test]
    fn a_key_names_a_tile_or_nothing() {
        let key = TileKey {
            level: 2,
            index: 77,
        };
        assert_eq!(TileKey::of(&key.to_bytes()), Some(key));
        assert_eq!(TileKey::of(b"H"), None);
        assert_eq!(TileKey::of(&[key.to_bytes(), vec![0]].concat()), None);
    }
}
