//! One run in the store: its keys, how it is written, how it is read.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use stella_verify::units::LeafIndex;

use super::filter::Filter;
use super::{Entry, Prefix, Wanted};
use crate::index::keys::Table;
use crate::index::kv::{BatchWriter, Direction, KeyRange, KvStore, StoreError};
use crate::limits::{INDEX_CHUNK_BYTES, INDEX_WINDOW_LEAVES, POSTING_BLOCK_ENTRIES};

/// How far runs are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunLevel(u8);

impl RunLevel {
    /// Runs of one window.
    pub const WINDOW: Self = Self(0);
    /// Runs that are merged no further.
    pub const LAST: Self = Self(1);

    /// Leaves that a run of this level covers.
    #[must_use]
    pub const fn span(self) -> u64 {
        INDEX_WINDOW_LEAVES << (6 * self.0)
    }

    /// The level whose runs are merged into this one.
    #[must_use]
    pub const fn below(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(level) => Some(Self(level)),
            None => None,
        }
    }
}

const _: () = assert!(RunLevel::LAST.span() <= 1 << super::OFFSET_BITS);

/// Names a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunId {
    /// [`Table::Nodes`] or [`Table::Children`].
    pub table: Table,
    /// How far it is merged.
    pub level: RunLevel,
    /// Its first leaf, a multiple of the level's span.
    pub start: LeafIndex,
}

/// The kinds of keys of a run.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Part {
    Header = 0,
    Block = 1,
    Fences = 2,
    Filter = 3,
}

impl RunId {
    fn prefix(self, part: Part) -> Vec<u8> {
        let mut key = vec![self.table.byte(), part as u8, self.level.0];
        key.extend_from_slice(&self.start.get().to_be_bytes());
        key
    }

    fn key(self, part: Part, ordinal: u32) -> Vec<u8> {
        let mut key = self.prefix(part);
        key.extend_from_slice(&ordinal.to_be_bytes());
        key
    }

    /// The leaf after the last one it covers.
    #[must_use]
    pub const fn end(self) -> LeafIndex {
        LeafIndex::new(self.start.get().saturating_add(self.level.span()))
    }

    /// Node ids and uses are looked up in the whole log, children only inside a computation's leaves, which
    /// name the few runs to look into by themselves.
    const fn has_filter(self) -> bool {
        matches!(self.table, Table::Nodes | Table::Uses)
    }

    /// Removes the run's keys, the header first and so that it is gone before anything it needs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn delete(
        self,
        batch: &mut BatchWriter<'_>,
        store: &dyn KvStore,
    ) -> Result<(), StoreError> {
        for part in [Part::Header, Part::Fences, Part::Filter, Part::Block] {
            delete_from(batch, store, &self.prefix(part), self.key(part, 0))?;
        }
        Ok(())
    }
}

/// Removes the keys of `prefix` from `first` on.
fn delete_from(
    batch: &mut BatchWriter<'_>,
    store: &dyn KvStore,
    prefix: &[u8],
    first: Vec<u8>,
) -> Result<(), StoreError> {
    let range = KeyRange {
        from: first,
        to: KeyRange::prefix(prefix).to,
    };
    let mut keys = Vec::new();
    store.scan(&range, Direction::Forward, &mut |key, _| {
        keys.push(key.to_vec());
        ControlFlow::Continue(())
    })?;
    keys.into_iter().try_for_each(|key| batch.delete(key))
}

/// How many entries a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryCount(pub u64);

/// Writes a run from sorted entries, of which there must be exactly `count`. The header goes last:
/// a run without one does not exist. Keys left by a longer run of the same name are removed.
///
/// # Errors
/// [`StoreError`], also of `entries`.
pub(super) fn write_run(
    id: RunId,
    count: EntryCount,
    entries: &mut dyn Iterator<Item = Result<Entry, StoreError>>,
    store: &dyn KvStore,
    batch: &mut BatchWriter<'_>,
) -> Result<Run, StoreError> {
    let mut writer = RunWriter {
        id,
        count,
        written: 0,
        block: Vec::new(),
        fences: Vec::new(),
        filter: Filter::with_room_for(usize::try_from(count.0).unwrap_or(usize::MAX)),
    };
    for entry in entries {
        writer.push(entry?, batch)?;
    }
    writer.finish(store, batch)
}

