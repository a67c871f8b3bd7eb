//! The index as a whole, over a log in memory.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use stella_verify::hash::RootHash;
use stella_verify::merkle::{
    Growth, TreeHead, leaf_hash, prove_consistency, prove_inclusion, verify_consistency,
    verify_inclusion,
};
use stella_verify::units::{LeafIndex, StreamPosition, TreeSize, UnixMillis};

use super::disk::DiskStore;
use super::dump::{dump, first_difference};
use super::fixture::{MemoryLog, Random};
use super::keys::{Table, text_lookup};
use super::kv::{Direction, KvStore};
use super::memory::MemoryStore;
use super::postings::Wanted;
use super::query::{PostingTable, TileNodes};
use super::source::EventSource;
use super::*;
use crate::limits::INDEX_WINDOW_LEAVES;

fn options(folder: &Path) -> IndexOptions {
    IndexOptions {
        folder: folder.to_path_buf(),
        cache: CacheBytes(16 << 20),
        workers: Workers(2),
    }
}

fn open(folder: &Path, log: &Arc<MemoryLog>) -> (Index, Found) {
    let opened = IndexFolder::open(folder, CacheBytes(16 << 20)).unwrap();
    let source = Arc::clone(log) as Arc<dyn EventSource>;
    Index::open(opened, options(folder), source, &()).unwrap()
}

/// The mixture that most tests use: a complete window and a part of the next.
fn log(seed: u64) -> Arc<MemoryLog> {
    let mut log = MemoryLog::new();
    log.grow(INDEX_WINDOW_LEAVES + 2_000, &mut Random::seeded(seed));
    log.publish();
    Arc::new(log)
}

fn refolded(log: &MemoryLog) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::default());
    let fold = Fold::empty(Arc::clone(&store) as Arc<dyn KvStore>);
    catch_up(&fold, log, log.head(), Workers(1), &()).unwrap();
    fold.commit(log.head()).unwrap();
    store
}

fn all() -> Wanted {
    Wanted {
        from: LeafIndex::ZERO,
        end: LeafIndex::new(u64::MAX),
        limit: usize::MAX,
    }
}

/// Every answer of the model.
fn check_answers(fold: &Fold, log: &MemoryLog) {
    let model = &log.model;
    for (table, expected) in [
        (PostingTable::Nodes, &model.nodes),
        (PostingTable::Children, &model.children),
    ] {
        for (id, leaves) in expected {
            assert_eq!(&fold.postings(table, id, &all()).unwrap(), leaves, "{id}");
        }
    }
    for (stream, leaves) in &model.streams {
        let ask = |from: u64, limit| {
            let from = StreamPosition::new(from);
            fold.stream(stream, from, log.size(), limit).unwrap()
        };
        assert_eq!(&ask(0, usize::MAX), leaves, "{stream}");
        let half = leaves.len() / 2;
        assert_eq!(
            ask(half as u64, 3),
            leaves[half..(half + 3).min(leaves.len())]
        );
    }
    for (root, leaves) in &model.roots {
        let ask = |direction| {
            fold.pointers(Table::Roots, root.as_bytes(), &all(), direction)
                .unwrap()
        };
        assert_eq!(&ask(Direction::Forward), leaves);
        assert!(ask(Direction::Backward).iter().eq(leaves.iter().rev()));
    }
    for (artifact, leaves) in &model.artifacts {
        let found = fold
            .pointers(
                Table::Artifacts,
                artifact.as_bytes(),
                &all(),
                Direction::Forward,
            )
            .unwrap();
        assert_eq!(&found, leaves);
    }
    let newest = Wanted { limit: 1, ..all() };
    let kind = text_lookup("concelier");
    let current = fold
        .pointers(Table::Published, &kind, &newest, Direction::Backward)
        .unwrap();
    assert_eq!(current.first(), model.published.last());
    let scans = fold
        .scans(UnixMillis::ZERO, &all(), Direction::Forward)
        .unwrap();
    let found = scans
        .into_iter()
        .map(|scan| (scan.time, scan.leaf, scan.scan));
    assert!(found.eq(model.scans.iter().cloned()));
}

