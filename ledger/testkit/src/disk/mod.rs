//! A disk in memory that fails and loses power on command.
//!
//! It keeps two states of everything: what a running process sees (the page cache and the
//! directories as they are), and what would be found after the power went out. Writes dirty
//! blocks of 4,096 bytes; a successful `sync_data` makes a file's dirty blocks durable, a
//! successful `sync_dir` a folder's names. Power loss throws the visible state away, or lets a
//! random part of the dirty blocks and names survive, as real disks do.
//!
//! Faults hit the n-th operation that changes something ([`SimDisk::operations`] counts them).

mod file;
mod plan;
mod state;

pub use plan::{Fault, FaultKind, OperationNumber, PowerLoss};

use crate::entropy::{Choices, Seed};
use file::{SimFile, SimLock};
use plan::Verdict;
use state::State;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stella_ledger::disk::{Disk, DiskFile, DiskLock};

/// The disk. Clones share it, as file descriptors of one machine do.
#[derive(Debug, Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

impl SimDisk {
    /// An empty disk without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Plans faults for operations to come, replacing earlier plans.
    pub fn plan(&self, faults: &[Fault]) {
        self.lock_state().plan = faults.to_vec();
    }

    /// How many operations changed something, or tried to, since the disk was made.
    #[must_use]
    pub fn operations(&self) -> OperationNumber {
        self.lock_state().operations
    }

    /// Ends the process that uses the disk: the visible state stays, locks go, nothing open works
    /// any more. Gives the machine's next view of the disk.
    #[must_use]
    pub fn kill_process(&self) -> Self {
        let mut old = self.lock_state();
        old.dead = true;
        let mut next = old.clone();
        next.restart();
        Self {
            state: Arc::new(Mutex::new(next)),
        }
    }

    /// Cuts the power: what was not synced is lost, wholly or in a random part.
    #[must_use]
    pub fn lose_power(&self, loss: PowerLoss) -> Self {
        let mut old = self.lock_state();
        old.dead = true;
        let mut next = old.clone();
        match loss {
            PowerLoss::DropUnsynced => next.drop_unsynced(&mut |()| false),
            PowerLoss::KeepSome(seed) => {
                let mut choices = Choices::of(seed);
                next.drop_unsynced(&mut |()| choices.coin());
            }
        }
        next.restart();
        Self {
            state: Arc::new(Mutex::new(next)),
        }
    }

    /// Flips one bit of a file, durably.
    ///
    /// # Errors
    /// When there is no such byte.
    pub fn flip_bit(&self, path: &str, byte: usize, bit: u8) -> io::Result<()> {
        self.change(path, |content| {
            let slot = content.get_mut(byte).ok_or(io::ErrorKind::UnexpectedEof)?;
            *slot ^= 1 << (bit & 7);
            Ok(())
        })
    }

    /// Cuts a file, durably.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn truncate(&self, path: &str, length: usize) -> io::Result<()> {
        self.change(path, |content| {
            content.truncate(length);
            Ok(())
        })
    }

    /// Changes a file's content, durably and behind everyone's back.
    ///
    /// # Errors
    /// When there is no such file, or what `edit` says.
    pub fn change(
        &self,
        path: &str,
        edit: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.lock_state().change(path, edit)
    }

    /// A file's visible content.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn content(&self, path: &str) -> io::Result<Vec<u8>> {
        self.lock_state().content(path)
    }

    /// Names and lengths of all files.
    #[must_use]
    pub fn files(&self) -> Vec<(String, usize)> {
        self.lock_state().files()
    }

    /// Everything as it is now, to be restored later as an old copy.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let mut copy = self.lock_state().clone();
        copy.restart();
        Self {
            state: Arc::new(Mutex::new(copy)),
        }
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One operation that changes something: `act` unless a fault says otherwise. `persist` makes
    /// its effect durable, for the fault that fails after all was done.
    fn operate<T>(
        &self,
        act: impl FnOnce(&mut State) -> io::Result<T>,
        persist: impl FnOnce(&mut State),
    ) -> io::Result<T> {
        let mut state = self.lock_state();
        match state.verdict()? {
            Verdict::Act => act(&mut state),
            Verdict::Refuse(error) => Err(error),
            Verdict::ActThenRefuse(error) => {
                act(&mut state)?;
                persist(&mut state);
                Err(error)
            }
        }
    }

    /// As [`SimDisk::operate`], for a file's sync: it may also lie.
    fn sync_file(&self, inode: state::Inode) -> io::Result<()> {
        let mut state = self.lock_state();
        if state.next_fault() == Some(FaultKind::FailedSyncReadsBack) {
            state.pretend_synced(inode);
        }
        drop(state);
        self.operate(|state| state.sync(inode), |_| {})
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, _path: &str) -> io::Result<()> {
        // Folders are names only; the files in them are what can be lost.
        self.lock_state().alive()
    }

    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.operate(
            |state| Ok(state.create(path)),
            |state| state.sync_parent(path),
        )?;
        Ok(Arc::new(SimFile::new(self.clone(), file)))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.lock_state().open(path)?;
        Ok(Arc::new(SimFile::new(self.clone(), file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.operate(
            |state| state.rename(from, to),
            |state| state.sync_parent(to),
        )
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.operate(|state| state.remove(path), |state| state.sync_parent(path))
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.lock_state().list(directory)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.operate(
            |state| {
                state.sync_dir(path);
                Ok(())
            },
            |_| {},
        )
    }

    fn lock(&self, path: &str) -> io::Result<Option<Box<dyn DiskLock>>> {
        let taken = self.lock_state().lock(path)?;
        Ok(taken.then(|| Box::new(SimLock::new(self.clone(), path)) as Box<dyn DiskLock>))
    }
}

/// A seed for each of many rounds of one test.
#[must_use]
pub fn seed_of_round(round: u64) -> Seed {
    Seed(Choices::of(Seed(round)).number())
}
