//! Why an export is refused.

use crate::checkpoint::{CheckpointError, OpenCheckpointError};
use crate::event::EventError;
use crate::json::{FieldError, JsonError, UnsafeInteger};
use crate::merkle::{ConsistencyError, RangeError};
use crate::note::NoteError;
use crate::units::LeafIndex;
use alloc::string::String;

/// Why bytes are not an export, or one that does not verify. Whoever made or carried it is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The first bytes are others.
    #[error("not an audit export: it does not begin with stella.audit-export/v1")]
    Magic,
    /// A length is beyond its bound.
    #[error("the export's {what} is larger than it may be")]
    TooLarge {
        /// What has that length.
        what: &'static str,
    },
    /// The header is not canonical JSON.
    #[error("the export's header: {0}")]
    Json(#[from] JsonError),
    /// A member of the header is missing, wrong or unknown.
    #[error("the export's header: {0}")]
    Field(#[from] FieldError),
    /// An index that JSON cannot carry.
    #[error("the export's header: {0}")]
    Integer(#[from] UnsafeInteger),
    /// A checkpoint is no note.
    #[error("the {which} checkpoint: {problem}")]
    Note {
        /// Opening or closing.
        which: &'static str,
        /// What is wrong.
        problem: NoteError,
    },
    /// A checkpoint's text is none.
    #[error("the {which} checkpoint: {problem}")]
    Checkpoint {
        /// Opening or closing.
        which: &'static str,
        /// What is wrong.
        problem: CheckpointError,
    },
    /// A checkpoint is not signed by a trusted key, or of another log.
    #[error("the {which} checkpoint: {problem}")]
    Unsigned {
        /// Opening or closing.
        which: &'static str,
        /// What is wrong.
        problem: OpenCheckpointError,
    },
    /// Cosigners signed a checkpoint, but no key of the log did.
    #[error("the {which} checkpoint is signed by cosigners only, not by the log")]
    CosignersOnly {
        /// Opening or closing.
        which: &'static str,
    },
    /// The closing checkpoint is not the one that was expected.
    #[error("the closing checkpoint is not the one expected")]
    OtherCheckpoint,
    /// The range begins before the opening checkpoint's tree ends, or ends after the closing one's.
    #[error("the range is not between the two checkpoints")]
    NotBetween,
    /// The closing tree does not continue the opening one.
    #[error("the two checkpoints: {0}")]
    Consistency(#[from] ConsistencyError),
    /// The leaves are not exactly the tree's.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// The bytes of an entry bundle are not that many entries.
    #[error("the entry bundle at leaf {at} is not the entries of its leaves")]
    Entries {
        /// Its first leaf.
        at: LeafIndex,
    },
    /// A leaf is not an event.
    #[error("leaf {at} is not an event: {problem}")]
    Event {
        /// Which leaf.
        at: LeafIndex,
        /// What is wrong.
        problem: EventError,
    },
    /// An event is of another log than the checkpoints.
    #[error("leaf {at} is an event of log {found}")]
    Origin {
        /// Which leaf.
        at: LeafIndex,
        /// The log it names.
        found: String,
    },
    /// An event is earlier than the one before it.
    #[error("leaf {at} is earlier than the leaf before it")]
    Time {
        /// Which leaf.
        at: LeafIndex,
    },
    /// The state of a payload is none of those that there are.
    #[error("leaf {at}: its payload is neither there nor erased nor withheld")]
    State {
        /// Which leaf.
        at: LeafIndex,
    },
    /// A payload is not the one that its leaf commits to.
    #[error("leaf {at}: the payload is not the one that the leaf commits to")]
    Commitment {
        /// Which leaf.
        at: LeafIndex,
    },
    /// The export ends before its last event.
    #[error("the export ends too early, before leaf {at} is complete")]
    Truncated {
        /// The leaf that is missing or cut.
        at: LeafIndex,
    },
    /// Bytes follow the last event.
    #[error("bytes follow the last event of the export")]
    Trailing,
}