fn check_proofs(fold: &Fold, log: &MemoryLog, sizes: u32, random: &mut Random) {
    let head = log.head();
    let mut leaves = Vec::new();
    let range = stella_verify::merkle::LeafRange {
        start: LeafIndex::ZERO,
        end: head.size.next_index(),
    };
    log.visit(range, &mut |event| {
        leaves.push(leaf_hash(event.leaf));
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    let root_at = |size: TreeSize| -> TreeHead<RootHash> {
        let count = usize::try_from(size.get()).unwrap();
        let root = stella_verify::merkle::root_of(leaves[..count].iter().copied());
        TreeHead { size, root }
    };
    for _ in 0..sizes {
        let size = TreeSize::new(1 + random.below(head.size.get()));
        let nodes = TileNodes::new(|id| fold.tile(id));
        for _ in 0..10 {
            let index = LeafIndex::new(random.below(size.get()));
            let proof = prove_inclusion(index, size, &nodes).unwrap();
            let leaf = leaves[usize::try_from(index.get()).unwrap()];
            verify_inclusion(leaf, index, root_at(size), &proof).unwrap();
        }
        let growth = Growth {
            old: size,
            new: head.size,
        };
        let proof = prove_consistency(growth, &nodes).unwrap();
        let heads = Growth {
            old: root_at(size),
            new: head,
        };
        verify_consistency(heads, &proof).unwrap();
    }
}

#[test]
fn answers_are_those_of_the_model_before_and_after_a_close() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(1);
    let (index, found) = open(dir.path(), &log);
    assert_eq!(found, Found::Nothing);
    check_answers(&index.fold(), &log);
    check_proofs(&index.fold(), &log, 20, &mut Random::seeded(2));
    drop(index);
    let (index, found) = open(dir.path(), &log);
    assert_eq!(found, Found::Sound);
    assert_eq!(index.stats().applied, log.size());
    check_answers(&index.fold(), &log);
    check_proofs(&index.fold(), &log, 20, &mut Random::seeded(3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    /// However the log arrives, and however often the store is closed or written between, the
    /// same keys and values come out as from one fold of the finished log.
    #[test]
    fn live_and_refolded_stores_are_equal(seed in any::<u64>()) {
        let mut random = Random::seeded(seed);
        let mut log = MemoryLog::new();
        let store: Arc<dyn KvStore> = Arc::new(MemoryStore::default());
        let mut fold = Fold::empty(Arc::clone(&store));
        let mut size = 0;
        while size < 2 * INDEX_WINDOW_LEAVES + 1_000 {
            size += 1 + random.below(9_000);
            log.grow(size, &mut random);
            let head = log.publish();
            let workers = Workers(1 + usize::try_from(random.below(3)).unwrap());
            catch_up(&fold, &log, head, workers, &()).unwrap();
            match random.below(3) {
                0 => fold.commit(head).unwrap(),
                1 => {
                    fold.commit(head).unwrap();
                    let marker = marker::Marker::load(&*store).unwrap().unwrap();
                    inspect::count_rows(&*store, &marker).unwrap();
                    fold = Fold::resume(Arc::clone(&store), &marker).unwrap();
                    catch_up(&fold, &log, head, workers, &()).unwrap();
                }
                _ => {}
            }
        }
        fold.commit(log.head()).unwrap();
        check_answers(&fold, &log);
        let again = refolded(&log);
        prop_assert_eq!(first_difference(&*store, &*again).unwrap(), None);
    }
}

#[test]
fn deleting_the_folder_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(4);
    let content = |folder: &Path| {
        drop(open(folder, &log));
        let store = DiskStore::open(&folder.join("store"), CacheBytes(1 << 20)).unwrap();
        dump(&store).unwrap()
    };
    let before = content(dir.path());
    fs::remove_dir_all(dir.path()).unwrap();
    assert_eq!(content(dir.path()), before);
    assert_eq!(dump(&*refolded(&log)).unwrap(), before);
}

/// A store as a killed process leaves it: copied file by file while it is being written.
#[test]
fn an_unclean_stop_at_any_moment_ends_in_the_same_store() {
    let dir = tempfile::tempdir().unwrap();
    let image = tempfile::tempdir().unwrap();
    let mut log = MemoryLog::new();
    log.grow(3 * INDEX_WINDOW_LEAVES, &mut Random::seeded(14));
    log.publish();
    let log = Arc::new(log);
    let content = dump(&*refolded(&log)).unwrap();
    for delay in [0, 5, 20, 60, 150] {
        let running = {
            let folder = dir.path().to_path_buf();
            let log = Arc::clone(&log);
            std::thread::spawn(move || drop(open(&folder, &log)))
        };
        std::thread::sleep(Duration::from_millis(delay));
        restore(image.path(), &files(dir.path()));
        running.join().unwrap();
        drop(open(image.path(), &log));
        let store = DiskStore::open(&image.path().join("store"), CacheBytes(1 << 20)).unwrap();
        assert_eq!(dump(&store).unwrap(), content, "after {delay} ms");
        drop(store);
        fs::remove_dir_all(dir.path()).unwrap();
        fs::create_dir_all(dir.path()).unwrap();
    }
}

/// A fold can end at any published size, beside the live one, and then is what the live one was.
#[test]
fn a_fold_to_an_earlier_size_is_the_index_of_that_time() {
    let mut log = MemoryLog::new();
    let mut random = Random::seeded(15);
    log.grow(INDEX_WINDOW_LEAVES + 500, &mut random);
    let earlier = log.publish();
    let then = dump(&*refolded(&log)).unwrap();
    // Nothing is erased later: an erased payload is gone from the past, too.
    for number in 0..20 {
        log.push_scan(1_000_000 + number, 50, &mut random);
    }
    log.publish();
    let store = Arc::new(MemoryStore::default());
    let fold = Fold::empty(Arc::clone(&store) as Arc<dyn KvStore>);
    catch_up(&fold, &log, earlier, Workers(2), &()).unwrap();
    fold.commit(earlier).unwrap();
    assert_eq!(dump(&*store).unwrap(), then);
    let wrong = TreeHead {
        size: log.size(),
        ..earlier
    };
    let refused = catch_up(&fold, &log, wrong, Workers(1), &());
    assert!(matches!(refused, Err(FoldError::Root(_))));
}

#[test]
fn reads_wait_for_the_fold_and_say_how_far_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(5);
    let (index, _) = open(dir.path(), &log);
    let beyond = TreeSize::new(log.size().get() + 1);
    let asked: Result<(), IndexError> = index.query(beyond, |_| Ok(()));
    assert!(matches!(asked, Err(IndexError::Behind { .. })));
    assert!(index.wait_applied(log.size(), Duration::ZERO));
    assert!(!index.wait_applied(beyond, Duration::from_millis(1)));
}

#[test]
fn an_index_that_knows_more_than_the_log_is_evidence_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), &log(6)));
    let before = files(dir.path());
    let mut shorter = MemoryLog::new();
    shorter.grow(1_000, &mut Random::seeded(6));
    shorter.publish();
    let folder = IndexFolder::open(dir.path(), CacheBytes(1 << 20)).unwrap();
    assert_eq!(folder.evidence().map(|head| head.size), Some(log(6).size()));
    let opened = Index::open(folder, options(dir.path()), Arc::new(shorter), &());
    assert!(matches!(opened, Err(AttachError::Truncated { .. })));
    let kept = |files: &[(String, Vec<u8>)]| files.iter().any(|(name, _)| name == "SEAL");
    assert!(kept(&before) && kept(&files(dir.path())));
    let (_, found) = open(dir.path(), &log(6));
    assert_eq!(found, Found::Sound);
}

