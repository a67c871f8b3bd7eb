//! A batch of replays as the server tells of it: how far it is, and what came of each scan.

use crate::ClientError;
use crate::error::refused;
use crate::fields::{optional, parsed, present, time, wrong};
use std::fmt;
use stella_proto::reason::Reason;
use stella_proto::replay as wire;
use stella_verify::hash::{ProofRoot, SnapshotHash};
use stella_verify::units::{BasisPoints, UnixMillis};

/// Names an operation. The server chooses it: for a batch under an idempotency key always the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationName(String);

impl OperationName {
    /// A name that the server gave.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when a text can be no name.
    pub fn new(name: impl Into<String>) -> Result<Self, ClientError> {
        let name = name.into();
        if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            let message = "an operation has a name of 1-255 bytes, in one line".to_owned();
            return Err(refused(Reason::InvalidArgument, message));
        }
        Ok(Self(name))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A batch, by the server's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name.
    pub name: OperationName,
    /// Whether it goes on.
    pub status: OperationStatus,
    /// How far it is.
    pub progress: Progress,
    /// When it was started.
    pub started: UnixMillis,
    /// When it ended.
    pub ended: Option<UnixMillis>,
    /// Feed snapshot that scans are replayed against; each scan's own when absent.
    pub concelier: Option<SnapshotHash>,
    /// VEX snapshot that scans are replayed against; each scan's own when absent.
    pub excititor: Option<SnapshotHash>,
}

/// Whether a batch goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationStatus {
    /// It does.
    Running,
    /// It finishes what was begun, and nothing else.
    Cancelling,
    /// It ended before every scan had a result.
    Cancelled,
    /// Every scan has a result.
    Finished,
}

impl OperationStatus {
    /// Whether it has ended.
    #[must_use]
    pub const fn done(self) -> bool {
        matches!(self, Self::Cancelled | Self::Finished)
    }
}

/// How far a batch is, in scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Of the batch.
    pub total: u64,
    /// With a result.
    pub completed: u64,
    /// Replayed, with a new root.
    pub computed: u64,
    /// Replayed, equal to what is recorded.
    pub verified: u64,
    /// Not computed, because nothing they use changed.
    pub unchanged: u64,
    /// That could not be replayed.
    pub failed: u64,
}

/// What came of one scan, by the server's word; [`VerifyingScores::root`] shows what was signed
/// about a root.
///
/// [`VerifyingScores::root`]: crate::VerifyingScores::root
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchResult {
    /// The scan, as it was asked for: a batch may name what is no scan.
    pub scan: String,
    /// What came of it.
    pub outcome: BatchOutcome,
}

/// What came of a replay in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchOutcome {
    /// It has a new root.
    Computed(ReplayedScore),
    /// The recorded root came out again.
    Verified(ReplayedScore),
    /// It was not computed: nothing that it uses changed.
    Unchanged(ReplayedScore),
    /// It could not be replayed.
    Failed {
        /// Why; absent when this client does not know the reason.
        reason: Option<Reason>,
        /// Why, in one sentence.
        message: String,
    },
}

/// The score before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayedScore {
    /// Root of the replay.
    pub root: ProofRoot,
    /// The score before.
    pub before: BasisPoints,
    /// The score of the replay.
    pub after: BasisPoints,
}

impl Operation {
    pub(crate) fn read(operation: &wire::Operation) -> Result<Self, ClientError> {
        let status = match operation.status.as_str() {
            "running" => OperationStatus::Running,
            "cancelling" => OperationStatus::Cancelling,
            "cancelled" => OperationStatus::Cancelled,
            "finished" => OperationStatus::Finished,
            other => return Err(wrong("status", format!("`{other}` is not known"))),
        };
        if status.done() != operation.done || operation.done == operation.ended_at.is_empty() {
            return Err(wrong("done", "it contradicts the status or the end"));
        }
        let progress = present("progress", operation.progress.as_ref())?;
        let ended = &operation.ended_at;
        Ok(Self {
            name: OperationName::new(&operation.name).map_err(|problem| wrong("name", problem))?,
            status,
            progress: Progress {
                total: progress.total,
                completed: progress.completed,
                computed: progress.computed,
                verified: progress.verified,
                unchanged: progress.unchanged,
                failed: progress.failed,
            },
            started: time("started_at", &operation.started_at)?,
            ended: operation
                .done
                .then(|| time("ended_at", ended))
                .transpose()?,
            concelier: optional(
                "concelier_snapshot_hash",
                &operation.concelier_snapshot_hash,
            )?,
            excititor: optional(
                "excititor_snapshot_hash",
                &operation.excititor_snapshot_hash,
            )?,
        })
    }
}

impl BatchResult {
    pub(crate) fn read(result: &wire::BatchResult) -> Result<Self, ClientError> {
        let score = || {
            Ok::<_, ClientError>(ReplayedScore {
                root: parsed("root_hash", &result.root_hash)?,
                before: BasisPoints::new(result.original_score_bps),
                after: BasisPoints::new(result.replayed_score_bps),
            })
        };
        let outcome = match result.status.as_str() {
            "computed" => BatchOutcome::Computed(score()?),
            "verified" => BatchOutcome::Verified(score()?),
            "unchanged" => BatchOutcome::Unchanged(score()?),
            "failed" => BatchOutcome::Failed {
                reason: Reason::of(&result.error_code),
                message: result.error_message.clone(),
            },
            other => return Err(wrong("status", format!("`{other}` is not known"))),
        };
        Ok(Self {
            scan: result.scan_id.clone(),
            outcome,
        })
    }
}
