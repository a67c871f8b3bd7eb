//! Names of complete subtrees, and the split of a run of leaves into them.

use crate::hash::NodeHash;
use crate::units::TreeSize;
use core::fmt;

/// A complete subtree: the leaves `index << level .. (index + 1) << level`.
///
/// Level 0 are the leaves themselves. Its hash is fixed once all its leaves exist, whatever is
/// appended later, so it can be stored once and cached for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeCoord {
    /// Height above the leaves, 0-63.
    pub level: u8,
    /// Place among the nodes of its level, from 0 at the left.
    pub index: u64,
}

impl NodeCoord {
    /// Whether a tree of `size` leaves has all leaves of this subtree, so that its hash is final.
    #[must_use]
    pub fn is_complete_in(self, size: TreeSize) -> bool {
        // size >> level counts the complete subtrees of that level; level 64 and above has none.
        self.index < size.get().checked_shr(u32::from(self.level)).unwrap_or(0)
    }
}

impl fmt::Display for NodeCoord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} of level {}", self.index, self.level)
    }
}

/// Where the hashes of complete subtrees are kept: a map, an index, tiles.
///
/// A prover asks only for subtrees that are complete at the tree size it proves for, at most
/// 2 * 64 of them for one proof.
pub trait NodeReader {
    /// Why a node could not be read: missing, damaged, I/O.
    type Error;

    /// The hash of the complete subtree at `coord`.
    fn node(&self, coord: NodeCoord) -> Result<NodeHash, Self::Error>;
}

impl<T: NodeReader + ?Sized> NodeReader for &T {
    type Error = T::Error;

    fn node(&self, coord: NodeCoord) -> Result<NodeHash, Self::Error> {
        (**self).node(coord)
    }
}

/// The maximal complete subtrees that cover leaves `start..end`, left to right.
///
/// From 0 they are the right edge of a tree of `end` leaves, largest first; from elsewhere they
/// first grow, then shrink. At most 2 * 64.
#[derive(Debug, Clone)]
pub struct Subtrees {
    next: u64,
    end: u64,
}

impl Subtrees {
    /// The subtrees that make up a tree of `size` leaves.
    #[must_use]
    pub const fn of_tree(size: TreeSize) -> Self {
        Self::between(0, size.get())
    }

    pub(super) const fn between(start: u64, end: u64) -> Self {
        Self { next: start, end }
    }
}

impl Iterator for Subtrees {
    type Item = NodeCoord;

    fn next(&mut self) -> Option<NodeCoord> {
        let remaining = self.end.checked_sub(self.next)?;
        // The largest power of two that fits the remaining leaves and starts at an aligned place.
        let fits = remaining.checked_ilog2()?;
        let level = fits.min(self.next.trailing_zeros());
        let index = self.next >> level;
        self.next += 1u64 << level;
        Some(NodeCoord {
            level: u8::try_from(level).ok()?,
            index,
        })
    }
}
