//! Proofs that a leaf stands at an index of a tree (RFC 6962 2.1.1, RFC 9162 2.1.3).

use super::path::{ProveError, audit_path};
use super::{NodeCoord, NodeReader, TreeHead, TreeRoot, node_hash};
use crate::hash::{LeafHash, NodeHash, RootHash};
use crate::units::{LeafIndex, TreeSize};
use alloc::vec::Vec;

/// The siblings from a leaf up to the root, lowest first. A claim until verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InclusionProof {
    hashes: Vec<NodeHash>,
}

impl InclusionProof {
    /// A proof received from someone.
    #[must_use]
    pub const fn new(hashes: Vec<NodeHash>) -> Self {
        Self { hashes }
    }

    /// The hashes, lowest first.
    #[must_use]
    pub fn hashes(&self) -> &[NodeHash] {
        &self.hashes
    }

    /// Gives the hashes away.
    #[must_use]
    pub fn into_hashes(self) -> Vec<NodeHash> {
        self.hashes
    }
}

/// Evidence that `leaf` is the leaf at `index` of the tree with `head`: only
/// [`verify_inclusion`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Included<R: TreeRoot = RootHash> {
    leaf: LeafHash,
    index: LeafIndex,
    head: TreeHead<R>,
}

impl<R: TreeRoot> Included<R> {
    /// The leaf that is included.
    #[must_use]
    pub const fn leaf(&self) -> LeafHash {
        self.leaf
    }

    /// Where it stands.
    #[must_use]
    pub const fn index(&self) -> LeafIndex {
        self.index
    }

    /// The tree that has it. As trustworthy as whoever vouched for the root.
    #[must_use]
    pub const fn head(&self) -> TreeHead<R> {
        self.head
    }
}

/// Why a proof does not show that the leaf is in the tree. The prover's fault, or the leaf,
/// index, size or root are not those the proof was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The tree has no leaf at this index.
    #[error("leaf index {index} is not below the tree size {size}")]
    IndexOutsideTree {
        /// The index claimed.
        index: LeafIndex,
        /// The size claimed.
        size: TreeSize,
    },
    /// Fewer hashes than the way to the root has siblings.
    #[error("inclusion proof is too short")]
    TooShort,
    /// More hashes than the way to the root has siblings.
    #[error("inclusion proof is too long")]
    TooLong,
    /// The walk ends at another root.
    #[error("inclusion proof leads to another root")]
    RootMismatch,
}

/// Proves that the tree of `size` leaves has a leaf at `index`, reading O(log size) nodes.
pub fn prove_inclusion<N: NodeReader>(
    index: LeafIndex,
    size: TreeSize,
    reader: &N,
) -> Result<InclusionProof, ProveError<N::Error>> {
    if !size.contains(index) {
        return Err(ProveError::IndexOutsideTree { index, size });
    }
    let mut hashes = Vec::with_capacity(32);
    let start = NodeCoord {
        level: 0,
        index: index.get(),
    };
    audit_path(start, size, reader, &mut hashes).map_err(ProveError::Read)?;
    Ok(InclusionProof { hashes })
}

/// Checks that `leaf` is the leaf at `index` of the tree with `head` (RFC 9162 2.1.3.2).
pub fn verify_inclusion<R: TreeRoot>(
    leaf: LeafHash,
    index: LeafIndex,
    head: TreeHead<R>,
    proof: &InclusionProof,
) -> Result<Included<R>, InclusionError> {
    if !head.size.contains(index) {
        return Err(InclusionError::IndexOutsideTree {
            index,
            size: head.size,
        });
    }
    // `node` walks from the leaf to the root, `last` from the last leaf, level by level.
    let mut node = index.get();
    let mut last = head.size.get() - 1;
    let mut hash = NodeHash::from(leaf);
    for sibling in &proof.hashes {
        if last == 0 {
            return Err(InclusionError::TooLong);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // On the right edge a level without a left sibling has no hash in the proof.
            let skipped = node.trailing_zeros();
            node = node.checked_shr(skipped).unwrap_or(0);
            last = last.checked_shr(skipped).unwrap_or(0);
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(InclusionError::TooShort);
    }
    if R::from(hash) != head.root {
        return Err(InclusionError::RootMismatch);
    }
    Ok(Included { leaf, index, head })
}
