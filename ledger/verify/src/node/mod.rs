//! Proof nodes: one step of a computation each (FORMATS.md section 6).

mod codec;
mod known;
mod words;

pub use words::{NodeKind, Scope, UnknownWord};

use crate::hash::{BlobDigest, ManifestHash, NodeId, sha256};
use crate::json::{FieldError, JsonError, Object, SafeInteger, Text};
use crate::limits::MAX_FACT_DEPTH;
use crate::units::BasisPoints;
use alloc::vec::Vec;

/// `schema` of every node: the format's name and version, and its domain separation.
pub const NODE_SCHEMA: &str = "stella.proof-node/v1";

/// `ruleId` of node 0, which ties a computation to its manifest.
pub const MANIFEST_RULE: &str = "manifest";

/// Bytes or parts are not a proof node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Not canonical JSON of a hashed object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing, wrong or unknown.
    #[error("proof node: {0}")]
    Field(#[from] FieldError),
    /// `in` or `out` holds a `null` or a fraction, or nests deeper than [`MAX_FACT_DEPTH`].
    #[error(
        "proof node: `{member}` may hold strings, integers, booleans, and arrays and objects of \
         those to a depth of {MAX_FACT_DEPTH}"
    )]
    NotHashable {
        /// `in` or `out`.
        member: &'static str,
    },
    /// An amount is beyond 2^53-1.
    #[error("proof node: an amount is beyond 2^53-1 basis points")]
    Amount,
}

/// What a step is about; what does not apply is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// Canonical package URL.
    pub purl: Option<Text>,
    /// JSON pointer (RFC 6901) to the component in the SBOM.
    pub component: Option<Text>,
    /// The advisory.
    pub advisory_id: Option<Text>,
}

/// Where a fact was read: a place in an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRef {
    /// The input: a blob, or a snapshot or policy by its hash.
    pub input: BlobDigest,
    /// Canonical JSON of a snapshot row without its record hash.
    pub entry: Option<Text>,
    /// JSON pointer into the input, or into the entry's record.
    pub pointer: Option<Text>,
    /// Line of a text input, from 1.
    pub line: Option<u32>,
}

/// What a node is made of; [`ProofNode::new`] checks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeParts {
    /// What the step does.
    pub kind: NodeKind,
    /// Which rule was applied.
    pub rule_id: Text,
    /// What the amounts are totals of.
    pub scope: Scope,
    /// What the step is about.
    pub subject: Subject,
    /// The nodes it read, in any order; sorted and freed of duplicates by [`ProofNode::new`].
    pub parents: Vec<NodeId>,
    /// Where its facts were read, in the order the rule read them.
    pub evidence: Vec<EvidenceRef>,
    /// What the rule read: `in`.
    pub inputs: Object,
    /// What the rule produced: `out`.
    pub outputs: Object,
    /// Change of the scope's total.
    pub delta: BasisPoints,
    /// The scope's total after this step; 0 where the node carries no amount.
    pub total: BasisPoints,
}

/// One step of a computation. Every value has exactly one canonical form, whose hash is its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofNode(NodeParts);

impl ProofNode {
    /// Checks the parts and sorts the parents.
    ///
    /// # Errors
    /// [`NodeError::NotHashable`] or [`NodeError::Amount`].
    pub fn new(mut parts: NodeParts) -> Result<Self, NodeError> {
        parts.parents.sort_unstable();
        parts.parents.dedup();
        for (member, object) in [("in", &parts.inputs), ("out", &parts.outputs)] {
            if !object
                .iter()
                .all(|(_, value)| value.is_hashable(MAX_FACT_DEPTH))
            {
                return Err(NodeError::NotHashable { member });
            }
        }
        for amount in [parts.delta, parts.total] {
            SafeInteger::new(amount.get()).map_err(|_| NodeError::Amount)?;
        }
        Ok(Self(parts))
    }

    /// Node 0 of every computation: it names the manifest, so one root belongs to one manifest.
    #[must_use]
    pub fn manifest(manifest: ManifestHash) -> Self {
        Self(NodeParts {
            kind: NodeKind::Input,
            rule_id: Text::Borrowed(MANIFEST_RULE),
            scope: Scope::Scan,
            subject: Subject::default(),
            parents: Vec::new(),
            evidence: Vec::new(),
            inputs: Object::new().with("manifestHash", alloc::format!("{manifest}")),
            outputs: Object::new(),
            delta: BasisPoints::ZERO,
            total: BasisPoints::ZERO,
        })
    }

    /// Fixes the node: its canonical bytes and their hash.
    #[must_use]
    pub fn seal(self) -> SealedNode {
        let mut bytes = Vec::with_capacity(768);
        let before_id = self.write_members(&mut bytes);
        let id = NodeId::new(sha256(&bytes));
        SealedNode {
            id,
            bytes,
            before_id,
            node: self,
        }
    }

    /// What the node is made of, checked.
    #[must_use]
    pub const fn parts(&self) -> &NodeParts {
        &self.0
    }

    /// The parts, to build another node from.
    #[must_use]
    pub fn into_parts(self) -> NodeParts {
        self.0
    }
}

/// A node with its canonical bytes and its id, which always belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedNode {
    id: NodeId,
    bytes: Vec<u8>,
    /// Bytes before the place of the member `id`.
    before_id: usize,
    node: ProofNode,
}

impl SealedNode {
    /// SHA-256 of the bytes.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.id
    }

    /// The canonical bytes: the node's leaf in the proof root, and field 3 of its event's payload.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The node.
    #[must_use]
    pub const fn node(&self) -> &ProofNode {
        &self.node
    }

    /// Appends the canonical bytes with the member `id`, as in `score_proof.json`.
    pub fn write_with_id(&self, out: &mut Vec<u8>) {
        codec::write_with_id(&self.bytes, self.before_id, &self.id, out);
    }

    /// The bytes, without the node.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests;
