//! The two statements that this system signs.

use super::STATEMENT_TYPE;
use crate::hash::{BlobDigest, ManifestHash, ProofRoot, from_hex, to_hex};
use crate::json::{
    ArrayWriter, FieldError, Fields, JsonError, ObjectWriter, SafeInteger, UnsafeInteger, Value,
    parse_canonical,
};
use crate::manifest::{EngineVersion, ManifestError, ScanManifest};
use crate::units::{BasisPoints, NodeSequence};
use alloc::string::String;
use alloc::vec::Vec;

/// Predicate type of a signed score.
pub const SCORE_PROOF_PREDICATE: &str = "score-proof.stella/v1";
/// Predicate type of a signed scan manifest.
pub const SCAN_MANIFEST_PREDICATE: &str = "scan-manifest.stella/v1";

/// Name of an artifact that has no package URL.
const UNNAMED_ARTIFACT: &str = "artifact";

/// Bytes are not a statement of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Not canonical JSON of a hashed object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing, wrong or unknown.
    #[error("statement: {0}")]
    Field(#[from] FieldError),
    /// The predicate is not a scan manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The score is beyond 2^53-1.
    #[error("statement: {0}")]
    Integer(#[from] UnsafeInteger),
}

/// The one artifact that a statement of ours is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactSubject {
    /// What was scanned.
    pub digest: BlobDigest,
    /// Its package URL, or `artifact`.
    pub name: String,
}

impl ArtifactSubject {
    /// The subject of every statement about the computation of `manifest`.
    #[must_use]
    pub fn of(manifest: &ScanManifest) -> Self {
        let name = manifest
            .artifact_purl
            .as_deref()
            .unwrap_or(UNNAMED_ARTIFACT);
        Self {
            digest: manifest.artifact_digest,
            name: name.into(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut list = ArrayWriter::new(out);
        let mut subject = ObjectWriter::new(list.item());
        let mut digest = ObjectWriter::new(subject.member("digest"));
        digest.text("sha256", &to_hex(self.digest.as_bytes()));
        digest.end();
        subject.text("name", &self.name);
        subject.end();
        list.end();
    }

    fn read(items: &[Value]) -> Result<Self, FieldError> {
        let [Value::Object(item)] = items else {
            return Err(FieldError::value("subject", "one object"));
        };
        let mut fields = Fields::new(item);
        let name = fields.text("name")?.into();
        let mut digests = Fields::new(fields.object("digest")?);
        let digest = from_hex(digests.text("sha256")?)
            .map_err(|_| FieldError::value("sha256", "64 lower-case hex digits"))?;
        digests.finish()?;
        fields.finish()?;
        Ok(Self {
            digest: BlobDigest::new(digest),
            name,
        })
    }
}

/// "This computation of this artifact came to this root and this score."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreProofStatement {
    /// What was scanned.
    pub subject: ArtifactSubject,
    /// The engine that computed.
    pub engine_version: EngineVersion,
    /// The log that holds the computation's events.
    pub log_origin: String,
    /// The computation.
    pub manifest: ManifestHash,
    /// How many nodes it has.
    pub nodes: NodeSequence,
    /// Root over its nodes.
    pub root: ProofRoot,
    /// The score.
    pub score: BasisPoints,
}

impl ScoreProofStatement {
    /// The canonical bytes: an envelope's payload.
    ///
    /// # Errors
    /// [`UnsafeInteger`] when the score is beyond 2^53-1.
    pub fn to_bytes(&self) -> Result<Vec<u8>, UnsafeInteger> {
        let score = SafeInteger::new(self.score.get())?;
        Ok(write_statement(
            SCORE_PROOF_PREDICATE,
            &self.subject,
            |out| {
                let mut predicate = ObjectWriter::new(out);
                predicate.integer("engineVersion", self.engine_version.get().into());
                predicate.text("logOrigin", &self.log_origin);
                predicate.hash("manifestHash", self.manifest.as_bytes());
                predicate.integer("nodeCount", self.nodes.get().into());
                predicate.hash("rootHash", self.root.as_bytes());
                predicate.integer("scoreBps", score);
                predicate.end();
            },
        ))
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        let value = parse_canonical(bytes)?;
        let (subject, predicate) = read_statement(&value, SCORE_PROOF_PREDICATE)?;
        let object = predicate.as_object();
        let object = object.ok_or_else(|| FieldError::value("predicate", "an object"))?;
        let mut fields = Fields::new(object);
        let statement = Self {
            subject,
            engine_version: EngineVersion::new(fields.integer_as("engineVersion")?),
            log_origin: fields.text("logOrigin")?.into(),
            manifest: fields.parsed("manifestHash", "an id")?,
            nodes: NodeSequence::new(fields.integer_as("nodeCount")?),
            root: fields.parsed("rootHash", "an id")?,
            score: BasisPoints::new(fields.integer("scoreBps")?.get()),
        };
        fields.finish()?;
        Ok(statement)
    }
}

/// "These are the inputs of this computation of this artifact."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanManifestStatement {
    /// What was scanned.
    pub subject: ArtifactSubject,
    /// The inputs.
    pub manifest: ScanManifest,
}

impl ScanManifestStatement {
    /// The canonical bytes: an envelope's payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        write_statement(SCAN_MANIFEST_PREDICATE, &self.subject, |out| {
            out.extend_from_slice(&self.manifest.to_bytes());
        })
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        let value = parse_canonical(bytes)?;
        let (subject, predicate) = read_statement(&value, SCAN_MANIFEST_PREDICATE)?;
        Ok(Self {
            subject,
            manifest: ScanManifest::from_value(predicate)?,
        })
    }
}

fn write_statement(
    predicate_type: &str,
    subject: &ArtifactSubject,
    predicate: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(1536);
    let mut statement = ObjectWriter::new(&mut out);
    statement.text("_type", STATEMENT_TYPE);
    predicate(statement.member("predicate"));
    statement.text("predicateType", predicate_type);
    subject.write(statement.member("subject"));
    statement.end();
    out
}

fn read_statement<'a>(
    value: &'a Value,
    predicate_type: &'static str,
) -> Result<(ArtifactSubject, &'a Value), FieldError> {
    let object = value.as_object();
    let mut fields = Fields::new(object.ok_or_else(|| FieldError::value("_type", "an object"))?);
    if fields.text("_type")? != STATEMENT_TYPE {
        return Err(FieldError::value("_type", STATEMENT_TYPE));
    }
    if fields.text("predicateType")? != predicate_type {
        return Err(FieldError::value("predicateType", predicate_type));
    }
    let subject = ArtifactSubject::read(fields.array("subject")?)?;
    let predicate = fields.any("predicate")?;
    fields.finish()?;
    Ok((subject, predicate))
}
