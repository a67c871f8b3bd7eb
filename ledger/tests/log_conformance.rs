//! The event log is an event log: the suite of the testkit, on both disks.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says so"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use stella_ledger::disk::{Disk, RealDisk};
use stella_ledger::log::{
    AppendError, EventLog, Expected, LogOptions, OwnedPayload, ReadError, UpkeepMode,
};
use stella_testkit::conformance::{EventStore, NewStore, Refused, check_all};
use stella_testkit::disk::SimDisk;
use stella_testkit::entropy::Seed;
use stella_testkit::fixture;
use stella_testkit::oracle::Violation;
use stella_verify::hash::RootHash;
use stella_verify::merkle::LeafRange;
use stella_verify::units::{LeafIndex, StreamPosition, TreeSize};

struct Store(EventLog);

impl EventStore for Store {
    fn append(
        &self,
        stream: &str,
        expected: Option<u64>,
        request_id: Option<&str>,
        payloads: &[&[u8]],
    ) -> Result<LeafIndex, Refused> {
        let mut events: Vec<_> = payloads
            .iter()
            .map(|payload| fixture::event(stream, *payload).unwrap())
            .collect();
        if let (Some(expected), Some(first)) = (expected, events.first_mut()) {
            first.expected = Expected::At(StreamPosition::new(expected));
        }
        let request = fixture::request(request_id, events).unwrap();
        match self.0.append(request) {
            Ok(receipt) => Ok(receipt.first),
            Err(AppendError::WrongExpectedPosition { .. }) => Err(Refused::WrongExpectedPosition),
            Err(AppendError::RequestIdReused { .. }) => Err(Refused::RequestIdReused),
            Err(AppendError::Empty) => Err(Refused::Empty),
            Err(error) => Err(Refused::Other(error.to_string())),
        }
    }

    fn read(&self, range: LeafRange, at: TreeSize) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Refused> {
        match self.0.read(range, at) {
            Ok(events) => Ok(events
                .into_iter()
                .map(|event| match event.payload {
                    OwnedPayload::Present { bytes, .. } => (event.leaf, bytes),
                    _ => (event.leaf, Vec::new()),
                })
                .collect()),
            Err(ReadError::BeyondTreeSize { .. }) => Err(Refused::BeyondTreeSize),
            Err(error) => Err(Refused::Other(error.to_string())),
        }
    }

    fn head(&self) -> (TreeSize, RootHash) {
        let published = self.0.published();
        (published.size, published.root)
    }
}

fn options(disk: Arc<dyn Disk>) -> LogOptions {
    fixture::options(disk, Seed(1)).unwrap()
}

struct Simulated;

impl NewStore for Simulated {
    type Store = Store;
    fn new_store(&self) -> Result<Store, Violation> {
        let (log, _) = EventLog::create(options(Arc::new(SimDisk::new())))?;
        Ok(Store(log))
    }
}

struct Real {
    folder: tempfile::TempDir,
    next: AtomicU64,
}

impl NewStore for Real {
    type Store = Store;
    fn new_store(&self) -> Result<Store, Violation> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(number.to_string());
        std::fs::create_dir(&path)?;
        let mut options = options(Arc::new(RealDisk::new(path)));
        options.upkeep = UpkeepMode::Threads;
        let (log, _) = EventLog::create(options)?;
        Ok(Store(log))
    }
}

#[test]
fn on_a_simulated_disk() {
    check_all(&Simulated).unwrap();
}

#[test]
fn on_the_file_system() {
    let make = Real {
        folder: tempfile::tempdir().unwrap(),
        next: AtomicU64::new(0),
    };
    check_all(&make).unwrap();
}
