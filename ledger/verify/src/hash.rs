//! Every SHA-256 value in the system, each meaning its own type.
//!
//! A root of the log is not the root of a computation, and neither is a leaf hash: the types keep
//! them from being exchanged by accident. All are 32 bytes; those that users see are written
//! `sha256:` + 64 lower-case hex digits (FORMATS.md, "Ids") and parsed from exactly that spelling.

use alloc::string::String;
use core::fmt;
use sha2::{Digest as _, Sha256};

/// Bytes in every hash of this crate.
pub const HASH_SIZE: usize = 32;

/// Why a text is not a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashParseError {
    /// The text does not begin with `sha256:`.
    #[error("a hash is written sha256:<64 hex digits>; the prefix is missing")]
    Prefix,
    /// Not exactly 64 digits follow the prefix.
    #[error("a SHA-256 hash has 64 hex digits")]
    Length,
    /// A character is not one of `0-9a-f`; upper case is refused, one value has one spelling.
    #[error("a hash is written in lower-case hex digits")]
    Digit,
    /// A byte string is not 32 bytes long.
    #[error("a SHA-256 hash has 32 bytes")]
    Bytes,
}

/// SHA-256 of `bytes`, untyped: wrap it at once in the type that says what was hashed.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; HASH_SIZE] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of the concatenation of `parts`.
#[must_use]
pub fn sha256_parts(parts: &[&[u8]]) -> [u8; HASH_SIZE] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The 64 lower-case hex digits of a hash, without prefix.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            if let Some(digit) = DIGITS.get(usize::from(nibble)) {
                out.push(char::from(*digit));
            }
        }
    }
    out
}

/// Reads exactly 64 lower-case hex digits.
///
/// # Errors
/// [`HashParseError::Length`] or [`HashParseError::Digit`].
pub fn from_hex(text: &str) -> Result<[u8; HASH_SIZE], HashParseError> {
    if text.len() != HASH_SIZE * 2 {
        return Err(HashParseError::Length);
    }
    let mut out = [0u8; HASH_SIZE];
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    // Looked at once, after the last digit: hashes are most of what is read.
    let mut wrong = 0;
    for (slot, [high, low]) in out.iter_mut().zip(pairs) {
        let (high, low) = (nibble(*high), nibble(*low));
        wrong |= high | low;
        *slot = high << 4 | low & 15;
    }
    if wrong & NOT_A_DIGIT == 0 {
        Ok(out)
    } else {
        Err(HashParseError::Digit)
    }
}

/// Marks what is no digit; no digit's value has this bit.
const NOT_A_DIGIT: u8 = 0x80;

/// The value of a digit, or [`NOT_A_DIGIT`].
fn nibble(digit: u8) -> u8 {
    #[expect(
        clippy::indexing_slicing,
        reason = "the compiler evaluates it, and would refuse to go beyond"
    )]
    const VALUES: [u8; 256] = {
        let mut values = [NOT_A_DIGIT; 256];
        let mut value = 0;
        while value < 16 {
            values[b"0123456789abcdef"[value as usize] as usize] = value;
            value += 1;
        }
        values
    };
    VALUES
        .get(usize::from(digit))
        .copied()
        .unwrap_or(NOT_A_DIGIT)
}

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; HASH_SIZE]);

        impl $name {
            /// Names 32 bytes as this kind of hash. The caller vouches for the meaning.
            #[must_use]
            pub const fn new(bytes: [u8; HASH_SIZE]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; HASH_SIZE] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "sha256:{}", to_hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl core::str::FromStr for $name {
            type Err = HashParseError;
            fn from_str(text: &str) -> Result<Self, HashParseError> {
                let digits = text.strip_prefix("sha256:").ok_or(HashParseError::Prefix)?;
                Ok(Self(from_hex(digits)?))
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = HashParseError;
            fn try_from(bytes: &[u8]) -> Result<Self, HashParseError> {
                Ok(Self(bytes.try_into().map_err(|_| HashParseError::Bytes)?))
            }
        }
    };
}

