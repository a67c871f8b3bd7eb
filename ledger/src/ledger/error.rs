//! Everything that the ledger refuses, and the public reason of each.

use std::sync::Arc;

use stella_verify::hash::{BlobDigest, ManifestHash, NodeId, PolicyHash, ProofRoot, SnapshotHash};
use stella_verify::merkle::ProveError;
use stella_verify::units::{LeafIndex, TreeSize};

use crate::blobs::BlobError;
use crate::index::{AttachError, IndexError};
use crate::log::{
    AdmissionReadError, AppendError, CloseError, EraseError, FsckError, OpenError, ReadError,
    StoreFault,
};

/// A thing that was asked for by name and is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Missing {
    /// No scan of this name.
    #[error("there is no scan {0}")]
    Scan(String),
    /// No registered manifest of this hash.
    #[error("there is no manifest {0}")]
    Manifest(ManifestHash),
    /// No sealed computation of this root.
    #[error("there is no proof with root {0}")]
    Root(ProofRoot),
    /// No proof node of this id.
    #[error("there is no proof node {0}")]
    Node(NodeId),
    /// No imported snapshot of this hash.
    #[error("there is no snapshot {0}")]
    Snapshot(SnapshotHash),
    /// A snapshot that was removed.
    #[error("the records of snapshot {0} were removed")]
    SnapshotRemoved(SnapshotHash),
    /// No snapshot of this kind was published.
    #[error("no {0} snapshot was published")]
    CurrentSnapshot(stella_verify::snapshot::SnapshotKind),
    /// No registered policy of this hash.
    #[error("there is no policy {0}")]
    Policy(PolicyHash),
    /// No blob of this digest.
    #[error("there is no blob {0}")]
    Blob(BlobDigest),
}

/// Why the ledger gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The ledger was not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The index was not opened.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// An append was refused, or its outcome is unknown.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Payloads were not erased.
    #[error(transparent)]
    Erase(#[from] EraseError),
    /// Events were not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The projections gave no answer.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The admission state gave no answer.
    #[error(transparent)]
    Admission(#[from] AdmissionReadError),
    /// A blob was not read or written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A check was not carried out.
    #[error(transparent)]
    Fsck(#[from] FsckError),
    /// The log was not marked as cleanly stopped.
    #[error(transparent)]
    Close(#[from] CloseError),
    /// What was asked for is not there.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// A leaf, size or range is not in the tree that was asked.
    #[error("{asked} is beyond the tree of {size} leaves")]
    BeyondTree {
        /// The leaf or size asked for.
        asked: u64,
        /// The tree.
        size: TreeSize,
    },
    /// Sizes or a range are given in the wrong order. The caller's mistake.
    #[error("the request contradicts itself: {0}")]
    Reversed(String),
    /// The payload was erased by a retention event; the proof of what was there stands.
    #[error("the payload of leaf {leaf} was erased by the event at leaf {by}")]
    Erased {
        /// Whose payload.
        leaf: LeafIndex,
        /// The retention event.
        by: LeafIndex,
    },
    /// An event does not read as what the ledger admits. Report it with the result of `fsck`.
    #[error("the event at leaf {leaf} cannot be read: {what}")]
    Malformed {
        /// Which.
        leaf: LeafIndex,
        /// What is wrong.
        what: Arc<str>,
    },
    /// Bytes of the ledger's own making do not read back. Report it.
    #[error("this ledger contradicts itself: {0}")]
    Internal(Arc<str>),
}

impl LedgerError {
    /// The public reason, as in `docs/errors.md`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Open(error) => open_reason(error),
            Self::Attach(AttachError::Truncated { .. }) => "LOG_TRUNCATED",
            Self::Attach(AttachError::Source(_))
            | Self::Index(IndexError::Source(_))
            | Self::Malformed { .. } => "LOG_DAMAGED",
            Self::Attach(_)
            | Self::Blob(BlobError::Io(_))
            | Self::Fsck(FsckError::Disk(_))
            | Self::Close(CloseError::Disk(_)) => "STORAGE",
            Self::Append(error) | Self::Erase(EraseError::Append(error)) => append_reason(error),
            Self::Erase(error) => erase_reason(error),
            Self::Read(error) => read_reason(error),
            Self::Index(IndexError::Behind { .. }) => "PROJECTION_BEHIND",
            Self::Admission(AdmissionReadError::Store(fault)) => store_reason(fault),
            Self::Admission(AdmissionReadError::Poisoned(_))
            | Self::Close(CloseError::Poisoned(_)) => "LOG_POISONED",
            Self::Blob(error) => blob_reason(error),
            Self::Fsck(FsckError::InUse) => "DIRECTORY_IN_USE",
            Self::Fsck(FsckError::NoLog) => "NOT_FOUND",
            Self::Fsck(_) => "UNAVAILABLE",
            Self::Missing(missing) => missing_reason(missing),
            Self::BeyondTree { .. } => "BEYOND_TREE_SIZE",
            Self::Reversed(_) => "INVALID_ARGUMENT",
            Self::Erased { .. } => "PAYLOAD_ERASED",
            Self::Internal(_) => "INTERNAL",
        }
    }
}

fn missing_reason(missing: &Missing) -> &'static str {
    match missing {
        Missing::Scan(_) => "SCAN_NOT_FOUND",
        Missing::Root(_) => "PROOF_NOT_FOUND",
        Missing::Node(_) => "NODE_NOT_FOUND",
        Missing::Snapshot(_) | Missing::CurrentSnapshot(_) => "SNAPSHOT_NOT_FOUND",
        Missing::SnapshotRemoved(_) => "SNAPSHOT_REMOVED",
        Missing::Policy(_) => "POLICY_NOT_FOUND",
        Missing::Manifest(_) | Missing::Blob(_) => "NOT_FOUND",
    }
}

