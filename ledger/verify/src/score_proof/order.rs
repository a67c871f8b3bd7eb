//! Emission order: the one order in which a computation's nodes may stand.
//!
//! Node 0, then always the *ready* node (all parents emitted) that is least by (scope, purl,
//! component, advisory id, rule index in the policy, node id). The rule index is not in the nodes, so
//! between two rules on one subject the order is checked when a score is recomputed, not here;
//! between nodes of one rule the node id decides and is checked.

use crate::hash::{ManifestHash, NodeId};
use crate::node::{NodeParts, ProofNode, Scope, SealedNode};
use crate::units::NodeSequence;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

/// Nodes do not stand in emission order. The computation was put together wrongly or altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Node 0 is absent or is not the one that names this manifest.
    #[error("node 0 is not the node of manifest {manifest}")]
    First {
        /// The manifest whose computation this should be.
        manifest: ManifestHash,
    },
    /// The same node stands twice.
    #[error("node {sequence} stands twice: {id}")]
    Repeated {
        /// Place of the later one.
        sequence: NodeSequence,
        /// Its id.
        id: NodeId,
    },
    /// A parent is absent, or stands at or after its child.
    #[error("node {sequence} names a parent that no earlier node is: {parent}")]
    Parent {
        /// Place of the child.
        sequence: NodeSequence,
        /// The parent's id.
        parent: NodeId,
    },
    /// Another ready node should have come first.
    #[error("node {sequence} stands before a ready node that is less in emission order")]
    NotLeast {
        /// Place of the node that came too early.
        sequence: NodeSequence,
    },
}

/// What decides between ready nodes, as far as the nodes themselves say it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    subject: SubjectKey<'a>,
    rule: &'a str,
    id: NodeId,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SubjectKey<'a> {
    scope: Scope,
    purl: &'a str,
    component: &'a str,
    advisory: &'a str,
}

/// Checks that `nodes` stand in emission order and begin with the node of `manifest`.
///
/// # Errors
/// [`OrderError`] names the first node out of place.
pub fn check_order(nodes: &[SealedNode], manifest: ManifestHash) -> Result<(), OrderError> {
    let first = nodes.first().ok_or(OrderError::First { manifest })?;
    if first.node() != &ProofNode::manifest(manifest) {
        return Err(OrderError::First { manifest });
    }
    let mut becomes_ready = ready_lists(nodes)?;
    let ranks = ranks(nodes);
    let mut ready: BTreeSet<Rank> = BTreeSet::new();
    for ((rank, newly), place) in ranks.iter().zip(&mut becomes_ready).zip(0..) {
        ready.extend(newly.drain(..).filter_map(|at| ranks.get(at).copied()));
        // Node 0 is first by decree: its scope would put it last.
        let least = ready
            .first()
            .is_some_and(|least| least.subject == rank.subject);
        let from = Rank { node: 0, ..*rank };
        let least_of_rule = ready.range(from..).next() == Some(rank);
        if place > 0 && !(least && least_of_rule) {
            return Err(OrderError::NotLeast {
                sequence: NodeSequence::new(place),
            });
        }
        ready.remove(rank);
    }
    Ok(())
}

/// A key as numbers that compare as the keys of one computation do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Rank {
    subject: u32,
    rule: u32,
    node: u32,
}

/// The rank of each node. Texts are compared here only, in an order that is sorted in long stretches.
fn ranks(nodes: &[SealedNode]) -> Vec<Rank> {
    let mut keys: Vec<(Key<'_>, usize)> = nodes.iter().map(key).zip(0..).collect();
    keys.sort();
    let mut ranks = vec![Rank::default(); nodes.len()];
    let (mut rank, mut before): (Rank, Option<&Key<'_>>) = (Rank::default(), None);
    for (key, place) in &keys {
        let same_subject = before.is_some_and(|before| before.subject == key.subject);
        let same_rule = same_subject && before.is_some_and(|before| before.rule == key.rule);
        rank.subject += u32::from(!same_subject);
        rank.rule += u32::from(!same_rule);
        rank.node += 1;
        if let Some(slot) = ranks.get_mut(*place) {
            *slot = rank;
        }
        before = Some(key);
    }
    ranks
}

/// For each place, the nodes that are ready from there on: their last parent stands just before it.
fn ready_lists(nodes: &[SealedNode]) -> Result<Vec<Vec<usize>>, OrderError> {
    let mut places: Vec<(NodeId, usize)> = nodes
        .iter()
        .enumerate()
        .map(|(place, node)| (node.id(), place))
        .collect();
    places.sort_unstable();
    let repeated = |pair: &&[(NodeId, usize)]| matches!(pair, [(a, _), (b, _)] if a == b);
    if let Some([_, (id, place)]) = places.windows(2).find(repeated) {
        return Err(OrderError::Repeated {
            sequence: sequence(*place),
            id: *id,
        });
    }
    let mut lists = vec![Vec::new(); nodes.len()];
    for (place, node) in nodes.iter().enumerate() {
        let mut ready_at = usize::from(place > 0);
        for parent in &node.node().parts().parents {
            let found = places.binary_search_by(|(id, _)| id.cmp(parent)).ok();
            let at = found.and_then(|found| places.get(found)).map(|(_, at)| *at);
            let earlier = at.filter(|at| *at < place);
            let unknown = OrderError::Parent {
                sequence: sequence(place),
                parent: *parent,
            };
            ready_at = ready_at.max(earlier.ok_or(unknown)? + 1);
        }
        if let Some(list) = lists.get_mut(ready_at) {
            list.push(place);
        }
    }
    Ok(lists)
}

fn key(sealed: &SealedNode) -> Key<'_> {
    let NodeParts {
        scope,
        subject,
        rule_id,
        ..
    } = sealed.node().parts();
    Key {
        subject: SubjectKey {
            scope: *scope,
            purl: subject.purl.as_deref().unwrap_or_default(),
            component: subject.component.as_deref().unwrap_or_default(),
            advisory: subject.advisory_id.as_deref().unwrap_or_default(),
        },
        rule: rule_id,
        id: sealed.id(),
    }
}

fn sequence(place: usize) -> NodeSequence {
    NodeSequence::new(u32::try_from(place).unwrap_or(u32::MAX))
}
