//! Inclusion proofs.

use super::*;

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
            for mutant in mutants(made.hashes(), if size < 12 { 1 } else { 85 }) {
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
