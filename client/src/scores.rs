//! Manifests, roots, nodes and bundles, held against the caller's keys and their own hashes.

use crate::error::unverified;
use crate::fields::text_of;
use crate::{ClientError, Connection, LogTrust, Verified};
use bytes::Bytes;
use stella_proto::ledger as log_wire;
use stella_proto::proof as wire;
use stella_proto::score as score_wire;
use stella_proto::snapshot as snapshot_wire;
use stella_verify::bundle::{Report, TrustInput, verify};
use stella_verify::dsse::{Envelope, Threshold};
use stella_verify::event::RuleApplied;
use stella_verify::hash::{ManifestHash, NodeId, ProofRoot, SnapshotHash, sha256, to_hex};
use stella_verify::keys::{PublicKey, PureRust};
use stella_verify::manifest::ScanManifest;
use stella_verify::merkle::{Frontier, leaf_hash};
use stella_verify::node::ProofNode;
use stella_verify::snapshot::{VerifiedSnapshotProof, verify_snapshot_proof};
use stella_verify::statement::ScoreProofStatement;
use stella_verify::units::UnixMillis;

/// Whom the caller trusts about scores.
#[derive(Debug, Clone)]
pub struct ScoreTrust {
    /// Keys that sign roots and manifests.
    pub keys: Vec<PublicKey>,
    /// How many of them must have signed.
    pub threshold: Threshold,
    /// The log.
    pub log: LogTrust,
}

/// Scores whose every answer is verified before it is returned.
#[derive(Debug, Clone)]
pub struct VerifyingScores {
    connection: Connection,
    trust: ScoreTrust,
}

/// A bundle that verified, with the checks that say so.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The file.
    pub bytes: Vec<u8>,
    /// What was checked.
    pub report: Report,
}

/// Bytes of a downloaded bundle, at most: a replayable one carries whole snapshots.
const MAX_BUNDLE_BYTES: usize = 2 * 1024 * 1024 * 1024;

impl VerifyingScores {
    /// Scores seen over a connection.
    #[must_use]
    pub fn new(connection: &Connection, trust: ScoreTrust) -> Self {
        Self {
            connection: connection.clone(),
            trust,
        }
    }

    /// What was signed about a root: which computation came to it, and its score. Enough trusted
    /// keys signed, and it is this root and this log that they signed for.
    ///
    /// # Errors
    /// [`ClientError::Unverified`]; [`ClientError::Refused`] when there is no such root.
    pub async fn root(
        &self,
        root: ProofRoot,
    ) -> Result<Verified<ScoreProofStatement>, ClientError> {
        let request = wire::GetProofRootRequest {
            root_hash: root.to_string(),
            tree_size: None,
        };
        let answer = self
            .connection
            .proofs()
            .get_proof_root(request)
            .await?
            .into_inner();
        let signed = Envelope::parse(&answer.envelope)
            .map_err(unverified)?
            .verify(&self.trust.keys, self.trust.threshold, &PureRust)
            .map_err(unverified)?;
        let statement = ScoreProofStatement::parse(signed.payload()).map_err(unverified)?;
        if statement.root != root {
            return Err(unverified("the envelope is of another root"));
        }
        if statement.log_origin != self.trust.log.origin.as_str() {
            return Err(unverified("the envelope is of another log"));
        }
        Ok(Verified::new(statement))
    }

    /// Every node of a computation, in emission order: as many as were signed for, and their tree
    /// has the signed root.
    ///
    /// # Errors
    /// [`ClientError::Unverified`], also when the log has erased one of them.
    pub async fn nodes(
        &self,
        of: &Verified<ScoreProofStatement>,
    ) -> Result<Verified<Vec<ProofNode>>, ClientError> {
        let request = log_wire::ReadStreamRequest {
            stream: format!("computation/{}", to_hex(of.manifest.as_bytes())),
            ..log_wire::ReadStreamRequest::default()
        };
        let answers = self.connection.ledger().read_stream(request).await?;
        let (mut answers, mut nodes) = (answers.into_inner(), Vec::new());
        let mut tree = Frontier::<ProofRoot>::default();
        let expected = u64::from(of.nodes.get());
        while let Some(answer) = answers.message().await? {
            for event in answer.events {
                if tree.size().get() == expected {
                    return Err(unverified("there are more nodes than were signed for"));
                }
                let applied = RuleApplied::decode(&event.payload).map_err(unverified)?;
                tree.push(leaf_hash(applied.node));
                nodes.push(ProofNode::parse(applied.node).map_err(unverified)?);
            }
        }
        if tree.size().get() != expected || tree.root() != of.root {
            return Err(unverified("the nodes do not hash to the signed root"));
        }
        Ok(Verified::new(nodes))
    }