hash_type! {
    /// RFC 6962 2.1 leaf hash: SHA-256(0x00 || leaf bytes).
    LeafHash
}
hash_type! {
    /// RFC 6962 2.1 hash of a subtree, SHA-256(0x01 || left || right); of a subtree of one, the leaf hash.
    NodeHash
}
hash_type! {
    /// Root of the **log** at some tree size: what a checkpoint signs.
    RootHash
}
hash_type! {
    /// Root over one **computation's** proof nodes in emission order: what a score's envelope signs.
    ProofRoot
}
hash_type! {
    /// Identity of a proof node: SHA-256 of its canonical JSON without `id`.
    NodeId
}
hash_type! {
    /// Identity of a computation: SHA-256 of the scan manifest's canonical JSON.
    ManifestHash
}
hash_type! {
    /// Identity of a feed or VEX snapshot: SHA-256 of its header's canonical JSON.
    SnapshotHash
}
hash_type! {
    /// Root over a snapshot's records, which its header names.
    SnapshotRoot
}
hash_type! {
    /// Identity of a policy: SHA-256 of its canonical JSON.
    PolicyHash
}
hash_type! {
    /// SHA-256 over the use keys that an update of a feed touches (FORMATS.md, 7.5).
    TouchedDigest
}
hash_type! {
    /// SHA-256 of an input's or stored blob's bytes as received, decompressed.
    BlobDigest
}
hash_type! {
    /// Identity of a finding: SHA-256 of the canonical JSON of `[purl, advisoryId]`.
    FindingId
}
hash_type! {
    /// What a leaf says of its payload: SHA-256(32-byte salt || payload).
    PayloadCommitment
}

impl From<LeafHash> for NodeHash {
    /// A leaf is a subtree of size one.
    fn from(leaf: LeafHash) -> Self {
        Self(leaf.0)
    }
}

impl From<NodeHash> for RootHash {
    /// The hash of the subtree that spans the whole log is its root.
    fn from(node: NodeHash) -> Self {
        Self(node.0)
    }
}

impl From<NodeHash> for ProofRoot {
    /// The hash of the subtree that spans a whole computation is its root.
    fn from(node: NodeHash) -> Self {
        Self(node.0)
    }
}

impl From<NodeHash> for SnapshotRoot {
    /// The hash of the subtree that spans a whole snapshot is its root.
    fn from(node: NodeHash) -> Self {
        Self(node.0)
    }
}

impl PayloadCommitment {
    /// Commits to `payload` under `salt`; without the salt the commitment reveals nothing of a
    /// guessable payload, so erasing both leaves no trace.
    #[must_use]
    pub fn of(salt: &Salt, payload: &[u8]) -> Self {
        Self(sha256_parts(&[salt.as_bytes(), payload]))
    }
}

/// 32 random bytes drawn for one payload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; HASH_SIZE]);

impl Salt {
    /// Names 32 bytes as a salt; they must come from a cryptographic generator.
    #[must_use]
    pub const fn new(bytes: [u8; HASH_SIZE]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HASH_SIZE] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    /// A salt is as erasable as its payload, so it is kept out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn one_value_has_one_spelling() {
        let hash = LeafHash::new(sha256(b"abc"));
        let text = hash.to_string();
        assert_eq!(text.parse::<LeafHash>(), Ok(hash));
        assert_eq!(
            text.to_uppercase().parse::<LeafHash>(),
            Err(HashParseError::Prefix)
        );
        assert_eq!(
            text.replace('a', "A").parse::<LeafHash>(),
            Err(HashParseError::Prefix)
        );
        let digits = text.trim_start_matches("sha256:");
        assert_eq!(digits.parse::<LeafHash>(), Err(HashParseError::Prefix));
        assert_eq!(from_hex(&digits.to_uppercase()), Err(HashParseError::Digit));
        assert_eq!(
            from_hex(digits.get(1..).unwrap()),
            Err(HashParseError::Length)
        );
    }

    #[test]
    fn parts_hash_like_their_concatenation() {
        assert_eq!(sha256_parts(&[b"a", b"", b"bc"]), sha256(b"abc"));
    }
}
