//! Snapshots of feeds and of VEX statements: header and rows (FORMATS.md section 7).

mod proof;
mod records;
mod row;
mod uses;

pub use proof::{
    Answer, Question, SNAPSHOT_PROOF_SCHEMA, SnapshotProofError, VerifiedSnapshotProof, answer,
    verify_snapshot_proof, write_snapshot_proof,
};
pub use records::{RECORDS_MAGIC, RecordsError, Snapshot, take_part};
pub use row::{Row, RowError, RowKey, Table};
pub use uses::{Footprint, UseKey, UseKeysError};

use crate::hash::{SnapshotHash, SnapshotRoot, sha256};
use crate::json::{
    ArrayWriter, FieldError, Fields, JsonError, ObjectWriter, SafeInteger, UnsafeInteger, Value,
    parse_canonical, write_string,
};
use crate::units::TreeSize;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// `schema` of every header: the format's name and version. It freezes how records are normalised.
pub const SNAPSHOT_SCHEMA: &str = "stella.snapshot/v1";

/// Bytes or parts are not a snapshot header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Not canonical JSON of a hashed object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing, wrong or unknown.
    #[error("snapshot header: {0}")]
    Field(#[from] FieldError),
    /// More rows than canonical JSON can count.
    #[error("snapshot header: {0}")]
    Count(#[from] UnsafeInteger),
}

/// What a snapshot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SnapshotKind {
    /// Advisories, EPSS, KEV and severities.
    Concelier,
    /// VEX statements.
    Excititor,
}

impl SnapshotKind {
    /// The word that stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Concelier => "concelier",
            Self::Excititor => "excititor",
        }
    }
}

impl fmt::Display for SnapshotKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SnapshotKind {
    type Err = crate::node::UnknownWord;
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "concelier" => Ok(Self::Concelier),
            "excititor" => Ok(Self::Excititor),
            _ => Err(crate::node::UnknownWord),
        }
    }
}

/// What identifies a snapshot. Two imports of the same records are the same snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotHeader {
    kind: SnapshotKind,
    sources: Vec<String>,
    rows: TreeSize,
    root: SnapshotRoot,
}

impl SnapshotHeader {
    /// Describes a snapshot; `sources` (names and model versions, no times or URLs) are sorted and
    /// freed of duplicates here.
    ///
    /// # Errors
    /// [`SnapshotError::Count`].
    pub fn new(
        kind: SnapshotKind,
        mut sources: Vec<String>,
        rows: TreeSize,
        root: SnapshotRoot,
    ) -> Result<Self, SnapshotError> {
        SafeInteger::try_from(rows.get())?;
        sources.sort_unstable();
        sources.dedup();
        Ok(Self {
            kind,
            sources,
            rows,
            root,
        })
    }

    /// Reads a header's canonical bytes.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SnapshotError> {
        Self::from_value(&parse_canonical(bytes)?)
    }

    /// Reads a header from a parsed hashed object.
    ///
    /// # Errors
    /// [`SnapshotError::Field`].
    pub fn from_value(value: &Value) -> Result<Self, SnapshotError> {
        let mut fields = Fields::of_schema(value, SNAPSHOT_SCHEMA)?;
        let text = |item: &Value| item.as_str().map(String::from);
        let sources: Option<Vec<_>> = fields.array("sources")?.iter().map(text).collect();
        let sources = sources.filter(|sources| sources.is_sorted_by(|left, right| left < right));
        let header = Self {
            kind: fields.parsed("kind", "concelier or excititor")?,
            sources: sources
                .ok_or_else(|| FieldError::value("sources", "sorted strings, each once"))?,
            rows: TreeSize::new(fields.integer_as("count")?),
            root: fields.parsed("root", "an id")?,
        };
        fields.finish()?;
        Ok(header)
    }

    /// Appends the canonical bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut header = ObjectWriter::new(out);
        // In range: every constructor checked it.
        let rows = SafeInteger::try_from(self.rows.get()).unwrap_or(SafeInteger::ZERO);
        header.integer("count", rows);
        header.text("kind", self.kind.as_str());
        header.hash("root", self.root.as_bytes());
        header.text("schema", SNAPSHOT_SCHEMA);
        let mut sources = ArrayWriter::new(header.member("sources"));
        for source in &self.sources {
            write_string(sources.item(), source);
        }
        sources.end();
        header.end();
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        self.write(&mut out);
        out
    }

    /// The snapshot's identity: SHA-256 of the canonical bytes.
    #[must_use]
    pub fn hash(&self) -> SnapshotHash {
        SnapshotHash::new(sha256(&self.to_bytes()))
    }

    /// What the snapshot holds.
    #[must_use]
    pub const fn kind(&self) -> SnapshotKind {
        self.kind
    }

    /// Names and model versions of what was imported, sorted.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Number of rows: the size of the tree under `root`.
    #[must_use]
    pub const fn rows(&self) -> TreeSize {
        self.rows
    }

    /// Merkle root over the rows' canonical bytes in their order.
    #[must_use]
    pub const fn root(&self) -> SnapshotRoot {
        self.root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let sources = [
            "osv:crates.io".into(),
            "epss:v2026.01".into(),
            "osv:crates.io".into(),
        ];
        let root = SnapshotRoot::new([1; 32]);
        let header = SnapshotHeader::new(
            SnapshotKind::Concelier,
            sources.into(),
            TreeSize::new(2),
            root,
        )
        .unwrap();
        assert_eq!(header.sources(), ["epss:v2026.01", "osv:crates.io"]);
        assert_eq!(SnapshotHeader::parse(&header.to_bytes()), Ok(header));
        let huge = TreeSize::new(1 << 53);
        assert!(SnapshotHeader::new(SnapshotKind::Excititor, [].into(), huge, root).is_err());
    }
}
