use super::*;
use crate::hash::sha256;
use crate::json::{Value, check_same, parse_canonical, parse_hashed};
use crate::units::BasisPoints;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use proptest::prelude::*;

fn parts() -> NodeParts {
    NodeParts {
        kind: NodeKind::Delta,
        rule_id: "severity".into(),
        scope: Scope::Finding,
        subject: Subject {
            purl: Some("pkg:cargo/a@1.0.0".into()),
            component: Some("/components/0".into()),
            advisory_id: Some("RUSTSEC-2020-0001".into()),
        },
        parents: [
            NodeId::new([2; 32]),
            NodeId::new([1; 32]),
            NodeId::new([2; 32]),
        ]
        .into(),
        evidence: [EvidenceRef {
            input: BlobDigest::new([3; 32]),
            entry: Some("[\"advisory\"]".into()),
            pointer: Some("/severity/0".into()),
            line: Some(7),
        }]
        .into(),
        inputs: Object::new().with("vector", "AV:N").with("known", true),
        outputs: Object::new().with("bps", 7500),
        delta: BasisPoints::new(7500),
        total: BasisPoints::new(7500),
    }
}

#[test]
fn a_node_has_one_spelling() {
    let sealed = ProofNode::new(parts()).unwrap().seal();
    let expected = r#"{"deltaBps":7500,"evidenceRefs":[{"entry":"[\"advisory\"]","input":"#
        .to_string()
        + r#""sha256:"#
        + &"03".repeat(32)
        + r#"","line":7,"pointer":"/severity/0"}],"in":{"known":true,"vector":"AV:N"},"#
        + r#""kind":"delta","out":{"bps":7500},"parentIds":["sha256:"#
        + &"01".repeat(32)
        + r#"","sha256:"#
        + &"02".repeat(32)
        + r#""],"ruleId":"severity","schema":"stella.proof-node/v1","scope":"finding","#
        + r#""subject":{"advisoryId":"RUSTSEC-2020-0001","component":"/components/0","#
        + r#""purl":"pkg:cargo/a@1.0.0"},"totalBps":7500}"#;
    assert_eq!(
        String::from_utf8(sealed.bytes().to_vec()).unwrap(),
        expected
    );
    assert_eq!(ProofNode::parse(sealed.bytes()).as_ref(), Ok(sealed.node()));
    assert_eq!(sealed.id(), NodeId::new(sha256(expected.as_bytes())));
}

#[test]
fn parts_that_have_no_canonical_form_are_refused() {
    let null = NodeParts {
        inputs: Object::new().with("a", Value::Null),
        ..parts()
    };
    assert_eq!(
        ProofNode::new(null),
        Err(NodeError::NotHashable { member: "in" })
    );
    let nest = |depth| (0..depth).fold(Value::from(1), |inner, _| Value::Array([inner].into()));
    let deep = |depth| {
        ProofNode::new(NodeParts {
            outputs: Object::new().with("a", nest(depth)),
            ..parts()
        })
    };
    assert!(deep(MAX_FACT_DEPTH).is_ok());
    assert_eq!(
        deep(MAX_FACT_DEPTH + 1),
        Err(NodeError::NotHashable { member: "out" })
    );
    let huge = NodeParts {
        total: BasisPoints::new(1 << 53),
        ..parts()
    };
    assert_eq!(ProofNode::new(huge), Err(NodeError::Amount));
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        rule in ".{0,12}", purl in prop::option::of(".{0,12}"), word in ".{0,12}",
        amount in -crate::json::MAX_SAFE_INTEGER..=crate::json::MAX_SAFE_INTEGER,
        parents in prop::collection::vec(any::<[u8; 32]>(), 0..4),
    ) {
        let node = ProofNode::new(NodeParts {
            rule_id: rule.into(),
            subject: Subject { purl: purl.map(Text::Owned), ..Subject::default() },
            parents: parents.into_iter().map(NodeId::new).collect(),
            inputs: Object::new().with(word.clone(), word),
            delta: BasisPoints::new(amount),
            ..parts()
        }).unwrap().seal();
        let read = ProofNode::parse(node.bytes());
        prop_assert_eq!(read.as_ref(), Ok(node.node()));
        let mut with_id = Vec::new();
        node.write_with_id(&mut with_id);
        prop_assert!(parse_canonical(&with_id).is_ok());
    }

    /// The reader of canonical bytes is a shortcut: whatever becomes of them, it takes what the
    /// general reader takes, and as the same node.
    #[test]
    fn both_readers_take_the_same(
        word in "[a-z\"\\\\\u{e9}\u{1}]{0,8}",
        number in any::<u8>(),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..4usize, any::<prop::sample::Index>()), 0..4,
        ),
    ) {
        let node = ProofNode::new(NodeParts {
            inputs: Object::new().with(word.clone(), word),
            delta: BasisPoints::new(i64::from(number)),
            ..parts()
        }).unwrap().seal();
        let mut bytes = node.bytes().to_vec();
        for (place, removed, inserted) in changes {
            let start = place.index(bytes.len());
            let end = (start + removed).min(bytes.len());
            // What canonical JSON is made of, and what it is not.
            let pieces: [&[u8]; 12] = [
                b"", b"\"", b",", b":", b"{", b"}", b"[", b"]", b" ", b"0", b"\\u0061", b"-1e1",
            ];
            bytes.splice(start..end, inserted.get(&pieces).iter().copied());
        }
        prop_assert_eq!(ProofNode::parse(&bytes).ok(), generally(&bytes).ok());
    }
}

/// A node read without the shortcut.
fn generally(bytes: &[u8]) -> Result<ProofNode, NodeError> {
    let node = ProofNode::from_value(parse_hashed(bytes)?)?;
    let mut canonical = Vec::new();
    node.write(&mut canonical);
    check_same(&canonical, bytes)?;
    Ok(node)
}
