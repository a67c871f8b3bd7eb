//! Proofs that one tree is a prefix of another (RFC 6962 2.1.2, RFC 9162 2.1.4).

use super::path::{ProveError, audit_path};
use super::{NodeCoord, NodeReader, TreeHead, TreeRoot, empty_root, node_hash};
use crate::hash::{NodeHash, RootHash};
use crate::units::TreeSize;
use alloc::vec::Vec;

/// The same thing at two moments, named so that they cannot be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth<T> {
    /// The earlier one.
    pub old: T,
    /// The later one.
    pub new: T,
}

/// The hashes that lead to both roots. A claim until verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsistencyProof {
    hashes: Vec<NodeHash>,
}

impl ConsistencyProof {
    /// A proof received from someone.
    #[must_use]
    pub const fn new(hashes: Vec<NodeHash>) -> Self {
        Self { hashes }
    }

    /// The hashes, in the RFC's order.
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

/// Evidence that the old tree's leaves are the first leaves of the new one: only
/// [`verify_consistency`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consistent<R: TreeRoot = RootHash> {
    heads: Growth<TreeHead<R>>,
}

impl<R: TreeRoot> Consistent<R> {
    /// Both trees. As trustworthy as whoever vouched for their roots.
    #[must_use]
    pub const fn heads(&self) -> Growth<TreeHead<R>> {
        self.heads
    }
}

/// Why a proof does not show that the new tree continues the old one.
///
/// Two trees whose roots are both signed by the log, and for which the log can give no proof, are
/// a fork: keep both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyError {
    /// The old tree is larger than the new one.
    #[error("the old size {old} exceeds the new size {new}")]
    SizesReversed {
        /// The size called old.
        old: TreeSize,
        /// The size called new.
        new: TreeSize,
    },
    /// Fewer hashes than these two sizes need.
    #[error("consistency proof is too short")]
    TooShort,
    /// More hashes than these two sizes need; equal sizes, or an empty old tree, need none.
    #[error("consistency proof is too long")]
    TooLong,
    /// The walk ends at another root for the old tree.
    #[error("consistency proof leads to another old root")]
    OldRootMismatch,
    /// The walk ends at another root for the new tree.
    #[error("consistency proof leads to another new root")]
    NewRootMismatch,
}

/// Proves that the tree of `sizes.old` leaves is a prefix of that of `sizes.new`, reading
/// O(log size) nodes. Equal sizes, and an empty old tree, have the empty proof.
pub fn prove_consistency<N: NodeReader>(
    sizes: Growth<TreeSize>,
    reader: &N,
) -> Result<ConsistencyProof, ProveError<N::Error>> {
    let Growth { old, new } = sizes;
    if old > new {
        return Err(ProveError::SizesReversed { old, new });
    }
    if old == new || old == TreeSize::ZERO {
        return Ok(ConsistencyProof::default());
    }
    let mut hashes = Vec::with_capacity(32);
    let start = last_subtree(old);
    // The verifier of a complete old tree has its root already.
    if start.index != 0 {
        hashes.push(reader.node(start).map_err(ProveError::Read)?);
    }
    audit_path(start, new, reader, &mut hashes).map_err(ProveError::Read)?;
    Ok(ConsistencyProof { hashes })
}

/// The smallest of the subtrees that make up a tree of `size` > 0 leaves: the proof starts there.
fn last_subtree(size: TreeSize) -> NodeCoord {
    let level = size.get().trailing_zeros();
    NodeCoord {
        // At most 63, for a size above zero.
        level: u8::try_from(level).unwrap_or(63),
        index: (size.get().saturating_sub(1))
            .checked_shr(level)
            .unwrap_or(0),
    }
}

/// Checks that `heads.old` is a prefix of `heads.new` (RFC 9162 2.1.4.2).
///
/// Two cases are outside the RFC's walk and take the empty proof only, as C2SP merkle-tree has it:
/// equal sizes, whose roots must be equal; and growth from 0, which any tree is. Of the latter
/// this asks in addition that the old root is [`empty_root`], the only one such a tree can have;
/// the new root is bound by nothing then.
pub fn verify_consistency<R: TreeRoot>(
    heads: Growth<TreeHead<R>>,
    proof: &ConsistencyProof,
) -> Result<Consistent<R>, ConsistencyError> {
    let Growth { old, new } = heads;
    if old.size > new.size {
        return Err(ConsistencyError::SizesReversed {
            old: old.size,
            new: new.size,
        });
    }
    if old.size == new.size || old.size == TreeSize::ZERO {
        return verify_without_walk(heads, proof);
    }
    let (first, rest) = split_start(old, proof)?;
    // Both walks start at the subtree that ends the old tree.
    let skipped = last_subtree(old.size).level;
    let mut node = (old.size.get() - 1) >> skipped;
    let mut last = (new.size.get() - 1) >> skipped;
    let mut old_hash = first;
    let mut new_hash = first;
    for sibling in rest {
        if last == 0 {
            return Err(ConsistencyError::TooLong);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            let skipped = node.trailing_zeros();
            node = node.checked_shr(skipped).unwrap_or(0);
            last = last.checked_shr(skipped).unwrap_or(0);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ConsistencyError::TooShort);
    }
    if R::from(old_hash) != old.root {
        return Err(ConsistencyError::OldRootMismatch);
    }
    if R::from(new_hash) != new.root {
        return Err(ConsistencyError::NewRootMismatch);
    }
    Ok(Consistent { heads })
}

/// The subtree hash that both walks start from, and the siblings that follow.
fn split_start<R: TreeRoot>(
    old: TreeHead<R>,
    proof: &ConsistencyProof,
) -> Result<(NodeHash, &[NodeHash]), ConsistencyError> {
    if old.size.get().is_power_of_two() {
        return Ok((old.root.to_node(), &proof.hashes));
    }
    let (first, rest) = proof
        .hashes
        .split_first()
        .ok_or(ConsistencyError::TooShort)?;
    Ok((*first, rest))
}

fn verify_without_walk<R: TreeRoot>(
    heads: Growth<TreeHead<R>>,
    proof: &ConsistencyProof,
) -> Result<Consistent<R>, ConsistencyError> {
    let Growth { old, new } = heads;
    if !proof.hashes.is_empty() {
        return Err(ConsistencyError::TooLong);
    }
    if old.size == new.size && old.root != new.root {
        return Err(ConsistencyError::NewRootMismatch);
    }
    if old.size != new.size && old.root != empty_root() {
        return Err(ConsistencyError::OldRootMismatch);
    }
    Ok(Consistent { heads })
}
