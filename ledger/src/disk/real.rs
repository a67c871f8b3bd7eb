//! The operating system's files.

use super::{ByteLength, ByteOffset, Disk, DiskFile, DiskLock, zeros};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder of the file system.
#[derive(Debug, Clone)]
pub struct RealDisk {
    root: PathBuf,
}

impl RealDisk {
    /// Everything happens below `root`, which must exist.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder given to [`RealDisk::new`].
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn create_file(&self, path: &str) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(self.root.join(path))
    }
}

impl Disk for RealDisk {
    fn create_dir(&self, path: &str) -> io::Result<()> {
        std::fs::create_dir_all(self.root.join(path))
    }

    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(self.create_file(path)?)))
    }

    fn create_zeroed(&self, path: &str, length: ByteLength) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.create_file(path)?;
        let reserved = zeros::reserve(&file, length)?;
        let file = Arc::new(RealFile(file));
        if !reserved {
            zeros::write(&*file, length)?;
        }
        Ok(file)
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.root.join(path))?;
        Ok(Arc::new(RealFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.root.join(from), self.root.join(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        std::fs::remove_file(self.root.join(path))
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.root.join(directory))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                // A name that is not UTF-8 is not one of ours.
                if let Ok(name) = entry.file_name().into_string() {
                    names.push(name);
                }
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        File::open(self.root.join(path))?.sync_all()
    }

    fn lock(&self, path: &str) -> io::Result<Option<Box<dyn DiskLock>>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.root.join(path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(RealLock { _file: file }))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[derive(Debug)]
struct RealFile(File);

impl DiskFile for RealFile {
    fn length(&self) -> io::Result<ByteLength> {
        Ok(ByteLength(self.0.metadata()?.len()))
    }

    fn read_at(&self, buffer: &mut [u8], offset: ByteOffset) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset.0)
    }

    fn write_at(&self, bytes: &[u8], offset: ByteOffset) -> io::Result<()> {
        self.0.write_all_at(bytes, offset.0)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// The lock lives as long as the descriptor.
#[derive(Debug)]
struct RealLock {
    _file: File,
}

impl DiskLock for RealLock {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    const LENGTH: ByteLength = ByteLength(3 * 1024 * 1024 + 4096);

    fn is_zeros(path: &Path) -> bool {
        let bytes = std::fs::read(path).unwrap();
        bytes.len() as u64 == LENGTH.0 && bytes.iter().all(|byte| *byte == 0)
    }

    #[test]
    fn a_zeroed_file_forgets_what_it_was_and_has_its_space() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("segment");
        std::fs::write(&path, [7; 5000]).unwrap();
        let disk = RealDisk::new(folder.path());
        let file = disk.create_zeroed("segment", LENGTH).unwrap();
        assert_eq!(file.length().unwrap(), LENGTH);
        assert!(is_zeros(&path));
        let space = std::fs::metadata(&path).unwrap().blocks() * 512;
        assert!(space >= LENGTH.0, "{space} bytes of {}", LENGTH.0);
    }

    #[test]
    fn written_zeros_make_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(folder.path());
        let file = disk.create("segment").unwrap();
        zeros::write(&*file, LENGTH).unwrap();
        assert!(is_zeros(&folder.path().join("segment")));
    }
}
