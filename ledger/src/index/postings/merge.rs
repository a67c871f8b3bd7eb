//! Runs made from runs: merging a level's runs into one of the next, and dropping erased leaves.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use stella_verify::units::LeafIndex;

use super::run::{EntryCount, Run, write_run};
use super::{Entry, RunId};
use crate::index::kv::{BatchWriter, KvStore, StoreError};

/// Writes the run `target` from the runs of the level below. They stay; the caller removes them
/// once the header of `target` is applied.
///
/// A crash after that leaves `target` whole and some of its sources gone; then it is just loaded.
///
/// # Errors
/// [`StoreError`]; [`StoreError::Damaged`] when a source is missing.
pub fn merge_level(
    target: RunId,
    store: &dyn KvStore,
    batch: &mut BatchWriter<'_>,
) -> Result<Run, StoreError> {
    if let Some(run) = Run::load(target, store)? {
        return Ok(run);
    }
    let sources = sources(target)
        .map(|id| {
            Run::load(id, store)?
                .ok_or_else(|| StoreError::damaged("a run to be merged is missing"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let count = EntryCount(sources.iter().map(|run| run.count.0).sum());
    let mut merged = Merged::of(&sources, target.start, store);
    write_run(target, count, &mut merged, store, batch)
}

/// Removes the runs that were merged into `target`.
///
/// # Errors
/// [`StoreError`].
pub fn delete_sources(target: RunId, store: &dyn KvStore) -> Result<(), StoreError> {
    let mut batch = BatchWriter::new(store);
    for source in sources(target) {
        source.delete(&mut batch, store)?;
    }
    batch.apply()
}

/// The runs that are merged into `target`; none for the lowest level.
fn sources(target: RunId) -> impl Iterator<Item = RunId> {
    let below = target.level.below();
    below.into_iter().flat_map(move |level| {
        let count = target.level.span() / level.span();
        (0..count).map(move |at| RunId {
            table: target.table,
            level,
            start: LeafIndex::new(target.start.get() + at * level.span()),
        })
    })
}

type Source<'a> = Box<dyn Iterator<Item = Result<Entry, StoreError>> + 'a>;

/// The entries of several runs in one order, reading one block of each at a time.
struct Merged<'a> {
    sources: Vec<Source<'a>>,
    /// The next entry of each source that has one, and which source that is.
    heads: BinaryHeap<Reverse<(Entry, usize)>>,
    failed: Option<StoreError>,
}

impl<'a> Merged<'a> {
    fn of(runs: &'a [Run], start: LeafIndex, store: &'a dyn KvStore) -> Self {
        let sources = runs
            .iter()
            .map(|run| {
                // Offsets count from the merged run's start, which is at or before each source's.
                let shift = run.id.start.get() - start.get();
                let entries = run.entries(store);
                Box::new(entries.map(move |entry| entry.map(|entry| Entry(entry.0 + shift))))
                    as Source<'a>
            })
            .collect();
        let mut merged = Self {
            sources,
            heads: BinaryHeap::new(),
            failed: None,
        };
        (0..runs.len()).for_each(|source| merged.advance(source));
        merged
    }

    fn advance(&mut self, source: usize) {
        match self.sources.get_mut(source).and_then(Iterator::next) {
            Some(Ok(entry)) => self.heads.push(Reverse((entry, source))),
            Some(Err(error)) => self.failed = Some(error),
            None => {}
        }
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<Entry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            self.heads.clear();
            return Some(Err(error));
        }
        let Reverse((entry, source)) = self.heads.pop()?;
        self.advance(source);
        Some(Ok(entry))
    }
}

/// Rewrites a run without the postings of erased leaves; `None` when it has none of them.
///
/// Reads ahead of what it overwrites. Lookups in the run must be kept out meanwhile.
///
/// # Errors
/// [`StoreError`].
pub(super) fn erase(
    run: &Run,
    erased: &BTreeSet<LeafIndex>,
    store: &dyn KvStore,
    batch: &mut BatchWriter<'_>,
) -> Result<Option<Run>, StoreError> {
    let start = run.id.start;
    let mut kept = 0;
    for entry in run.entries(store) {
        kept += u64::from(!erased.contains(&entry?.leaf(start)));
    }
    if kept == run.count.0 {
        return Ok(None);
    }
    let mut entries = run.entries(store).filter(|entry| {
        entry
            .as_ref()
            .map_or(true, |entry| !erased.contains(&entry.leaf(start)))
    });
    write_run(run.id, EntryCount(kept), &mut entries, store, batch).map(Some)
}
