//! The log as seen by someone who trusts its key and nothing else.

use crate::error::unverified;
use crate::{Authorized, ClientError, Connection, PinStore};
use stella_proto::ledger as wire;
use stella_proto::ledger::ledger_service_client::LedgerServiceClient;
use stella_proto::reason::Reason;
use stella_verify::checkpoint::{Origin, SignedCheckpoint};
use stella_verify::hash::{LeafHash, NodeHash};
use stella_verify::merkle::{
    ConsistencyProof, Consistent, Growth, Included, InclusionProof, TreeHead, verify_consistency,
    verify_inclusion,
};
use stella_verify::note::VerifierKey;
use stella_verify::units::{LeafIndex, TreeSize};

/// What the caller trusts of a log.
#[derive(Debug, Clone)]
pub struct LogTrust {
    /// Keys that sign its checkpoints.
    pub keys: Vec<VerifierKey>,
    /// Its origin; a key signs for one log.
    pub origin: Origin,
}

/// A log whose every answer is verified before it is returned.
#[derive(Debug, Clone)]
pub struct VerifyingLog {
    wire: LedgerServiceClient<Authorized>,
    trust: LogTrust,
    pins: Option<PinStore>,
}

/// A leaf of the log with the evidence for it.
#[derive(Debug, Clone)]
pub struct ProvedLeaf {
    /// That the leaf is in the tree.
    pub included: Included,
    /// The audit path, as verified.
    pub proof: InclusionProof,
    /// The signed tree head it was verified against.
    pub checkpoint: SignedCheckpoint,
}

impl VerifyingLog {
    /// A log seen over a connection. With `pins`, every checkpoint must be consistent with the
    /// last one remembered, and is remembered in its turn.
    #[must_use]
    pub fn new(connection: &Connection, trust: LogTrust, pins: Option<PinStore>) -> Self {
        Self {
            wire: connection.ledger(),
            trust,
            pins,
        }
    }

    /// The newest checkpoint, signed by a trusted key and consistent with the one remembered.
    ///
    /// # Errors
    /// [`ClientError::Unverified`] for a bad note, [`ClientError::Fork`] for a history that does
    /// not continue the remembered one.
    pub async fn checkpoint(&mut self) -> Result<SignedCheckpoint, ClientError> {
        let request = wire::GetCheckpointRequest { at_least: None };
        let answer = self.wire.get_checkpoint(request).await?.into_inner();
        self.accept(&answer.checkpoint).await
    }

    /// Proves the leaf at `index` against the newest checkpoint.
    ///
    /// # Errors
    /// As [`Self::checkpoint`]; [`ClientError::Refused`] when the log has no such leaf.
    pub async fn prove(&mut self, index: LeafIndex) -> Result<ProvedLeaf, ClientError> {
        let request = wire::GetInclusionProofRequest {
            leaf_index: index.get(),
            tree_size: None,
        };
        let answer = self.wire.get_inclusion_proof(request).await?.into_inner();
        let checkpoint = self.accept(&answer.checkpoint).await?;
        let leaf = LeafHash::try_from(answer.leaf_hash.as_ref()).map_err(unverified)?;
        let proof = InclusionProof::new(hashes(&answer.hashes)?);
        let included =
            verify_inclusion(leaf, index, checkpoint.head(), &proof).map_err(unverified)?;
        Ok(ProvedLeaf {
            included,
            proof,
            checkpoint,
        })
    }

    /// Proves that the tree of `old` continues into the tree of `new`.
    ///
    /// # Errors
    /// [`ClientError::Fork`] when the proof does not hold.
    pub async fn consistent(
        &mut self,
        heads: Growth<TreeHead>,
    ) -> Result<(Consistent, ConsistencyProof), ClientError> {
        let fork = |why: String| {
            let (old, new) = (heads.old, heads.new);
            ClientError::Fork(format!(
                "the log signed {} leaves with root {} and {} leaves with root {}: {why}",
                old.size, old.root, new.size, new.root
            ))
        };
        let needs_proof = heads.old.size != TreeSize::ZERO && heads.old.size < heads.new.size;
        let proof = if needs_proof {
            let request = wire::GetConsistencyProofRequest {
                old_size: heads.old.size.get(),
                new_size: Some(heads.new.size.get()),
            };
            let answer = self
                .wire
                .get_consistency_proof(request)
                .await
                .map_err(|status| {
                    match ClientError::from(status) {
                        // It signed this size once, so it had it: a rollback.
                        refused if refused.reason() == Reason::BeyondTreeSize => {
                            fork("it no longer has the larger tree".to_owned())
                        }
                        other => other,
                    }
                })?;
            let answer = answer.into_inner();
            ConsistencyProof::new(hashes(&answer.hashes)?)
        } else {
            ConsistencyProof::default()
        };
        let consistent =
            verify_consistency(heads, &proof).map_err(|problem| fork(problem.to_string()))?;
        Ok((consistent, proof))
    }

    /// The service as it is, to fetch what is checked afterwards.
    pub(crate) fn wire(&mut self) -> &mut LedgerServiceClient<Authorized> {
        &mut self.wire
    }

    /// The log that is expected.
    pub(crate) fn origin(&self) -> &Origin {
        &self.trust.origin
    }

    /// Opens a note and holds it against the remembered one.
    pub(crate) async fn accept(&mut self, note: &[u8]) -> Result<SignedCheckpoint, ClientError> {
        let found = self.open(note)?;
        let Some(pins) = self.pins.clone() else {
            return Ok(found);
        };
        let Some(remembered) = pins.load(&self.trust.origin)? else {
            pins.store(&self.trust.origin, note)?;
            return Ok(found);
        };
        let remembered = self.open(&remembered)?;
        // A server may answer from a replica that lags; it may not answer another history.
        let newer = found.head().size >= remembered.head().size;
        let (old, new) = if newer {
            (&remembered, &found)
        } else {
            (&found, &remembered)
        };
        self.consistent(Growth {
            old: old.head(),
            new: new.head(),
        })
        .await?;
        if found.head().size > remembered.head().size {
            pins.store(&self.trust.origin, note)?;
        }
        Ok(found)
    }

    fn open(&self, note: &[u8]) -> Result<SignedCheckpoint, ClientError> {
        SignedCheckpoint::open(note, &self.trust.keys, Some(&self.trust.origin)).map_err(unverified)
    }
}

/// Hashes as they come over the wire.
pub(crate) fn hashes(list: &[bytes::Bytes]) -> Result<Vec<NodeHash>, ClientError> {
    list.iter()
        .map(|hash| NodeHash::try_from(hash.as_ref()).map_err(unverified))
        .collect()
}
