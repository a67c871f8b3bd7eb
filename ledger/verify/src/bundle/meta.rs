//! `meta.json`: the tie to the log, and what readers want to see at once.

use super::BundleParts;
use crate::event::payload::ScanId;
use crate::event::{EventError, EventHeader};
use crate::hash::{BlobDigest, ManifestHash, ProofRoot, Salt};
use crate::json::{
    FieldError, Fields, JsonError, ObjectWriter, SafeInteger, UnsafeInteger, parse_canonical,
};
use crate::manifest::EngineVersion;
use crate::time::{TimeError, format_time, parse_time};
use crate::units::{BasisPoints, NodeSequence, UnixMillis};
use alloc::string::String;
use alloc::vec::Vec;

/// `schema` of `meta.json`: the format's name and version.
pub const META_SCHEMA: &str = "stella.bundle-meta/v1";

/// Bytes or parts are not a bundle's `meta.json`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetaError {
    /// Not canonical JSON of a hashed object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing, wrong or unknown.
    #[error("meta.json: {0}")]
    Field(#[from] FieldError),
    /// The seal event's leaf is not an event.
    #[error("the seal event is not an event: {0}")]
    Seal(#[from] EventError),
    /// The seal event's time has no spelling.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// The score is beyond 2^53-1.
    #[error("meta.json: {0}")]
    Integer(#[from] UnsafeInteger),
}

/// The `root.sealed` event as the log has it: the leaf, and what the leaf commits to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealEvent {
    /// The leaf's bytes.
    pub header: Vec<u8>,
    /// The payload's bytes.
    pub payload: Vec<u8>,
    /// The salt of the commitment.
    pub salt: Salt,
}

/// The content of `meta.json`. All but the seal event and the proof repeats other files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleMeta {
    /// The bundle's id: its proof root.
    pub proof_bundle: ProofRoot,
    /// The computation.
    pub manifest: ManifestHash,
    /// Root over its nodes.
    pub root: ProofRoot,
    /// How many nodes it has.
    pub nodes: NodeSequence,
    /// The score.
    pub score: BasisPoints,
    /// The engine that computed.
    pub engine_version: EngineVersion,
    /// What was scanned.
    pub artifact: BlobDigest,
    /// The log.
    pub log_origin: String,
    /// The scan.
    pub scan: ScanId,
    /// The seal event's time.
    pub sealed_at: UnixMillis,
    /// The seal event.
    pub seal: SealEvent,
    /// A tlog-proof of the seal event's leaf, as text.
    pub tlog_proof: String,
}

impl BundleMeta {
    /// Repeats what the parts say.
    pub(super) fn of(parts: &BundleParts<'_>) -> Result<Self, MetaError> {
        let header = EventHeader::decode(&parts.seal.header)?;
        let root = parts.proof.root();
        Ok(Self {
            proof_bundle: root,
            manifest: parts.manifest.hash(),
            root,
            nodes: parts.proof.count(),
            score: parts.proof.score(),
            engine_version: parts.manifest.engine_version,
            artifact: parts.manifest.artifact_digest,
            log_origin: header.log_origin.as_str().into(),
            scan: parts.scan.clone(),
            sealed_at: header.time,
            seal: parts.seal.clone(),
            tlog_proof: parts.tlog_proof.into(),
        })
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// [`MetaError::Time`] or [`MetaError::Integer`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, MetaError> {
        let mut out = Vec::with_capacity(4096);
        let mut meta = ObjectWriter::new(&mut out);
        meta.hash("artifactDigest", self.artifact.as_bytes());
        meta.integer("engineVersion", self.engine_version.get().into());
        meta.text("logOrigin", &self.log_origin);
        meta.hash("manifestHash", self.manifest.as_bytes());
        meta.integer("nodeCount", self.nodes.get().into());
        meta.hash("proofBundleId", self.proof_bundle.as_bytes());
        meta.hash("rootHash", self.root.as_bytes());
        meta.text("scanId", self.scan.as_str());
        meta.text("schema", META_SCHEMA);
        meta.integer("scoreBps", SafeInteger::new(self.score.get())?);
        self.seal.write(meta.member("sealEvent"));
        meta.text("sealedAt", &format_time(self.sealed_at)?);
        meta.text("tlogProof", &self.tlog_proof);
        meta.end();
        Ok(out)
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`MetaError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MetaError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, META_SCHEMA)?;
        let sealed_at = parse_time(fields.text("sealedAt")?)
            .map_err(|_| FieldError::value("sealedAt", "YYYY-MM-DDTHH:MM:SS.sssZ"))?;
        let meta = Self {
            proof_bundle: fields.parsed("proofBundleId", "an id")?,
            manifest: fields.parsed("manifestHash", "an id")?,
            root: fields.parsed("rootHash", "an id")?,
            nodes: NodeSequence::new(fields.integer_as("nodeCount")?),
            score: BasisPoints::new(fields.integer("scoreBps")?.get()),
            engine_version: EngineVersion::new(fields.integer_as("engineVersion")?),
            artifact: fields.parsed("artifactDigest", "an id")?,
            log_origin: fields.text("logOrigin")?.into(),
            scan: fields.parsed("scanId", "a scan id")?,
            sealed_at,
            seal: SealEvent::read(fields.object("sealEvent")?)?,
            tlog_proof: fields.text("tlogProof")?.into(),
        };
        fields.finish()?;
        Ok(meta)
    }
}
