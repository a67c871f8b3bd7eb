//! Random trees, and sizes no memory could hold.

use super::*;
use proptest::prelude::*;

/// Nodes that are a function of their place and of nothing else: enough to see which ones a prover
/// asks for, of trees that no memory could hold. Such proofs lead to no root.
struct Fabricated;

impl NodeReader for Fabricated {
    type Error = core::convert::Infallible;

    fn node(&self, coord: NodeCoord) -> Result<NodeHash, Self::Error> {
        assert!(coord.level < 64);
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
