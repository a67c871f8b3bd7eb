//! The questions that verification answers, in the words of the runbooks.

use crate::node::UnknownWord;
use core::fmt;
use core::str::FromStr;

/// One question that verification answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckName {
    /// Trusted keys signed the manifest and the root.
    SignatureValid,
    /// Every id and number that can be recomputed from the content is what is stated.
    IdRecomputed,
    /// The nodes stand in emission order and their Merkle root is the signed one.
    MerklePathValid,
    /// The log's own time of sealing is the one stated, and not in the caller's future.
    TimestampValid,
    /// The seal event is in this ledger's log, under a checkpoint of a log key the caller gave.
    LogInclusion,
    /// The proof is in an external Rekor log.
    RekorInclusion,
    /// What the bundle carries of the log's own record is that record.
    ChainValid,
}

impl CheckName {
    /// Every check, in the order of a report.
    pub const ALL: [Self; 7] = [
        Self::SignatureValid,
        Self::IdRecomputed,
        Self::MerklePathValid,
        Self::TimestampValid,
        Self::LogInclusion,
        Self::RekorInclusion,
        Self::ChainValid,
    ];

    /// The name as users write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignatureValid => "signatureValid",
            Self::IdRecomputed => "idRecomputed",
            Self::MerklePathValid => "merklePathValid",
            Self::TimestampValid => "timestampValid",
            Self::LogInclusion => "logInclusion",
            Self::RekorInclusion => "rekorInclusion",
            Self::ChainValid => "chainValid",
        }
    }

    /// Whether a bundle is verified only when this check passed; others may be skipped.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(
            self,
            Self::SignatureValid | Self::IdRecomputed | Self::MerklePathValid
        )
    }

    /// How a failure of this check is announced.
    pub(super) const fn failure(self) -> &'static str {
        match self {
            Self::SignatureValid => "Signature verification failed",
            Self::IdRecomputed => "ID recomputation failed",
            Self::MerklePathValid => "Merkle path invalid",
            Self::TimestampValid => "Timestamp invalid",
            Self::LogInclusion => "Log inclusion not proved",
            Self::RekorInclusion => "Rekor entry not found",
            Self::ChainValid => "Chain invalid",
        }
    }

    /// What to do about a failure.
    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::SignatureValid => {
                "a signing key may have been rotated: verify with the key of the time of signing; \
                 if that fails too, the bundle was altered"
            }
            Self::IdRecomputed => {
                "the content was altered or damaged: download the bundle again, or replay the score"
            }
            Self::MerklePathValid => {
                "nodes are missing, added or out of order: download the bundle again"
            }
            Self::TimestampValid => {
                "compare this machine's clock with the time of sealing that the report names"
            }
            Self::LogInclusion => {
                "check that the log's verifier key is the one of the origin named; if it is, the \
                 seal event is not in that log"
            }
            Self::RekorInclusion => "wait for the entry to be logged, or verify offline",
            Self::ChainValid => "export the bundle with its chain again",
        }
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CheckName {
    type Err = UnknownWord;
    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == word)
            .ok_or(UnknownWord)
    }
}
