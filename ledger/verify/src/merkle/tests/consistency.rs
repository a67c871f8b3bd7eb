//! Consistency proofs.

use super::*;

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
            for mutant in mutants(made.hashes(), if new < 12 { 1 } else { 85 }) {
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
            // The proof of one pair of sizes is none for another, but for those that need none.
            for other in (0..=all.len()).filter(|other| *other != old) {
                let needs_none = made.hashes().is_empty() && (other == 0 || other == new);
                assert_eq!(with_old(head(&all[..other])).is_ok(), needs_none);
            }
            for other in (0..=all.len()).filter(|other| *other != new && old > 0) {
                assert!(with_new(head(&all[..other])).is_err());
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
