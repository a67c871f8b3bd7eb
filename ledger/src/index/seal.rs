//! The seal of a closed store: a file that names every byte of it.
//!
//! The store below forgets data silently when its files were changed behind its back. So whoever
//! closes it cleanly writes down the length and BLAKE3 of each of its files, and whoever opens it
//! compares before the store sees a byte. A store without a seal was not closed cleanly; then its
//! rows are counted instead ([`super::inspect`]).

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// First line of a seal.
const SCHEMA: &str = "stella.index-seal/v1";

/// What a seal says of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// There is none: the store was not closed cleanly.
    Absent,
    /// Every file is as it was when the store was closed.
    Whole,
    /// A file differs, is missing, or is new.
    Broken,
}

/// Writes the seal of `folder`, whose files are no longer in use, to `seal`.
///
/// # Errors
/// Those of the files. Without a seal the store is only opened more slowly.
pub fn write(seal: &Path, folder: &Path) -> io::Result<()> {
    let text = describe(folder)?;
    let temporary = seal.with_extension("new");
    fs::write(&temporary, text)?;
    File::open(&temporary)?.sync_all()?;
    fs::rename(&temporary, seal)?;
    sync_parent(seal)
}

/// Compares `folder` with its seal, and breaks the seal if it is whole: the store is about to be
/// opened, which changes its files.
///
/// # Errors
/// Those of the files.
pub fn take(seal: &Path, folder: &Path) -> io::Result<Seal> {
    let sealed = match fs::read(seal) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Seal::Absent),
        Err(error) => return Err(error),
    };
    if sealed != describe(folder)?.as_bytes() {
        return Ok(Seal::Broken);
    }
    fs::remove_file(seal)?;
    sync_parent(seal)?;
    Ok(Seal::Whole)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn describe(folder: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    let mut text = format!("{SCHEMA}\n");
    for path in files {
        let mut hasher = blake3::Hasher::new();
        let length = io::copy(&mut File::open(&path)?, &mut hasher)?;
        let name = path.strip_prefix(folder).unwrap_or(&path);
        let digest = hasher.finalize().to_hex();
        // Writing to a String does not fail.
        let _ = writeln!(text, "{length} {digest} {}", name.display());
    }
    Ok(text)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_notices_every_change_and_is_broken_by_opening() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("store");
        let seal = dir.path().join("SEAL");
        fs::create_dir_all(folder.join("blobs")).unwrap();
        fs::write(folder.join("db"), [1, 2, 3]).unwrap();
        fs::write(folder.join("blobs/1"), []).unwrap();
        assert_eq!(take(&seal, &folder).unwrap(), Seal::Absent);
        write(&seal, &folder).unwrap();
        assert_eq!(take(&seal, &folder).unwrap(), Seal::Whole);
        assert_eq!(take(&seal, &folder).unwrap(), Seal::Absent);
        let changes: [&dyn Fn(); 4] = [
            &|| fs::write(folder.join("db"), [1, 2, 2]).unwrap(),
            &|| fs::write(folder.join("db"), [1, 2]).unwrap(),
            &|| fs::write(folder.join("new"), []).unwrap(),
            &|| fs::remove_file(folder.join("blobs/1")).unwrap(),
        ];
        for change in changes {
            write(&seal, &folder).unwrap();
            change();
            assert_eq!(take(&seal, &folder).unwrap(), Seal::Broken);
        }
    }
}
