//! From a node id to the leaves that speak of it: packed, immutable, sorted runs.
//!
//! Node ids are random, so one store key per id would touch a random page per event (measured: 5 to
//! 10 times slower than everything else together). Instead the postings of a window of the log are
//! sorted and written at once:
//!
//! ```text
//! entry   = prefix (40 bits of the node id) || offset (24 bits: leaf - start of the run)
//! block   = number of entries of the whole run (u64) || up to 512 sorted entries (u64 each)
//! run     = header || blocks || first entry of every block || filter
//! level 0 = one run per window; level 1 = one run per 64 windows, merged when the last is written
//! ```
//!
//! All boundaries are multiples of the window, so the runs of a log are a function of its leaves,
//! however they arrived. An entry is written once per level: twice in all. A prefix only suggests a
//! leaf; whoever looks up a node reads the event and compares the whole id.

mod filter;
mod memory;
mod merge;
mod run;
mod runs;

pub use memory::{Postings, WindowPostings};
pub use merge::{delete_sources, merge_level};

pub use run::{EntryCount, Run, RunId, RunLevel};
pub use runs::{Runs, write_window};

use stella_verify::hash::NodeId;
use stella_verify::snapshot::UseKey;
use stella_verify::units::LeafIndex;

/// Bits of an entry that hold the leaf's offset in its run.
const OFFSET_BITS: u32 = 24;

/// The first 40 bits of a node id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix(u64);

impl Prefix {
    /// The prefix of an id.
    #[must_use]
    pub fn of(id: &NodeId) -> Self {
        let (first, _) = id.as_bytes().split_at(5);
        let digits = first.iter().map(|byte| u64::from(*byte));
        Self(digits.fold(0, |prefix, digit| prefix << 8 | digit))
    }

    /// The prefix of a use key: its first 40 bits.
    #[must_use]
    pub const fn of_use(key: UseKey) -> Self {
        Self(key.number() >> OFFSET_BITS)
    }

    /// The prefix of a written id, read from its first ten digits; `None` when it does not begin
    /// like one. The other digits are not looked at: a lookup compares whole ids.
    #[must_use]
    pub fn of_text(id: &str) -> Option<Self> {
        let digits = id.strip_prefix("sha256:")?.get(..10)?;
        let nibble = |prefix: u64, digit: u8| match digit {
            b'0'..=b'9' => Some(prefix << 4 | u64::from(digit - b'0')),
            b'a'..=b'f' => Some(prefix << 4 | u64::from(digit - b'a' + 10)),
            _ => None,
        };
        digits.bytes().try_fold(0, nibble).map(Self)
    }
}

/// A posting inside a run: sorts by prefix, then by leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry(u64);

impl Entry {
    /// A posting in the run that starts at `start`; `None` when the leaf is not in reach of it.
    #[must_use]
    pub fn new(prefix: Prefix, start: LeafIndex, leaf: LeafIndex) -> Option<Self> {
        let offset = leaf.get().checked_sub(start.get())?;
        (offset >> OFFSET_BITS == 0).then_some(Self(prefix.0 << OFFSET_BITS | offset))
    }

    /// The least entry of a prefix at or after a leaf, and the least that is beyond the prefix.
    fn bounds(prefix: Prefix, start: LeafIndex, from: LeafIndex) -> (u64, u64) {
        let offset = from.get().saturating_sub(start.get());
        let floor = prefix.0 << OFFSET_BITS;
        let end = floor.saturating_add(1 << OFFSET_BITS);
        (floor.saturating_add(offset).min(end), end)
    }

    fn prefix(self) -> Prefix {
        Prefix(self.0 >> OFFSET_BITS)
    }

    fn leaf(self, start: LeafIndex) -> LeafIndex {
        let offset = self.0 & ((1 << OFFSET_BITS) - 1);
        LeafIndex::new(start.get().saturating_add(offset))
    }
}

/// Which leaves a lookup wants, and how many of them at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The first leaf of interest.
    pub from: LeafIndex,
    /// Leaves from here on are of no interest.
    pub end: LeafIndex,
    /// Stop after so many.
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_id_has_the_prefix_of_the_id() {
        let id = NodeId::new([0xab; 32]);
        assert_eq!(Prefix::of_text(&id.to_string()), Some(Prefix::of(&id)));
        for wrong in [
            "",
            "sha256:",
            "sha256:ABABABABAB",
            "md5:ababababab",
            "sha256:abababab",
        ] {
            assert_eq!(Prefix::of_text(wrong), None, "{wrong}");
        }
    }
}
