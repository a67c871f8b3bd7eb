//! What can be wrong with the disk, and with what is on it.

use super::block::BlockNumber;
use super::frame::FrameFault;
use std::fmt;
use std::io;
use std::sync::Arc;
use stella_verify::units::{LeafIndex, TreeSize};

/// The disk refused an operation. The operator's to solve; `source` is the system's own word.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {operation} {file}: {source}")]
pub struct DiskFault {
    /// What was tried.
    pub operation: &'static str,
    /// On which file, relative to the data directory.
    pub file: String,
    /// The system's answer; shared, because it is told to every request it concerns.
    pub source: Arc<io::Error>,
}

impl DiskFault {
    pub(crate) fn new(operation: &'static str, file: &str, source: io::Error) -> Self {
        Self {
            operation,
            file: file.to_owned(),
            source: Arc::new(source),
        }
    }

    /// Whether the disk is full (ENOSPC): free some space and try again.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.source.kind() == io::ErrorKind::StorageFull
    }
}

/// Bytes of the log are not what was written (`LOG_DAMAGED`). Nothing was changed: run fsck,
/// restore the file from a replica or backup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} is damaged{at}: {fault}")]
pub struct Damage {
    /// The damaged file, relative to the data directory.
    pub file: String,
    /// Where in it.
    pub at: Place,
    /// What is wrong there.
    pub fault: Fault,
}

impl Damage {
    pub(crate) fn new(file: &str, at: impl Into<Place>, fault: impl Into<Fault>) -> Self {
        Self {
            file: file.to_owned(),
            at: at.into(),
            fault: fault.into(),
        }
    }
}

/// Where damage is, as precisely as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// One block of 4,096 bytes.
    Block(BlockNumber),
    /// One leaf, or what stands beside it.
    Leaf(LeafIndex),
}

impl From<BlockNumber> for Place {
    fn from(block: BlockNumber) -> Self {
        Self::Block(block)
    }
}

impl From<LeafIndex> for Place {
    fn from(index: LeafIndex) -> Self {
        Self::Leaf(index)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Block(block) => write!(f, " at byte {} (block {})", block.offset().0, block.0),
            Self::Leaf(index) => write!(f, " at leaf {index}"),
        }
    }
}

/// What is wrong with bytes of the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file is missing, though files after it or the head file say that it existed.
    #[error("the file is missing")]
    Missing,
    /// The file's length is not what it was created with.
    #[error("the file has {found} bytes instead of {expected}")]
    Length {
        /// Bytes at creation.
        expected: u64,
        /// Bytes now.
        found: u64,
    },
    /// A block's checksum is wrong and the block is not a never-written one.
    #[error("the block's checksum is wrong")]
    Checksum,
    /// A block that must be unused has content.
    #[error("bytes after the last frame are not zeros")]
    NotZero,
    /// A written block turned into zeros where no torn write can explain it.
    #[error("a written block is blank")]
    Lost,
    /// A segment's first block says other than the file name, the head file or the options.
    #[error("the segment's header is wrong: {0}")]
    Header(&'static str),
    /// A frame's own bytes are wrong.
    #[error(transparent)]
    Frame(#[from] FrameFault),
    /// The last frame is incomplete although the log was stopped cleanly.
    #[error("the last frame is torn, but the log was stopped cleanly")]
    TornAfterCleanStop,
    /// A leaf is not a canonical event header of this log.
    #[error("the leaf is not a canonical event of this log: {0}")]
    Leaf(String),
    /// An event's position does not continue its stream.
    #[error("the event is not the next one of its stream")]
    Position,
    /// An event is earlier than the one before it.
    #[error("the event is earlier than the one before it")]
    Time,
    /// Salt and payload do not hash to the leaf's commitment.
    #[error("salt and payload do not match the leaf's commitment")]
    Commitment,
    /// Salt and payload are blank, but no retention event names the leaf.
    #[error("salt and payload are blank, but no retention event names the leaf")]
    BlankUnexplained,
    /// A retention event names the leaf, but the payload is still there.
    #[error("a retention event names the leaf, but salt and payload are still there")]
    NotErased,
    /// A retention event's payload and its admission records disagree.
    #[error("the retention event and its admission records disagree")]
    Retention,
    /// A checkpoint does not state the tree's size and root.
    #[error("the checkpoint does not state the tree's origin, size and root")]
    Checkpoint,
    /// A checkpoint's signature does not verify under the log's keys.
    #[error("the checkpoint's signature does not verify: {0}")]
    Signature(String),
    /// A seal contradicts the segment or the seal before it.
    #[error("the seal is wrong: {0}")]
    Seal(&'static str),
    /// An admission run contradicts its seal or the frames.
    #[error("the admission run is wrong: {0}")]
    Run(&'static str),
    /// The head file, or one slot of it, cannot be read.
    #[error("the head file is wrong: {0}")]
    Head(&'static str),
    /// The head file knows of a larger tree than the segments hold.
    #[error("the head file knows of tree size {known}, but the segments hold {found}")]
    Truncated {
        /// What the head file knows of.
        known: TreeSize,
        /// What is there.
        found: TreeSize,
    },
    /// The erase journal cannot be read.
    #[error("the erase journal is wrong")]
    EraseJournal,
}

/// Either kind of trouble with stored bytes.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreFault {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskFault),
    /// The disk answered, with wrong bytes.
    #[error(transparent)]
    Damage(#[from] Damage),
}
