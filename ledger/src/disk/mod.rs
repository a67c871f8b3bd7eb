//! What the log asks of a disk, and nothing more.
//!
//! The traits are thin so that a test can put faults and power loss underneath (the testkit's
//! `SimDisk`). What the log assumes of an implementation:
//!
//! * a block of 4,096 bytes at a multiple of 4,096 reaches the medium whole or not at all;
//! * after [`DiskFile::sync_data`] returns `Ok`, everything written to the file before the call
//!   survives power loss; after an error, nothing is known about any of it, now or later;
//! * a created or renamed name survives power loss only after [`Disk::sync_dir`];
//! * [`Disk::rename`] is atomic: the target is the old file or the new one, never neither.

mod delayed;
mod real;
mod zeros;

pub use delayed::DelayedSync;
pub use real::RealDisk;

use std::io;
use std::sync::Arc;

/// Distance from a file's start, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteOffset(pub u64);

/// Length of a file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteLength(pub u64);

/// An open file. Reads and writes name their offset: there is no shared cursor.
pub trait DiskFile: Send + Sync + std::fmt::Debug {
    /// The file's length.
    fn length(&self) -> io::Result<ByteLength>;

    /// Fills `buffer` from `offset`; a file that ends before is an error.
    fn read_at(&self, buffer: &mut [u8], offset: ByteOffset) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`, extending the file if it ends before.
    fn write_at(&self, bytes: &[u8], offset: ByteOffset) -> io::Result<()>;

    /// Makes all earlier writes durable (`fdatasync`).
    fn sync_data(&self) -> io::Result<()>;
}

/// Held while a process owns a directory; dropping it gives the directory up.
pub trait DiskLock: Send + Sync + std::fmt::Debug {}

/// A folder of files, named by relative paths with `/` between the parts.
pub trait Disk: Send + Sync + std::fmt::Debug {
    /// Creates a folder and its parents; existing ones are left alone.
    fn create_dir(&self, path: &str) -> io::Result<()>;

    /// Creates an empty file for reading and writing; one that exists is emptied.
    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Creates a file that reads as zeros and whose space is its own: a write into it does not fail
    /// for want of room. One that exists is emptied first. Nothing is synced.
    fn create_zeroed(&self, path: &str, length: ByteLength) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.create(path)?;
        zeros::write(&*file, length)?;
        Ok(file)
    }

    /// Opens an existing file for reading and writing.
    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Renames a file, replacing the target.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Names of the files directly in a folder, sorted bytewise.
    fn list(&self, directory: &str) -> io::Result<Vec<String>>;

    /// Makes a folder's created, renamed and removed names durable.
    fn sync_dir(&self, path: &str) -> io::Result<()>;

    /// Takes the exclusive lock on a file, creating it; `None` while anyone else holds it.
    fn lock(&self, path: &str) -> io::Result<Option<Box<dyn DiskLock>>>;
}
