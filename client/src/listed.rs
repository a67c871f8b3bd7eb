//! Rows of lists, by the server's word: each names by hash what can be fetched and verified.

use crate::ClientError;
use crate::fields::{number, parsed, time, wrong};
use stella_proto::proof as proof_wire;
use stella_proto::snapshot as wire;
use stella_verify::event::payload::ScanId;
use stella_verify::hash::{ManifestHash, PolicyHash, ProofRoot, SnapshotHash, SnapshotRoot};
use stella_verify::manifest::EngineVersion;
use stella_verify::snapshot::SnapshotKind;
use stella_verify::units::{BasisPoints, LeafIndex, NodeSequence, UnixMillis};

/// A row of a list of snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSnapshot {
    /// The snapshot.
    pub hash: SnapshotHash,
    /// What it holds.
    pub kind: SnapshotKind,
    /// How many rows.
    pub rows: u64,
    /// Root over its rows.
    pub root: SnapshotRoot,
    /// Names and versions of its sources.
    pub sources: Vec<String>,
    /// When it was imported.
    pub imported: UnixMillis,
    /// Whether it is the current one of its kind.
    pub current: bool,
}

/// A row of a list of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPolicy {
    /// The policy.
    pub hash: PolicyHash,
    /// The name it gives itself.
    pub name: String,
    /// When it was registered.
    pub registered: UnixMillis,
    /// Whether it is the current one.
    pub current: bool,
}

/// A row of a list of sealed roots. [`VerifyingScores::root`](crate::VerifyingScores::root) shows
/// what was signed about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedProof {
    /// The root.
    pub root: ProofRoot,
    /// The computation.
    pub manifest: ManifestHash,
    /// The scan it belongs to.
    pub scan: ScanId,
    /// Its score.
    pub score: BasisPoints,
    /// How many nodes it has.
    pub nodes: NodeSequence,
    /// When it was sealed.
    pub sealed: UnixMillis,
    /// The event that sealed it.
    pub leaf: LeafIndex,
    /// The engine that computed it.
    pub engine: EngineVersion,
}

impl ListedSnapshot {
    pub(crate) fn read(row: &wire::Snapshot) -> Result<Self, ClientError> {
        let kind = match row.kind() {
            wire::SnapshotKind::Concelier => SnapshotKind::Concelier,
            wire::SnapshotKind::Excititor => SnapshotKind::Excititor,
            wire::SnapshotKind::Unspecified => return Err(wrong("kind", "it is not known")),
        };
        Ok(Self {
            hash: parsed("hash", &row.hash)?,
            kind,
            rows: row.count,
            root: parsed("root", &row.root)?,
            sources: row.sources.clone(),
            imported: time("imported_at", &row.imported_at)?,
            current: row.current,
        })
    }
}

impl ListedPolicy {
    pub(crate) fn read(row: &wire::Policy) -> Result<Self, ClientError> {
        Ok(Self {
            hash: parsed("hash", &row.hash)?,
            name: row.name.clone(),
            registered: time("registered_at", &row.registered_at)?,
            current: row.current,
        })
    }
}

impl ListedProof {
    pub(crate) fn read(row: &proof_wire::ProofSummary) -> Result<Self, ClientError> {
        Ok(Self {
            root: parsed("root_hash", &row.root_hash)?,
            manifest: parsed("manifest_hash", &row.manifest_hash)?,
            scan: parsed("scan_id", &row.scan_id)?,
            score: BasisPoints::new(row.score_bps),
            nodes: NodeSequence::new(number("node_count", row.node_count)?),
            sealed: time("sealed_at", &row.sealed_at)?,
            leaf: LeafIndex::new(row.leaf_index),
            engine: EngineVersion::new(row.engine_version),
        })
    }
}
