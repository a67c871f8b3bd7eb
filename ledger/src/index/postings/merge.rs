//! Runs made from runs: merging a level's runs into one of the next, and dropping erased leaves.

use std::collections::BTreeSet;

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

/// The entries of several runs in one order.
///
/// Works in rounds: of the blocks that the sources stand in, everything up to the least of their last
/// entries is complete, so that much of each is taken out and sorted together. A round empties at
/// least one block, and memory is a block of each source. Sorting a few sorted stretches is much
/// cheaper than asking a heap for every entry.
struct Merged<'a> {
    sources: Vec<Source<'a>>,
    /// The round's entries, sorted, and how many of them were handed out.
    round: Vec<Entry>,
    handed: usize,
}

impl<'a> Merged<'a> {
    fn of(runs: &'a [Run], start: LeafIndex, store: &'a dyn KvStore) -> Self {
        let sources = runs.iter().map(|run| Source {
            blocks: Box::new(run.blocks(store)),
            block: Vec::new(),
            taken: 0,
            // Offsets count from the merged run's start, which is at or before each source's.
            shift: run.id.start.get() - start.get(),
        });
        Self {
            sources: sources.collect(),
            round: Vec::new(),
            handed: 0,
        }
    }

    fn next_round(&mut self) -> Result<(), StoreError> {
        self.round.clear();
        self.handed = 0;
        for source in &mut self.sources {
            source.fill()?;
        }
        let complete = self.sources.iter().filter_map(Source::last).min();
        if let Some(complete) = complete {
            for source in &mut self.sources {
                source.take_up_to(complete, &mut self.round);
            }
            // Stable, which is to say: finds the sorted stretches and merges them.
            self.round.sort();
        }
        Ok(())
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<Entry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.handed == self.round.len()
            && let Err(error) = self.next_round()
        {
            self.sources.clear();
            return Some(Err(error));
        }
        let entry = self.round.get(self.handed)?;
        self.handed += 1;
        Some(Ok(*entry))
    }
}

/// One run that is being merged, and the block of it that the merge stands in.
struct Source<'a> {
    blocks: Box<dyn Iterator<Item = Result<Vec<Entry>, StoreError>> + 'a>,
    block: Vec<Entry>,
    /// Entries of the block that are in a round already.
    taken: usize,
    shift: u64,
}

impl Source<'_> {
    /// Goes on to the next block when this one is used up; stays empty at the end.
    fn fill(&mut self) -> Result<(), StoreError> {
        while self.taken == self.block.len() {
            let Some(block) = self.blocks.next() else {
                return Ok(());
            };
            self.block = block?;
            self.taken = 0;
            let shift = self.shift;
            self.block.iter_mut().for_each(|entry| entry.0 += shift);
        }
        Ok(())
    }

    /// The last entry of the block, unless all of it was taken.
    fn last(&self) -> Option<Entry> {
        let left = self.block.get(self.taken..).unwrap_or_default();
        left.last().copied()
    }

    fn take_up_to(&mut self, complete: Entry, round: &mut Vec<Entry>) {
        let left = self.block.get(self.taken..).unwrap_or_default();
        let count = left.partition_point(|entry| *entry <= complete);
        round.extend(left.iter().take(count));
        self.taken += count;
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
