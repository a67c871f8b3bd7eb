//! `rule.applied`: the proof DAG.

use serde::Deserialize;
use stella_verify::event::RuleApplied;
use stella_verify::hash::NodeId;
use stella_verify::units::LeafIndex;

use super::Posting;
use crate::index::postings::Prefix;

/// The one member of a proof node that the index needs. Borrowed: this is read for every node.
#[derive(Deserialize)]
struct Parents<'a> {
    #[serde(rename = "parentIds", borrow)]
    parent_ids: Vec<&'a str>,
}

/// Posts the node under its id and under each parent's.
pub(super) fn digest(
    leaf: LeafIndex,
    payload: &[u8],
    nodes: &mut Vec<Posting>,
    children: &mut Vec<Posting>,
) {
    let Ok(rule) = RuleApplied::decode(payload) else {
        return;
    };
    nodes.push(Posting {
        prefix: Prefix::of(&rule.node_id()),
        leaf,
    });
    let parents = parents(rule.node).into_iter().filter_map(Prefix::of_text);
    children.extend(parents.map(|prefix| Posting { prefix, leaf }));
}

/// The parents that a proof node names, in its order; what is not an id is left out.
pub fn parent_ids(node: &[u8]) -> impl Iterator<Item = NodeId> {
    parents(node).into_iter().filter_map(|id| id.parse().ok())
}

fn parents(node: &[u8]) -> Vec<&str> {
    serde_json::from_slice::<Parents<'_>>(node).map_or_else(|_| Vec::new(), |node| node.parent_ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_verify::hash::{ManifestHash, sha256};
    use stella_verify::units::NodeSequence;

    #[test]
    fn a_node_is_posted_under_its_id_and_its_parents() {
        let parent = NodeId::new(sha256(b"parent"));
        let node = format!(r#"{{"in":{{"parentIds":["no"]}},"parentIds":["{parent}","x"]}}"#);
        let rule = RuleApplied {
            computation: ManifestHash::new([7; 32]),
            sequence: NodeSequence::new(3),
            node: node.as_bytes(),
        };
        let (mut nodes, mut children) = (Vec::new(), Vec::new());
        let leaf = LeafIndex::new(9);
        digest(leaf, &rule.to_bytes(), &mut nodes, &mut children);
        let prefix = Prefix::of(&rule.node_id());
        assert_eq!(nodes, [Posting { prefix, leaf }]);
        let prefix = Prefix::of(&parent);
        assert_eq!(children, [Posting { prefix, leaf }]);
    }

    #[test]
    fn what_is_no_rule_contributes_nothing() {
        let (mut nodes, mut children) = (Vec::new(), Vec::new());
        digest(LeafIndex::ZERO, b"{}", &mut nodes, &mut children);
        assert!(nodes.is_empty() && children.is_empty());
        assert_eq!(parent_ids(b"not json").count(), 0);
    }
}
