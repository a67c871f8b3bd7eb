//! Reads: bundles, raw leaves, pins, commits, and readers beside a writer.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says so"
)]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stella_ledger::disk::{ByteLength, RealDisk};
use stella_ledger::log::{
    AppendError, AppendRequest, Entries, EraseRequest, EventLog, LeafKind, LogOptions, OpenError,
    OwnedPayload, Principal, ReadError, StoredPayload, UpkeepMode,
};
use stella_testkit::disk::SimDisk;
use stella_testkit::entropy::{Choices, Seed};
use stella_testkit::fixture;
use stella_verify::checkpoint::SignedCheckpoint;
use stella_verify::event::Actor;
use stella_verify::merkle::{Frontier, LeafRange, leaf_hash};
use stella_verify::units::{LeafIndex, TreeSize};

fn range(start: u64, end: u64) -> LeafRange {
    LeafRange {
        start: LeafIndex::new(start),
        end: LeafIndex::new(end),
    }
}

fn raw_options() -> LogOptions {
    let mut options = fixture::options(Arc::new(SimDisk::new()), Seed(4)).unwrap();
    options.kind = LeafKind::Raw;
    options
}

fn raw(leaves: Vec<Vec<u8>>) -> AppendRequest {
    AppendRequest {
        principal: Principal::new("anyone").unwrap(),
        request_id: None,
        entries: Entries::Raw(leaves),
        names: Vec::new(),
    }
}

#[test]
fn raw_leaves_are_kept_and_bundled_as_they_are() {
    let options = raw_options();
    let (log, _) = EventLog::create(options.clone()).unwrap();
    let mut choices = Choices::of(Seed(4));
    let mut leaves: Vec<Vec<u8>> = Vec::new();
    while leaves.len() < 600 {
        let batch: Vec<Vec<u8>> = (0..=choices.below(30))
            .map(|_| {
                let length = usize::try_from(choices.below(400)).unwrap();
                vec![u8::try_from(choices.below(256)).unwrap(); length]
            })
            .collect();
        leaves.extend(batch.clone());
        log.append(raw(batch)).unwrap();
    }
    let oversized = raw(vec![vec![0; 65_536]]);
    assert!(matches!(
        log.append(oversized),
        Err(AppendError::EntryTooLarge { .. })
    ));
    log.append(raw(vec![Vec::new()])).unwrap();
    leaves.push(Vec::new());
    log.close().unwrap();

    let (log, _) = EventLog::open(options).unwrap();
    let published = log.published();
    assert_eq!(published.size.get(), leaves.len() as u64);
    let mut tree = Frontier::new();
    for leaf in &leaves {
        tree.push(leaf_hash(leaf));
    }
    assert_eq!(tree.root(), published.root);
    for (start, end) in [(0, 256), (256, 512), (512, 600), (3, 4), (599, 601), (7, 7)] {
        let bundle = log.entry_bundle(range(start, end), published.size).unwrap();
        let mut expected = Vec::new();
        for leaf in &leaves[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()] {
            expected.extend_from_slice(&u16::try_from(leaf.len()).unwrap().to_be_bytes());
            expected.extend_from_slice(leaf);
        }
        assert_eq!(bundle, expected, "{start}..{end}");
    }
    for (index, leaf) in leaves.iter().enumerate() {
        let event = log.get(LeafIndex::new(index as u64)).unwrap();
        assert_eq!((&event.leaf, &event.payload), (leaf, &OwnedPayload::None));
    }
}

#[test]
fn reads_beyond_what_is_published_are_refused() {
    let (log, _) = EventLog::create(raw_options()).unwrap();
    log.append(raw(vec![vec![1], vec![2]])).unwrap();
    let at = log.published().size;
    let beyond = |result: Result<_, ReadError>| {
        assert!(matches!(result, Err(ReadError::BeyondTreeSize { .. })));
    };
    beyond(log.read(range(0, 3), at).map(|_| ()));
    beyond(log.read(range(0, 1), TreeSize::new(3)).map(|_| ()));
    beyond(log.read(range(0, 2), TreeSize::new(1)).map(|_| ()));
    beyond(log.get(LeafIndex::new(2)).map(|_| ()));
    beyond(log.get(LeafIndex::new(u64::MAX)).map(|_| ()));
    beyond(log.commit_of(LeafIndex::new(2)).map(|_| ()));
    let reversed = log.read(range(1, 0), at);
    assert!(matches!(reversed, Err(ReadError::Reversed { .. })));
    assert_eq!(log.read(range(2, 2), at).unwrap(), []);
}

