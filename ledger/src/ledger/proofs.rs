//! Proofs that anyone can check against a checkpoint.

use std::sync::Arc;
use std::time::Duration;

use stella_verify::hash::{LeafHash, RootHash};
use stella_verify::merkle::{
    ConsistencyProof, Frontier, Growth, InclusionProof, LeafRange, NodeCoord, NodeReader as _,
    ProveError, RangeProof, Subtrees, prove_consistency, prove_inclusion, prove_range,
};
use stella_verify::note::Note;
use stella_verify::tlog_proof::TlogProof;
use stella_verify::units::{LeafIndex, TreeSize};

use super::{Ledger, LedgerError, View};
use crate::index::kv::StoreError;
use crate::index::query::TileNodes;
use crate::index::{Fold, QueryError};

impl View<'_> {
    /// That a leaf is in this view's tree.
    ///
    /// # Errors
    /// [`LedgerError::BeyondTree`] or [`LedgerError::Index`].
    pub fn prove_inclusion(&self, index: LeafIndex) -> Result<InclusionProof, LedgerError> {
        self.prove(|fold| prove_inclusion(index, self.size, &TileNodes::new(|id| fold.tile(id))))
    }

    /// A leaf's hash, with the proof that it is in this view's tree.
    ///
    /// # Errors
    /// [`LedgerError::BeyondTree`] or [`LedgerError::Index`].
    pub fn prove_leaf(&self, index: LeafIndex) -> Result<(LeafHash, InclusionProof), LedgerError> {
        self.prove(|fold| {
            let nodes = TileNodes::new(|id| fold.tile(id));
            let proof = prove_inclusion(index, self.size, &nodes)?;
            let coord = NodeCoord {
                level: 0,
                index: index.get(),
            };
            let leaf = nodes.node(coord).map_err(ProveError::Read)?;
            Ok((LeafHash::new(*leaf.as_bytes()), proof))
        })
    }

    /// The root of this view's tree.
    ///
    /// # Errors
    /// [`LedgerError::Index`].
    pub fn tree_root(&self) -> Result<RootHash, LedgerError> {
        let nodes = self.ask(|fold| {
            let nodes = TileNodes::new(|id| fold.tile(id));
            Subtrees::of_tree(self.size)
                .map(|coord| nodes.node(coord))
                .collect()
        })?;
        Frontier::from_parts(self.size, nodes)
            .map(|edge| edge.root())
            .map_err(|error| LedgerError::Internal(error.to_string().into()))
    }

    /// That this view's tree grew from the tree of `old` leaves.
    ///
    /// # Errors
    /// [`LedgerError::Reversed`] or [`LedgerError::Index`].
    pub fn prove_consistency(&self, old: TreeSize) -> Result<ConsistencyProof, LedgerError> {
        let sizes = Growth {
            old,
            new: self.size,
        };
        self.prove(|fold| prove_consistency(sizes, &TileNodes::new(|id| fold.tile(id))))
    }

    /// That some leaves are exactly those of a range of this view's tree.
    ///
    /// # Errors
    /// [`LedgerError::BeyondTree`] or [`LedgerError::Index`].
    pub fn prove_range(&self, range: LeafRange) -> Result<RangeProof, LedgerError> {
        self.prove(|fold| prove_range(range, self.size, &TileNodes::new(|id| fold.tile(id))))
    }

    /// A proof file for a leaf against this view's checkpoint.
    ///
    /// # Errors
    /// [`LedgerError::BeyondTree`], also when no checkpoint of this size was published;
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn tlog_proof(&self, index: LeafIndex) -> Result<TlogProof, LedgerError> {
        let checkpoint = self.ledger.checkpoint_at(self.size)?;
        Ok(TlogProof {
            extra: None,
            index,
            inclusion: self.prove_inclusion(index)?,
            checkpoint: parse_own(&checkpoint)?,
        })
    }

    fn prove<T>(
        &self,
        prove: impl FnOnce(&Fold) -> Result<T, ProveError<StoreError>>,
    ) -> Result<T, LedgerError> {
        self.ledger.index.query(self.size, |fold| {
            prove(fold).map_err(|error| match error {
                ProveError::Read(error) => QueryError::Store(error),
                ProveError::IndexOutsideTree { index, size } => {
                    QueryError::Asker(ProveError::IndexOutsideTree { index, size }.into())
                }
                ProveError::SizesReversed { old, new } => {
                    QueryError::Asker(ProveError::SizesReversed { old, new }.into())
                }
                ProveError::RangeOutsideTree { start, end, size } => {
                    QueryError::Asker(ProveError::RangeOutsideTree { start, end, size }.into())
                }
            })
        })
    }
}

impl Ledger {
    /// The signed checkpoint of exactly this size.
    ///
    /// # Errors
    /// [`LedgerError::BeyondTree`] when none was published.
    pub fn checkpoint_at(&self, size: TreeSize) -> Result<Arc<str>, LedgerError> {
        let published = self.published();
        let beyond = || LedgerError::BeyondTree {
            asked: size.get(),
            size: published.size,
        };
        if size == published.size {
            return published.checkpoint.clone().ok_or_else(beyond);
        }
        let last = size
            .get()
            .checked_sub(1)
            .map(LeafIndex::new)
            .ok_or_else(beyond)?;
        let commit = self.log.commit_of(last)?;
        if commit.size == size {
            Ok(commit.checkpoint.into())
        } else {
            Err(beyond())
        }
    }

    /// A proof file for a leaf against the checkpoint that it was acknowledged with.
    ///
    /// # Errors
    /// As [`View::tlog_proof`].
    pub fn commit_proof(
        &self,
        index: LeafIndex,
        patience: Duration,
    ) -> Result<TlogProof, LedgerError> {
        let size = self.log.commit_of(index)?.size;
        self.at(size, patience)?.tlog_proof(index)
    }
}

fn parse_own(checkpoint: &str) -> Result<Note, LedgerError> {
    Note::parse(checkpoint.as_bytes())
        .map_err(|error| LedgerError::Internal(error.to_string().into()))
}
