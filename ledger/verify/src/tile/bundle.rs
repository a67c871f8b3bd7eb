//! Entry bundles: consecutive leaves, each behind its length.

use super::coord::TileWidth;
use crate::hash::LeafHash;
use crate::limits::MAX_TILE_ENTRY_BYTES;
use crate::merkle::leaf_hash;
use alloc::vec::Vec;

/// The format has no room for an entry of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a log entry has at most {MAX_TILE_ENTRY_BYTES} bytes, not {length}")]
pub struct EntryTooLarge {
    /// Bytes of the entry.
    pub length: usize,
}

/// Why bytes are not the entry bundle asked for. Whoever served it is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The bytes end within an entry, or before the last one.
    #[error("the entry bundle ends within or before entry {entry}")]
    Truncated {
        /// Which entry of the bundle, from 0.
        entry: u16,
    },
    /// Bytes follow the last entry.
    #[error("{count} bytes follow the last entry of the bundle")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
}

/// Appends one entry: its length (u16, big-endian) and its bytes.
pub fn append_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), EntryTooLarge> {
    let too_large = EntryTooLarge {
        length: entry.len(),
    };
    let length = u16::try_from(entry.len()).map_err(|_| too_large)?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle, borrowed from its bytes. Not verified: compare
/// [`EntryBundle::leaf_hashes`] with the level 0 tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryBundle<'a> {
    entries: Vec<&'a [u8]>,
}

impl<'a> EntryBundle<'a> {
    /// Reads a bundle of exactly `width` entries and nothing after them.
    pub fn decode(bytes: &'a [u8], width: TileWidth) -> Result<Self, BundleError> {
        let mut entries = Vec::with_capacity(usize::from(width.get()));
        let mut rest = bytes;
        for entry in 0..width.get() {
            let (bytes, after) = split_entry(rest).ok_or(BundleError::Truncated { entry })?;
            entries.push(bytes);
            rest = after;
        }
        if !rest.is_empty() {
            return Err(BundleError::TrailingBytes { count: rest.len() });
        }
        Ok(Self { entries })
    }

    /// The entries in their order.
    #[must_use]
    pub fn entries(&self) -> &[&'a [u8]] {
        &self.entries
    }

    /// The leaf hash of every entry.
    pub fn leaf_hashes(&self) -> impl Iterator<Item = LeafHash> {
        self.entries.iter().map(|entry| leaf_hash(entry))
    }
}

fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
