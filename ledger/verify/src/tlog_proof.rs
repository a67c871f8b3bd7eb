//! Proof files (C2SP tlog-proof): that a leaf is in a log, to be verified without the log.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64>                 optional: opaque, vouched for by nobody
//! index <decimal>
//! <base64 of 32 bytes>           the inclusion proof, lowest hash first; none or more
//!                                <- an empty line
//! <signed checkpoint, verbatim>
//! ```
//!
//! In scope: the file, strictly, and its verification against a leaf and trusted keys. Out of
//! scope: quorums of witnesses; [`VerifiedProof::checkpoint`] says who signed.

use crate::base64;
use crate::checkpoint::{OpenCheckpointError, Origin, SignedCheckpoint};
use crate::hash::{LeafHash, NodeHash, RootHash};
use crate::limits::{MAX_NOTE_BYTES, MAX_PROOF_HASHES};
use crate::merkle::{Included, InclusionError, InclusionProof, verify_inclusion};
use crate::note::{Note, NoteError, VerifierKey};
use crate::text::parse_decimal;
use crate::units::LeafIndex;
use alloc::vec::Vec;
use core::fmt;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Why bytes are not a proof file. The sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// Larger than any note within it explains.
    #[error("a proof file has at most {} bytes", 2 * MAX_NOTE_BYTES)]
    TooLarge,
    /// Not UTF-8.
    #[error("the proof file is not valid UTF-8")]
    Utf8,
    /// The first line is another: not such a file, or another version.
    #[error("a proof file begins with the line {HEADER}")]
    Header,
    /// The extra line is not base64, or is there without data.
    #[error("the extra line of a proof file is standard base64 of at least one byte")]
    Extra,
    /// The line after is not `index` and a decimal number.
    #[error("a proof file gives the leaf as \"index\" and a number without leading zeros")]
    Index,
    /// A line of the inclusion proof is not base64 of 32 bytes.
    #[error("hash {hash} of the proof file is not 32 bytes in standard base64")]
    Hash {
        /// Which, from 1.
        hash: usize,
    },
    /// More hashes than the largest tree needs.
    #[error("an inclusion proof has at most {MAX_PROOF_HASHES} hashes")]
    TooManyHashes,
    /// The file ends before the checkpoint.
    #[error("the proof file has no empty line before its checkpoint")]
    NoCheckpoint,
    /// What follows the empty line is not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// A proof file's content. A claim until verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Opaque data beside the proof; `None` and empty are written alike, without the line. Not
    /// covered by anything: never trust it for its being here.
    pub extra: Option<Vec<u8>>,
    /// Where the leaf is said to stand.
    pub index: LeafIndex,
    /// The way from the leaf to the checkpoint's root.
    pub inclusion: InclusionProof,
    /// The signed checkpoint.
    pub checkpoint: Note,
}

/// Why a proof file does not show that the leaf is in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogVerifyError {
    /// The checkpoint is not trusted.
    #[error(transparent)]
    Checkpoint(#[from] OpenCheckpointError),
    /// The leaf is not the one that the checkpoint's tree has there.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
}

/// Evidence that a leaf is in a log under a signed checkpoint: only [`TlogProof::verify`] makes
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedProof {
    included: Included<RootHash>,
    checkpoint: SignedCheckpoint,
}

impl VerifiedProof {
    /// The leaf, its index and the tree.
    #[must_use]
    pub const fn included(&self) -> &Included<RootHash> {
        &self.included
    }

    /// The checkpoint, with who signed it.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}

impl TlogProof {
    /// Reads a proof file. What is accepted is written again by [`fmt::Display`] byte for byte.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        // The lines before the checkpoint are bounded by this too, so it is room for both.
        if bytes.len() > 2 * MAX_NOTE_BYTES {
            return Err(TlogProofError::TooLarge);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| TlogProofError::Utf8)?;
        let (header, rest) = split_line(text).ok_or(TlogProofError::Header)?;
        if header != HEADER {
            return Err(TlogProofError::Header);
        }
        let (extra, rest) = parse_extra(rest)?;
        let (index, rest) = parse_index(rest).ok_or(TlogProofError::Index)?;
        let (hashes, rest) = parse_hashes(rest)?;
        let checkpoint = Note::parse(rest.as_bytes())?;
        let inclusion = InclusionProof::new(hashes);
        Ok(Self {
            extra,
            index,
            inclusion,
            checkpoint,
        })
    }

    /// Checks that `leaf` is in the log at the file's index, under a checkpoint that a `trusted`
    /// key signed and, when given, of the log expected. The leaf is the caller's, never the
    /// file's: that is what is being proved.
    pub fn verify(
        &self,
        leaf: LeafHash,
        trusted: &[VerifierKey],
        expected: Option<&Origin>,
    ) -> Result<VerifiedProof, TlogVerifyError> {
        let checkpoint = SignedCheckpoint::open_note(self.checkpoint.clone(), trusted, expected)?;
        let included = verify_inclusion(leaf, self.index, checkpoint.head(), &self.inclusion)?;
        Ok(VerifiedProof {
            included,
            checkpoint,
        })
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = self.extra.as_ref().filter(|extra| !extra.is_empty()) {
            writeln!(f, "extra {}", base64::encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in self.inclusion.hashes() {
            writeln!(f, "{}", base64::encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

fn split_line(text: &str) -> Option<(&str, &str)> {
    text.split_once('\n')
}

fn parse_extra(text: &str) -> Result<(Option<Vec<u8>>, &str), TlogProofError> {
    let Some(rest) = text.strip_prefix("extra ") else {
        return Ok((None, text));
    };
    let (encoded, rest) = split_line(rest).ok_or(TlogProofError::Extra)?;
    let extra = base64::decode(encoded).map_err(|_| TlogProofError::Extra)?;
    if extra.is_empty() {
        return Err(TlogProofError::Extra);
    }
    Ok((Some(extra), rest))
}

fn parse_index(text: &str) -> Option<(LeafIndex, &str)> {
    let (index, rest) = split_line(text.strip_prefix("index ")?)?;
    Some((LeafIndex::new(parse_decimal(index)?), rest))
}

/// The hashes up to the empty line, and what follows it.
fn parse_hashes(text: &str) -> Result<(Vec<NodeHash>, &str), TlogProofError> {
    let mut hashes = Vec::new();
    let mut rest = text;
    loop {
        let (line, after) = split_line(rest).ok_or(TlogProofError::NoCheckpoint)?;
        rest = after;
        if line.is_empty() {
            return Ok((hashes, rest));
        }
        if hashes.len() == MAX_PROOF_HASHES {
            return Err(TlogProofError::TooManyHashes);
        }
        let error = TlogProofError::Hash {
            hash: hashes.len() + 1,
        };
        let bytes = base64::decode(line).map_err(|_| error)?;
        hashes.push(NodeHash::try_from(bytes.as_slice()).map_err(|_| error)?);
    }
}

#[cfg(test)]
mod tests;
