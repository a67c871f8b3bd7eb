//! The right edge, and the names of complete subtrees.

use super::*;

#[test]
fn the_frontier_has_the_root_of_every_size() {
    let all = leaves(EXHAUSTIVE);
    let mut frontier = Frontier::new();
    for (count, leaf) in all.iter().enumerate() {
        assert_eq!(frontier.head(), head(&all[..count]));
        let taken_up = Frontier::from_parts(frontier.size(), frontier.nodes().to_vec());
        assert_eq!(taken_up.as_ref(), Ok(&frontier));
        frontier.push(*leaf);
    }
    assert_eq!(frontier.head(), head(&all));
}

#[test]
fn a_frontier_needs_one_hash_per_set_bit() {
    for size in [1u64, 2, 3, 255, 256, 1 << 40] {
        let expected = size.count_ones() as usize;
        for found in [expected - 1, expected + 1] {
            let nodes = alloc::vec![NodeHash::new([7; 32]); found];
            let size = TreeSize::new(size);
            assert_eq!(
                Frontier::<RootHash>::from_parts(size, nodes),
                Err(FrontierError::Count {
                    size,
                    expected,
                    found
                })
            );
        }
    }
    let size = TreeSize::new(u64::MAX);
    assert_eq!(
        Frontier::<RootHash>::from_parts(size, Vec::new()),
        Err(FrontierError::TooLarge(size))
    );
}

#[test]
fn pushing_never_allocates() {
    let right_edge = alloc::vec![NodeHash::new([0; 32])];
    let mut frontier = Frontier::<RootHash>::from_parts(TreeSize::new(1), right_edge).unwrap();
    let before = frontier.nodes().as_ptr();
    for leaf in leaves(1000) {
        frontier.push(leaf);
    }
    assert_eq!(frontier.nodes().as_ptr(), before);
}

#[test]
fn each_completed_node_is_handed_out_once_and_true() {
    let all = leaves(EXHAUSTIVE);
    let mut frontier = Frontier::new();
    let mut seen = alloc::collections::BTreeMap::new();
    for leaf in &all {
        frontier.push_with(*leaf, |coord, hash| {
            assert_eq!(seen.insert(coord, hash), None);
        });
        assert!(
            seen.keys()
                .all(|coord| coord.is_complete_in(frontier.size()))
        );
    }
    let mut expected = 0;
    for level in 0..8u8 {
        for (index, run) in all.chunks_exact(1 << level).enumerate() {
            let coord = NodeCoord {
                level,
                index: index as u64,
            };
            assert_eq!(seen.get(&coord), Some(&mth(run)));
            expected += 1;
        }
    }
    assert_eq!(seen.len(), expected);
}

#[test]
fn subtrees_cover_a_run_without_gaps() {
    for end in 0..70u64 {
        for start in 0..=end {
            let mut next = start;
            for coord in Subtrees::between(start, end) {
                assert_eq!(coord.index << coord.level, next);
                next += 1 << coord.level;
            }
            assert_eq!(next, end);
        }
    }
    assert_eq!(Subtrees::of_tree(TreeSize::new(u64::MAX)).count(), 64);
}
