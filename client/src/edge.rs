//! A prefix of a log, extended by the events that follow it.
//!
//! Whoever knows the right edge of a tree can append leaves to it and know the new root. So a run of
//! events is shown to be exactly the log's by one consistency proof: from the tree that ends with
//! the run to one that the log signed. Nothing else has to be believed of the edge it began with: a
//! wrong one leads to a root that no proof joins to the signed one.

use crate::error::unverified;
use crate::log::hashes;
use crate::{Authorized, ClientError, LogEvent};
use stella_proto::ledger as wire;
use stella_proto::ledger::ledger_service_client::LedgerServiceClient;
use stella_verify::checkpoint::Origin;
use stella_verify::hash::{LeafHash, NodeHash};
use stella_verify::merkle::{Frontier, TreeHead, node_hash};
use stella_verify::units::TreeSize;

/// The right edge of the tree of the events taken so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edge(Frontier);

impl Edge {
    /// The edge of the tree of `size`, as the server has it.
    pub(crate) async fn at(
        wire: &mut LedgerServiceClient<Authorized>,
        size: TreeSize,
    ) -> Result<Self, ClientError> {
        let Some(last) = size.get().checked_sub(1) else {
            return Ok(Self::default());
        };
        let request = wire::GetInclusionProofRequest {
            leaf_index: last,
            tree_size: Some(size.get()),
        };
        let answer = wire.get_inclusion_proof(request).await?.into_inner();
        let leaf = LeafHash::try_from(answer.leaf_hash.as_ref()).map_err(unverified)?;
        Self::of_last_leaf(size, leaf, &hashes(&answer.hashes)?)
    }

    /// The audit path of the last leaf holds the edge: first what the leaf completes, then the
    /// complete subtrees to the left, nearest first.
    fn of_last_leaf(
        size: TreeSize,
        leaf: LeafHash,
        path: &[NodeHash],
    ) -> Result<Self, ClientError> {
        let completed = usize::try_from(size.get().trailing_zeros()).unwrap_or(usize::MAX);
        let short = || unverified("the audit path is too short");
        let (below, left) = path.split_at_checked(completed).ok_or_else(short)?;
        let own = below
            .iter()
            .fold(NodeHash::from(leaf), |right, left| node_hash(left, &right));
        let nodes = left.iter().rev().copied().chain([own]).collect();
        Frontier::from_parts(size, nodes)
            .map(Self)
            .map_err(unverified)
    }

    /// How many leaves.
    pub(crate) fn size(&self) -> TreeSize {
        self.0.size()
    }

    /// Size and root.
    pub(crate) fn head(&self) -> TreeHead {
        self.0.head()
    }

    /// Takes the event that follows.
    pub(crate) fn take(
        &mut self,
        event: wire::Event,
        origin: &Origin,
    ) -> Result<LogEvent, ClientError> {
        let (found, expected) = (event.leaf_index, self.size().get());
        if found != expected {
            let message = format!("event {found} came where event {expected} belongs");
            return Err(unverified(message));
        }
        let event = LogEvent::check(event, origin)?;
        self.0.push(event.leaf);
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_verify::merkle::{MemoryTree, leaf_hash, prove_inclusion};
    use stella_verify::units::LeafIndex;

    #[test]
    fn the_last_leafs_path_is_the_edge() {
        let mut tree: MemoryTree = MemoryTree::default();
        let mut edge = Edge::default();
        for number in 0..300_u64 {
            let leaf = leaf_hash(&number.to_be_bytes());
            tree.push(leaf);
            edge.0.push(leaf);
            let head = tree.head();
            let path = prove_inclusion(LeafIndex::new(number), head.size, &tree).unwrap();
            let found = Edge::of_last_leaf(head.size, leaf, path.hashes()).unwrap();
            assert_eq!(found.0, edge.0, "at {number}");
            assert_eq!(found.head(), head);
            if let Some((_, shorter)) = path.hashes().split_last() {
                assert!(Edge::of_last_leaf(head.size, leaf, shorter).is_err());
            }
        }
    }
}
