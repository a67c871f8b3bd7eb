//! The tree against the RFC's own definitions, and every proof against its mutants.

use super::model::{leaves, mth, path, proof};
use super::*;
use crate::hash::{LeafHash, to_hex};
use crate::units::LeafIndex;
use alloc::vec::Vec;
use proptest::prelude::*;

const EXHAUSTIVE: u64 = 130;

fn head(leaves: &[LeafHash]) -> TreeHead {
    TreeHead {
        size: TreeSize::new(leaves.len() as u64),
        root: mth(leaves).into(),
    }
}

/// Every way to change one hash of a list, or its length.
fn mutants(hashes: &[NodeHash]) -> Vec<Vec<NodeHash>> {
    let mut out = Vec::new();
    for at in 0..hashes.len() {
        for bit in [0, 7, 100, 255] {
            let mut bytes = *hashes[at].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut mutant = hashes.to_vec();
            mutant[at] = NodeHash::new(bytes);
            out.push(mutant);
        }
        let mut removed = hashes.to_vec();
        removed.remove(at);
        out.push(removed);
        let mut doubled = hashes.to_vec();
        doubled.insert(at, hashes[at]);
        out.push(doubled);
        if at > 0 {
            let mut swapped = hashes.to_vec();
            swapped.swap(at - 1, at);
            out.push(swapped);
        }
    }
    let mut longer = hashes.to_vec();
    longer.push(NodeHash::new([0; 32]));
    out.push(longer);
    out
}