#[test]
fn an_index_of_another_log_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), &log(7)));
    let mut other = MemoryLog::new();
    other.grow(25_000, &mut Random::seeded(8));
    other.publish();
    let other = Arc::new(other);
    let (index, found) = open(dir.path(), &other);
    assert!(matches!(found, Found::Dropped(_)), "{found:?}");
    check_answers(&index.fold(), &other);
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                // A running store also removes files.
                found.extend(fs::read(&path).ok().map(|bytes| (name, bytes)));
            }
        }
    }
    found.sort();
    found
}

fn restore(folder: &Path, files: &[(String, Vec<u8>)]) {
    let _ = fs::remove_dir_all(folder);
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Damages a store `cases` times; every time the answers must be right in the end.
fn damaged(sealed: bool, seed: u64, damage: impl Fn(&mut Vec<u8>, &mut Random)) {
    let dir = tempfile::tempdir().unwrap();
    let log = log(9);
    drop(open(dir.path(), &log));
    let mut whole = files(dir.path());
    if !sealed {
        whole.retain(|(name, _)| name != "SEAL");
    }
    let mut random = Random::seeded(seed);
    let mut dropped = 0;
    for _ in 0..20 {
        let mut broken = whole.clone();
        let candidates: Vec<usize> = (0..broken.len())
            .filter(|at| !broken[*at].1.is_empty() && broken[*at].0 != "SEAL")
            .collect();
        let bytes = candidates.iter().map(|at| broken[*at].1.len() as u64).sum();
        let mut place = random.below(bytes);
        for at in candidates {
            let length = broken[at].1.len() as u64;
            if place < length {
                damage(&mut broken[at].1, &mut random);
                break;
            }
            place -= length;
        }
        restore(dir.path(), &broken);
        let (index, found) = open(dir.path(), &log);
        dropped += u32::from(matches!(found, Found::Dropped(_)));
        // A query may be what finds the damage; then the index folds again by itself.
        for _ in 0..2 {
            let fold = index.fold();
            let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                ask_everything(&index, &log);
            }));
            assert!(asked.is_ok(), "no panic reaches the caller");
            drop(fold);
            assert!(index.wait_applied(log.size(), Duration::from_mins(1)));
        }
        check_answers(&index.fold(), &log);
        check_proofs(&index.fold(), &log, 2, &mut random);
        drop(index);
    }
    if sealed {
        assert_eq!(dropped, 20, "the seal names every change");
    }
}

