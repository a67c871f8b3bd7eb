//! The audit path of a complete subtree: what inclusion and consistency proofs are made of.

use super::{NodeCoord, NodeReader, Subtrees, TreeRoot as _, empty_root, frontier::fold_right};
use crate::hash::{NodeHash, RootHash};
use crate::units::{LeafIndex, TreeSize};
use alloc::vec::Vec;

/// Why no proof was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// The tree has no such leaf (yet): ask for an index below the size.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    IndexOutsideTree {
        /// The leaf asked for.
        index: LeafIndex,
        /// The tree it was asked in.
        size: TreeSize,
    },
    /// A tree does not shrink: the old size must not exceed the new one.
    #[error("no consistency from {old} leaves to the smaller {new}")]
    SizesReversed {
        /// The size called old.
        old: TreeSize,
        /// The size called new.
        new: TreeSize,
    },
    /// A range ends before it begins, or beyond the tree.
    #[error("leaves {start}..{end} are not a range of a tree of {size} leaves")]
    RangeOutsideTree {
        /// First leaf of the range.
        start: LeafIndex,
        /// The index after the last leaf.
        end: LeafIndex,
        /// The tree it was asked in.
        size: TreeSize,
    },
    /// A stored node could not be read.
    #[error("a node of the tree could not be read")]
    Read(#[source] E),
}

/// The siblings met on the way from the complete subtree `start` up to the root of a tree of
/// `size` leaves, lowest first, appended to `out`.
///
/// The way has two parts. As long as the subtree's ancestors part from those of the last leaf, the
/// siblings are complete, but for the topmost one: that holds the last leaf, and is folded from
/// the right edge. Above, the subtree hangs on the right edge itself and only left siblings occur.
pub(super) fn audit_path<N: NodeReader>(
    start: NodeCoord,
    size: TreeSize,
    reader: &N,
    out: &mut Vec<NodeHash>,
) -> Result<(), N::Error> {
    let last = size.get().saturating_sub(1);
    let parting = start.index ^ (last >> start.level);
    let parting_levels = u64::BITS - parting.leading_zeros();
    let mut index = start.index;
    let mut level = start.level;
    for step in 1..=parting_levels {
        let sibling = NodeCoord {
            level,
            index: index ^ 1,
        };
        if step == parting_levels {
            out.push(right_edge(sibling.index << level, size, reader)?);
        } else {
            out.push(reader.node(sibling)?);
        }
        index >>= 1;
        level += 1;
    }
    while index > 0 {
        if index & 1 == 1 {
            out.push(reader.node(NodeCoord {
                level,
                index: index - 1,
            })?);
        }
        index >>= 1;
        level += 1;
    }
    Ok(())
}

/// The hash over leaves `start..size`, a subtree that the tree's end may have cut short.
fn right_edge<N: NodeReader>(start: u64, size: TreeSize, reader: &N) -> Result<NodeHash, N::Error> {
    let mut parts = Vec::with_capacity(8);
    for coord in Subtrees::between(start, size.get()) {
        parts.push(reader.node(coord)?);
    }
    // Never empty: the caller knows of a leaf at or after `start`.
    Ok(fold_right(&parts).unwrap_or_else(|| empty_root::<RootHash>().to_node()))
}
