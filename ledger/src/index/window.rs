//! What the unfinished window of the log contributes, in memory until it is written.

use std::collections::{BTreeMap, BTreeSet};

use bincode::{Decode, Encode};
use stella_verify::units::{LeafIndex, StreamPosition};

use super::keys;
use super::kv::{KeyValue, StoreError};
use super::marker::{decode, encode};
use super::postings::WindowPostings;
use crate::limits::INDEX_WINDOW_LEAVES;
use crate::projection::{Digest, Stretch, given_keys};

/// The first leaf of the window that a leaf is in.
#[must_use]
pub const fn window_of(leaf: LeafIndex) -> LeafIndex {
    LeafIndex::new(leaf.get() - leaf.get() % INDEX_WINDOW_LEAVES)
}

/// Where a part of a stream stands in the log: one value of the streams table.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StreamPart {
    /// Runs of consecutive leaves: the first, and how many. Ascending.
    runs: Vec<(u64, u64)>,
}

impl StreamPart {
    /// How many events it has.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.runs.iter().map(|(_, count)| count).sum()
    }

    /// The leaf of its first event.
    #[must_use]
    pub fn first_leaf(&self) -> Option<LeafIndex> {
        self.runs.first().map(|(leaf, _)| LeafIndex::new(*leaf))
    }

    /// Its leaves, in the stream's order, skipping the first `skip` events.
    pub fn leaves(&self, skip: u64) -> impl Iterator<Item = LeafIndex> + '_ {
        let mut skip = skip;
        self.runs.iter().flat_map(move |(leaf, count)| {
            let skipped = skip.min(*count);
            skip -= skipped;
            (leaf + skipped..leaf + count).map(LeafIndex::new)
        })
    }

    /// Reads a stored value.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let part: Self = decode(bytes)?;
        let sound = |(leaf, count): &(u64, u64)| *count > 0 && leaf.checked_add(*count).is_some();
        if part.runs.iter().all(sound) {
            Ok(part)
        } else {
            Err(StoreError::damaged("a stretch of a stream is impossible"))
        }
    }

    fn extend(&mut self, stretch: &Stretch) {
        match self.runs.last_mut() {
            Some((leaf, count)) if *leaf + *count == stretch.leaf.get() => *count += stretch.count,
            _ => self.runs.push((stretch.leaf.get(), stretch.count)),
        }
    }
}

/// The contributions of the leaves since `start`.
#[derive(Debug, Clone)]
pub struct Window {
    start: LeafIndex,
    /// Node id to leaf.
    pub nodes: WindowPostings,
    /// Parent's id to the child's leaf.
    pub children: WindowPostings,
    /// What was looked up, to the footprint's leaf.
    pub uses: WindowPostings,
    /// Single rows, as they will be stored.
    pub rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// By stream, the parts by their first position.
    pub streams: BTreeMap<Box<str>, BTreeMap<StreamPosition, StreamPart>>,
    /// Leaves, of this window or before it, whose payloads were erased since it began.
    pub erased: BTreeSet<LeafIndex>,
}

impl Window {
    /// An empty window.
    #[must_use]
    pub const fn starting_at(start: LeafIndex) -> Self {
        Self {
            start,
            nodes: WindowPostings::starting_at(start),
            children: WindowPostings::starting_at(start),
            uses: WindowPostings::starting_at(start),
            rows: BTreeMap::new(),
            streams: BTreeMap::new(),
            erased: BTreeSet::new(),
        }
    }

    /// Its first leaf.
    #[must_use]
    pub const fn start(&self) -> LeafIndex {
        self.start
    }

    /// Takes up the next digest, which lies inside the window.
    pub fn absorb(&mut self, digest: Digest) {
        self.nodes.extend(digest.nodes);
        self.children.extend(digest.children);
        self.uses.extend(digest.uses);
        for row in digest.rows {
            self.rows.insert(row.key, row.value);
        }
        for stretch in digest.stretches {
            self.extend_stream(&stretch);
        }
        // Payloads are erased after all they gave was taken up, also in the same digest.
        self.erase(digest.erased);
    }

    fn extend_stream(&mut self, stretch: &Stretch) {
        if !self.streams.contains_key(&stretch.stream) {
            self.streams.insert(stretch.stream.clone(), BTreeMap::new());
        }
        let Some(parts) = self.streams.get_mut(&stretch.stream) else {
            return;
        };
        match parts.last_entry() {
            Some(mut last) if last.key().get() + last.get().count() == stretch.position.get() => {
                last.get_mut().extend(stretch);
            }
            _ => {
                let runs = vec![(stretch.leaf.get(), stretch.count)];
                parts.insert(stretch.position, StreamPart { runs });
            }
        }
    }

    fn erase(&mut self, erased: Vec<LeafIndex>) {
        let inside = erased.iter().filter(|leaf| **leaf >= self.start);
        let inside: BTreeSet<LeafIndex> = inside.copied().collect();
        if !inside.is_empty() {
            self.nodes.remove(&inside);
            self.children.remove(&inside);
            self.uses.remove(&inside);
        }
        for leaf in inside {
            let given = self.rows.remove(&keys::given(leaf)).unwrap_or_default();
            for key in given_keys(&given) {
                self.rows.remove(&key);
            }
        }
        self.erased.extend(erased);
    }

    /// All rows of the window as they are stored, stretches of streams included.
    ///
    /// # Errors
    /// [`StoreError`] when a value cannot be encoded.
    pub fn stored_rows(&self) -> Result<Vec<KeyValue>, StoreError> {
        let mut rows: Vec<_> = self
            .rows
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for (stream, parts) in &self.streams {
            for (position, part) in parts {
                rows.push((keys::stream(stream, *position), encode(part)?));
            }
        }
        rows.sort_unstable();
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(position: u64, leaf: u64, count: u64) -> Stretch {
        Stretch {
            stream: "s".into(),
            position: StreamPosition::new(position),
            leaf: LeafIndex::new(leaf),
            count,
        }
    }

    fn window(stretches: Vec<Stretch>) -> Window {
        let mut window = Window::starting_at(LeafIndex::ZERO);
        for stretch in stretches {
            let mut digest = Digest::starting_at(stretch.leaf);
            digest.stretches.push(stretch);
            window.absorb(digest);
        }
        window
    }

    #[test]
    fn a_streams_rows_do_not_depend_on_how_it_arrived() {
        let whole = window(vec![stretch(5, 10, 4), stretch(9, 20, 1)]);
        let parts = window(vec![
            stretch(5, 10, 1),
            stretch(6, 11, 3),
            stretch(9, 20, 1),
        ]);
        assert_eq!(whole.stored_rows().unwrap(), parts.stored_rows().unwrap());
        let rows = whole.stored_rows().unwrap();
        assert_eq!(rows.len(), 1);
        let part = StreamPart::from_bytes(&rows[0].1).unwrap();
        let leaves: Vec<u64> = part.leaves(2).map(LeafIndex::get).collect();
        assert_eq!(leaves, [12, 13, 20]);
        assert_eq!(part.first_leaf(), Some(LeafIndex::new(10)));
    }

    #[test]
    fn an_impossible_stretch_is_damage() {
        let part = StreamPart {
            runs: vec![(u64::MAX, 2)],
        };
        assert!(StreamPart::from_bytes(&encode(&part).unwrap()).is_err());
        assert!(StreamPart::from_bytes(b"").is_err());
    }
}