/// Every lookup through the index, ignoring the answers.
fn ask_everything(index: &Index, log: &MemoryLog) {
    for id in log.model.nodes.keys() {
        let _: Result<_, IndexError> = index.query(log.size(), |fold| {
            Ok(fold.postings(PostingTable::Nodes, id, &all())?)
        });
    }
    for id in log.model.children.keys() {
        let _: Result<_, IndexError> = index.query(log.size(), |fold| {
            Ok(fold.postings(PostingTable::Children, id, &all())?)
        });
    }
    for tile in 0..log.size().get() / 256 {
        let id = tiles::TileId {
            level: 0,
            index: tile,
        };
        let _: Result<_, IndexError> = index.query(log.size(), |fold| Ok(fold.tile(id)?));
    }
    for stream in log.model.streams.keys() {
        let _: Result<_, IndexError> = index.query(log.size(), |fold| {
            Ok(fold.stream(stream, StreamPosition::ZERO, log.size(), usize::MAX)?)
        });
    }
}

#[expect(clippy::ptr_arg, reason = "called like the one that shortens")]
fn flip(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
    bytes[at] ^= 1 << random.below(8);
}

fn truncate(bytes: &mut Vec<u8>, random: &mut Random) {
    let length = usize::try_from(random.below(bytes.len() as u64)).unwrap();
    bytes.truncate(length);
}

#[test]
fn flipped_bits_after_a_clean_stop_are_noticed() {
    damaged(true, 10, flip);
}

#[test]
fn cut_files_after_a_clean_stop_are_noticed() {
    damaged(true, 11, truncate);
}

#[test]
fn flipped_bits_after_a_crash_end_in_right_answers() {
    damaged(false, 12, flip);
}

#[test]
fn cut_files_after_a_crash_end_in_right_answers() {
    damaged(false, 13, truncate);
}
