//! A whole tree in memory: for trees that are small, such as one computation's or a snapshot's.

use super::{Frontier, NodeCoord, NodeReader, TreeHead, TreeRoot};
use crate::hash::{LeafHash, NodeHash, RootHash};
use crate::units::TreeSize;
use alloc::vec::Vec;

/// The node asked for is not (yet) complete in this tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tree has no complete subtree {0}")]
pub struct MissingNode(pub NodeCoord);

/// Every complete subtree of a growing tree: two hashes (64 bytes) a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryTree<R: TreeRoot = RootHash> {
    frontier: Frontier<R>,
    levels: Vec<Vec<NodeHash>>,
}

impl<R: TreeRoot> Default for MemoryTree<R> {
    fn default() -> Self {
        Self {
            frontier: Frontier::default(),
            levels: Vec::new(),
        }
    }
}

impl<R: TreeRoot> MemoryTree<R> {
    /// Appends a leaf.
    pub fn push(&mut self, leaf: LeafHash) {
        let levels = &mut self.levels;
        self.frontier.push_with(leaf, |coord, hash| {
            let level = usize::from(coord.level);
            if level == levels.len() {
                levels.push(Vec::new());
            }
            // Nodes of one level complete from left to right, so pushing keeps index = place.
            if let Some(nodes) = levels.get_mut(level) {
                nodes.push(hash);
            }
        });
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> TreeSize {
        self.frontier.size()
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> TreeHead<R> {
        self.frontier.head()
    }
}

impl<R: TreeRoot> FromIterator<LeafHash> for MemoryTree<R> {
    fn from_iter<I: IntoIterator<Item = LeafHash>>(leaves: I) -> Self {
        let mut tree = Self::default();
        for leaf in leaves {
            tree.push(leaf);
        }
        tree
    }
}

impl<R: TreeRoot> NodeReader for MemoryTree<R> {
    type Error = MissingNode;

    fn node(&self, coord: NodeCoord) -> Result<NodeHash, MissingNode> {
        let level = self.levels.get(usize::from(coord.level));
        let index = usize::try_from(coord.index).ok();
        level
            .zip(index)
            .and_then(|(nodes, index)| nodes.get(index))
            .copied()
            .ok_or(MissingNode(coord))
    }
}