#[test]
fn known_hashes() {
    // Of the empty string, and of RFC 6962's two prefixes over it.
    let empty: RootHash = empty_root();
    assert_eq!(
        to_hex(empty.as_bytes()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        to_hex(leaf_hash(b"").as_bytes()),
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    );
    let node = node_hash(&NodeHash::new([0; 32]), &NodeHash::new([1; 32]));
    let message = [&[1][..], &[0; 32], &[1; 32]].concat();
    assert_eq!(node.as_bytes(), &crate::hash::sha256(&message));
}

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

#[test]
fn inclusion_proofs_are_the_rfcs_and_mutants_fail() {
    let all = leaves(EXHAUSTIVE);
    let tree: MemoryTree = all.iter().copied().collect();
    for size in 1..=all.len() {
        let head = head(&all[..size]);
        for index in 0..size {
            let at = LeafIndex::new(index as u64);
            let made = prove_inclusion(at, head.size, &tree).unwrap();
            assert_eq!(made.hashes(), path(index, &all[..size]));
            let included = verify_inclusion(all[index], at, head, &made).unwrap();
            assert_eq!(
                (included.leaf(), included.index(), included.head()),
                (all[index], at, head)
            );
            if size > 40 && (index * 7 + size) % 11 != 0 {
                continue;
            }
            for mutant in mutants(made.hashes()) {
                let mutant = InclusionProof::new(mutant);
                assert!(verify_inclusion(all[index], at, head, &mutant).is_err());
            }
        }
    }
}

#[test]
fn inclusion_of_another_leaf_index_or_size_fails() {
    let all = leaves(40);
    let tree: MemoryTree = all.iter().copied().collect();
    for size in 1..=all.len() {
        let head = head(&all[..size]);
        for index in 0..size {
            let at = LeafIndex::new(index as u64);
            let made = prove_inclusion(at, head.size, &tree).unwrap();
            for other in 0..=all.len() + 1 {
                let elsewhere = LeafIndex::new(other as u64);
                if other != index {
                    assert!(verify_inclusion(all[index], elsewhere, head, &made).is_err());
                }
                if other < all.len() && other != index {
                    assert_eq!(
                        verify_inclusion(all[other], at, head, &made),
                        Err(InclusionError::RootMismatch)
                    );
                }
            }
        }
    }
}

#[test]
fn inclusion_errors_are_told_apart() {
    let all = leaves(7);
    let tree: MemoryTree = all.iter().copied().collect();
    let head = tree.head();
    let at = LeafIndex::new(6);
    let made = prove_inclusion(at, head.size, &tree).unwrap().into_hashes();
    assert_eq!(made.len(), 2);
    let verify = |at, head, hashes: &[NodeHash]| {
        verify_inclusion(all[6], at, head, &InclusionProof::new(hashes.to_vec())).map(|_| ())
    };
    assert_eq!(verify(at, head, &made), Ok(()));
    assert_eq!(verify(at, head, &made[..1]), Err(InclusionError::TooShort));
    assert_eq!(
        verify(at, head, &[made[0], made[1], made[1]]),
        Err(InclusionError::TooLong)
    );
    assert_eq!(
        verify(at, head, &[made[1], made[0]]),
        Err(InclusionError::RootMismatch)
    );
    let outside = LeafIndex::new(7);
    assert_eq!(
        verify(outside, head, &made),
        Err(InclusionError::IndexOutsideTree {
            index: outside,
            size: head.size
        })
    );
    assert_eq!(
        prove_inclusion(outside, head.size, &tree),
        Err(ProveError::IndexOutsideTree {
            index: outside,
            size: head.size
        })
    );
}

#[test]
fn consistency_proofs_are_the_rfcs_and_mutants_fail() {
    let all = leaves(EXHAUSTIVE);
    let tree: MemoryTree = all.iter().copied().collect();
    for new in 0..=all.len() {
        for old in 0..=new {
            let heads = Growth {
                old: head(&all[..old]),
                new: head(&all[..new]),
            };
            let sizes = Growth {
                old: heads.old.size,
                new: heads.new.size,
            };
            let made = prove_consistency(sizes, &tree).unwrap();
            if old > 0 {
                assert_eq!(made.hashes(), proof(old, &all[..new]));
            } else {
                assert_eq!(made.hashes(), []);
            }
            assert_eq!(
                verify_consistency(heads, &made).map(|c| c.heads()),
                Ok(heads)
            );
            if new > 40 && (old * 7 + new) % 11 != 0 {
                continue;
            }
            for mutant in mutants(made.hashes()) {
                assert!(verify_consistency(heads, &ConsistencyProof::new(mutant)).is_err());
            }
        }
    }
}

#[test]
fn consistency_with_another_head_fails() {
    let all = leaves(24);
    let tree: MemoryTree = all.iter().copied().collect();
    let false_root = RootHash::new([9; 32]);
    for new in 1..=all.len() {
        for old in 0..=new {
            let heads = Growth {
                old: head(&all[..old]),
                new: head(&all[..new]),
            };
            let sizes = Growth {
                old: heads.old.size,
                new: heads.new.size,
            };
            let made = prove_consistency(sizes, &tree).unwrap();
            let with_old = |old| {
                verify_consistency(
                    Growth {
                        old,
                        new: heads.new,
                    },
                    &made,
                )
            };
            let with_new = |new| {
                verify_consistency(
                    Growth {
                        old: heads.old,
                        new,
                    },
                    &made,
                )
            };
            assert!(
                with_old(TreeHead {
                    root: false_root,
                    ..heads.old
                })
                .is_err()
            );
            if old > 0 {
                // Nothing binds the new root when the old tree is empty: that is what 0 means.
                assert!(
                    with_new(TreeHead {
                        root: false_root,
                        ..heads.new
                    })
                    .is_err()
                );
            }
            for other in (0..=all.len()).filter(|other| *other != old) {
                assert!(
                    with_old(head(&all[..other])).is_err() || other == new || other == 0,
                    "{old} {other} {new}"
                );
            }
            for other in (0..=all.len()).filter(|other| *other != new && old > 0) {
                assert!(with_new(head(&all[..other])).is_err() || other == old);
            }
        }
    }
}

#[test]
fn consistency_errors_are_told_apart() {
    let all = leaves(7);
    let tree: MemoryTree = all.iter().copied().collect();
    let heads = Growth {
        old: head(&all[..3]),
        new: head(&all),
    };
    let sizes = Growth {
        old: heads.old.size,
        new: heads.new.size,
    };
    let made = prove_consistency(sizes, &tree).unwrap().into_hashes();
    let verify = |heads, hashes: &[NodeHash]| {
        verify_consistency(heads, &ConsistencyProof::new(hashes.to_vec())).map(|_| ())
    };
    let with_old_root = |root| Growth {
        old: TreeHead { root, ..heads.old },
        ..heads
    };
    let with_new_root = |root| Growth {
        new: TreeHead { root, ..heads.new },
        ..heads
    };
    let other = RootHash::new([9; 32]);
    assert_eq!(verify(heads, &made), Ok(()));
    assert_eq!(verify(heads, &[]), Err(ConsistencyError::TooShort));
    assert_eq!(verify(heads, &made[..2]), Err(ConsistencyError::TooShort));
    let longer = [&made[..], &made[..1]].concat();
    assert_eq!(verify(heads, &longer), Err(ConsistencyError::TooLong));
    assert_eq!(
        verify(with_old_root(other), &made),
        Err(ConsistencyError::OldRootMismatch)
    );
    assert_eq!(
        verify(with_new_root(other), &made),
        Err(ConsistencyError::NewRootMismatch)
    );
    let reversed = Growth {
        old: heads.new,
        new: heads.old,
    };
    let (old, new) = (heads.new.size, heads.old.size);
    assert_eq!(
        verify(reversed, &made),
        Err(ConsistencyError::SizesReversed { old, new })
    );
    assert_eq!(
        prove_consistency(Growth { old, new }, &tree),
        Err(ProveError::SizesReversed { old, new })
    );
    let equal = Growth {
        old: heads.new,
        new: heads.new,
    };
    assert_eq!(verify(equal, &[]), Ok(()));
    assert_eq!(verify(equal, &made), Err(ConsistencyError::TooLong));
    let forked = Growth {
        old: heads.new,
        new: TreeHead {
            root: other,
            ..heads.new
        },
    };
    assert_eq!(verify(forked, &[]), Err(ConsistencyError::NewRootMismatch));
    let from_nothing = Growth {
        old: head(&[]),
        new: heads.new,
    };
    assert_eq!(verify(from_nothing, &[]), Ok(()));
    assert_eq!(verify(from_nothing, &made), Err(ConsistencyError::TooLong));
    let from_lie = Growth {
        old: TreeHead {
            root: other,
            ..head(&[])
        },
        new: heads.new,
    };
    assert_eq!(
        verify(from_lie, &[]),
        Err(ConsistencyError::OldRootMismatch)
    );
}

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
                for mutant in mutants(made.hashes()) {
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

/// A tree whose nodes are a function of their place: proofs of sizes no memory could hold.
struct Fabricated;

impl NodeReader for Fabricated {
    type Error = core::convert::Infallible;

    fn node(&self, coord: NodeCoord) -> Result<NodeHash, Self::Error> {
        // Only below level 10 are nodes true to their children; the tests stay above or below.
        let place = [&[coord.level][..], &coord.index.to_be_bytes()].concat();
        Ok(NodeHash::new(crate::hash::sha256(&place)))
    }
}

proptest! {
    #[test]
    fn proofs_of_larger_trees_hold(count in 131u64..2000, at in any::<prop::sample::Index>(), from in any::<prop::sample::Index>()) {
        let all = leaves(count);
        let tree: MemoryTree = all.iter().copied().collect();
        let head = tree.head();
        prop_assert_eq!(head.root, mth(&all).into());
        let index = at.index(all.len());
        let place = LeafIndex::new(index as u64);
        let inclusion = prove_inclusion(place, head.size, &tree).unwrap();
        prop_assert_eq!(inclusion.hashes(), path(index, &all));
        prop_assert!(verify_inclusion(all[index], place, head, &inclusion).is_ok());
        let old = 1 + from.index(all.len());
        let old_head = TreeHead { size: TreeSize::new(old as u64), root: mth(&all[..old]).into() };
        let heads = Growth { old: old_head, new: head };
        let consistency = prove_consistency(Growth { old: old_head.size, new: head.size }, &tree).unwrap();
        prop_assert_eq!(consistency.hashes(), proof(old, &all));
        prop_assert!(verify_consistency(heads, &consistency).is_ok());
    }

    #[test]
    fn every_single_bit_of_a_proof_matters(count in 2u64..200, at in any::<prop::sample::Index>(), hash in any::<prop::sample::Index>(), bit in 0usize..256) {
        let all = leaves(count);
        let tree: MemoryTree = all.iter().copied().collect();
        let index = at.index(all.len());
        let place = LeafIndex::new(index as u64);
        let mut hashes = prove_inclusion(place, tree.size(), &tree).unwrap().into_hashes();
        let slot = hash.index(hashes.len());
        let mut bytes = *hashes[slot].as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        hashes[slot] = NodeHash::new(bytes);
        prop_assert_eq!(
            verify_inclusion(all[index], place, tree.head(), &InclusionProof::new(hashes)),
            Err(InclusionError::RootMismatch)
        );
    }

    #[test]
    fn any_sizes_read_few_nodes_and_never_panic(index: u64, size: u64, old: u64) {
        let (index, size, old) = (LeafIndex::new(index), TreeSize::new(size), TreeSize::new(old));
        let root = RootHash::new([0; 32]);
        if let Ok(made) = prove_inclusion(index, size, &Fabricated) {
            prop_assert!(made.hashes().len() <= 64);
            // The lengths of prover and verifier agree: all that is left to find wrong is the root.
            prop_assert_eq!(
                verify_inclusion(leaf_hash(b""), index, TreeHead { size, root }, &made),
                Err(InclusionError::RootMismatch)
            );
        }
        if let Ok(made) = prove_consistency(Growth { old, new: size }, &Fabricated) {
            prop_assert!(made.hashes().len() <= 65);
            let heads = Growth { old: TreeHead { size: old, root }, new: TreeHead { size, root } };
            let checked = verify_consistency(heads, &made);
            prop_assert!(matches!(
                checked,
                Err(ConsistencyError::OldRootMismatch | ConsistencyError::NewRootMismatch)
            ) || old == size);
        }
    }
}
