//! All proof nodes of one computation, and their root (FORMATS.md section 6, `score_proof.json`).

mod order;

pub use order::{OrderError, check_order};

use crate::hash::{ManifestHash, NodeId, ProofRoot};
use crate::json::{
    ArrayWriter, FieldError, Fields, JsonError, ObjectWriter, Value, check_same, parse_hashed,
};
use crate::limits::MAX_NODES_PER_COMPUTATION;
use crate::merkle::{leaf_hash, root_of};
use crate::node::{NodeError, ProofNode, Scope, SealedNode};
use crate::units::{BasisPoints, NodeSequence};
use alloc::vec::Vec;

/// `schema` of `score_proof.json`: the format's name and version, and its domain separation.
pub const SCORE_PROOF_SCHEMA: &str = "stella.score-proof/v1";

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
        let mut value = parse_hashed(bytes)?;
        let items = take_nodes(&mut value)?;
        let nodes = items.into_iter().zip(0..).map(|(item, place)| {
            let sequence = NodeSequence::new(place);
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
        });
        let proof = Self {
            nodes: nodes.collect::<Result<_, _>>()?,
        };
        check_same(&proof.to_bytes(), bytes)?;
        Ok(proof)
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

/// Takes the nodes out of the object instead of copying them.
fn take_nodes(value: &mut Value) -> Result<Vec<Value>, ScoreProofError> {
    let mut fields = Fields::of_schema(value, SCORE_PROOF_SCHEMA)?;
    if fields.array("nodes")?.len() > MAX_NODES_PER_COMPUTATION {
        return Err(ScoreProofError::TooManyNodes {
            limit: MAX_NODES_PER_COMPUTATION,
        });
    }
    fields.finish()?;
    let nodes = match value {
        Value::Object(object) => object.remove("nodes"),
        _ => None,
    };
    match nodes {
        Some(Value::Array(nodes)) => Ok(nodes),
        _ => Err(FieldError::value("nodes", "an array").into()),
    }
}

#[cfg(test)]
mod tests;
