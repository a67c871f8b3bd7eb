//! Checkpoints (C2SP tlog-checkpoint): a log's signed tree head.
//!
//! ```text
//! <origin>                       who the log is
//! <size>                         number of leaves, decimal
//! <base64 of 32 bytes>           root over them
//! <extension line>               none or more, opaque
//! ```
//!
//! This is the text of a [signed note](crate::note). A [`Checkpoint`] is what such a text says; a
//! [`SignedCheckpoint`] is one that a trusted key signed.
//!
//! In scope: the text, strictly, and its signatures. Out of scope: whether two checkpoints are
//! consistent ([`crate::merkle::verify_consistency`]).

use crate::base64;
use crate::hash::RootHash;
use crate::merkle::TreeHead;
use crate::note::{
    Note, NoteError, NoteSigner, NoteText, OpenError, SignError, VerifiedNote, VerifierKey,
};
use crate::text::parse_decimal;
use crate::units::TreeSize;
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

/// Identity of a log, the first line of its checkpoints: not empty, one line, no control
/// characters. Should be a URL without scheme, such as `example.com/log42`; nothing relies on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

impl Origin {
    /// Checks and takes an origin.
    ///
    /// # Errors
    /// [`CheckpointError::Origin`].
    pub fn new(origin: &str) -> Result<Self, CheckpointError> {
        if origin.is_empty() || origin.bytes().any(|byte| byte < 0x20) {
            return Err(CheckpointError::Origin);
        }
        Ok(Self(origin.to_owned()))
    }

    /// The origin.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Fewer than three lines.
    #[error("a checkpoint has at least three lines: origin, size, root")]
    TooFewLines,
    /// The origin is empty or not one line.
    #[error("a checkpoint's origin is one line that is not empty")]
    Origin,
    /// The size is not a decimal number of 64 bits in its one spelling.
    #[error("a checkpoint's size is a decimal number without leading zeros, below 2^64")]
    Size,
    /// The root is not the standard base64 of 32 bytes.
    #[error("a checkpoint's root is 32 bytes in standard base64")]
    Root,
    /// An extension line is empty or not one line.
    #[error("an extension line of a checkpoint is one line that is not empty")]
    Extension,
}

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log.
    pub origin: Origin,
    /// Its size and root.
    pub head: TreeHead<RootHash>,
    /// Opaque further lines; ours have none, and signing refuses empty ones.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Reads a note's text. What is accepted is written again by [`fmt::Display`] byte for byte.
    pub fn parse(text: &NoteText) -> Result<Self, CheckpointError> {
        let text = text.as_str();
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let mut next = || lines.next().ok_or(CheckpointError::TooFewLines);
        let (origin, size, root) = (next()?, next()?, next()?);
        let origin = Origin::new(origin)?;
        let size = parse_decimal(size).ok_or(CheckpointError::Size)?;
        let root = base64::decode(root).map_err(|_| CheckpointError::Root)?;
        let root = RootHash::try_from(root.as_slice()).map_err(|_| CheckpointError::Root)?;
        let extensions: Vec<String> = lines.map(ToOwned::to_owned).collect();
        check_extensions(&extensions)?;
        let head = TreeHead {
            size: TreeSize::new(size),
            root,
        };
        Ok(Self {
            origin,
            head,
            extensions,
        })
    }

    /// Signs with every signer, in their order. A log signs no two checkpoints that are not
    /// consistent; seeing to that is the caller's.
    pub fn sign(
        &self,
        first: &dyn NoteSigner,
        others: &[&dyn NoteSigner],
    ) -> Result<Note, CheckpointSignError> {
        check_extensions(&self.extensions)?;
        let text = NoteText::new(self.to_string()).map_err(SignError::Text)?;
        Ok(Note::sign(text, first, others)?)
    }
}

/// Why a checkpoint was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointSignError {
    /// The caller's fault: it would not be a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The signer failed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

fn check_extensions(extensions: &[String]) -> Result<(), CheckpointError> {
    let refused = |line: &String| line.is_empty() || line.contains('\n');
    if extensions.iter().any(refused) {
        return Err(CheckpointError::Extension);
    }
    Ok(())
}

impl fmt::Display for Checkpoint {
    /// The text that is signed, with its last newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = base64::encode(self.head.root.as_bytes());
        writeln!(f, "{}\n{}\n{root}", self.origin, self.head.size)?;
        for line in &self.extensions {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// Why a signed checkpoint was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenCheckpointError {
    /// It is not a note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// No trusted key signed it, or one that seems to have did not.
    #[error(transparent)]
    Signature(#[from] OpenError),
    /// It is signed, but its text is not a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It is another log's.
    #[error("the checkpoint is of {found}, not of {expected}")]
    OriginMismatch {
        /// The log asked for.
        expected: Origin,
        /// The log it is of.
        found: Origin,
    },
}

/// A checkpoint that at least one trusted key signed: only [`SignedCheckpoint::open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: VerifiedNote,
}

impl SignedCheckpoint {
    /// Verifies a signed checkpoint against `trusted` keys and, when given, the log expected.
    ///
    /// A caller that trusts a key for one log only must give the origin: nothing else ties the
    /// two. Pass log keys to ask what the log signed; cosigners' keys count like any other.
    pub fn open(
        note: &[u8],
        trusted: &[VerifierKey],
        expected: Option<&Origin>,
    ) -> Result<Self, OpenCheckpointError> {
        Self::open_note(Note::parse(note)?, trusted, expected)
    }

    /// As [`SignedCheckpoint::open`], of a note that is parsed already.
    pub fn open_note(
        note: Note,
        trusted: &[VerifierKey],
        expected: Option<&Origin>,
    ) -> Result<Self, OpenCheckpointError> {
        let note = note.open(trusted)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        match expected {
            Some(expected) if *expected != checkpoint.origin => {
                Err(OpenCheckpointError::OriginMismatch {
                    expected: expected.clone(),
                    found: checkpoint.origin,
                })
            }
            _ => Ok(Self { checkpoint, note }),
        }
    }

    /// What it says.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Size and root.
    #[must_use]
    pub const fn head(&self) -> TreeHead<RootHash> {
        self.checkpoint.head
    }

    /// The note it was read from, with who signed.
    #[must_use]
    pub const fn note(&self) -> &VerifiedNote {
        &self.note
    }
}

#[cfg(test)]
mod tests;