    /// A node by its id: its bytes hash to it.
    ///
    /// # Errors
    /// [`ClientError::Unverified`]; [`ClientError::Refused`] when there is no such node.
    pub async fn node(&self, id: NodeId) -> Result<Verified<ProofNode>, ClientError> {
        let request = wire::GetNodeRequest {
            node_id: id.to_string(),
            tree_size: None,
        };
        let answer = self
            .connection
            .proofs()
            .get_node(request)
            .await?
            .into_inner();
        if NodeId::new(sha256(&answer.node)) != id {
            return Err(unverified(format!("the node does not hash to {id}")));
        }
        ProofNode::parse(&answer.node)
            .map(Verified::new)
            .map_err(unverified)
    }

    /// The manifest of a computation of a scan: its bytes hash to the hash that a statement names.
    ///
    /// # Errors
    /// [`ClientError::Unverified`]; [`ClientError::Refused`] when there is no such computation.
    pub async fn manifest(
        &self,
        scan_id: &str,
        of: &Verified<ScoreProofStatement>,
    ) -> Result<Verified<ScanManifest>, ClientError> {
        let scan = scan_id.to_owned();
        let manifest = self
            .fetch_manifest(scan, Some(of.root), of.manifest)
            .await?;
        Ok(Verified::new(manifest))
    }

    /// A manifest of a scan by its hash: that of a root, or the first one.
    pub(crate) async fn fetch_manifest(
        &self,
        scan_id: String,
        of: Option<ProofRoot>,
        hash: ManifestHash,
    ) -> Result<ScanManifest, ClientError> {
        let request = score_wire::GetManifestRequest {
            scan_id,
            root_hash: text_of(of),
            tree_size: None,
        };
        let answer = self
            .connection
            .scores()
            .get_manifest(request)
            .await?
            .into_inner();
        if ManifestHash::new(sha256(&answer.manifest)) != hash {
            let message = format!("the manifest does not hash to {hash}");
            return Err(unverified(message));
        }
        ScanManifest::parse(&answer.manifest).map_err(unverified)
    }

    /// A bundle that passes every check of the bundle verifier, with the caller's keys and clock.
    ///
    /// # Errors
    /// [`ClientError::Unverified`] names the checks that fail.
    pub async fn bundle(
        &self,
        request: wire::DownloadBundleRequest,
        now: Option<UnixMillis>,
    ) -> Result<Verified<Bundle>, ClientError> {
        let wanted = request.root_hash.clone();
        let mut chunks = self
            .connection
            .proofs()
            .download_bundle(request)
            .await?
            .into_inner();
        let mut bytes = Vec::new();
        while let Some(answer) = chunks.message().await? {
            if bytes.len() + answer.chunk.len() > MAX_BUNDLE_BYTES {
                return Err(unverified("the bundle is larger than it may be"));
            }
            bytes.extend_from_slice(&answer.chunk);
        }
        let report = verify(
            &bytes,
            &TrustInput {
                threshold: self.trust.threshold,
                log_origin: Some(&self.trust.log.origin),
                now,
                ..TrustInput::new(&self.trust.keys, &self.trust.log.keys)
            },
        );
        if !report.verified() {
            let failed = report.to_json();
            return Err(unverified(String::from_utf8_lossy(&failed)));
        }
        if !wanted.is_empty() && !named(&report, &wanted) {
            return Err(unverified("the bundle is of another root"));
        }
        Ok(Verified::new(Bundle { bytes, report }))
    }

    /// Which rows a snapshot has for a question, and that it has no others. The hash comes from
    /// something that was verified, such as a manifest.
    ///
    /// # Errors
    /// [`ClientError::Unverified`]; [`ClientError::Refused`] when there is no such snapshot.
    pub async fn snapshot_rows(
        &self,
        snapshot: SnapshotHash,
        subject: snapshot_wire::prove_snapshot_request::Subject,
    ) -> Result<Verified<VerifiedSnapshotProof>, ClientError> {
        let request = snapshot_wire::ProveSnapshotRequest {
            hash: snapshot.to_string(),
            subject: Some(subject),
            with_records: true,
            tree_size: None,
        };
        let answer = self.connection.snapshots().prove_snapshot(request).await?;
        let proof: Bytes = answer.into_inner().proof;
        let proof = verify_snapshot_proof(&proof, &snapshot).map_err(unverified)?;
        Ok(Verified::new(proof))
    }
}

/// Whether a report is of the root that was asked for.
fn named(report: &Report, root: &str) -> bool {
    let claims = report.claims();
    claims.is_some_and(|claims| claims.root.to_string() == root)
}
