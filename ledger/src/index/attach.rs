//! Opening the index folder: what is in it, and whether it may be used.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stella_verify::hash::RootHash;
use stella_verify::merkle::TreeHead;
use stella_verify::units::TreeSize;

use super::disk::DiskStore;
use super::fold::Fold;
use super::inspect::count_rows;
use super::kv::{Direction, KeyRange, KvStore, StoreError};
use super::marker::Marker;
use super::seal::{self, Seal};
use super::source::{EventSource, SourceError};
use super::store::CacheBytes;

/// The store's folder inside the index folder.
const STORE_FOLDER: &str = "store";

/// The seal's file inside the index folder.
const SEAL_FILE: &str = "SEAL";

/// Why the index could not be opened. Damage is none: that is folded again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AttachError {
    /// The index has seen more of the log than the log has: the log was cut, or an older copy was
    /// restored. Restore the complete log. The index was left as it is.
    #[error("the index knows the log with {} leaves, but the log has {log}", index.size)]
    Truncated {
        /// What the index has seen published.
        index: TreeHead<RootHash>,
        /// How many leaves the log has.
        log: TreeSize,
    },
    /// The folder cannot be read or written. Check its permissions and the space on its disk.
    #[error("the index folder cannot be used: {0}")]
    Folder(Arc<io::Error>),
    /// A new, empty store cannot be used either.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl From<io::Error> for AttachError {
    fn from(error: io::Error) -> Self {
        Self::Folder(Arc::new(error))
    }
}

/// What was found in the index folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing: a new index.
    Nothing,
    /// A store that fits the log; its fold goes on.
    Sound,
    /// A store that was dropped, and why; it is folded again from the first leaf.
    Dropped(String),
}

/// The index folder, before a log is at hand.
#[derive(Debug)]
pub struct IndexFolder {
    folder: PathBuf,
    cache: CacheBytes,
    found: Opened,
}

#[derive(Debug)]
enum Opened {
    Nothing,
    Readable(DiskStore, Marker, Seal),
    Unusable(String),
}

impl IndexFolder {
    /// Opens what is in `folder`. Nothing that it may contain makes this fail.
    ///
    /// # Errors
    /// [`AttachError::Folder`].
    pub fn open(folder: &Path, cache: CacheBytes) -> Result<Self, AttachError> {
        fs::create_dir_all(folder)?;
        let mut opened = Self {
            folder: folder.to_path_buf(),
            cache,
            found: Opened::Nothing,
        };
        if !opened.store_folder().exists() {
            return Ok(opened);
        }
        let seal = seal::take(&opened.seal_file(), &opened.store_folder())?;
        opened.found = if seal == Seal::Broken {
            Opened::Unusable("its files are not those that were closed".into())
        } else {
            match opened.read() {
                Ok(Some((store, marker))) => Opened::Readable(store, marker, seal),
                Ok(None) => Opened::Nothing,
                Err(error) => Opened::Unusable(error.to_string()),
            }
        };
        Ok(opened)
    }

    fn read(&self) -> Result<Option<(DiskStore, Marker)>, StoreError> {
        let store = DiskStore::open(&self.store_folder(), self.cache)?;
        if let Some(marker) = Marker::load(&store)? {
            return Ok(Some((store, marker)));
        }
        let mut empty = true;
        store.scan(&KeyRange::all(), Direction::Forward, &mut |_, _| {
            empty = false;
            ControlFlow::Break(())
        })?;
        if empty {
            Ok(None)
        } else {
            Err(StoreError::damaged("it has no marker"))
        }
    }

    /// What a readable index has seen the log publish: evidence against a log that has less.
    #[must_use]
    pub fn evidence(&self) -> Option<TreeHead<RootHash>> {
        match &self.found {
            Opened::Readable(_, marker, _) => Some(marker.published),
            _ => None,
        }
    }

    /// Compares the index with the log and gives a fold to continue.
    ///
    /// # Errors
    /// [`AttachError`]; with [`AttachError::Truncated`] the folder is as it was.
    pub(super) fn attach(mut self, source: &dyn EventSource) -> Result<Attached, AttachError> {
        if let Some(index) = self.evidence() {
            let log = source.head().size;
            if index.size > log {
                return Err(AttachError::Truncated { index, log });
            }
        }
        let dropped = match std::mem::replace(&mut self.found, Opened::Nothing) {
            Opened::Nothing => Found::Nothing,
            Opened::Unusable(why) => Found::Dropped(why),
            Opened::Readable(store, marker, seal) => {
                let known = source.published_root(marker.published.size)?;
                let same_log = known == Some(marker.published.root);
                match same_log.then(|| resume(store, &marker, seal)) {
                    Some(Ok(fold)) => {
                        let found = Found::Sound;
                        return Ok(Attached { fold, found });
                    }
                    Some(Err(error)) => Found::Dropped(error.to_string()),
                    None => Found::Dropped("it was folded from another log".into()),
                }
            }
        };
        Ok(Attached {
            fold: fresh(&self.folder, self.cache)?,
            found: dropped,
        })
    }

    fn store_folder(&self) -> PathBuf {
        store_folder(&self.folder)
    }

    fn seal_file(&self) -> PathBuf {
        seal_file(&self.folder)
    }
}

impl Drop for IndexFolder {
    /// A store that was only looked at is closed as it was found.
    fn drop(&mut self) {
        let found = std::mem::replace(&mut self.found, Opened::Nothing);
        if let Opened::Readable(store, _, Seal::Whole) = found {
            drop(store);
            // Without a seal the next open counts the rows; nothing is lost.
            let _ = seal_folder(&self.folder);
        }
    }
}

/// A fold over what was found, or over nothing.
pub(super) struct Attached {
    pub(super) fold: Fold,
    pub(super) found: Found,
}

fn resume(store: DiskStore, marker: &Marker, seal: Seal) -> Result<Fold, StoreError> {
    if seal == Seal::Absent {
        count_rows(&store, marker)?;
    }
    Fold::resume(Arc::new(store), marker)
}

/// Empties the index folder and begins a new fold in it.
///
/// # Errors
/// [`AttachError::Folder`] or [`AttachError::Store`].
pub(super) fn fresh(folder: &Path, cache: CacheBytes) -> Result<Fold, AttachError> {
    for path in [seal_file(folder), store_folder(folder)] {
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let store: Arc<dyn KvStore> = Arc::new(DiskStore::open(&store_folder(folder), cache)?);
    Ok(Fold::empty(store))
}

/// Seals a folder whose store is closed.
pub(super) fn seal_folder(folder: &Path) -> io::Result<()> {
    seal::write(&seal_file(folder), &store_folder(folder))
}

fn store_folder(folder: &Path) -> PathBuf {
    folder.join(STORE_FOLDER)
}

fn seal_file(folder: &Path) -> PathBuf {
    folder.join(SEAL_FILE)
}
