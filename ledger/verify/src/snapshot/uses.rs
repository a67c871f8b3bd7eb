//! What a score uses of a feed snapshot, as sorted keys (FORMATS.md, 7.5).
//!
//! A score looks up packages and the names of flaws. Each of those is a *use key*: the first eight
//! bytes of a hash of it. A computation's [`Footprint`] is the set of its keys; the keys of all rows
//! that differ between two snapshots are what an update *touches*. Where the two sets are disjoint,
//! the update changes nothing about the score, and nothing has to be computed to know it. Two
//! things with one key only cost a computation that was not needed.

use crate::hash::{TouchedDigest, sha256};
use crate::json::{ArrayWriter, write_string};
use alloc::vec::Vec;

/// Bytes of a key.
const KEY_BYTES: usize = 8;

/// Something that a score looks up in a feed snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UseKey(u64);

impl UseKey {
    /// A package: the rows of table `advisory` for it. `ecosystem` counts up to its first colon, so
    /// that all releases of a distribution share a key: which of them a package is looked up in
    /// depends on the snapshot.
    #[must_use]
    pub fn package(ecosystem: &str, name: &str) -> Self {
        let family = ecosystem.split(':').next().unwrap_or(ecosystem);
        Self::of(&["package", family, name])
    }

    /// A name of a flaw: the EPSS, KEV and severity rows for it, and every record that has it as id
    /// or alias.
    #[must_use]
    pub fn name(id: &str) -> Self {
        Self::of(&["name", id])
    }

    /// The key of a number, for indexes that keep it.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number: the first eight bytes, big-endian, of the hash.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    fn of(words: &[&str]) -> Self {
        let mut bytes = Vec::with_capacity(96);
        let mut array = ArrayWriter::new(&mut bytes);
        for word in words {
            write_string(array.item(), word);
        }
        array.end();
        let hash = sha256(&bytes);
        let first = hash.first_chunk::<KEY_BYTES>().copied();
        Self(u64::from_be_bytes(first.unwrap_or_default()))
    }
}

/// Bytes are not a set of use keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use keys are 8 bytes each, ascending, each once")]
pub struct UseKeysError;

/// A set of use keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Footprint(Vec<UseKey>);

impl Footprint {
    /// The keys in order.
    #[must_use]
    pub fn keys(&self) -> &[UseKey] {
        &self.0
    }

    /// Whether a key is in the set.
    #[must_use]
    pub fn contains(&self, key: UseKey) -> bool {
        self.0.binary_search(&key).is_ok()
    }

    /// Whether no key is in both.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let (few, many) = if self.0.len() <= other.0.len() {
            (&self.0, &other.0)
        } else {
            (&other.0, &self.0)
        };
        few.iter().all(|key| many.binary_search(key).is_err())
    }

    /// The keys, eight bytes each, big-endian, ascending.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * KEY_BYTES);
        for key in &self.0 {
            out.extend_from_slice(&key.0.to_be_bytes());
        }
        out
    }

    /// Reads what [`to_bytes`](Self::to_bytes) writes.
    ///
    /// # Errors
    /// [`UseKeysError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UseKeysError> {
        let (keys, rest) = bytes.as_chunks::<KEY_BYTES>();
        let keys: Vec<_> = (keys.iter())
            .map(|key| UseKey(u64::from_be_bytes(*key)))
            .collect();
        if rest.is_empty() && keys.is_sorted_by(|left, right| left < right) {
            Ok(Self(keys))
        } else {
            Err(UseKeysError)
        }
    }

    /// SHA-256 of the bytes: how an event names what an update touches.
    #[must_use]
    pub fn digest(&self) -> TouchedDigest {
        TouchedDigest::new(sha256(&self.to_bytes()))
    }
}

impl FromIterator<UseKey> for Footprint {
    fn from_iter<I: IntoIterator<Item = UseKey>>(keys: I) -> Self {
        let mut keys: Vec<_> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        Self(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_packages_from_names_and_releases_share_one() {
        let debian = UseKey::package("Debian:12", "openssl");
        assert_eq!(debian, UseKey::package("Debian", "openssl"));
        assert_ne!(debian, UseKey::package("Ubuntu:22.04", "openssl"));
        assert_ne!(UseKey::package("", "x"), UseKey::name("x"));
        // The first eight bytes of SHA-256 of `["name","CVE-2021-44228"]`.
        let expected = u64::from_be_bytes(
            *sha256(br#"["name","CVE-2021-44228"]"#)
                .first_chunk::<8>()
                .unwrap(),
        );
        assert_eq!(UseKey::name("CVE-2021-44228").number(), expected);
    }

    #[test]
    fn a_set_has_one_spelling() {
        let keys: Footprint = [3, 1, 2, 2].map(UseKey::from_number).into_iter().collect();
        let bytes = keys.to_bytes();
        assert_eq!(bytes.len(), 24);
        assert_eq!(Footprint::from_bytes(&bytes), Ok(keys.clone()));
        for bad in [&bytes[..23], &[&bytes[8..16], &bytes[..8]].concat()] {
            assert_eq!(Footprint::from_bytes(bad), Err(UseKeysError));
        }
        let other: Footprint = [4, 5].map(UseKey::from_number).into_iter().collect();
        assert!(keys.is_disjoint(&other) && other.is_disjoint(&keys));
        let other: Footprint = [4, 2].map(UseKey::from_number).into_iter().collect();
        assert!(!keys.is_disjoint(&other) && !other.is_disjoint(&keys));
        assert!(Footprint::default().is_disjoint(&keys));
    }
}
