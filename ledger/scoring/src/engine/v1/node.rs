//! Building proof nodes.

use super::EngineError;
use crate::model::{JsonPointer, RowKey};
use crate::policy::RuleIndex;
use stella_verify::hash::{BlobDigest, NodeId, PolicyHash, SnapshotHash};
use stella_verify::json::{Object, SafeInteger, Text, Value};
use stella_verify::node::{
    EvidenceRef, NodeKind, NodeParts, ProofNode, Scope, SealedNode, Subject,
};
use stella_verify::units::BasisPoints;

/// A node, and the place in the policy of the rule it applies: emission order needs both.
pub(super) struct Built {
    pub(super) node: SealedNode,
    pub(super) rule: Option<RuleIndex>,
}

impl Built {
    pub(super) fn id(&self) -> NodeId {
        self.node.id()
    }
}

/// A node being put together.
pub(super) struct Draft {
    parts: NodeParts,
    rule: Option<RuleIndex>,
}

impl Draft {
    pub(super) fn new(
        kind: NodeKind,
        rule_id: impl Into<Text>,
        scope: Scope,
        subject: Subject,
    ) -> Self {
        Self {
            parts: NodeParts {
                kind,
                rule_id: rule_id.into(),
                scope,
                subject,
                parents: Vec::new(),
                evidence: Vec::new(),
                inputs: Object::new(),
                outputs: Object::new(),
                delta: BasisPoints::ZERO,
                total: BasisPoints::ZERO,
            },
            rule: None,
        }
    }

    pub(super) fn parent(mut self, parent: NodeId) -> Self {
        self.parts.parents.push(parent);
        self
    }

    pub(super) fn parents(mut self, parents: impl IntoIterator<Item = NodeId>) -> Self {
        self.parts.parents.extend(parents);
        self
    }

    pub(super) fn evidence(mut self, evidence: impl IntoIterator<Item = EvidenceRef>) -> Self {
        self.parts.evidence.extend(evidence);
        self
    }

    pub(super) fn input(mut self, name: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.parts.inputs.insert(name, value);
        self
    }

    /// Adds an input when there is a value.
    pub(super) fn input_if(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.input(name, value),
            None => self,
        }
    }

    pub(super) fn inputs(mut self, inputs: Object) -> Self {
        self.parts.inputs = inputs;
        self
    }

    pub(super) fn output(mut self, name: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.parts.outputs.insert(name, value);
        self
    }

    pub(super) fn outputs(mut self, outputs: Object) -> Self {
        self.parts.outputs = outputs;
        self
    }

    /// Adds an output when there is a value.
    pub(super) fn output_if(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.output(name, value),
            None => self,
        }
    }

    /// The total before and after.
    pub(super) fn amounts(mut self, before: BasisPoints, after: BasisPoints) -> Self {
        self.parts.delta = minus(after, before);
        self.parts.total = after;
        self
    }

    pub(super) fn rule(mut self, rule: RuleIndex) -> Self {
        self.rule = Some(rule);
        self
    }

    pub(super) fn seal(self) -> Result<Built, EngineError> {
        Ok(Built {
            node: ProofNode::new(self.parts)?.seal(),
            rule: self.rule,
        })
    }
}

/// Totals are 0 to 10000, so neither sums nor differences leave the type.
pub(super) fn minus(left: BasisPoints, right: BasisPoints) -> BasisPoints {
    BasisPoints::new(left.get().saturating_sub(right.get()))
}

/// See [`minus`].
pub(super) fn plus(left: BasisPoints, right: BasisPoints) -> BasisPoints {
    BasisPoints::new(left.get().saturating_add(right.get()))
}

/// An amount as a JSON number.
pub(super) fn amount(value: BasisPoints) -> Value {
    Value::Integer(SafeInteger::new(value.get()).unwrap_or(SafeInteger::ZERO))
}

/// A number of things as a JSON number.
pub(super) fn count(value: usize) -> Value {
    Value::Integer(SafeInteger::try_from(value as u64).unwrap_or(SafeInteger::ZERO))
}

/// Text from an input as a JSON string.
pub(super) fn text(value: &str) -> Value {
    Value::String(Text::Owned(value.to_owned()))
}

/// A place in a document.
pub(super) fn at_pointer(input: BlobDigest, pointer: &JsonPointer) -> EvidenceRef {
    EvidenceRef {
        input,
        entry: None,
        pointer: Some(Text::Owned(pointer.as_str().to_owned())),
        line: None,
    }
}

/// A whole input.
pub(super) fn whole(input: BlobDigest) -> EvidenceRef {
    EvidenceRef {
        input,
        entry: None,
        pointer: None,
        line: None,
    }
}

/// A row of a snapshot, and optionally a place in its record.
pub(super) fn at_row(snapshot: SnapshotHash, row: &RowKey, pointer: Option<String>) -> EvidenceRef {
    EvidenceRef {
        input: BlobDigest::new(*snapshot.as_bytes()),
        entry: Some(Text::Owned(row.to_entry())),
        pointer: pointer.map(Text::Owned),
        line: None,
    }
}

/// A place in the policy's canonical document.
pub(super) fn in_policy(policy: PolicyHash, pointer: String) -> EvidenceRef {
    EvidenceRef {
        input: BlobDigest::new(*policy.as_bytes()),
        entry: None,
        pointer: Some(Text::Owned(pointer)),
        line: None,
    }
}
