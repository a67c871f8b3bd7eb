//! A scan: as it is submitted, and as the server tells of it.

use crate::ClientError;
use crate::fields::{number, optional, parsed, text_of, time, wrong};
use bytes::Bytes;
use std::collections::BTreeMap;
use stella_proto::scan as wire;
use stella_verify::event::payload::ScanId;
use stella_verify::hash::{BlobDigest, ManifestHash, PolicyHash, ProofRoot, SnapshotHash};
use stella_verify::manifest::Seed;
use stella_verify::units::{BasisPoints, NodeSequence, TreeSize, UnixMillis};

/// A scan to be scored. What is not named is current, or the server's default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewScan {
    /// The SBOM: CycloneDX or SPDX JSON, or an attestation of either; gzip is accepted.
    pub sbom: Bytes,
    /// What was scanned; the SBOM itself when absent.
    pub artifact: Option<BlobDigest>,
    /// Package URL of what was scanned.
    pub artifact_purl: Option<String>,
    /// Feed snapshot.
    pub concelier: Option<SnapshotHash>,
    /// VEX snapshot.
    pub excititor: Option<SnapshotHash>,
    /// Policy.
    pub policy: Option<PolicyHash>,
    /// Who produced the SBOM.
    pub scanner_version: String,
    /// Who ran the scan.
    pub worker_version: String,
    /// For rules that need pseudo-randomness.
    pub seed: Seed,
    /// Settings of the engine, by name.
    pub knobs: BTreeMap<String, String>,
    /// Reachability facts.
    pub reachability: Option<Bytes>,
}

/// A scan, by the server's word. That its name is the beginning of its first manifest's hash was
/// checked; [`VerifyingScores::scored`](crate::VerifyingScores::scored) shows the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Its name.
    pub id: ScanId,
    /// Its first manifest.
    pub manifest: ManifestHash,
    /// What was scanned.
    pub artifact: BlobDigest,
    /// When it was requested.
    pub created: UnixMillis,
    /// Its newest computation; absent while none is sealed.
    pub sealed: Option<SealedScore>,
    /// A published tree that covers all of this.
    pub tree: TreeSize,
}

/// A computation with a sealed root, by the server's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedScore {
    /// Root over its nodes.
    pub root: ProofRoot,
    /// The score.
    pub score: BasisPoints,
    /// How many nodes it has.
    pub nodes: NodeSequence,
}

impl NewScan {
    pub(crate) fn to_wire(&self, id: &str) -> wire::SubmitScanRequest {
        wire::SubmitScanRequest {
            sbom: self.sbom.clone(),
            artifact_digest: text_of(self.artifact),
            artifact_purl: self.artifact_purl.clone().unwrap_or_default(),
            concelier_snapshot_hash: text_of(self.concelier),
            excititor_snapshot_hash: text_of(self.excititor),
            lattice_policy_hash: text_of(self.policy),
            scanner_version: self.scanner_version.clone(),
            worker_version: self.worker_version.clone(),
            seed: self.seed.to_string(),
            knobs: self.knobs.clone().into_iter().collect(),
            reachability: self.reachability.clone().unwrap_or_default(),
            request_id: id.to_owned(),
        }
    }
}

impl Scan {
    pub(crate) fn read(scan: &wire::Scan) -> Result<Self, ClientError> {
        let id: ScanId = parsed("scan_id", &scan.scan_id)?;
        let manifest = parsed("manifest_hash", &scan.manifest_hash)?;
        if !is_named_after(&id, manifest) {
            return Err(wrong("scan_id", "it is not of its manifest"));
        }
        let root: Option<ProofRoot> = optional("root_hash", &scan.root_hash)?;
        let sealed = root.map(|root| {
            Ok::<_, ClientError>(SealedScore {
                root,
                score: BasisPoints::new(scan.score_bps),
                nodes: NodeSequence::new(number("node_count", scan.node_count)?),
            })
        });
        Ok(Self {
            id,
            manifest,
            artifact: parsed("artifact_digest", &scan.artifact_digest)?,
            created: time("created_at", &scan.created_at)?,
            sealed: sealed.transpose()?,
            tree: TreeSize::new(scan.tree_size),
        })
    }
}

/// Whether a scan's name is the beginning of its first manifest's hash: 80 bits of it at least.
pub(crate) fn is_named_after(id: &ScanId, manifest: ManifestHash) -> bool {
    let digits = id.as_str().len().saturating_sub("scan-".len());
    ScanId::of(manifest, digits) == *id
}
