//! Inputs that became known to the ledger.

use super::PayloadError;
use crate::hash::{BlobDigest, PolicyHash, SnapshotHash};
use crate::json::{FieldError, Fields, ObjectWriter, SafeInteger, parse_canonical};
use crate::snapshot::{SnapshotHeader, SnapshotKind};
use alloc::vec::Vec;

const IMPORTED_SCHEMA: &str = "stella.snapshot-imported/v1";
const PUBLISHED_SCHEMA: &str = "stella.snapshot-published/v1";
const REMOVED_SCHEMA: &str = "stella.snapshot-removed/v1";
const POLICY_SCHEMA: &str = "stella.policy-registered/v1";
const POLICY_PUBLISHED_SCHEMA: &str = "stella.policy-published/v1";

/// `snapshot.imported`: a snapshot's rows and records are in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotImported {
    /// The snapshot; its hash, kind, count and root are repeated in the payload for readers.
    pub header: SnapshotHeader,
    /// The blob that holds the snapshot's records.
    pub records: BlobDigest,
}

impl SnapshotImported {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(640);
        let mut object = ObjectWriter::new(&mut out);
        // In range: the header checked it.
        let rows = SafeInteger::try_from(self.header.rows().get()).unwrap_or(SafeInteger::ZERO);
        object.integer("count", rows);
        self.header.write(object.member("header"));
        object.text("kind", self.header.kind().as_str());
        object.hash("records", self.records.as_bytes());
        object.hash("root", self.header.root().as_bytes());
        object.text("schema", IMPORTED_SCHEMA);
        object.hash("snapshot", self.header.hash().as_bytes());
        object.end();
        out
    }

    /// Reads the canonical bytes; what is repeated must equal what the header says.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, IMPORTED_SCHEMA)?;
        let header = SnapshotHeader::from_value(fields.any("header")?)?;
        let payload = Self {
            header,
            records: fields.parsed("records", "an id")?,
        };
        for repeated in ["count", "kind", "root", "snapshot"] {
            fields.any(repeated)?;
        }
        fields.finish()?;
        if payload.to_bytes() == bytes {
            Ok(payload)
        } else {
            Err(FieldError::value("header", "what count, kind, root and snapshot repeat").into())
        }
    }
}

/// `snapshot.published`: from here on this is the current snapshot of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotPublished {
    /// The snapshot.
    pub snapshot: SnapshotHash,
    /// Its kind.
    pub kind: SnapshotKind,
}

impl SnapshotPublished {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        let mut object = ObjectWriter::new(&mut out);
        object.text("kind", self.kind.as_str());
        object.text("schema", PUBLISHED_SCHEMA);
        object.hash("snapshot", self.snapshot.as_bytes());
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, PUBLISHED_SCHEMA)?;
        let payload = Self {
            snapshot: fields.parsed("snapshot", "an id")?,
            kind: fields.parsed("kind", "concelier or excititor")?,
        };
        fields.finish()?;
        Ok(payload)
    }
}

/// `snapshot.removed`: its records are no longer kept, until it is imported again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotRemoved {
    /// The snapshot.
    pub snapshot: SnapshotHash,
    /// Its kind.
    pub kind: SnapshotKind,
}

impl SnapshotRemoved {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        let mut object = ObjectWriter::new(&mut out);
        object.text("kind", self.kind.as_str());
        object.text("schema", REMOVED_SCHEMA);
        object.hash("snapshot", self.snapshot.as_bytes());
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, REMOVED_SCHEMA)?;
        let payload = Self {
            snapshot: fields.parsed("snapshot", "an id")?,
            kind: fields.parsed("kind", "concelier or excititor")?,
        };
        fields.finish()?;
        Ok(payload)
    }
}

/// `policy.registered`: a policy may be named by manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyRegistered {
    /// The policy.
    pub policy: PolicyHash,
    /// The blob that holds its canonical JSON.
    pub blob: BlobDigest,
}

impl PolicyRegistered {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(224);
        let mut object = ObjectWriter::new(&mut out);
        object.hash("blob", self.blob.as_bytes());
        object.hash("policy", self.policy.as_bytes());
        object.text("schema", POLICY_SCHEMA);
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, POLICY_SCHEMA)?;
        let payload = Self {
            policy: fields.parsed("policy", "an id")?,
            blob: fields.parsed("blob", "an id")?,
        };
        fields.finish()?;
        Ok(payload)
    }
}

/// `policy.published`: from here on this is the current policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyPublished {
    /// The policy.
    pub policy: PolicyHash,
}

impl PolicyPublished {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(144);
        let mut object = ObjectWriter::new(&mut out);
        object.hash("policy", self.policy.as_bytes());
        object.text("schema", POLICY_PUBLISHED_SCHEMA);
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, POLICY_PUBLISHED_SCHEMA)?;
        let payload = Self {
            policy: fields.parsed("policy", "an id")?,
        };
        fields.finish()?;
        Ok(payload)
    }
}
