//! The right edge of a tree: all that appending and the root need.

use super::{NodeCoord, TreeHead, TreeRoot, empty_root, node_hash};
use crate::hash::{LeafHash, NodeHash, RootHash};
use crate::limits::MAX_TREE_SIZE;
use crate::units::TreeSize;
use alloc::vec::Vec;
use core::marker::PhantomData;

/// Why stored parts are not the right edge of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// A tree of that size has another number of maximal complete subtrees.
    #[error("the right edge of a tree of {size} leaves has {expected} hashes, not {found}")]
    Count {
        /// The tree size given.
        size: TreeSize,
        /// One per set bit of the size.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// The size is beyond what any tree here may have.
    #[error("a tree has at most 2^63 leaves, not {0}")]
    TooLarge(TreeSize),
}

/// The maximal complete subtrees of a tree, largest first: one hash per set bit of its size.
///
/// Appending a leaf costs one hash on average and allocates nothing. The type parameter says
/// which tree it is; [`Frontier::new`] starts the log's, `Frontier::<ProofRoot>::default()`
/// another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier<R: TreeRoot = RootHash> {
    size: u64,
    nodes: Vec<NodeHash>,
    tree: PhantomData<R>,
}

impl Frontier<RootHash> {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<R: TreeRoot> Default for Frontier<R> {
    fn default() -> Self {
        Self {
            size: 0,
            // A size below 2^64 has at most 64 set bits, so no push ever grows this.
            nodes: Vec::with_capacity(64),
            tree: PhantomData,
        }
    }
}

impl<R: TreeRoot> Frontier<R> {
    /// Takes up a tree where it was left: `nodes` as [`Frontier::nodes`] gave them.
    ///
    /// Says nothing about whether the hashes are true; compare [`Frontier::root`] with a root that
    /// is trusted.
    pub fn from_parts(size: TreeSize, nodes: Vec<NodeHash>) -> Result<Self, FrontierError> {
        if size.get() > MAX_TREE_SIZE {
            return Err(FrontierError::TooLarge(size));
        }
        let expected = size.get().count_ones() as usize;
        if nodes.len() != expected {
            return Err(FrontierError::Count {
                size,
                expected,
                found: nodes.len(),
            });
        }
        let mut nodes = nodes;
        nodes.reserve(64 - expected);
        Ok(Self {
            size: size.get(),
            nodes,
            tree: PhantomData,
        })
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: LeafHash) {
        self.push_with(leaf, |_, _| {});
    }

    /// Appends a leaf and hands out every node this completes: the leaf's own (level 0), then
    /// its complete ancestors upwards. Over all pushes each complete subtree appears exactly once.
    pub fn push_with(&mut self, leaf: LeafHash, mut completed: impl FnMut(NodeCoord, NodeHash)) {
        self.push_subtree_with(0, leaf.into(), &mut completed);
    }

    /// Appends a complete subtree of 2^level leaves. The caller has made sure that it is aligned
    /// (the size is a multiple of 2^level), as [`super::Subtrees`] are.
    pub(super) fn push_subtree(&mut self, level: u8, hash: NodeHash) {
        self.push_subtree_with(level, hash, &mut |_, _| {});
    }

    #[inline]
    fn push_subtree_with(
        &mut self,
        level: u8,
        hash: NodeHash,
        completed: &mut impl FnMut(NodeCoord, NodeHash),
    ) {
        let mut coord = NodeCoord {
            level,
            index: self.size >> level,
        };
        let mut carry = hash;
        completed(coord, carry);
        // Like adding 1 in binary: each trailing one bit is a subtree of equal size to the left.
        while coord.index & 1 == 1 {
            let Some(left) = self.nodes.pop() else { break };
            carry = node_hash(&left, &carry);
            coord = NodeCoord {
                level: coord.level + 1,
                index: coord.index >> 1,
            };
            completed(coord, carry);
        }
        self.nodes.push(carry);
        self.size = self.size.saturating_add(1u64 << level);
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// The maximal complete subtrees, largest (leftmost) first.
    #[must_use]
    pub fn nodes(&self) -> &[NodeHash] {
        &self.nodes
    }

    /// The root over all leaves: one hash per set bit of the size but one, no allocation.
    #[must_use]
    pub fn root(&self) -> R {
        fold_right(&self.nodes).map_or_else(empty_root, R::from)
    }

    /// Size and root together.
    #[must_use]
    pub fn head(&self) -> TreeHead<R> {
        TreeHead {
            size: self.size(),
            root: self.root(),
        }
    }
}

/// The hash over neighbouring subtrees of falling size, largest first; `None` of none.
pub(super) fn fold_right(subtrees: &[NodeHash]) -> Option<NodeHash> {
    let (smallest, larger) = subtrees.split_last()?;
    Some(
        larger
            .iter()
            .rev()
            .fold(*smallest, |right, left| node_hash(left, &right)),
    )
}
