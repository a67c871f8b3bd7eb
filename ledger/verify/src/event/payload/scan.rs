//! The life of a scan: asked for, registered, sealed, replayed.

use super::{PayloadError, ScanId};
use crate::hash::{BlobDigest, ManifestHash, ProofRoot, SnapshotHash, TouchedDigest};
use crate::json::{
    FieldError, Fields, ObjectWriter, SafeInteger, UnsafeInteger, Value, parse_canonical,
};
use crate::manifest::{EngineVersion, ScanManifest};
use crate::units::{BasisPoints, LeafIndex, NodeSequence};
use alloc::string::String;
use alloc::vec::Vec;

const REQUESTED_SCHEMA: &str = "stella.scan-requested/v1";
const REGISTERED_SCHEMA: &str = "stella.manifest-registered/v1";
const SEALED_SCHEMA: &str = "stella.root-sealed/v1";
const REPLAYED_SCHEMA: &str = "stella.score-replayed/v1";

/// `scan.requested`: someone asked for a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRequested {
    /// The scan.
    pub scan: ScanId,
    /// What was asked for.
    pub manifest: ManifestHash,
    /// Whether the manifest had been registered before.
    pub existing: bool,
}

impl ScanRequested {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(224);
        let mut object = ObjectWriter::new(&mut out);
        object.boolean("existing", self.existing);
        object.hash("manifestHash", self.manifest.as_bytes());
        object.text("scanId", self.scan.as_str());
        object.text("schema", REQUESTED_SCHEMA);
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, REQUESTED_SCHEMA)?;
        let payload = Self {
            scan: fields.parsed("scanId", "a scan id")?,
            manifest: fields.parsed("manifestHash", "an id")?,
            existing: fields.boolean("existing")?,
        };
        fields.finish()?;
        Ok(payload)
    }
}

/// `manifest.registered`: a computation is named and may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestRegistered {
    /// The scan.
    pub scan: ScanId,
    /// The manifest; its hash is repeated in the payload for readers.
    pub manifest: ScanManifest,
}

impl ManifestRegistered {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1280);
        let mut object = ObjectWriter::new(&mut out);
        object
            .member("manifest")
            .extend_from_slice(&self.manifest.to_bytes());
        object.hash("manifestHash", self.manifest.hash().as_bytes());
        object.text("scanId", self.scan.as_str());
        object.text("schema", REGISTERED_SCHEMA);
        object.end();
        out
    }

    /// Reads the canonical bytes; the hash must be the manifest's.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, REGISTERED_SCHEMA)?;
        let payload = Self {
            scan: fields.parsed("scanId", "a scan id")?,
            manifest: ScanManifest::from_value(fields.any("manifest")?)?,
        };
        let stated: ManifestHash = fields.parsed("manifestHash", "an id")?;
        fields.finish()?;
        if stated == payload.manifest.hash() {
            Ok(payload)
        } else {
            Err(FieldError::value("manifestHash", "the hash of member manifest").into())
        }
    }
}

/// `root.sealed`: a computation ended; its root, and so its score, is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootSealed {
    /// The scan.
    pub scan: ScanId,
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
    /// Where the computation's first `rule.applied` event stands.
    pub first_leaf: LeafIndex,
    /// The executing build, for people.
    pub engine_build: String,
}

