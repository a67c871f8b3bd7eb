//! Whose checkpoints an export may stand on.

use super::ExportError;
use crate::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use crate::note::{Note, SignatureMeaning, VerifierKey};

/// Whose checkpoints are believed. Nothing of this is taken from the export.
#[derive(Debug, Clone, Copy)]
pub enum ExportTrust<'a> {
    /// Those that one of these keys of the log signed.
    Log {
        /// Keys of the log, not of witnesses.
        keys: &'a [VerifierKey],
        /// The log that is expected; `None` accepts whichever log the keys belong to.
        origin: Option<&'a Origin>,
    },
    /// This closing checkpoint, byte for byte, judged elsewhere; and no opening one.
    Closing(&'a str),
}

/// One checkpoint, once the caller's trust covers it.
pub(super) fn judge(
    which: &'static str,
    note: &str,
    trust: &ExportTrust<'_>,
) -> Result<Checkpoint, ExportError> {
    match trust {
        ExportTrust::Log { keys, origin } => {
            let signed = SignedCheckpoint::open(note.as_bytes(), keys, *origin)
                .map_err(|problem| ExportError::Unsigned { which, problem })?;
            let mut signatures = signed.note().verified().iter();
            if !signatures.any(|signature| signature.meaning == SignatureMeaning::Text) {
                return Err(ExportError::CosignersOnly { which });
            }
            Ok(signed.checkpoint().clone())
        }
        ExportTrust::Closing(expected) => {
            if which != "closing" || note != *expected {
                return Err(ExportError::OtherCheckpoint);
            }
            let note = Note::parse(note.as_bytes())
                .map_err(|problem| ExportError::Note { which, problem })?;
            Checkpoint::parse(note.unverified_text())
                .map_err(|problem| ExportError::Checkpoint { which, problem })
        }
    }
}
