//! sled. The only file that names the crate.
//!
//! sled 0.34.7 panics on most damaged files, forgets data silently on others, and its `flush` does
//! not reach the disk. None of that can lose anything here, because the log holds the truth:
//!
//! * every call is contained: a panic becomes [`StoreError::Damaged`], opening happens on a thread
//!   of its own with a time limit, and after the first fault the store answers nothing more (the
//!   panic's message still goes to standard error: the hook that prints it is the process's);
//! * every value ends in a checksum over its key and itself;
//! * what is missing altogether is noticed by the seal, the inventory and the structures above.
//!
//! Measured settings: one tree (batches over several trees are not atomic); segments of 8 MiB,
//! because a page larger than a quarter of a segment goes to a file that is never synced; no timer
//! flush, the folder is the one thread that flushes (`flush_async` deadlocks under concurrency).

use std::fs;
use std::ops::{Bound, ControlFlow};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::kv::{Direction, KeyRange, KvStore, Op, ScanVisitor, StoreError};
use crate::limits::{INDEX_OPEN_TIMEOUT, SLED_SEGMENT_BYTES};

/// Bytes of the checksum that ends every stored value.
const CHECKSUM_BYTES: usize = 8;

/// What sled says of a file that is still locked.
const LOCKED: &str = "could not acquire lock";

/// How long a locked file is asked for.
const LOCKED_PATIENCE: Duration = Duration::from_secs(1);

/// How long to wait before asking for the lock again.
const LOCKED_PAUSE: Duration = Duration::from_millis(5);

/// How much memory the store may use for pages that it read, in bytes. sled counts loosely: expect
/// up to twice this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheBytes(pub u64);

/// A sled database in one folder, and the only handle on it.
#[derive(Debug)]
pub struct SledStore {
    /// `None` only while dropping.
    db: Option<sled::Db>,
    broken: AtomicBool,
}

impl SledStore {
    /// Opens the database in `folder`, creating both when absent.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when sled refuses, panics or hangs; [`StoreError::Io`] when the
    /// operating system refuses.
    pub fn open(folder: &Path, cache: CacheBytes) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|error| StoreError::Io(error.to_string()))?;
        let config = sled::Config::new()
            .path(folder)
            .segment_size(SLED_SEGMENT_BYTES)
            .cache_capacity(cache.0)
            .flush_every_ms(None);
        let (send, receive) = mpsc::channel();
        thread::Builder::new()
            .name("stella-index-open".into())
            .spawn(move || send.send(open_unlocked(&config)))
            .map_err(|error| StoreError::Io(error.to_string()))?;
        let db = receive
            .recv_timeout(INDEX_OPEN_TIMEOUT)
            .map_err(|_| StoreError::damaged("opening it did not end"))??;
        Ok(Self {
            db: Some(db),
            broken: AtomicBool::new(false),
        })
    }

    /// Bytes of its files.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.run(sled::Db::size_on_disk)
    }

    fn run<T>(&self, call: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, StoreError> {
        let db = match &self.db {
            Some(db) if !self.broken.load(Ordering::Acquire) => db,
            _ => return Err(StoreError::damaged("it failed before")),
        };
        let result = contain(|| call(db));
        if result.is_err() {
            self.broken.store(true, Ordering::Release);
        }
        result
    }

    fn opened<'a>(&self, key: &[u8], stored: &'a [u8]) -> Result<&'a [u8], StoreError> {
        let opened = open_value(key, stored);
        if opened.is_none() {
            self.broken.store(true, Ordering::Release);
        }
        opened.ok_or_else(|| StoreError::damaged("a value fails its checksum"))
    }
}