struct RunWriter {
    id: RunId,
    count: EntryCount,
    written: u64,
    block: Vec<u8>,
    fences: Vec<u64>,
    filter: Filter,
}

impl RunWriter {
    fn push(&mut self, entry: Entry, batch: &mut BatchWriter<'_>) -> Result<(), StoreError> {
        if self.block.is_empty() {
            self.fences.push(entry.0);
            self.block.extend_from_slice(&self.count.0.to_be_bytes());
        }
        self.block.extend_from_slice(&entry.0.to_be_bytes());
        self.written += 1;
        if self.id.has_filter() {
            self.filter.insert(entry.prefix());
        }
        if self.block.len() >= 8 + 8 * POSTING_BLOCK_ENTRIES {
            self.end_block(batch)?;
        }
        Ok(())
    }

    fn end_block(&mut self, batch: &mut BatchWriter<'_>) -> Result<(), StoreError> {
        if self.block.is_empty() {
            return Ok(());
        }
        let ordinal = ordinal(self.fences.len() - 1)?;
        let block = std::mem::take(&mut self.block);
        batch.put(self.id.key(Part::Block, ordinal), block)
    }

    fn finish(
        mut self,
        store: &dyn KvStore,
        batch: &mut BatchWriter<'_>,
    ) -> Result<Run, StoreError> {
        self.end_block(batch)?;
        if self.written != self.count.0 {
            return Err(StoreError::damaged(
                "a run has another length than its header says",
            ));
        }
        let id = self.id;
        let blocks = ordinal(self.fences.len())?;
        delete_from(
            batch,
            store,
            &id.prefix(Part::Block),
            id.key(Part::Block, blocks),
        )?;
        let fences: Vec<u8> = self
            .fences
            .iter()
            .flat_map(|fence| fence.to_be_bytes())
            .collect();
        put_chunks(id, Part::Fences, self.count, &fences, store, batch)?;
        if id.has_filter() {
            put_chunks(
                id,
                Part::Filter,
                self.count,
                &self.filter.to_bytes(),
                store,
                batch,
            )?;
        }
        let header = self.count.0.to_be_bytes().to_vec();
        batch.put(id.key(Part::Header, 0), header)?;
        Ok(Run {
            id,
            count: self.count,
            fences: OnceLock::from(self.fences),
            filter: OnceLock::from(self.filter),
        })
    }
}

fn ordinal(number: usize) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::damaged("a run has too many blocks"))
}

/// Stores a long value in pieces. Like a block, each begins with the run's count.
fn put_chunks(
    id: RunId,
    part: Part,
    EntryCount(stamp): EntryCount,
    bytes: &[u8],
    store: &dyn KvStore,
    batch: &mut BatchWriter<'_>,
) -> Result<(), StoreError> {
    let mut next = 0;
    for chunk in bytes.chunks(INDEX_CHUNK_BYTES) {
        batch.put(id.key(part, next), [&stamp.to_be_bytes(), chunk].concat())?;
        next += 1;
    }
    delete_from(batch, store, &id.prefix(part), id.key(part, next))
}

/// A run that is in the store. Its fences and filter are read when first needed.
#[derive(Debug)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// Its length.
    pub count: EntryCount,
    fences: OnceLock<Vec<u64>>,
    filter: OnceLock<Filter>,
}

