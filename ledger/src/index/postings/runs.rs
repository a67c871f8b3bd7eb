//! The runs of one table: which there are, and lookups over all of them.

use std::collections::BTreeSet;

use stella_verify::units::{LeafIndex, TreeSize};

use super::merge::erase;
use super::run::{EntryCount, Run, RunId, RunLevel, write_run};
use super::{Entry, Prefix, Wanted};
use crate::index::keys::Table;
use crate::index::kv::{BatchWriter, KvStore, StoreError};

/// Runs that cover the log from leaf 0 without gap or overlap.
#[derive(Debug)]
pub struct Runs {
    table: Table,
    runs: Vec<Run>,
}

impl Runs {
    /// No runs.
    #[must_use]
    pub const fn new(table: Table) -> Self {
        Self {
            table,
            runs: Vec::new(),
        }
    }

    /// The runs in the store that cover the leaves below `base`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when some are not covered.
    pub fn load(table: Table, base: TreeSize, store: &dyn KvStore) -> Result<Self, StoreError> {
        let mut loaded = Self::new(table);
        while loaded.end() < base.next_index() {
            let start = loaded.end();
            let run = [RunLevel::LAST, RunLevel::WINDOW]
                .into_iter()
                .filter(|level| start.get().is_multiple_of(level.span()))
                .find_map(|level| {
                    Run::load(
                        RunId {
                            table,
                            level,
                            start,
                        },
                        store,
                    )
                    .transpose()
                })
                .ok_or_else(|| StoreError::damaged("a run is missing"))??;
            loaded.runs.push(run);
        }
        Ok(loaded)
    }

    /// The leaf after the last one covered.
    #[must_use]
    pub fn end(&self) -> LeafIndex {
        self.runs.last().map_or(LeafIndex::ZERO, |run| run.id.end())
    }

    /// Entries in all runs.
    #[must_use]
    pub fn entries(&self) -> EntryCount {
        EntryCount(self.runs.iter().map(|run| run.count.0).sum())
    }

    /// Appends the leaves posted under `prefix` to `out`, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn find(
        &self,
        prefix: Prefix,
        wanted: &Wanted,
        store: &dyn KvStore,
        out: &mut Vec<LeafIndex>,
    ) -> Result<(), StoreError> {
        let first = self.runs.partition_point(|run| run.id.end() <= wanted.from);
        for run in self.runs.iter().skip(first) {
            if run.id.start >= wanted.end || out.len() >= wanted.limit {
                break;
            }
            run.find(prefix, wanted, store, out)?;
        }
        Ok(())
    }

    /// Adds the run of the next window.
    pub fn add(&mut self, window: Run) {
        // Already covered: a crash came between a merge and the marker that would have told of it.
        if self.end() < window.id.end() {
            self.runs.push(window);
        }
    }

    /// The merge that the last window has completed, if any.
    #[must_use]
    pub fn due(&self) -> Option<RunId> {
        let level = RunLevel::LAST;
        let end = self.end().get();
        let start = end.checked_sub(level.span())?;
        end.is_multiple_of(level.span()).then_some(RunId {
            table: self.table,
            level,
            start: LeafIndex::new(start),
        })
    }

    /// Puts a merged run in the place of its sources, which can then be deleted.
    pub fn replace(&mut self, merged: Run) {
        self.runs.retain(|run| run.id.start < merged.id.start);
        self.runs.push(merged);
    }

    /// Drops the postings of erased leaves from the runs that cover them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn erase(
        &mut self,
        erased: &BTreeSet<LeafIndex>,
        store: &dyn KvStore,
    ) -> Result<(), StoreError> {
        let mut batch = BatchWriter::new(store);
        for run in &mut self.runs {
            if erased.range(run.id.start..run.id.end()).next().is_some()
                && let Some(rewritten) = erase(run, erased, store, &mut batch)?
            {
                batch.apply()?;
                *run = rewritten;
            }
        }
        Ok(())
    }
}

/// Writes the postings of one window, whole or as far as it is filled.
///
/// # Errors
/// [`StoreError`].
pub fn write_window(
    table: Table,
    start: LeafIndex,
    entries: Vec<Entry>,
    store: &dyn KvStore,
    batch: &mut BatchWriter<'_>,
) -> Result<Run, StoreError> {
    let id = RunId {
        table,
        level: RunLevel::WINDOW,
        start,
    };
    let count = EntryCount(u64::try_from(entries.len()).unwrap_or(u64::MAX));
    write_run(id, count, &mut entries.into_iter().map(Ok), store, batch)
}

#[cfg(test)]
mod tests;