impl KvStore for SledStore {
    fn read(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError> {
        let Some(stored) = self.run(|db| db.get(key))? else {
            return Ok(false);
        };
        visit(self.opened(key, &stored)?);
        Ok(true)
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut ScanVisitor<'_>,
    ) -> Result<(), StoreError> {
        if range.to.as_ref().is_some_and(|to| *to <= range.from) {
            return Ok(());
        }
        let to = range
            .to
            .as_deref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let bounds = (Bound::Included(range.from.as_slice()), to);
        let mut rows = self.run(|db| Ok(db.range::<&[u8], _>(bounds)))?;
        loop {
            let next = self.run(|_| {
                match direction {
                    Direction::Forward => rows.next(),
                    Direction::Backward => rows.next_back(),
                }
                .transpose()
            })?;
            let Some((key, stored)) = next else {
                return Ok(());
            };
            if let ControlFlow::Break(()) = visit(&key, self.opened(&key, &stored)?) {
                return Ok(());
            }
        }
    }

    fn apply(&self, batch: Vec<Op>) -> Result<(), StoreError> {
        let mut sled_batch = sled::Batch::default();
        for op in batch {
            match op {
                Op::Put(key, value) => {
                    let sealed = seal_value(&key, value);
                    sled_batch.insert(key, sealed);
                }
                Op::Delete(key) => sled_batch.remove(key),
            }
        }
        self.run(|db| db.apply_batch(sled_batch))
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.run(|db| db.flush().map(|_| ()))
    }
}

impl Drop for SledStore {
    /// A sound store is closed here, its last bytes written. A broken one may panic or hang while
    /// it closes: that happens on a thread nobody waits for; its folder is removed anyway.
    fn drop(&mut self) {
        let Some(db) = self.db.take() else { return };
        let close = move || drop(catch_unwind(AssertUnwindSafe(|| drop(db))));
        if self.broken.load(Ordering::Acquire) {
            drop(
                thread::Builder::new()
                    .name("stella-index-drop".into())
                    .spawn(close),
            );
        } else {
            close();
        }
    }
}

/// Opens the database, once the one before is really closed: sled's threads may hold its locked file
/// for a moment after the last handle was dropped. Another process that holds it is not waited for
/// long: whoever opens the log beside it will be told whose the directory is.
fn open_unlocked(config: &sled::Config) -> Result<sled::Db, StoreError> {
    let until = Instant::now() + LOCKED_PATIENCE;
    loop {
        match contain(|| config.open()) {
            // sled gives this error no kind of its own.
            Err(StoreError::Io(why)) if why.contains(LOCKED) && Instant::now() < until => {
                thread::sleep(LOCKED_PAUSE);
            }
            opened => return opened,
        }
    }
}

/// Runs one call of sled; a panic is damage, as is every error that is not the system's.
fn contain<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(error))) => Err(StoreError::Io(error.to_string())),
        Ok(Err(error)) => Err(StoreError::Damaged(error.to_string())),
        Err(_) => Err(StoreError::damaged("it panicked")),
    }
}

fn seal_value(key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
    let sum = checksum(key, &value);
    value.extend_from_slice(&sum);
    value
}

fn open_value<'a>(key: &[u8], stored: &'a [u8]) -> Option<&'a [u8]> {
    let (value, sum) = stored.split_at_checked(stored.len().checked_sub(CHECKSUM_BYTES)?)?;
    (checksum(key, value) == sum).then_some(value)
}

fn checksum(key: &[u8], value: &[u8]) -> [u8; CHECKSUM_BYTES] {
    xxh3_64_with_seed(value, xxh3_64_with_seed(key, 0)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_bound_to_its_key() {
        let sealed = seal_value(b"key", b"value".to_vec());
        assert_eq!(open_value(b"key", &sealed), Some(b"value".as_slice()));
        assert_eq!(open_value(b"kez", &sealed), None);
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert_eq!(open_value(b"key", &bad), None, "byte {at}");
        }
        assert_eq!(open_value(b"key", b"short"), None);
    }

    #[test]
    fn a_store_opens_when_the_one_before_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let open = || SledStore::open(dir.path(), CacheBytes(1 << 20));
        let before = open().unwrap();
        let closing = thread::spawn(move || {
            thread::sleep(LOCKED_PAUSE * 20);
            drop(before);
        });
        open().unwrap();
        closing.join().unwrap();
    }

    #[test]
    fn values_survive_a_close() {
        let dir = tempfile::tempdir().unwrap();
        let put = |n: u8| Op::Put(vec![n], vec![n; usize::from(n)]);
        let store = SledStore::open(dir.path(), CacheBytes(1 << 20)).unwrap();
        store.apply((0..100).map(put).collect()).unwrap();
        store.apply(vec![Op::Delete(vec![7])]).unwrap();
        store.flush().unwrap();
        drop(store);
        let store = SledStore::open(dir.path(), CacheBytes(1 << 20)).unwrap();
        assert_eq!(store.get(&[7]).unwrap(), None);
        assert_eq!(store.get(&[99]).unwrap(), Some(vec![99; 99]));
        let mut keys = Vec::new();
        let range = KeyRange {
            from: vec![5],
            to: Some(vec![10]),
        };
        store
            .scan(&range, Direction::Backward, &mut |key, _| {
                keys.push(key[0]);
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(keys, [9, 8, 6, 5]);
    }
}
