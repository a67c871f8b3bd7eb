//! What opening a log can answer.

use crate::log::fault::{Damage, DiskFault, StoreFault};
use crate::log::ids::SegmentNumber;
use crate::log::options::Evidence;
use std::sync::Arc;
use stella_verify::merkle::TreeHead;
use stella_verify::units::TreeSize;

/// Why a log was not opened. Nothing of it was changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no log in the directory. Create one.
    #[error("there is no log in this directory")]
    NoLog,
    /// There is a log in the directory already. Open it.
    #[error("there is a log in this directory already")]
    Exists,
    /// Another process owns the directory (`DIRECTORY_IN_USE`).
    #[error("another process owns this directory")]
    InUse,
    /// The log has another origin. The caller's mistake, or the wrong directory.
    #[error("this is the log {found}, not {expected}")]
    OriginMismatch {
        /// The origin asked for.
        expected: String,
        /// The origin found.
        found: String,
    },
    /// The log's newest checkpoint is not of the key at hand (`WRONG_KEY`). Restore the log's key.
    #[error("the key at hand did not sign the newest checkpoint of {origin}: {why}")]
    OtherKey {
        /// The log's name.
        origin: String,
        /// What the verifier says.
        why: String,
    },
    /// The log's leaves are of the other kind.
    #[error("the log's leaves are of another kind")]
    LeafKindMismatch,
    /// The segment length given is not a multiple of 4,096 within the limits.
    #[error("a segment has a multiple of 4,096 bytes, between {min} and {max}")]
    SegmentBytes {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// Someone knows more of the log than is there (`LOG_TRUNCATED`). Restore the complete log;
    /// do not append to this one.
    #[error("{} knows of tree size {}, but the log has {recovered}", evidence.source, evidence.head.size)]
    Truncated {
        /// Who knows of more.
        evidence: Evidence,
        /// What is there.
        recovered: TreeSize,
    },
    /// Someone knows of another root at a size the log has (`FORK_DETECTED`). Keep both.
    #[error("{} knows of another root at tree size {}", evidence.source, evidence.head.size)]
    Forked {
        /// Who knows otherwise.
        evidence: Evidence,
    },
    /// Stored bytes are not what was written (`LOG_DAMAGED`), or the disk refused.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(Arc<crate::entropy::EntropyError>),
}

impl From<DiskFault> for OpenError {
    fn from(fault: DiskFault) -> Self {
        Self::Store(fault.into())
    }
}

impl From<Damage> for OpenError {
    fn from(damage: Damage) -> Self {
        Self::Store(damage.into())
    }
}

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenReport {
    /// The log's size and root.
    pub head: TreeHead,
    /// The log had been stopped cleanly.
    pub clean: bool,
    /// Segments that were written again because the stop was not clean.
    pub rewritten: Vec<SegmentNumber>,
    /// A frame that nobody was told of was found half written, and discarded.
    pub discarded_torn_frame: bool,
    /// Admission runs that were missing or damaged, and written again.
    pub rebuilt_runs: Vec<SegmentNumber>,
    /// Segments that were full and got their seal now.
    pub sealed: Vec<SegmentNumber>,
    /// One slot of the head file could not be read; the other was used.
    pub head_slot_repaired: bool,
}
