//! The tree against the RFC's own definitions, and every proof against its mutants.

mod consistency;
mod frontier;
mod inclusion;
mod properties;
mod range;

use super::model::{leaves, mth, path, proof};
use super::*;
use crate::hash::to_hex;
use crate::units::LeafIndex;
use alloc::vec::Vec;

/// Every size up to here is tried, with every index or older size.
const EXHAUSTIVE: u64 = 130;

fn head(leaves: &[LeafHash]) -> TreeHead {
    TreeHead {
        size: TreeSize::new(leaves.len() as u64),
        root: mth(leaves).into(),
    }
}

/// Every way to change one hash of a list (each `bit_step`-th of its bits), or the list's length.
fn mutants(hashes: &[NodeHash], bit_step: usize) -> Vec<Vec<NodeHash>> {
    let mut out = Vec::new();
    for at in 0..hashes.len() {
        for bit in (0..256).step_by(bit_step) {
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