impl Run {
    /// The run of this name, if it was completed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(id: RunId, store: &dyn KvStore) -> Result<Option<Self>, StoreError> {
        let Some(header) = store.get(&id.key(Part::Header, 0))? else {
            return Ok(None);
        };
        let count = header
            .try_into()
            .map(u64::from_be_bytes)
            .map_err(|_| StoreError::damaged("a run's header is malformed"))?;
        Ok(Some(Self {
            id,
            count: EntryCount(count),
            fences: OnceLock::new(),
            filter: OnceLock::new(),
        }))
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
        if self.id.has_filter() && !self.filter(store)?.may_contain(prefix) {
            return Ok(());
        }
        let (low, high) = Entry::bounds(prefix, self.id.start, wanted.from);
        let fences = self.fences(store)?;
        // The block before the first fence beyond `low` may still hold entries from `low` on.
        let first = fences
            .partition_point(|fence| *fence <= low)
            .saturating_sub(1);
        for (at, fence) in fences.iter().enumerate().skip(first) {
            if *fence >= high {
                break;
            }
            for entry in self.block(ordinal(at)?, store)? {
                let leaf = entry.leaf(self.id.start);
                if entry.0 < low {
                    continue;
                }
                if entry.0 >= high || leaf >= wanted.end || out.len() >= wanted.limit {
                    return Ok(());
                }
                out.push(leaf);
            }
        }
        Ok(())
    }

    /// The entries in order, read block by block.
    ///
    /// # Errors
    /// [`StoreError`], as the first item.
    pub fn entries<'a>(
        &'a self,
        store: &'a dyn KvStore,
    ) -> impl Iterator<Item = Result<Entry, StoreError>> + 'a {
        self.blocks(store).flat_map(|block| match block {
            Ok(entries) => entries.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    /// The blocks of entries in order, each read when it is asked for.
    pub(super) fn blocks<'a>(
        &'a self,
        store: &'a dyn KvStore,
    ) -> impl Iterator<Item = Result<Vec<Entry>, StoreError>> + 'a {
        let per_block = u64::try_from(POSTING_BLOCK_ENTRIES).unwrap_or(u64::MAX);
        let blocks = self.count.0.div_ceil(per_block);
        (0..blocks).map(move |at| {
            let at =
                u32::try_from(at).map_err(|_| StoreError::damaged("a run has too many blocks"))?;
            self.block(at, store)
        })
    }

    fn block(&self, at: u32, store: &dyn KvStore) -> Result<Vec<Entry>, StoreError> {
        let mut entries = None;
        store.read(&self.id.key(Part::Block, at), &mut |bytes| {
            let (words, rest) = bytes.as_chunks::<8>();
            let mut words = words.iter().map(|word| u64::from_be_bytes(*word));
            // The count ties the block to the header: an older block of a run that has grown since
            // is not taken for the present one.
            if rest.is_empty() && words.next() == Some(self.count.0) {
                entries = Some(words.map(Entry).collect());
            }
        })?;
        entries.ok_or_else(|| StoreError::damaged("a block of a run is missing or of another run"))
    }

    fn fences(&self, store: &dyn KvStore) -> Result<&[u64], StoreError> {
        if let Some(fences) = self.fences.get() {
            return Ok(fences);
        }
        let bytes = self.chunks(Part::Fences, store)?;
        let (words, _) = bytes.as_chunks::<8>();
        let fences: Vec<u64> = words.iter().map(|word| u64::from_be_bytes(*word)).collect();
        let per_block = u64::try_from(POSTING_BLOCK_ENTRIES).unwrap_or(u64::MAX);
        if u64::try_from(fences.len()) != Ok(self.count.0.div_ceil(per_block)) {
            return Err(StoreError::damaged(
                "a run has other blocks than its header says",
            ));
        }
        Ok(self.fences.get_or_init(|| fences))
    }

    fn filter(&self, store: &dyn KvStore) -> Result<&Filter, StoreError> {
        if let Some(filter) = self.filter.get() {
            return Ok(filter);
        }
        let filter = Filter::from_bytes(&self.chunks(Part::Filter, store)?);
        let room = Filter::with_room_for(usize::try_from(self.count.0).unwrap_or(usize::MAX));
        let filter = filter
            .filter(|filter| filter.same_size(&room))
            .ok_or_else(|| StoreError::damaged("the filter of a run is not whole"))?;
        Ok(self.filter.get_or_init(|| filter))
    }

    fn chunks(&self, part: Part, store: &dyn KvStore) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        let range = KeyRange::prefix(&self.id.prefix(part));
        let mut stale = false;
        store.scan(&range, Direction::Forward, &mut |_, chunk| {
            match chunk.strip_prefix(&self.count.0.to_be_bytes()) {
                Some(chunk) => bytes.extend_from_slice(chunk),
                None => stale = true,
            }
            ControlFlow::Continue(())
        })?;
        if stale {
            return Err(StoreError::damaged("a part of a run is of another run"));
        }
        Ok(bytes)
    }
}