fn open_reason(error: &OpenError) -> &'static str {
    match error {
        OpenError::NoLog => "NOT_FOUND",
        OpenError::InUse => "DIRECTORY_IN_USE",
        OpenError::OtherKey { .. } | OpenError::OriginMismatch { .. } => "WRONG_KEY",
        OpenError::Truncated { .. } => "LOG_TRUNCATED",
        OpenError::Forked { .. } => "FORK_DETECTED",
        OpenError::Store(fault) => store_reason(fault),
        OpenError::Entropy(_) => "UNAVAILABLE",
        _ => "INVALID_ARGUMENT",
    }
}

fn append_reason(error: &AppendError) -> &'static str {
    match error {
        AppendError::TooManyEvents { .. }
        | AppendError::RequestTooLarge { .. }
        | AppendError::EntryTooLarge { .. }
        | AppendError::TooManyNames { .. } => "TOO_LARGE",
        AppendError::EventTypeReserved { .. } => "EVENT_TYPE_RESERVED",
        AppendError::QueueFull => "QUEUE_FULL",
        AppendError::Expired => "DEADLINE_EXCEEDED",
        AppendError::RequestIdReused { .. } => "REQUEST_ID_REUSED",
        AppendError::RequestIdExpired { .. } => "REQUEST_ID_EXPIRED",
        AppendError::WrongExpectedPosition { .. } | AppendError::AlreadyKnown { .. } => {
            "WRONG_EXPECTED_POSITION"
        }
        AppendError::NotKnown { .. } => "NOT_FOUND",
        AppendError::NoRoom(_) => "STORAGE",
        AppendError::Store(fault) => store_reason(fault),
        AppendError::OutcomeUnknown { .. } | AppendError::Poisoned(_) => "LOG_POISONED",
        AppendError::Entropy(_) | AppendError::Closed => "UNAVAILABLE",
        _ => "INVALID_ARGUMENT",
    }
}

fn erase_reason(error: &EraseError) -> &'static str {
    match error {
        EraseError::TooMany { .. } => "TOO_LARGE",
        EraseError::Read(error) => read_reason(error),
        EraseError::Unfinished(_) => "LOG_POISONED",
        EraseError::Append(error) => append_reason(error),
        _ => "INVALID_ARGUMENT",
    }
}

fn read_reason(error: &ReadError) -> &'static str {
    match error {
        ReadError::BeyondTreeSize { .. } => "BEYOND_TREE_SIZE",
        ReadError::TooMany { .. } => "TOO_LARGE",
        ReadError::Store(fault) => store_reason(fault),
        _ => "INVALID_ARGUMENT",
    }
}

fn blob_reason(error: &BlobError) -> &'static str {
    match error {
        BlobError::NotFound(_) => "NOT_FOUND",
        BlobError::Damaged { .. } => "BLOB_DAMAGED",
        BlobError::TooLarge(_) => "TOO_LARGE",
        BlobError::OtherBytes { .. } => "INVALID_ARGUMENT",
        BlobError::Io(_) => "STORAGE",
    }
}

fn store_reason(fault: &StoreFault) -> &'static str {
    match fault {
        StoreFault::Disk(_) => "STORAGE",
        StoreFault::Damage(_) => "LOG_DAMAGED",
    }
}

impl From<ProveError<LedgerError>> for LedgerError {
    fn from(error: ProveError<LedgerError>) -> Self {
        match error {
            ProveError::IndexOutsideTree { index, size } => Self::BeyondTree {
                asked: index.get(),
                size,
            },
            ProveError::RangeOutsideTree { end, size, .. } => Self::BeyondTree {
                asked: end.get(),
                size,
            },
            ProveError::SizesReversed { .. } => Self::Reversed(error.to_string()),
            ProveError::Read(error) => error,
        }
    }
}
