//! Range proofs.

use super::*;

#[test]
fn range_proofs_hold_and_mutants_fail() {
    let all = leaves(19);
    let tree: MemoryTree = all.iter().copied().collect();
    for size in 0..=all.len() {
        let head = head(&all[..size]);
        for end in 0..=size {
            for start in 0..=end {
                let range = LeafRange {
                    start: LeafIndex::new(start as u64),
                    end: LeafIndex::new(end as u64),
                };
                let made = prove_range(range, head.size, &tree).unwrap();
                let verify = |at: usize, run: &[LeafHash], proof: &RangeProof| {
                    let at = LeafIndex::new(at as u64);
                    verify_range(at, run.iter().copied(), head, proof).map(|r| r.range())
                };
                let run = &all[start..end];
                assert_eq!(verify(start, run, &made), Ok(range));
                for mutant in mutants(made.hashes(), if size < 12 { 1 } else { 85 }) {
                    assert!(verify(start, run, &RangeProof::new(mutant)).is_err());
                }
                if let Some((_, shorter)) = run.split_last() {
                    assert!(verify(start, shorter, &made).is_err());
                    assert!(verify(start + 1, &run[1..], &made).is_err());
                    let mut changed = run.to_vec();
                    changed[0] = LeafHash::new([3; 32]);
                    assert_eq!(
                        verify(start, &changed, &made),
                        Err(RangeError::RootMismatch)
                    );
                    assert!(verify(start + 1, run, &made).is_err());
                }
                let longer = [run, &[LeafHash::new([3; 32])]].concat();
                assert!(verify(start, &longer, &made).is_err());
            }
        }
    }
}

#[test]
fn a_range_outside_the_tree_is_refused() {
    let tree: MemoryTree = leaves(5).into_iter().collect();
    let size = TreeSize::new(5);
    for (start, end) in [(0, 6), (3, 2), (6, 6)] {
        let range = LeafRange {
            start: LeafIndex::new(start),
            end: LeafIndex::new(end),
        };
        assert!(matches!(
            prove_range(range, size, &tree),
            Err(ProveError::RangeOutsideTree { .. })
        ));
    }
    let outside = verify_range(LeafIndex::new(6), [], tree.head(), &RangeProof::default());
    assert!(matches!(outside, Err(RangeError::RangeOutsideTree { .. })));
    let huge = TreeHead {
        size: TreeSize::new(u64::MAX),
        root: tree.head().root,
    };
    assert_eq!(
        verify_range(LeafIndex::ZERO, [], huge, &RangeProof::default()),
        Err(RangeError::TreeTooLarge(huge.size))
    );
}
