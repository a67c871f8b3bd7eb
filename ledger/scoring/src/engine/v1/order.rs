//! Emission order (FORMATS.md section 6).

use super::EngineError;
use super::node::Built;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use stella_verify::hash::NodeId;
use stella_verify::node::{Scope, SealedNode};

/// What decides between ready nodes. Nodes that apply no rule of the policy stand before those
/// that do.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    scope: Scope,
    purl: &'a str,
    component: &'a str,
    advisory: &'a str,
    rule: Option<crate::policy::RuleIndex>,
    id: NodeId,
    place: usize,
}

/// Puts nodes, given in any order, into emission order: node 0 has no parents, and of the nodes
/// whose parents have all been emitted the least is always next.
pub(super) fn emission(nodes: Vec<Built>) -> Result<Vec<SealedNode>, EngineError> {
    let order = places(&nodes)?;
    let mut slots: Vec<Option<SealedNode>> =
        nodes.into_iter().map(|built| Some(built.node)).collect();
    let taken = |place: usize| slots.get_mut(place).and_then(Option::take);
    Ok(order.into_iter().filter_map(taken).collect())
}

fn places(nodes: &[Built]) -> Result<Vec<usize>, EngineError> {
    let mut by_id: Vec<(NodeId, usize)> = (nodes.iter().enumerate())
        .map(|(place, built)| (built.id(), place))
        .collect();
    by_id.sort_unstable();
    let find = |id: &NodeId| {
        let found = by_id.binary_search_by(|(other, _)| other.cmp(id)).ok()?;
        by_id.get(found).map(|(_, place)| *place)
    };
    let mut waiting = vec![0usize; nodes.len()];
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut ready = BinaryHeap::new();
    for (place, built) in nodes.iter().enumerate() {
        let parents = &built.node.node().parts().parents;
        if let Some(waits) = waiting.get_mut(place) {
            *waits = parents.len();
        }
        for parent in parents {
            let parent = find(parent).ok_or(unknown_parent(place))?;
            if let Some(children) = children.get_mut(parent) {
                children.push(place);
            }
        }
        if parents.is_empty() {
            ready.push(Reverse(key(built, place)));
        }
    }
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse(Key { place, .. })) = ready.pop() {
        order.push(place);
        for child in children
            .get_mut(place)
            .map(std::mem::take)
            .unwrap_or_default()
        {
            let Some(waits) = waiting.get_mut(child) else {
                continue;
            };
            *waits = waits.saturating_sub(1);
            if *waits == 0
                && let Some(built) = nodes.get(child)
            {
                ready.push(Reverse(key(built, child)));
            }
        }
    }
    Ok(order)
}

/// Parents are ids of nodes that were built before, so this is a defect of the engine.
fn unknown_parent(place: usize) -> EngineError {
    EngineError::Index {
        what: "parent of the node",
        place: u32::try_from(place).unwrap_or(u32::MAX),
    }
}

fn key(built: &Built, place: usize) -> Key<'_> {
    let parts = built.node.node().parts();
    let subject = &parts.subject;
    Key {
        scope: parts.scope,
        purl: subject.purl.as_deref().unwrap_or_default(),
        component: subject.component.as_deref().unwrap_or_default(),
        advisory: subject.advisory_id.as_deref().unwrap_or_default(),
        rule: built.rule,
        id: built.id(),
        place,
    }
}
