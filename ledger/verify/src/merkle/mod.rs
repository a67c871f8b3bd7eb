//! RFC 6962 Merkle trees: hashes, the growing right edge, and proofs made and checked.
//!
//! ```text
//! leaf hash  = SHA-256(0x00 || leaf bytes)          the prefixes keep a leaf from being passed
//! node hash  = SHA-256(0x01 || left || right)       off as a node and the reverse
//! empty root = SHA-256("")
//! ```
//!
//! A tree of n > 1 leaves splits at k, the largest power of two below n: the left k leaves are a
//! *complete* subtree that never changes again, the rest is the growing right side. Only complete
//! subtrees are ever stored ([`NodeCoord`] names them, [`NodeReader`] fetches them); everything
//! else is folded from at most 64 of them.
//!
//! The same functions serve the log, a computation and a snapshot. What tree is meant is the type
//! of its root ([`TreeRoot`]), so a proof for one is not accepted for another by accident.
//!
//! In scope: the tree, its proofs (inclusion, consistency, range) and their verification.
//! Out of scope: what a leaf means, who signs a root (checkpoints), where nodes are kept.

mod consistency;
mod coord;
mod frontier;
mod inclusion;
mod memory;
mod path;
mod range;

pub use consistency::{
    ConsistencyError, ConsistencyProof, Consistent, Growth, prove_consistency, verify_consistency,
};
pub use coord::{NodeCoord, NodeReader, Subtrees};
pub use frontier::{Frontier, FrontierError};
pub use inclusion::{Included, InclusionError, InclusionProof, prove_inclusion, verify_inclusion};
pub use memory::{MemoryTree, MissingNode};
pub use path::ProveError;
pub use range::{
    IncludedRange, LeafRange, RangeError, RangeProof, RangeWalk, prove_range, verify_range,
};

use crate::hash::{
    HASH_SIZE, LeafHash, NodeHash, ProofRoot, RootHash, SnapshotRoot, sha256, sha256_parts,
};
use crate::units::TreeSize;
use core::fmt;

const LEAF_PREFIX: u8 = 0x00;
const NODE_PREFIX: u8 = 0x01;

/// The root of one kind of tree: [`RootHash`] of the log, [`ProofRoot`] of a computation,
/// [`SnapshotRoot`] of a snapshot.
pub trait TreeRoot: Copy + Eq + fmt::Debug + fmt::Display + From<NodeHash> {
    /// The root as the hash of the subtree that spans the whole tree, for a walk to start from.
    fn to_node(&self) -> NodeHash;
}

macro_rules! tree_root {
    ($($root:ty),+) => {$(
        impl TreeRoot for $root {
            fn to_node(&self) -> NodeHash {
                NodeHash::new(*self.as_bytes())
            }
        }
    )+};
}
tree_root!(RootHash, ProofRoot, SnapshotRoot);

/// A tree at one moment: how many leaves it has and the root over them.
///
/// Root and size belong together and are to be taken from one trusted statement: a root alone does
/// not fix the size (a tree of 3 with the leaves a, b, c has the root of a tree of 4 in which c's
/// hash stands for the two last leaves).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead<R: TreeRoot = RootHash> {
    /// Number of leaves.
    pub size: TreeSize,
    /// Root over exactly those leaves.
    pub root: R,
}

/// SHA-256(0x00 || leaf), RFC 6962 2.1.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> LeafHash {
    LeafHash::new(sha256_parts(&[&[LEAF_PREFIX], leaf]))
}

/// SHA-256(0x01 || left || right), RFC 6962 2.1.
#[must_use]
pub fn node_hash(left: &NodeHash, right: &NodeHash) -> NodeHash {
    // One contiguous message: 65 bytes are two SHA-256 blocks however they arrive, and a single
    // update spares the hasher's own buffering.
    let mut message = [NODE_PREFIX; 1 + 2 * HASH_SIZE];
    let (left_half, right_half) = message.split_at_mut(1 + HASH_SIZE);
    if let Some(slot) = left_half.get_mut(1..) {
        slot.copy_from_slice(left.as_bytes());
    }
    right_half.copy_from_slice(right.as_bytes());
    NodeHash::new(sha256(&message))
}

/// The root of a tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root<R: TreeRoot>() -> R {
    NodeHash::new(sha256(b"")).into()
}

/// The root over `leaves` in their order.
#[must_use]
pub fn root_of<R: TreeRoot>(leaves: impl IntoIterator<Item = LeafHash>) -> R {
    let mut frontier = Frontier::<R>::default();
    for leaf in leaves {
        frontier.push(leaf);
    }
    frontier.root()
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests;
