//! Postings of the window that is still being filled.

use std::collections::BTreeSet;

use super::{Entry, Prefix, Wanted};
use stella_verify::units::LeafIndex;

/// Entries that are kept unsorted before they are sorted into a chunk.
const UNSORTED: usize = 512;

/// Postings of a stretch of one window, as a digest has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postings {
    start: LeafIndex,
    entries: Vec<Entry>,
}

impl Postings {
    /// No postings, in the window that starts at `start`.
    #[must_use]
    pub const fn starting_at(start: LeafIndex) -> Self {
        Self {
            start,
            entries: Vec::new(),
        }
    }

    /// Posts a leaf of the window under a prefix.
    pub fn push(&mut self, prefix: Prefix, leaf: LeafIndex) {
        self.entries.extend(Entry::new(prefix, self.start, leaf));
    }

    /// Sorts them, so that taking them up need not.
    pub fn sort(&mut self) {
        self.entries.sort_unstable();
    }

    /// The leaves and their prefixes.
    pub fn iter(&self) -> impl Iterator<Item = (Prefix, LeafIndex)> + '_ {
        let entries = self.entries.iter();
        entries.map(|entry| (entry.prefix(), entry.leaf(self.start)))
    }
}

/// A growing set of postings that is cheap to extend and quick to search: a few sorted chunks of
/// falling length, and an unsorted rest.
#[derive(Debug, Clone)]
pub struct WindowPostings {
    start: LeafIndex,
    chunks: Vec<Vec<Entry>>,
    rest: Vec<Entry>,
}

impl WindowPostings {
    /// No postings, for a window that starts at `start`.
    #[must_use]
    pub const fn starting_at(start: LeafIndex) -> Self {
        Self {
            start,
            chunks: Vec::new(),
            rest: Vec::new(),
        }
    }

    /// Adds postings of this window. Many that are sorted already cost the least.
    pub fn extend(&mut self, postings: Postings) {
        debug_assert_eq!(postings.start, self.start, "postings of another window");
        if postings.entries.len() >= UNSORTED {
            self.add_chunk(postings.entries);
            return;
        }
        self.rest.extend(postings.entries);
        if self.rest.len() >= UNSORTED {
            let rest = std::mem::take(&mut self.rest);
            self.add_chunk(rest);
        }
    }

    /// Chunks are merged like carries of a counter, so there are never more than the logarithm of
    /// the entries and each entry is moved as often.
    fn add_chunk(&mut self, mut chunk: Vec<Entry>) {
        // Takes no more than a look at each when they are sorted.
        chunk.sort_unstable();
        while let Some(last) = self.chunks.pop_if(|last| last.len() <= 2 * chunk.len()) {
            chunk.extend_from_slice(&last);
            // Two sorted runs: the standard sort merges them in linear time.
            chunk.sort();
        }
        self.chunks.push(chunk);
    }

    /// Appends the leaves posted under `prefix` to `out`, in ascending order.
    pub fn find(&self, prefix: Prefix, wanted: &Wanted, out: &mut Vec<LeafIndex>) {
        let (low, high) = Entry::bounds(prefix, self.start, wanted.from);
        let mut found: Vec<LeafIndex> = Vec::new();
        for chunk in &self.chunks {
            let from = chunk.partition_point(|entry| entry.0 < low);
            let entries = chunk.iter().skip(from).take_while(|entry| entry.0 < high);
            found.extend(entries.map(|entry| entry.leaf(self.start)));
        }
        let rest = self
            .rest
            .iter()
            .filter(|entry| (low..high).contains(&entry.0));
        found.extend(rest.map(|entry| entry.leaf(self.start)));
        found.sort_unstable();
        found.dedup();
        let room = wanted.limit.saturating_sub(out.len());
        let inside = found.into_iter().filter(|leaf| *leaf < wanted.end);
        out.extend(inside.take(room));
    }

    /// Removes what some leaves posted.
    pub fn remove(&mut self, leaves: &BTreeSet<LeafIndex>) {
        let start = self.start;
        let keep = |entry: &Entry| !leaves.contains(&entry.leaf(start));
        self.rest.retain(keep);
        for chunk in &mut self.chunks {
            chunk.retain(keep);
        }
    }

    /// All entries, sorted, each once.
    #[must_use]
    pub fn sorted(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.chunks.iter().flatten().copied().collect();
        entries.extend_from_slice(&self.rest);
        entries.sort();
        entries.dedup();
        entries
    }
}
