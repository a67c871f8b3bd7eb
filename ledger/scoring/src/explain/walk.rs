//! Walking the graph of nodes.

use super::read::parts;
use std::collections::{BTreeMap, BTreeSet};
use stella_verify::hash::NodeId;
use stella_verify::node::SealedNode;
use stella_verify::units::NodeSequence;

/// The node and everything it stands on, in emission order, node 0 first; empty when `id` is none
/// of `nodes`.
#[must_use]
pub fn ancestry(nodes: &[SealedNode], id: NodeId) -> Vec<&SealedNode> {
    let by_id: BTreeMap<NodeId, &SealedNode> = nodes.iter().map(|node| (node.id(), node)).collect();
    let mut wanted = BTreeSet::new();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        if let Some(node) = by_id.get(&id)
            && wanted.insert(id)
        {
            open.extend(parts(node).parents.iter().copied());
        }
    }
    nodes
        .iter()
        .filter(|node| wanted.contains(&node.id()))
        .collect()
}

/// Where two computations part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstDifference {
    /// Place in emission order.
    pub sequence: NodeSequence,
    /// The first computation's node there; `None` when it has ended.
    pub left: Option<NodeId>,
    /// The second computation's node there; `None` when it has ended.
    pub right: Option<NodeId>,
}

/// The first place at which two computations have different nodes; `None` when they are equal.
#[must_use]
pub fn first_difference(left: &[NodeId], right: &[NodeId]) -> Option<FirstDifference> {
    let longest = left.len().max(right.len());
    (0..longest).find_map(|place| {
        let (left, right) = (left.get(place).copied(), right.get(place).copied());
        (left != right).then(|| FirstDifference {
            sequence: NodeSequence::new(u32::try_from(place).unwrap_or(u32::MAX)),
            left,
            right,
        })
    })
}
