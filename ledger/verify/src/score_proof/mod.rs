//! All proof nodes of one computation, and their root (FORMATS.md section 6, `score_proof.json`).

mod order;

pub use order::{OrderError, check_order};

use crate::hash::{ManifestHash, NodeId, ProofRoot};
use crate::json::{
    ArrayWriter, FieldError, Fields, Item, Items, JsonError, ObjectWriter, check_same,
    parse_canonical,
};
use crate::limits::MAX_NODES_PER_COMPUTATION;
use crate::merkle::{leaf_hash, root_of};
use crate::node::{NodeError, ProofNode, Scope, SealedNode};
use crate::units::{BasisPoints, NodeSequence};
use alloc::vec::Vec;

/// `schema` of `score_proof.json`: the format's name and version, and its domain separation.
pub const SCORE_PROOF_SCHEMA: &str = "stella.score-proof/v1";

/// The canonical bytes before the first node.
const BEFORE_NODES: &str = "{\"nodes\":[";
/// The canonical bytes after the last node.
const AFTER_NODES: &str = ",\"schema\":\"stella.score-proof/v1\"}";

/// Bytes are not a score proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreProofError {
    /// Not canonical JSON of a hashed object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing, wrong or unknown.
    #[error("score proof: {0}")]
    Field(#[from] FieldError),
    /// One node is not a node.
    #[error("node {sequence}: {problem}")]
    Node {
        /// Its place in emission order.
        sequence: NodeSequence,
        /// What is wrong with it.
        problem: NodeError,
    },
    /// A node was changed, or carries another's id.
    #[error("node {sequence} says its id is {stated}, its content hashes to {computed}")]
    Id {
        /// Its place in emission order.
        sequence: NodeSequence,
        /// The id in the file.
        stated: NodeId,
        /// SHA-256 of the node's canonical bytes.
        computed: NodeId,
    },
    /// More than [`MAX_NODES_PER_COMPUTATION`].
    #[error("more than {limit} nodes")]
    TooManyNodes {
        /// The limit.
        limit: usize,
    },
}

/// The nodes of one computation in emission order, each under its true id.
///
/// That the order is an emission order is not implied: [`ScoreProof::check_order`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreProof {
    nodes: Vec<SealedNode>,
}

impl ScoreProof {
    /// Collects sealed nodes, given in emission order.
    ///
    /// # Errors
    /// [`ScoreProofError::TooManyNodes`].
    pub fn new(nodes: Vec<SealedNode>) -> Result<Self, ScoreProofError> {
        if nodes.len() > MAX_NODES_PER_COMPUTATION {
            return Err(ScoreProofError::TooManyNodes {
                limit: MAX_NODES_PER_COMPUTATION,
            });
        }
        Ok(Self { nodes })
    }

    /// Reads `score_proof.json`: canonical bytes, every id recomputed.
    ///
    /// # Errors
    /// [`ScoreProofError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ScoreProofError> {
        let items = Items::after(BEFORE_NODES, 2, bytes)?;
        let mut items = items.ok_or_else(|| not_a_score_proof(bytes))?;
        let mut nodes = Vec::new();
        let mut canonical = Vec::with_capacity(1024);
        while let Some((item, text)) = items.next(ProofNode::known_with_id)? {
            let start = items.offset() - text.len();
            let sequence = next_sequence(nodes.len())?;
            let node = parse_node(item, sequence)?;
            canonical.clear();
            node.write_with_id(&mut canonical);
            check_same(&canonical, text).map_err(|error| error.behind(start))?;
            nodes.push(node);
        }
        if items.rest() == AFTER_NODES.as_bytes() {
            Ok(Self { nodes })
        } else {
            Err(not_a_score_proof(bytes))
        }
    }

    /// The canonical bytes of `score_proof.json`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let size: usize = self.nodes.iter().map(|node| node.bytes().len() + 80).sum();
        let mut out = Vec::with_capacity(size + 64);
        let mut object = ObjectWriter::new(&mut out);
        let mut nodes = ArrayWriter::new(object.member("nodes"));
        for node in &self.nodes {
            node.write_with_id(nodes.item());
        }
        nodes.end();
        object.text("schema", SCORE_PROOF_SCHEMA);
        object.end();
        out
    }

    /// Root over the nodes' canonical bytes in their order: what a score's envelope signs.
    #[must_use]
    pub fn root(&self) -> ProofRoot {
        root_of(self.nodes.iter().map(|node| leaf_hash(node.bytes())))
    }

    /// Checks that the nodes stand in emission order and begin with the manifest's node.
    ///
    /// # Errors
    /// [`OrderError`].
    pub fn check_order(&self, manifest: ManifestHash) -> Result<(), OrderError> {
        check_order(&self.nodes, manifest)
    }

    /// The score: total of the last node whose scope is the scan.
    #[must_use]
    pub fn score(&self) -> BasisPoints {
        let scan = |node: &&SealedNode| node.node().parts().scope == Scope::Scan;
        let last = self.nodes.iter().rev().find(scan);
        last.map_or(BasisPoints::ZERO, |node| node.node().parts().total)
    }

    /// The nodes in their order.
    #[must_use]
    pub fn nodes(&self) -> &[SealedNode] {
        &self.nodes
    }

    /// How many nodes there are: the sequence number the next one would have.
    #[must_use]
    pub fn count(&self) -> NodeSequence {
        // At most MAX_NODES_PER_COMPUTATION, which fits.
        NodeSequence::new(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX))
    }
}

/// The place of the next node after `count` of them.
fn next_sequence(count: usize) -> Result<NodeSequence, ScoreProofError> {
    let place = u32::try_from(count)
        .ok()
        .filter(|_| count < MAX_NODES_PER_COMPUTATION);
    let limit = MAX_NODES_PER_COMPUTATION;
    place
        .map(NodeSequence::new)
        .ok_or(ScoreProofError::TooManyNodes { limit })
}

fn parse_node(
    item: Item<(NodeId, ProofNode)>,
    sequence: NodeSequence,
) -> Result<SealedNode, ScoreProofError> {
    let (stated, node) = ProofNode::with_stated_id(item)
        .map_err(|problem| ScoreProofError::Node { sequence, problem })?;
    let sealed = node.seal();
    let computed = sealed.id();
    if computed == stated {
        Ok(sealed)
    } else {
        Err(ScoreProofError::Id {
            sequence,
            stated,
            computed,
        })
    }
}

/// Names what is wrong with a document that does not have the canonical frame around its nodes.
fn not_a_score_proof(bytes: &[u8]) -> ScoreProofError {
    let name = || {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, SCORE_PROOF_SCHEMA)?;
        fields.array("nodes")?;
        fields.finish()?;
        Ok::<(), ScoreProofError>(())
    };
    match name() {
        Err(error) => error,
        Ok(()) => ScoreProofError::Field(FieldError::value("nodes", "an array before schema")),
    }
}

#[cfg(test)]
mod tests;
