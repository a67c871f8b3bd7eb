//! Handles on the simulated disk.

use super::SimDisk;
use super::state::Inode;
use std::io;
use stella_ledger::disk::{ByteLength, ByteOffset, DiskFile, DiskLock};

#[derive(Debug)]
pub(super) struct SimFile {
    disk: SimDisk,
    inode: Inode,
}

impl SimFile {
    pub(super) const fn new(disk: SimDisk, inode: Inode) -> Self {
        Self { disk, inode }
    }
}

fn place(offset: ByteOffset) -> io::Result<usize> {
    usize::try_from(offset.0).map_err(|_| io::ErrorKind::InvalidInput.into())
}

impl DiskFile for SimFile {
    fn length(&self) -> io::Result<ByteLength> {
        let length = self.disk.lock_state().length(self.inode)?;
        Ok(ByteLength(length as u64))
    }

    fn read_at(&self, buffer: &mut [u8], offset: ByteOffset) -> io::Result<()> {
        self.disk
            .lock_state()
            .read(self.inode, buffer, place(offset)?)
    }

    fn write_at(&self, bytes: &[u8], offset: ByteOffset) -> io::Result<()> {
        let offset = place(offset)?;
        let inode = self.inode;
        self.disk.operate(
            |state| state.write(inode, bytes, offset),
            |state| {
                let _ = state.sync(inode);
            },
        )
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.sync_file(self.inode)
    }
}

/// Gone with the handle, as a file lock is.
#[derive(Debug)]
pub(super) struct SimLock {
    disk: SimDisk,
    path: String,
}

impl SimLock {
    pub(super) fn new(disk: SimDisk, path: &str) -> Self {
        Self {
            disk,
            path: path.to_owned(),
        }
    }
}

impl DiskLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk.lock_state().unlock(&self.path);
    }
}
