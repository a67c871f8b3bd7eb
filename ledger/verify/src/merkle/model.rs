//! The RFC 6962 definitions, transcribed without regard to cost: the oracle of the tests.

use super::{leaf_hash, node_hash};
use crate::hash::sha256;
use crate::hash::{LeafHash, NodeHash};
use alloc::vec;
use alloc::vec::Vec;

/// `count` different leaf hashes.
pub(super) fn leaves(count: u64) -> Vec<LeafHash> {
    (0..count)
        .map(|index| leaf_hash(&index.to_be_bytes()))
        .collect()
}

/// MTH(D[n]), RFC 6962 2.1.
pub(super) fn mth(leaves: &[LeafHash]) -> NodeHash {
    match leaves {
        [] => NodeHash::new(sha256(b"")),
        [leaf] => (*leaf).into(),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&mth(left), &mth(right))
        }
    }
}

/// PATH(m, D[n]), RFC 6962 2.1.1.
pub(super) fn path(index: usize, leaves: &[LeafHash]) -> Vec<NodeHash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut hashes, sibling) = if index < k {
        (path(index, left), mth(right))
    } else {
        (path(index - k, right), mth(left))
    };
    hashes.push(sibling);
    hashes
}

/// PROOF(m, D[n]), RFC 6962 2.1.2.
pub(super) fn proof(old: usize, leaves: &[LeafHash]) -> Vec<NodeHash> {
    subproof(old, leaves, true)
}

fn subproof(old: usize, leaves: &[LeafHash], known: bool) -> Vec<NodeHash> {
    if old == leaves.len() {
        return if known { Vec::new() } else { vec![mth(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut hashes, sibling) = if old <= k {
        (subproof(old, left, known), mth(right))
    } else {
        (subproof(old - k, right, false), mth(left))
    };
    hashes.push(sibling);
    hashes
}

/// The largest power of two below `count` > 1.
fn split(count: usize) -> usize {
    1 << (count - 1).ilog2()
}
