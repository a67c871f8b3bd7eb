//! The scan manifest: all inputs of one score, by hash (FORMATS.md section 5).

use crate::hash::{BlobDigest, ManifestHash, PolicyHash, SnapshotHash, sha256};
use crate::json::{
    FieldError, Fields, JsonError, Object, ObjectWriter, Value, parse_canonical, write_string,
};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// `schema` of every manifest: the format's name and version, and its domain separation.
pub const MANIFEST_SCHEMA: &str = "stella.scan-manifest/v1";

/// Bytes are not a scan manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not canonical JSON of a hashed object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing, wrong or unknown.
    #[error("scan manifest: {0}")]
    Field(#[from] FieldError),
    /// A computation that may differ from run to run proves nothing.
    #[error("scan manifest: `deterministic` must be true")]
    NotDeterministic,
}

/// The frozen engine that computes: a declared integer, not a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineVersion(u32);

impl EngineVersion {
    /// Names a number as an engine version.
    #[must_use]
    pub const fn new(version: u32) -> Self {
        Self(version)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for EngineVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 32 bytes for rules that need pseudo-randomness; written as 64 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Names 32 bytes as a seed.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hash::to_hex(&self.0))
    }
}

impl FromStr for Seed {
    type Err = crate::hash::HashParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        crate::hash::from_hex(text).map(Self)
    }
}

/// All inputs of one score. Equal manifests are the same computation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanManifest {
    /// What was scanned.
    pub artifact_digest: BlobDigest,
    /// Its package URL.
    pub artifact_purl: Option<String>,
    /// The SBOM's bytes as received, decompressed.
    pub sbom_digest: BlobDigest,
    /// The reachability facts, decompressed.
    pub reachability_digest: Option<BlobDigest>,
    /// Feed snapshot: advisories, EPSS, KEV, severities.
    pub concelier_snapshot: SnapshotHash,
    /// VEX snapshot; the empty one when there is none.
    pub excititor_snapshot: SnapshotHash,
    /// The policy.
    pub lattice_policy: PolicyHash,
    /// The engine that computes.
    pub engine_version: EngineVersion,
    /// Version of the scanner that produced the SBOM; copied on replay.
    pub scanner_version: String,
    /// Version of the worker that produced the SBOM; copied on replay.
    pub worker_version: String,
    /// For rules that need pseudo-randomness.
    pub seed: Seed,
    /// Settings of the engine, by name.
    pub knobs: BTreeMap<String, String>,
}

impl ScanManifest {
    /// Reads a manifest's canonical bytes.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        Self::from_value(&parse_canonical(bytes)?)
    }

    /// Reads a manifest from a parsed hashed object.
    ///
    /// # Errors
    /// [`ManifestError::Field`] or [`ManifestError::NotDeterministic`].
    pub fn from_value(value: &Value) -> Result<Self, ManifestError> {
        let mut fields = Fields::of_schema(value, MANIFEST_SCHEMA)?;
        if !fields.boolean("deterministic")? {
            return Err(ManifestError::NotDeterministic);
        }
        let manifest = Self {
            artifact_digest: fields.parsed("artifactDigest", "an id")?,
            artifact_purl: fields.optional_text("artifactPurl")?.map(Into::into),
            sbom_digest: fields.parsed("sbomDigest", "an id")?,
            reachability_digest: fields.optional_parsed("reachabilityDigest", "an id")?,
            concelier_snapshot: fields.parsed("concelierSnapshotHash", "an id")?,
            excititor_snapshot: fields.parsed("excititorSnapshotHash", "an id")?,
            lattice_policy: fields.parsed("latticePolicyHash", "an id")?,
            engine_version: EngineVersion::new(fields.integer_as("engineVersion")?),
            scanner_version: fields.text("scannerVersion")?.to_string(),
            worker_version: fields.text("workerVersion")?.to_string(),
            seed: fields.parsed("seed", "64 lower-case hex digits")?,
            knobs: knobs(fields.object("knobs")?)?,
        };
        fields.finish()?;
        Ok(manifest)
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        let mut object = ObjectWriter::new(&mut out);
        object.hash("artifactDigest", self.artifact_digest.as_bytes());
        object.optional_text("artifactPurl", self.artifact_purl.as_deref());
        object.hash("concelierSnapshotHash", self.concelier_snapshot.as_bytes());
        object.boolean("deterministic", true);
        object.integer("engineVersion", self.engine_version.get().into());
        object.hash("excititorSnapshotHash", self.excititor_snapshot.as_bytes());
        let knobs = self
            .knobs
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()));
        object.object("knobs", &knobs.collect::<Object>());
        object.hash("latticePolicyHash", self.lattice_policy.as_bytes());
        if let Some(digest) = &self.reachability_digest {
            object.hash("reachabilityDigest", digest.as_bytes());
        }
        object.hash("sbomDigest", self.sbom_digest.as_bytes());
        object.text("scannerVersion", &self.scanner_version);
        object.text("schema", MANIFEST_SCHEMA);
        write_string(object.member("seed"), &self.seed.to_string());
        object.text("workerVersion", &self.worker_version);
        object.end();
        out
    }

    /// The identity of the computation: SHA-256 of the canonical bytes.
    #[must_use]
    pub fn hash(&self) -> ManifestHash {
        ManifestHash::new(sha256(&self.to_bytes()))
    }
}

fn knobs(object: &Object) -> Result<BTreeMap<String, String>, FieldError> {
    let knob = |(name, value): (&str, &Value)| {
        let value = value
            .as_str()
            .ok_or_else(|| FieldError::value("knobs", "strings"))?;
        Ok((name.to_string(), value.to_string()))
    };
    object.iter().map(knob).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> ScanManifest {
        ScanManifest {
            artifact_digest: BlobDigest::new([1; 32]),
            artifact_purl: Some("pkg:cargo/a@1".into()),
            sbom_digest: BlobDigest::new([2; 32]),
            reachability_digest: Some(BlobDigest::new([3; 32])),
            concelier_snapshot: SnapshotHash::new([4; 32]),
            excititor_snapshot: SnapshotHash::new([5; 32]),
            lattice_policy: PolicyHash::new([6; 32]),
            engine_version: EngineVersion::new(1),
            scanner_version: "scanner 1".into(),
            worker_version: "worker 2".into(),
            seed: Seed::default(),
            // UTF-8 and UTF-16 order these two differently.
            knobs: [
                ("\u{e000}".into(), "a".into()),
                ("\u{10000}".into(), "b".into()),
            ]
            .into(),
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let full = manifest();
        assert_eq!(ScanManifest::parse(&full.to_bytes()), Ok(full.clone()));
        let sparse = ScanManifest {
            artifact_purl: None,
            reachability_digest: None,
            ..full
        };
        assert_eq!(ScanManifest::parse(&sparse.to_bytes()), Ok(sparse));
    }
}
