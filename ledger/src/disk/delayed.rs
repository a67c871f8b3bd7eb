//! A disk whose syncs take longer: what slower disks than this machine's would show.

use super::{ByteLength, ByteOffset, Disk, DiskFile, DiskLock};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Adds a delay to every sync of a file. For benchmarks: group commit exists for slow syncs, and
/// a fast disk hides what it does.
#[derive(Debug)]
pub struct DelayedSync {
    disk: Arc<dyn Disk>,
    delay: Duration,
}

impl DelayedSync {
    /// As `disk`, every file sync taking `delay` longer.
    #[must_use]
    pub const fn new(disk: Arc<dyn Disk>, delay: Duration) -> Self {
        Self { disk, delay }
    }

    fn wrap(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        let delay = self.delay;
        Arc::new(DelayedFile { file, delay })
    }
}

impl Disk for DelayedSync {
    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.disk.create_dir(path)
    }

    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.wrap(self.disk.create(path)?))
    }

    fn create_zeroed(&self, path: &str, length: ByteLength) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.wrap(self.disk.create_zeroed(path, length)?))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.wrap(self.disk.open(path)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.disk.list(directory)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.disk.sync_dir(path)
    }

    fn lock(&self, path: &str) -> io::Result<Option<Box<dyn DiskLock>>> {
        self.disk.lock(path)
    }
}

#[derive(Debug)]
struct DelayedFile {
    file: Arc<dyn DiskFile>,
    delay: Duration,
}

impl DiskFile for DelayedFile {
    fn length(&self) -> io::Result<ByteLength> {
        self.file.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: ByteOffset) -> io::Result<()> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: ByteOffset) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()?;
        if !self.delay.is_zero() {
            std::thread::sleep(self.delay);
        }
        Ok(())
    }
}
