//! The signatures over sealed proofs: made once, when a root is sealed, and recorded.
//!
//! `proof.signed` stands in the same request as the `root.sealed` before it, so both are durable or
//! neither is: whoever is told of a sealed root finds it signed. Bundles repeat the recorded
//! signatures; a key that is rotated later changes none of them.

use super::{App, internal};
use crate::refusal::Refusal;
use stella_ledger::ledger::SealRecord;
use stella_proto::reason::Reason;
use stella_verify::dsse::{Envelope, EnvelopeSignature, IN_TOTO_PAYLOAD_TYPE};
use stella_verify::event::EventType;
use stella_verify::event::payload::{ProofSigned, RootSealed};
use stella_verify::keys::{EnvelopeSigner as _, SigningKey};
use stella_verify::manifest::ScanManifest;
use stella_verify::statement::{ArtifactSubject, ScanManifestStatement, ScoreProofStatement};
use stella_verify::units::LeafIndex;

/// The two envelopes of a sealed proof.
pub(super) struct Envelopes {
    /// Over the manifest.
    pub(super) manifest: Envelope,
    /// Over the root and the score.
    pub(super) root: Envelope,
}

impl App {
    /// Signs a proof that is about to be sealed; the event goes into the request that seals it.
    pub(in crate::app) fn sign_proof(
        &self,
        manifest: &ScanManifest,
        sealed: &RootSealed,
    ) -> Result<ProofSigned, Refusal> {
        let key = SigningKey::from_seed(self.keys.signing().as_bytes()).map_err(internal)?;
        let sign = |statement: Vec<u8>| -> Result<Vec<EnvelopeSignature>, Refusal> {
            let envelope = Envelope::sign(IN_TOTO_PAYLOAD_TYPE, statement, &key, &[]);
            Ok(envelope.map_err(internal)?.signatures().to_vec())
        };
        Ok(ProofSigned {
            scan: sealed.scan.clone(),
            manifest: sealed.manifest,
            root: sealed.root,
            manifest_signatures: sign(manifest_statement(manifest))?,
            root_signatures: sign(self.score_statement(manifest, sealed)?)?,
            public_keys: vec![key.public_key().clone()],
        })
    }

    /// The envelopes of a sealed proof, from the signatures recorded with it.
    pub(super) fn envelopes(
        &self,
        manifest: &ScanManifest,
        seal: &SealRecord,
    ) -> Result<Envelopes, Refusal> {
        let signed = self.signatures(seal)?;
        let envelope = |statement, signatures| {
            Envelope::of_signatures(IN_TOTO_PAYLOAD_TYPE, statement, signatures).map_err(internal)
        };
        Ok(Envelopes {
            manifest: envelope(manifest_statement(manifest), signed.manifest_signatures)?,
            root: envelope(
                self.score_statement(manifest, &seal.sealed)?,
                signed.root_signatures,
            )?,
        })
    }

    /// The `proof.signed` event of a seal: the one behind it, as one request appended both.
    pub(super) fn signatures(&self, seal: &SealRecord) -> Result<ProofSigned, Refusal> {
        let unsigned = |why: &str| {
            let root = seal.sealed.root;
            let message = format!("no signatures were recorded when root {root} was sealed: {why}");
            Refusal::new(Reason::ProofNotFound, message)
        };
        let view = self.newest()?;
        let leaf = LeafIndex::new(seal.leaf.get().saturating_add(1));
        if !view.size().contains(leaf) {
            return Err(unsigned("the log ends with the seal"));
        }
        let event = view.event(leaf)?;
        if event.known_header()?.event_type != EventType::PROOF_SIGNED {
            return Err(unsigned("another event follows the seal"));
        }
        let signed = event.read(ProofSigned::parse)?;
        if (signed.manifest, signed.root) != (seal.sealed.manifest, seal.sealed.root) {
            return Err(unsigned("the signatures behind it are of another root"));
        }
        Ok(signed)
    }

    fn score_statement(
        &self,
        manifest: &ScanManifest,
        sealed: &RootSealed,
    ) -> Result<Vec<u8>, Refusal> {
        let statement = ScoreProofStatement {
            subject: ArtifactSubject::of(manifest),
            engine_version: sealed.engine_version,
            log_origin: self.origin.clone(),
            manifest: sealed.manifest,
            nodes: sealed.nodes,
            root: sealed.root,
            score: sealed.score,
        };
        statement.to_bytes().map_err(internal)
    }
}

fn manifest_statement(manifest: &ScanManifest) -> Vec<u8> {
    let statement = ScanManifestStatement {
        subject: ArtifactSubject::of(manifest),
        manifest: manifest.clone(),
    };
    statement.to_bytes()
}
