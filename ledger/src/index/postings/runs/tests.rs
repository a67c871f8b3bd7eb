use super::*;
use crate::index::kv::Direction;
use crate::index::kv::KeyRange;
use crate::index::memory::MemoryStore;
use crate::index::postings::{Postings, WindowPostings, delete_sources, merge_level};
use crate::limits::INDEX_WINDOW_LEAVES;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use stella_verify::hash::{NodeId, sha256};

/// Every `EVERY`-th leaf posts; small enough to cross a merge quickly.
const EVERY: u64 = 256;

fn id(number: u64) -> NodeId {
    // A few ids occur at many leaves, as nodes shared by computations do.
    NodeId::new(sha256(&(number % 1_000).to_be_bytes()))
}

/// Fills `windows` windows the way the folder does, and says which leaves each prefix has.
fn filled(windows: u64) -> (MemoryStore, Runs, BTreeMap<Prefix, Vec<LeafIndex>>) {
    let store = MemoryStore::default();
    let mut runs = Runs::new(Table::Nodes);
    let mut expected: BTreeMap<Prefix, Vec<LeafIndex>> = BTreeMap::new();
    for window in 0..windows {
        let start = LeafIndex::new(window * INDEX_WINDOW_LEAVES);
        let mut postings = WindowPostings::starting_at(start);
        for step in 0..INDEX_WINDOW_LEAVES / EVERY {
            let leaf = LeafIndex::new(start.get() + step * EVERY);
            let prefix = Prefix::of(&id(leaf.get() / EVERY));
            let mut posted = Postings::starting_at(start);
            posted.push(prefix, leaf);
            postings.extend(posted);
            expected.entry(prefix).or_default().push(leaf);
        }
        let mut batch = BatchWriter::new(&store);
        let entries = postings.sorted();
        let run = write_window(Table::Nodes, start, entries, &store, &mut batch).unwrap();
        batch.apply().unwrap();
        runs.add(run);
        if let Some(target) = runs.due() {
            let merged = merge_level(target, &store, &mut batch).unwrap();
            batch.apply().unwrap();
            runs.replace(merged);
            delete_sources(target, &store).unwrap();
        }
    }
    (store, runs, expected)
}

fn everything() -> Wanted {
    Wanted {
        from: LeafIndex::ZERO,
        end: LeafIndex::new(u64::MAX),
        limit: usize::MAX,
    }
}

fn keys(store: &MemoryStore) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let range = KeyRange::all();
    store
        .scan(&range, Direction::Forward, &mut |key, _| {
            keys.push(key.to_vec());
            ControlFlow::Continue(())
        })
        .unwrap();
    keys
}

#[test]
fn every_posting_is_found_before_and_after_a_merge() {
    for windows in [1, 63, 64, 66] {
        let (store, runs, expected) = filled(windows);
        let base = TreeSize::new(windows * INDEX_WINDOW_LEAVES);
        let reloaded = Runs::load(Table::Nodes, base, &store).unwrap();
        for (prefix, leaves) in &expected {
            for runs in [&runs, &reloaded] {
                let mut found = Vec::new();
                runs.find(*prefix, &everything(), &store, &mut found)
                    .unwrap();
                assert_eq!(&found, leaves);
            }
        }
        let absent = Prefix::of(&NodeId::new(sha256(b"absent")));
        let mut found = Vec::new();
        runs.find(absent, &everything(), &store, &mut found)
            .unwrap();
        assert!(found.is_empty());
    }
}

#[test]
fn a_lookup_can_be_cut_and_continued() {
    let (store, runs, expected) = filled(65);
    let (prefix, leaves) = expected
        .iter()
        .max_by_key(|(_, leaves)| leaves.len())
        .unwrap();
    let mut found = Vec::new();
    let mut from = LeafIndex::ZERO;
    loop {
        let wanted = Wanted {
            from,
            end: LeafIndex::new(u64::MAX),
            limit: 2,
        };
        let mut page = Vec::new();
        runs.find(*prefix, &wanted, &store, &mut page).unwrap();
        let Some(last) = page.last() else { break };
        from = LeafIndex::new(last.get() + 1);
        found.extend(page);
    }
    assert_eq!(&found, leaves);
    let half = leaves[leaves.len() / 2];
    let wanted = Wanted {
        end: half,
        ..everything()
    };
    let mut found = Vec::new();
    runs.find(*prefix, &wanted, &store, &mut found).unwrap();
    assert_eq!(found, leaves[..leaves.len() / 2]);
}

#[test]
fn a_merge_leaves_nothing_of_its_sources() {
    let (store, runs, _) = filled(64);
    assert_eq!(runs.runs.len(), 1);
    let windows = keys(&store).into_iter().filter(|key| key[2] == 0).count();
    assert_eq!(windows, 0, "keys of level 0");
}

#[test]
fn erasing_equals_never_having_posted() {
    let (store, mut runs, mut expected) = filled(64);
    let erased: BTreeSet<LeafIndex> = expected
        .values()
        .flatten()
        .copied()
        .filter(|leaf| (leaf.get() / EVERY).is_multiple_of(3))
        .collect();
    runs.erase(&erased, &store).unwrap();
    for (prefix, leaves) in &mut expected {
        leaves.retain(|leaf| !erased.contains(leaf));
        let mut found = Vec::new();
        runs.find(*prefix, &everything(), &store, &mut found)
            .unwrap();
        assert_eq!(&found, leaves);
    }
    assert_eq!(
        runs.entries().0,
        64 * 64 - u64::try_from(erased.len()).unwrap()
    );
}

#[test]
fn a_missing_or_foreign_block_is_damage() {
    let (store, _, expected) = filled(2);
    let block = keys(&store).into_iter().find(|key| key[1] == 1).unwrap();
    let bytes = store.get(&block).unwrap().unwrap();
    let mut foreign = bytes.clone();
    foreign[7] ^= 1;
    for change in [
        crate::index::kv::Op::Delete(block.clone()),
        crate::index::kv::Op::Put(block.clone(), foreign),
    ] {
        store.apply(vec![change]).unwrap();
        let base = TreeSize::new(2 * INDEX_WINDOW_LEAVES);
        let runs = Runs::load(Table::Nodes, base, &store).unwrap();
        let failed = expected.keys().any(|prefix| {
            let mut found = Vec::new();
            runs.find(*prefix, &everything(), &store, &mut found)
                .is_err()
        });
        assert!(failed);
    }
}
