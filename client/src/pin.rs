//! The last checkpoint of each log that this machine has seen, on disk.

use crate::ClientError;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use stella_verify::checkpoint::Origin;
use stella_verify::hash::{sha256, to_hex};

/// A folder of remembered checkpoints, one file for each log.
#[derive(Debug, Clone)]
pub struct PinStore {
    folder: PathBuf,
}

impl PinStore {
    /// Remembers under `folder`, which is made when first needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The signed note remembered for a log, if any.
    ///
    /// # Errors
    /// [`ClientError::Pin`] when it cannot be read: never taken for "none".
    pub fn load(&self, origin: &Origin) -> Result<Option<Vec<u8>>, ClientError> {
        let path = self.path(origin);
        match fs::read(&path) {
            Ok(note) => Ok(Some(note)),
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(problem) => Err(failed(&path, &problem)),
        }
    }

    /// Remembers a signed note; a crash leaves the old one or the new one.
    ///
    /// # Errors
    /// [`ClientError::Pin`].
    pub fn store(&self, origin: &Origin, note: &[u8]) -> Result<(), ClientError> {
        let path = self.path(origin);
        let temporary = path.with_extension(format!("new-{}", std::process::id()));
        let write = || {
            fs::create_dir_all(&self.folder)?;
            let mut file = fs::File::create(&temporary)?;
            file.write_all(note)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|problem| failed(&path, &problem))
    }

    /// Where the checkpoint of a log is kept. Named by hash: an origin may hold any character.
    #[must_use]
    pub fn path(&self, origin: &Origin) -> PathBuf {
        self.folder.join(format!(
            "{}.checkpoint",
            to_hex(&sha256(origin.as_str().as_bytes()))
        ))
    }
}

fn failed(path: &Path, problem: &io::Error) -> ClientError {
    ClientError::Pin {
        path: path.display().to_string(),
        why: problem.to_string(),
    }
}
