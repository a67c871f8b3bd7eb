//! The payload of a `rule.applied` event: one proof node of one computation.

use super::EventError;
use super::proto::{Reader, put_bytes, put_number};
use crate::hash::{ManifestHash, NodeId, sha256};
use crate::limits::MAX_PAYLOAD_BYTES;
use crate::units::NodeSequence;
use alloc::vec::Vec;

/// One application of a scoring rule (FORMATS.md section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleApplied<'a> {
    /// Which computation it belongs to.
    pub computation: ManifestHash,
    /// Its place in that computation's emission order; equal to its position in the stream.
    pub sequence: NodeSequence,
    /// Canonical JSON of the proof node without `id`.
    pub node: &'a [u8],
}

impl<'a> RuleApplied<'a> {
    /// The proof node's id: SHA-256 of its bytes.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        NodeId::new(sha256(self.node))
    }

    /// Appends the canonical bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, 1, self.computation.as_bytes());
        put_number(out, 2, u64::from(self.sequence.get()));
        put_bytes(out, 3, self.node);
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.node.len() + 48);
        self.encode(&mut out);
        out
    }

    /// Reads a payload; only the canonical encoding is accepted. The node itself is not parsed:
    /// its bytes are its identity, [`ProofNode::parse`](crate::node::ProofNode::parse) reads them.
    ///
    /// # Errors
    /// [`EventError`].
    pub fn decode(payload: &'a [u8]) -> Result<Self, EventError> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(EventError::TooLarge {
                size: payload.len(),
                limit: MAX_PAYLOAD_BYTES,
            });
        }
        let mut fields = Reader::new(payload);
        let computation = fields.bytes(1)?;
        let sequence = fields.number(2)?;
        let node = fields.bytes(3)?;
        fields.end()?;
        if node.is_empty() {
            return Err(EventError::Missing { number: 3 });
        }
        Ok(Self {
            computation: ManifestHash::try_from(computation)
                .map_err(|_| EventError::WrongSize { number: 1 })?,
            sequence: u32::try_from(sequence)
                .map(NodeSequence::new)
                .map_err(|_| EventError::WrongSize { number: 2 })?,
            node,
        })
    }
}
