use super::*;
use crate::json::Object;
use crate::node::{NodeKind, NodeParts, Subject};
use crate::units::BasisPoints;
use alloc::string::String;
use proptest::prelude::*;

const MANIFEST: ManifestHash = ManifestHash::new([7; 32]);

fn node(scope: Scope, rule: &str, purl: &str, parents: &[&SealedNode], total: i64) -> SealedNode {
    let parts = NodeParts {
        kind: NodeKind::Delta,
        rule_id: String::from(rule).into(),
        scope,
        subject: Subject {
            purl: Some(String::from(purl).into()),
            ..Subject::default()
        },
        parents: parents.iter().map(|parent| parent.id()).collect(),
        evidence: [].into(),
        inputs: Object::new(),
        outputs: Object::new(),
        delta: BasisPoints::new(total),
        total: BasisPoints::new(total),
    };
    ProofNode::new(parts).unwrap().seal()
}

/// Manifest; findings of a and b; one component; the scan.
fn proof() -> Vec<SealedNode> {
    let first = ProofNode::manifest(MANIFEST).seal();
    let a = node(Scope::Finding, "severity", "pkg:cargo/a@1", &[&first], 10);
    let b = node(Scope::Finding, "severity", "pkg:cargo/b@1", &[&first], 20);
    let component = node(Scope::Component, "max", "pkg:cargo/a@1", &[&a], 10);
    let scan = node(Scope::Scan, "max", "", &[&b, &component], 20);
    [first, a, b, component, scan].into()
}

fn at(nodes: &[SealedNode]) -> Result<(), OrderError> {
    check_order(nodes, MANIFEST)
}

#[test]
fn what_is_written_reads_back() {
    let proof = ScoreProof::new(proof()).unwrap();
    assert_eq!(ScoreProof::parse(&proof.to_bytes()), Ok(proof.clone()));
    assert_eq!(proof.check_order(MANIFEST), Ok(()));
    assert_eq!(proof.score(), BasisPoints::new(20));
    assert_eq!(proof.count(), NodeSequence::new(5));
}

#[test]
fn a_node_out_of_order_is_named() {
    let nodes = proof();
    let place = NodeSequence::new;
    assert_eq!(at(&[]), Err(OrderError::First { manifest: MANIFEST }));
    assert_eq!(
        at(&nodes[1..]),
        Err(OrderError::First { manifest: MANIFEST })
    );
    let other = ManifestHash::new([8; 32]);
    assert_eq!(
        check_order(&nodes, other),
        Err(OrderError::First { manifest: other })
    );

    let mut swapped = nodes.clone();
    swapped.swap(1, 2);
    assert_eq!(
        at(&swapped),
        Err(OrderError::NotLeast { sequence: place(1) })
    );

    let mut late = nodes.clone();
    late.swap(2, 3);
    assert_eq!(at(&late), Err(OrderError::NotLeast { sequence: place(2) }));

    let mut repeated = nodes.clone();
    repeated.insert(2, nodes[1].clone());
    let (sequence, id) = (place(2), nodes[1].id());
    assert_eq!(at(&repeated), Err(OrderError::Repeated { sequence, id }));

    let mut orphan = nodes.clone();
    orphan.remove(1);
    let parent = nodes[1].id();
    assert_eq!(
        at(&orphan),
        Err(OrderError::Parent {
            sequence: place(2),
            parent
        })
    );

    let mut child_first = nodes;
    child_first.swap(3, 4);
    assert!(
        matches!(at(&child_first), Err(OrderError::Parent { sequence, .. }) if sequence == place(3))
    );
}

#[test]
fn ids_decide_between_nodes_of_one_rule() {
    let first = ProofNode::manifest(MANIFEST).seal();
    let mut twins = [10, 20].map(|t| node(Scope::Finding, "r", "pkg:cargo/a@1", &[&first], t));
    twins.sort_by_key(SealedNode::id);
    let [low, high] = twins;
    assert_eq!(at(&[first.clone(), low.clone(), high.clone()]), Ok(()));
    let refused = OrderError::NotLeast {
        sequence: NodeSequence::new(1),
    };
    assert_eq!(at(&[first, high, low]), Err(refused));
}

#[test]
fn a_changed_node_is_named() {
    let text = String::from_utf8(ScoreProof::new(proof()).unwrap().to_bytes()).unwrap();
    let altered = text.replace("\"totalBps\":10", "\"totalBps\":11");
    let Err(ScoreProofError::Id { sequence, .. }) = ScoreProof::parse(altered.as_bytes()) else {
        panic!("accepted a changed node");
    };
    assert_eq!(sequence, NodeSequence::new(1));
    let unknown = text.replacen("\"deltaBps\"", "\"aaa\":1,\"deltaBps\"", 1);
    assert!(matches!(
        ScoreProof::parse(unknown.as_bytes()),
        Err(ScoreProofError::Node { .. })
    ));
}

/// The order's definition, word for word, with the rule index as the order of rule names.
fn emit(mut left: Vec<SealedNode>) -> Vec<SealedNode> {
    let mut done = [left.remove(0)].to_vec();
    while !left.is_empty() {
        let is_ready = |node: &SealedNode| {
            let parents = &node.node().parts().parents;
            parents
                .iter()
                .all(|parent| done.iter().any(|other| other.id() == *parent))
        };
        let least = (0..left.len())
            .filter(|at| is_ready(&left[*at]))
            .min_by_key(|at| {
                let NodeParts {
                    scope,
                    subject,
                    rule_id,
                    ..
                } = left[*at].node().parts();
                (
                    *scope,
                    subject.purl.clone(),
                    rule_id.clone(),
                    left[*at].id(),
                )
            });
        done.push(left.remove(least.unwrap()));
    }
    done
}

proptest! {
    #[test]
    fn only_the_emission_order_is_accepted(
        specs in prop::collection::vec((0..3u8, 0..2u8, 0..3u8, any::<prop::sample::Index>()), 1..12),
        swap: (prop::sample::Index, prop::sample::Index),
    ) {
        let mut nodes = [ProofNode::manifest(MANIFEST).seal()].to_vec();
        for (total, (scope, rule, purl, parent)) in specs.iter().enumerate() {
            let scope = [Scope::Finding, Scope::Component, Scope::Scan][usize::from(*scope)];
            let parent = parent.get(&nodes).clone();
            let (rule, purl) = (["r", "s"][usize::from(*rule)], ["a", "b", "c"][usize::from(*purl)]);
            nodes.push(node(scope, rule, purl, &[&parent], total.try_into().unwrap()));
        }
        let emitted = emit(nodes);
        prop_assert_eq!(at(&emitted), Ok(()));
        let mut swapped = emitted.clone();
        let (left, right) = (swap.0.index(swapped.len()), swap.1.index(swapped.len()));
        swapped.swap(left, right);
        // Rule names stand for the rule index here, which the checker cannot know.
        if at(&swapped).is_ok() {
            let subject = |at: usize| (emitted[at].node().parts().scope, emitted[at].node().parts().subject.clone());
            prop_assert_eq!(subject(left), subject(right));
        }
    }
}