#[test]
fn every_commit_has_the_checkpoint_of_its_end() {
    let (log, _) = EventLog::create(raw_options()).unwrap();
    let mut ends = Vec::new();
    for count in 1..40usize {
        let receipt = log.append(raw(vec![vec![7; 300]; count])).unwrap();
        ends.push((receipt.first, Arc::clone(&receipt.published)));
    }
    let keys = [fixture::verifier_key().unwrap()];
    for (first, published) in ends {
        let last = LeafIndex::new(published.size.get() - 1);
        for index in [first, last] {
            let commit = log.commit_of(index).unwrap();
            assert_eq!((commit.first, commit.size), (first, published.size));
            let opened = SignedCheckpoint::open(commit.checkpoint.as_bytes(), &keys, None).unwrap();
            assert_eq!(opened.checkpoint().head.root, published.root);
            assert_eq!(
                Some(commit.checkpoint.as_str()),
                published.checkpoint.as_deref()
            );
        }
    }
}

#[test]
fn a_visit_stops_where_it_is_told() {
    let (log, _) = EventLog::create(raw_options()).unwrap();
    for byte in 0..50u8 {
        log.append(raw(vec![vec![byte; 200]; 3])).unwrap();
    }
    let at = log.published().size;
    let mut seen = Vec::new();
    log.visit(range(10, 140), at, |event| {
        seen.push(event.index.get());
        if event.index.get() == 99 {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(seen, (10..100).collect::<Vec<_>>());
}

#[test]
fn readers_see_whole_consistent_states_beside_a_writer() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = raw_options();
    options.disk = Arc::new(RealDisk::new(folder.path()));
    options.upkeep = UpkeepMode::Threads;
    options.segment_bytes = ByteLength(128 * 1024);
    let (log, _) = EventLog::create(options.clone()).unwrap();
    let again = EventLog::open(options).map(|_| ());
    assert!(matches!(again, Err(OpenError::InUse)), "{again:?}");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let published = log.published();
                    let mut tree = Frontier::new();
                    let all = range(0, published.size.get());
                    log.visit(all, published.size, |event| {
                        tree.push(leaf_hash(event.leaf));
                        ControlFlow::Continue(())
                    })
                    .unwrap();
                    assert_eq!(tree.root(), published.root);
                }
            });
        }
        for number in 0..400u64 {
            let receipt = log
                .append(raw(vec![number.to_le_bytes().to_vec(); 3]))
                .unwrap();
            // Read your own write at once.
            let read = log.get(receipt.first).unwrap();
            assert_eq!(read.leaf, number.to_le_bytes());
        }
        stop.store(true, Ordering::Relaxed);
    });
    let waited = log.wait_published(TreeSize::new(1200), Duration::from_secs(1));
    assert_eq!(waited.size, TreeSize::new(1200));
    let short = log.wait_published(TreeSize::new(1201), Duration::from_millis(20));
    assert_eq!(short.size, TreeSize::new(1200));
}

#[test]
fn a_payload_is_read_whole_or_erased_never_between() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(RealDisk::new(folder.path()));
    let mut options = fixture::options(disk, Seed(4)).unwrap();
    options.segment_bytes = ByteLength(1024 * 1024);
    let (log, _) = EventLog::create(options).unwrap();
    let payload = vec![0xEE; 20_000];
    for _ in 0..60 {
        let event = fixture::event("s", payload.clone()).unwrap();
        log.append(fixture::request(None, vec![event; 2]).unwrap())
            .unwrap();
    }
    let size = log.published().size;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let mut index = 0;
                    log.visit(range(0, 120), size, |event| {
                        match event.payload {
                            StoredPayload::Present { bytes, .. } => assert_eq!(bytes, payload),
                            StoredPayload::Erased { .. } => {}
                            StoredPayload::None => panic!("no payload"),
                        }
                        index += 1;
                        ControlFlow::Continue(())
                    })
                    .unwrap();
                    assert_eq!(index, 120);
                    log.get(LeafIndex::new(60)).unwrap();
                }
            });
        }
        for leaf in 0..120 {
            log.erase(EraseRequest {
                principal: Principal::new("officer").unwrap(),
                request_id: None,
                actor: Actor::new(Arc::from("officer")).unwrap(),
                leaves: vec![LeafIndex::new(leaf)],
                reason: "asked to".to_owned(),
            })
            .unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    let report = log.fsck(None, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((report.erased, report.damage), (120, Vec::new()));
}
