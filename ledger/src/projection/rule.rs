//! `rule.applied`: the proof DAG.

use memchr::{memchr2, memmem};
use serde::Deserialize;
use std::sync::LazyLock;
use stella_verify::event::RuleApplied;
use stella_verify::hash::NodeId;
use stella_verify::units::LeafIndex;

use crate::index::postings::{Postings, Prefix};

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
    nodes: &mut Postings,
    children: &mut Postings,
) {
    let Ok(rule) = RuleApplied::decode(payload) else {
        return;
    };
    nodes.push(Prefix::of(&rule.node_id()), leaf);
    for prefix in parents(rule.node).into_iter().filter_map(Prefix::of_text) {
        children.push(prefix, leaf);
    }
}

/// The parents that a proof node names, in its order; what is not an id is left out.
pub fn parent_ids(node: &[u8]) -> impl Iterator<Item = NodeId> {
    parents(node).into_iter().filter_map(|id| id.parse().ok())
}

fn parents(node: &[u8]) -> Vec<&str> {
    listed_once(node).unwrap_or_else(|| parsed(node))
}

/// The parents of a node in canonical JSON, found without parsing the rest of it: this runs for
/// every node of a refold, and parsing was a fifth of its work.
///
/// A node has the member at its top. Inside a string its quotes would be escaped. So where these
/// bytes stand once, they are the member; where they stand more often, or the list has another
/// spelling than the canonical one, this says nothing and the node is parsed.
fn listed_once(node: &[u8]) -> Option<Vec<&str>> {
    const MEMBER: &[u8] = b"\"parentIds\":[";
    // Making a searcher costs more than a search of a node.
    static FINDER: LazyLock<memmem::Finder<'static>> =
        LazyLock::new(|| memmem::Finder::new(MEMBER));
    let start = FINDER.find(node)? + MEMBER.len();
    let mut rest = node.get(start..)?;
    let mut listed = Vec::new();
    if let Some(after) = rest.strip_prefix(b"]") {
        rest = after;
    } else {
        loop {
            let (id, after) = written_id(rest)?;
            listed.push(id);
            let (next, after) = after.split_first()?;
            rest = after;
            match next {
                b',' => {}
                b']' => break,
                _ => return None,
            }
        }
    }
    FINDER.find(rest).is_none().then_some(listed)
}

/// A string of as many characters as an id has, in quotes; and what comes after it.
fn written_id(bytes: &[u8]) -> Option<(&str, &[u8])> {
    const ID_BYTES: usize = "sha256:".len() + 64;
    let (id, after) = bytes.strip_prefix(b"\"")?.split_at_checked(ID_BYTES)?;
    if memchr2(b'"', b'\\', id).is_some() {
        return None;
    }
    let id = str::from_utf8(id).ok()?;
    Some((id, after.strip_prefix(b"\"")?))
}

fn parsed(node: &[u8]) -> Vec<&str> {
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
        let (mut nodes, mut children) = none();
        let leaf = LeafIndex::new(9);
        digest(leaf, &rule.to_bytes(), &mut nodes, &mut children);
        let posted = |postings: &Postings| postings.iter().collect::<Vec<_>>();
        assert_eq!(posted(&nodes), [(Prefix::of(&rule.node_id()), leaf)]);
        assert_eq!(posted(&children), [(Prefix::of(&parent), leaf)]);
    }

    fn none() -> (Postings, Postings) {
        let none = Postings::starting_at(LeafIndex::ZERO);
        (none.clone(), none)
    }

    #[test]
    fn parents_are_the_same_found_or_parsed() {
        let id = |byte: u8| NodeId::new(sha256(&[byte])).to_string();
        let (a, b) = (id(1), id(2));
        let found = [
            r#"{"parentIds":[],"schema":"x"}"#.to_owned(),
            format!(r#"{{"in":{{"a":"b"}},"parentIds":["{a}"]}}"#),
            format!(
                r#"{{"in":{{"a":"\"parentIds\":[\"{b}\"]"}},"parentIds":["{a}","{b}"],"z":1}}"#
            ),
        ];
        for node in &found {
            assert_eq!(
                listed_once(node.as_bytes()),
                Some(parsed(node.as_bytes())),
                "{node}"
            );
        }
        let left_to_the_parser = [
            "{}".to_owned(),
            format!(r#"{{"in":{{"parentIds":["{b}"]}},"parentIds":["{a}"]}}"#),
            format!(r#"{{"parentIds":["{a}"],"z":{{"parentIds":["{b}"]}}}}"#),
            format!(r#"{{"parentIds": ["{a}"]}}"#),
            format!(r#"{{"parentIds":["{a}" ]}}"#),
            format!(r#"{{"parentIds":["{a}"#),
            r#"{"parentIds":["short"]}"#.to_owned(),
            format!(r#"{{"parentIds":["{}"]}}"#, a.replace(':', "\\")),
        ];
        for node in &left_to_the_parser {
            assert_eq!(listed_once(node.as_bytes()), None, "{node}");
        }
    }

    #[test]
    fn what_is_no_rule_contributes_nothing() {
        let (mut nodes, mut children) = none();
        digest(LeafIndex::ZERO, b"{}", &mut nodes, &mut children);
        assert_eq!((nodes, children), none());
        assert_eq!(parent_ids(b"not json").count(), 0);
    }
}