impl RootSealed {
    /// The canonical bytes.
    ///
    /// # Errors
    /// [`UnsafeInteger`] when the score or the leaf index is beyond 2^53-1.
    pub fn to_bytes(&self) -> Result<Vec<u8>, UnsafeInteger> {
        let mut out = Vec::with_capacity(512);
        let mut object = ObjectWriter::new(&mut out);
        object.hash("artifactDigest", self.artifact.as_bytes());
        object.text("engineBuild", &self.engine_build);
        object.integer("engineVersion", self.engine_version.get().into());
        object.integer("firstLeaf", self.first_leaf.get().try_into()?);
        object.hash("manifestHash", self.manifest.as_bytes());
        object.integer("nodeCount", self.nodes.get().into());
        object.hash("rootHash", self.root.as_bytes());
        object.text("scanId", self.scan.as_str());
        object.text("schema", SEALED_SCHEMA);
        object.integer("scoreBps", SafeInteger::new(self.score.get())?);
        object.end();
        Ok(out)
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, SEALED_SCHEMA)?;
        let payload = Self {
            scan: fields.parsed("scanId", "a scan id")?,
            manifest: fields.parsed("manifestHash", "an id")?,
            root: fields.parsed("rootHash", "an id")?,
            nodes: NodeSequence::new(fields.integer_as("nodeCount")?),
            score: BasisPoints::new(fields.integer("scoreBps")?.get()),
            engine_version: EngineVersion::new(fields.integer_as("engineVersion")?),
            artifact: fields.parsed("artifactDigest", "an id")?,
            first_leaf: LeafIndex::new(fields.integer_as("firstLeaf")?),
            engine_build: fields.text("engineBuild")?.into(),
        };
        fields.finish()?;
        Ok(payload)
    }
}

/// The snapshots that a replay would have used, where they change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayedSnapshots {
    /// Feed snapshot.
    pub concelier: SnapshotHash,
    /// VEX snapshot.
    pub excititor: SnapshotHash,
    /// Digest of what differs between the feed snapshot compared with and `concelier`: disjoint from
    /// the computation's footprint (FORMATS.md, 7.5).
    pub touched: TouchedDigest,
}

/// `score.replayed`: a sealed computation was recomputed and compared, or seen to be unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreReplayed {
    /// The scan.
    pub scan: ScanId,
    /// The computation that was replayed.
    pub manifest: ManifestHash,
    /// The root the replay came to.
    pub root: ProofRoot,
    /// Whether that is the sealed root.
    pub equal: bool,
    /// The first node that differs, when one does.
    pub first_difference: Option<NodeSequence>,
    /// The current snapshots, when the replay was skipped because they change nothing.
    pub snapshots: Option<ReplayedSnapshots>,
}

impl ScoreReplayed {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let mut object = ObjectWriter::new(&mut out);
        object.boolean("equal", self.equal);
        if let Some(sequence) = self.first_difference {
            object.integer("firstDifference", sequence.get().into());
        }
        object.hash("manifestHash", self.manifest.as_bytes());
        object.hash("rootHash", self.root.as_bytes());
        object.text("scanId", self.scan.as_str());
        object.text("schema", REPLAYED_SCHEMA);
        if let Some(snapshots) = &self.snapshots {
            let mut pair = ObjectWriter::new(object.member("snapshots"));
            pair.hash("concelier", snapshots.concelier.as_bytes());
            pair.hash("excititor", snapshots.excititor.as_bytes());
            pair.hash("touched", snapshots.touched.as_bytes());
            pair.end();
        }
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, REPLAYED_SCHEMA)?;
        let payload = Self {
            scan: fields.parsed("scanId", "a scan id")?,
            manifest: fields.parsed("manifestHash", "an id")?,
            root: fields.parsed("rootHash", "an id")?,
            equal: fields.boolean("equal")?,
            first_difference: fields
                .optional_integer_as("firstDifference")?
                .map(NodeSequence::new),
            snapshots: fields
                .optional("snapshots")
                .map(replayed_snapshots)
                .transpose()?,
        };
        fields.finish()?;
        Ok(payload)
    }
}

fn replayed_snapshots(value: &Value) -> Result<ReplayedSnapshots, FieldError> {
    let object = value
        .as_object()
        .ok_or_else(|| FieldError::value("snapshots", "an object"))?;
    let mut fields = Fields::new(object);
    let snapshots = ReplayedSnapshots {
        concelier: fields.parsed("concelier", "an id")?,
        excititor: fields.parsed("excititor", "an id")?,
        touched: fields.parsed("touched", "an id")?,
    };
    fields.finish()?;
    Ok(snapshots)
}
