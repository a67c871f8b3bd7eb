//! The layout of the store: one byte names the table, integers are big-endian.
//!
//! ```text
//! M                                       the marker: size, root, inventory
//! H level index                           a full hash tile (on disk a flat file, not in sled)
//! N/C/U kind level start ordinal          posting runs (see `postings`)
//! S stream 0x00 first-position            where a stretch of a stream stands in the log
//! R leaf                                  keys of the rows that this leaf's payload gave
//! T time leaf                             a scan was created
//! A/D/E/F/G/I/K/L/P lookup leaf             a payload names this hash or word
//! ```
//!
//! The last group are *pointer rows*: they say where, the event at that leaf says what. Every key
//! ends in the leaf that gave it, so a query as of a smaller tree drops the larger leaves, and rows
//! are written once and never change.

use stella_verify::units::{LeafIndex, StreamPosition, UnixMillis};

/// The one table byte of each table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Table {
    /// The marker, one key.
    Marker = b'M',
    /// Hash tiles.
    Tiles = b'H',
    /// Posting runs: node id to leaves.
    Nodes = b'N',
    /// Posting runs: parent's node id to the leaves of its children.
    Children = b'C',
    /// Posting runs: what computations looked up, to the leaves of their footprints.
    Uses = b'U',
    /// Stretches of streams.
    Streams = b'S',
    /// Leaf to the keys that its payload gave.
    Given = b'R',
    /// Scans by time of creation.
    ScansByTime = b'T',
    /// Manifests registered, by artifact digest.
    Artifacts = b'A',
    /// Manifests registered, by manifest hash.
    Manifests = b'F',
    /// Roots sealed, by manifest hash.
    SealsByManifest = b'K',
    /// Roots sealed, by root hash.
    Roots = b'P',
    /// Snapshots imported, by hash.
    Snapshots = b'D',
    /// Snapshots imported, by kind; and policies, under a word of their own.
    Imports = b'G',
    /// Snapshots published, by kind.
    Published = b'E',
    /// Policies registered, by hash.
    Policies = b'L',
    /// Manifests registered, by the hash of each snapshot that they name.
    SnapshotUsers = b'I',
}

impl Table {
    /// The tables whose keys are single rows, in key order: what the inventory counts.
    pub const ROWS: [Self; 12] = [
        Self::Artifacts,
        Self::Snapshots,
        Self::Published,
        Self::Manifests,
        Self::Imports,
        Self::SnapshotUsers,
        Self::SealsByManifest,
        Self::Policies,
        Self::Roots,
        Self::Given,
        Self::Streams,
        Self::ScansByTime,
    ];

    /// The byte that begins its keys.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }
}

/// Ends a text inside a key: names have no control characters, so the text cannot contain it.
const TEXT_END: u8 = 0;

/// A pointer row's key: `table lookup leaf`.
#[must_use]
pub fn pointer(table: Table, lookup: &[u8], leaf: LeafIndex) -> Vec<u8> {
    let mut key = pointer_prefix(table, lookup);
    key.extend_from_slice(&leaf.get().to_be_bytes());
    key
}

/// What all pointer rows of one lookup begin with.
#[must_use]
pub fn pointer_prefix(table: Table, lookup: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(lookup.len() + 9);
    key.push(table.byte());
    key.extend_from_slice(lookup);
    key
}

/// The key of a scan's creation.
#[must_use]
pub fn scan_time(time: UnixMillis, leaf: LeafIndex) -> Vec<u8> {
    pointer(Table::ScansByTime, &time.get().to_be_bytes(), leaf)
}

/// The key of what a leaf's payload gave.
#[must_use]
pub fn given(leaf: LeafIndex) -> Vec<u8> {
    pointer(Table::Given, b"", leaf)
}

/// A text as a lookup of pointer rows, so that no text is a prefix of another.
#[must_use]
pub fn text_lookup(text: &str) -> Vec<u8> {
    let mut lookup = Vec::with_capacity(text.len() + 9);
    lookup.extend_from_slice(text.as_bytes());
    lookup.push(TEXT_END);
    lookup
}

/// What all keys of one stream begin with.
#[must_use]
pub fn stream_prefix(stream: &str) -> Vec<u8> {
    pointer_prefix(Table::Streams, &text_lookup(stream))
}

/// The key of a stretch of a stream.
#[must_use]
pub fn stream(stream: &str, first: StreamPosition) -> Vec<u8> {
    let mut key = stream_prefix(stream);
    key.extend_from_slice(&first.get().to_be_bytes());
    key
}

/// The key of a full hash tile.
#[must_use]
pub fn tile(level: u8, index: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(10);
    key.push(Table::Tiles.byte());
    key.push(level);
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// The number that ends a key: a leaf index or a stream position.
#[must_use]
pub fn last_number(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().copied().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_streams_keys_stand_among_anothers() {
        let short = stream("scan/a", StreamPosition::new(u64::MAX));
        let long = stream("scan/a1", StreamPosition::ZERO);
        assert!(!long.starts_with(&stream_prefix("scan/a")));
        assert!(short < long);
        assert_eq!(last_number(&short), Some(u64::MAX));
    }

    #[test]
    fn tables_of_rows_are_in_key_order() {
        assert!(
            Table::ROWS
                .windows(2)
                .all(|pair| pair[0].byte() < pair[1].byte())
        );
    }
}
