//! Proofs that a run of leaves is exactly what a tree holds between two indexes.
//!
//! ```text
//!         left                  leaves            right
//!   [subtrees of 0..start]  [start .. end)  [subtrees of end..size]
//! ```
//!
//! The proof lists the hashes of the maximal complete subtrees ([`Subtrees`]) on both sides, left
//! to right: one per set bit of `start`, then those of `end..size`. The verifier grows a frontier
//! over left, leaves and right and compares roots, so nothing can be missing from the run, and
//! nothing added. This format is this project's own (FORMATS.md, section 2); for one leaf it is longer
//! than an inclusion proof, for many it is far shorter than one proof each.

use super::path::ProveError;
use super::{Frontier, NodeReader, Subtrees, TreeHead, TreeRoot};
use crate::hash::{LeafHash, NodeHash, RootHash};
use crate::limits::MAX_TREE_SIZE;
use crate::units::{LeafIndex, TreeSize};
use alloc::vec::Vec;

/// A run of leaves, `start` included, `end` not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeafRange {
    /// First leaf.
    pub start: LeafIndex,
    /// The index after the last leaf; equal to `start` for an empty run.
    pub end: LeafIndex,
}

/// The hashes around a run of leaves. A claim until verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RangeProof {
    hashes: Vec<NodeHash>,
}

impl RangeProof {
    /// A proof received from someone.
    #[must_use]
    pub const fn new(hashes: Vec<NodeHash>) -> Self {
        Self { hashes }
    }

    /// The hashes, left to right.
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

/// Evidence that a run of leaves is exactly what the tree holds at `range`: only
/// [`verify_range`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncludedRange<R: TreeRoot = RootHash> {
    range: LeafRange,
    head: TreeHead<R>,
}

impl<R: TreeRoot> IncludedRange<R> {
    /// Where the run stands.
    #[must_use]
    pub const fn range(&self) -> LeafRange {
        self.range
    }

    /// The tree that has it. As trustworthy as whoever vouched for the root.
    #[must_use]
    pub const fn head(&self) -> TreeHead<R> {
        self.head
    }
}

/// Why a proof does not show that the run is exactly the tree's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// The run begins or ends beyond the tree.
    #[error("a run of leaves from {start} reaches beyond the tree size {size}")]
    RangeOutsideTree {
        /// First leaf claimed.
        start: LeafIndex,
        /// The size claimed.
        size: TreeSize,
    },
    /// The tree has more leaves than a tree may have.
    #[error("a tree has at most 2^63 leaves, not {0}")]
    TreeTooLarge(TreeSize),
    /// Fewer hashes than the subtrees on both sides.
    #[error("range proof is too short")]
    TooShort,
    /// More hashes than the subtrees on both sides.
    #[error("range proof is too long")]
    TooLong,
    /// The walk ends at another root: a leaf differs, is missing or was added, or a hash is wrong.
    #[error("range proof leads to another root")]
    RootMismatch,
}

/// Proves what the tree of `size` leaves holds at `range`, reading O(log size) nodes.
pub fn prove_range<N: NodeReader>(
    range: LeafRange,
    size: TreeSize,
    reader: &N,
) -> Result<RangeProof, ProveError<N::Error>> {
    let LeafRange { start, end } = range;
    if start > end || end.get() > size.get() {
        return Err(ProveError::RangeOutsideTree { start, end, size });
    }
    let left = Subtrees::between(0, start.get());
    let right = Subtrees::between(end.get(), size.get());
    let hashes = left
        .chain(right)
        .map(|coord| reader.node(coord).map_err(ProveError::Read))
        .collect::<Result<_, _>>()?;
    Ok(RangeProof { hashes })
}

/// Checks that the tree with `head` holds exactly `leaves` from index `start` on.
///
/// An empty run is accepted where it fits and shows no more than that the hashes are the tree's.
pub fn verify_range<R: TreeRoot>(
    start: LeafIndex,
    leaves: impl IntoIterator<Item = LeafHash>,
    head: TreeHead<R>,
    proof: &RangeProof,
) -> Result<IncludedRange<R>, RangeError> {
    let mut walk = RangeWalk::new(start, head, proof)?;
    for leaf in leaves {
        walk.push(leaf)?;
    }
    walk.finish()
}

/// [`verify_range`] in steps, for a run that comes in pieces: memory does not grow with it.
#[derive(Debug, Clone)]
pub struct RangeWalk<R: TreeRoot = RootHash> {
    start: LeafIndex,
    head: TreeHead<R>,
    frontier: Frontier<R>,
    right: Vec<NodeHash>,
}

impl<R: TreeRoot> RangeWalk<R> {
    /// Begins before the first leaf.
    pub fn new(
        start: LeafIndex,
        head: TreeHead<R>,
        proof: &RangeProof,
    ) -> Result<Self, RangeError> {
        if head.size.get() > MAX_TREE_SIZE {
            return Err(RangeError::TreeTooLarge(head.size));
        }
        if start.get() > head.size.get() {
            let size = head.size;
            return Err(RangeError::RangeOutsideTree { start, size });
        }
        let left_count = start.get().count_ones() as usize;
        let split = proof.hashes.split_at_checked(left_count);
        let (left, right) = split.ok_or(RangeError::TooShort)?;
        let frontier = Frontier::<R>::from_parts(TreeSize::new(start.get()), left.to_vec())
            .map_err(|_| RangeError::TooShort)?;
        Ok(Self {
            start,
            head,
            frontier,
            right: right.to_vec(),
        })
    }

    /// Takes the next leaf.
    pub fn push(&mut self, leaf: LeafHash) -> Result<(), RangeError> {
        if self.frontier.size() >= self.head.size {
            return Err(RangeError::RangeOutsideTree {
                start: self.start,
                size: self.head.size,
            });
        }
        self.frontier.push(leaf);
        Ok(())
    }

    /// Ends after the last leaf and compares the roots.
    pub fn finish(mut self) -> Result<IncludedRange<R>, RangeError> {
        let end = self.frontier.size().next_index();
        push_right(&mut self.frontier, self.head.size, &self.right)?;
        if self.frontier.root() != self.head.root {
            return Err(RangeError::RootMismatch);
        }
        Ok(IncludedRange {
            range: LeafRange {
                start: self.start,
                end,
            },
            head: self.head,
        })
    }
}

fn push_right<R: TreeRoot>(
    frontier: &mut Frontier<R>,
    size: TreeSize,
    right: &[NodeHash],
) -> Result<(), RangeError> {
    let mut right = right.iter();
    for coord in Subtrees::between(frontier.size().get(), size.get()) {
        let hash = right.next().ok_or(RangeError::TooShort)?;
        frontier.push_subtree(coord.level, *hash);
    }
    match right.next() {
        None => Ok(()),
        Some(_) => Err(RangeError::TooLong),
    }
}
