//! A fold of the log into a store: what is in memory, what is stored, and how one becomes the other.
//!
//! The log is cut into windows of [`INDEX_WINDOW_LEAVES`]. The unfinished window is in memory. When
//! it is complete it is written as a whole and forgotten; the unfinished one is also written when
//! the log is quiet and at the end, under the same keys that it will have when complete. So keys and
//! values are a function of the log up to the marker, whatever the batches in which it grew.
//!
//! # Commit
//!
//! 1. tiles, rows and posting runs of the window: new keys, or keys of an earlier, shorter form of
//!    the same window. A crash here leaves rows beyond the complete windows, which nobody reads
//!    and which the next commit writes again;
//! 2. postings and rows of erased payloads are removed, runs are merged;
//! 3. the marker. Only now does the store claim the window.
//!
//! Opening folds again from the last complete window that the marker covers.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use stella_verify::hash::RootHash;
use stella_verify::merkle::TreeHead;
use stella_verify::units::{LeafIndex, TreeSize};

use super::edge::TreeEdge;
use super::keys::{self, Table};
use super::kv::{BatchWriter, KeyValue, KvStore, StoreError};
use super::marker::{Inventory, MARKER_KEY, Marker};
use super::postings::{Run, Runs, delete_sources, merge_level, write_window};
use super::tiles::{Tile, TileId, UpperTiles};
use super::window::{Window, window_of};
use crate::limits::INDEX_WINDOW_LEAVES;
use crate::projection::{Digest, given_keys};

/// The complete windows of a tree: where a fold of it is taken up again.
#[must_use]
pub const fn complete_windows(size: TreeSize) -> TreeSize {
    TreeSize::new(window_of(size.next_index()).get())
}

/// A store and what is not in it yet. One thread folds; any number read.
pub struct Fold {
    store: Arc<dyn KvStore>,
    present: RwLock<Present>,
    runs: RwLock<PostingRuns>,
    pub(super) upper_tiles: UpperTiles,
}

impl std::fmt::Debug for Fold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let applied = self.applied();
        f.debug_struct("Fold")
            .field("applied", &applied)
            .finish_non_exhaustive()
    }
}

/// The unfinished window.
pub(super) struct Present {
    pub(super) window: Window,
    pub(super) edge: TreeEdge,
    /// Rows of the complete windows.
    inventory: Inventory,
    /// The tree that the store's marker names.
    committed: TreeSize,
}

/// The complete windows' postings.
pub(super) struct PostingRuns {
    pub(super) nodes: Runs,
    pub(super) children: Runs,
    pub(super) uses: Runs,
}

impl Fold {
    /// A fold that has not begun, over an empty store.
    #[must_use]
    pub fn empty(store: Arc<dyn KvStore>) -> Self {
        Self {
            store,
            present: RwLock::new(Present {
                window: Window::starting_at(LeafIndex::ZERO),
                edge: TreeEdge::default(),
                inventory: Inventory::default(),
                committed: TreeSize::ZERO,
            }),
            runs: RwLock::new(PostingRuns {
                nodes: Runs::new(Table::Nodes),
                children: Runs::new(Table::Children),
                uses: Runs::new(Table::Uses),
            }),
            upper_tiles: UpperTiles::default(),
        }
    }

    /// Takes up a fold where `marker` says that the store stands, at its last complete window.
    ///
    /// # Errors
    /// [`StoreError`]; damage when the store lacks what the marker claims.
    pub fn resume(store: Arc<dyn KvStore>, marker: &Marker) -> Result<Self, StoreError> {
        let base = complete_windows(marker.folded);
        let edge = TreeEdge::load(base, |id| stored_tile(&*store, id))?;
        let runs = PostingRuns {
            nodes: Runs::load(Table::Nodes, base, &*store)?,
            children: Runs::load(Table::Children, base, &*store)?,
            uses: Runs::load(Table::Uses, base, &*store)?,
        };
        Ok(Self {
            store,
            present: RwLock::new(Present {
                window: Window::starting_at(base.next_index()),
                edge,
                inventory: marker.inventory,
                committed: marker.folded,
            }),
            runs: RwLock::new(runs),
            upper_tiles: UpperTiles::default(),
        })
    }

    /// The tree that was folded, and its root; `None` if the edge is incomplete (a fault).
    pub fn head(&self) -> Option<TreeHead<RootHash>> {
        let present = self.present();
        let root = present.edge.root()?;
        Some(TreeHead {
            size: present.edge.size(),
            root,
        })
    }

    /// How many leaves were folded.
    pub fn applied(&self) -> TreeSize {
        self.present().edge.size()
    }

    /// The size that the store's marker names; leaves beyond are in memory only.
    pub fn committed(&self) -> TreeSize {
        self.present().committed
    }

    /// The store.
    pub fn store(&self) -> &dyn KvStore {
        &*self.store
    }

    /// Where the unfinished window ends.
    pub fn window_end(&self) -> TreeSize {
        let start = self.present().window.start();
        TreeSize::new(start.get().saturating_add(INDEX_WINDOW_LEAVES))
    }

    /// Takes up the next digest. It begins at the applied size and does not cross the end of the
    /// window; a complete window is to be committed before the next digest.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] on a digest of another place: a fault of the caller.
    pub fn absorb(&self, digest: Digest) -> Result<(), StoreError> {
        let window_end = self.window_end();
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        if digest.first != present.edge.size().next_index()
            || digest.end() > window_end.next_index()
        {
            return Err(StoreError::damaged("a digest does not continue the fold"));
        }
        present.edge.extend(&digest.leaves);
        present.window.absorb(digest);
        Ok(())
    }

    /// Writes the unfinished window, and starts the next one if it is complete. `published` is what
    /// the log has published, at least what was folded.
    ///
    /// # Errors
    /// [`StoreError`]; the store may then hold a part of the window, which the next open ignores.
    pub fn commit(&self, published: TreeHead<RootHash>) -> Result<(), StoreError> {
        let folded = self.applied();
        if folded == self.committed() {
            return Ok(());
        }
        let written = self.write_window()?;
        let complete = folded == self.window_end();
        let mut inventory = written.inventory_before;
        let mut batch = BatchWriter::new(&*self.store);
        self.remove_erased(&written, &mut inventory, &mut batch)?;
        if complete {
            written
                .rows
                .iter()
                .for_each(|(key, value)| inventory.add(key, value));
            self.add_run(written.nodes, |runs| &mut runs.nodes)?;
            self.add_run(written.children, |runs| &mut runs.children)?;
            self.add_run(written.uses, |runs| &mut runs.uses)?;
        }
        let marker = Marker {
            folded,
            published,
            inventory,
        };
        batch.put(MARKER_KEY.to_vec(), marker.to_bytes()?)?;
        batch.apply()?;
        self.store.flush()?;
        self.committed_to(folded, complete, inventory);
        Ok(())
    }

    fn committed_to(&self, size: TreeSize, complete: bool, inventory: Inventory) {
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        present.committed = size;
        present.inventory = inventory;
        if complete {
            present.edge.stored();
            present.window = Window::starting_at(size.next_index());
        } else {
            // What was erased of earlier windows is gone for good.
            let start = present.window.start();
            present.window.erased.retain(|leaf| *leaf >= start);
        }
    }

    /// Step 1 of the commit.
    fn write_window(&self) -> Result<Written, StoreError> {
        let present = self.present();
        let store = &*self.store;
        let mut batch = BatchWriter::new(store);
        for (id, tile) in present.edge.full_tiles() {
            batch.put(keys::tile(id.level, id.index), tile.to_stored())?;
        }
        let window = &present.window;
        let rows = window.stored_rows()?;
        for (key, value) in &rows {
            batch.put(key.clone(), value.clone())?;
        }
        let start = window.start();
        let entries = window.nodes.sorted();
        let nodes = write_window(Table::Nodes, start, entries, store, &mut batch)?;
        let entries = window.children.sorted();
        let children = write_window(Table::Children, start, entries, store, &mut batch)?;
        let entries = window.uses.sorted();
        let uses = write_window(Table::Uses, start, entries, store, &mut batch)?;
        batch.apply()?;
        Ok(Written {
            start,
            rows,
            nodes,
            children,
            uses,
            erased: window.erased.clone(),
            inventory_before: present.inventory,
        })
    }

    /// Step 2: what erased payloads gave. Rows go in the batch that ends with the marker.
    fn remove_erased(
        &self,
        written: &Written,
        inventory: &mut Inventory,
        batch: &mut BatchWriter<'_>,
    ) -> Result<(), StoreError> {
        if written.erased.is_empty() {
            return Ok(());
        }
        for leaf in &written.erased {
            let given = keys::given(*leaf);
            let Some(listed) = self.store.get(&given)? else {
                continue;
            };
            for key in given_keys(&listed).into_iter().chain([given]) {
                if *leaf < written.start
                    && let Some(value) = self.store.get(&key)?
                {
                    inventory.remove(&key, &value);
                }
                batch.delete(key)?;
            }
        }
        // Lookups are kept out while a run is rewritten in its place.
        let mut runs = self.runs.write().unwrap_or_else(PoisonError::into_inner);
        runs.nodes.erase(&written.erased, &*self.store)?;
        runs.children.erase(&written.erased, &*self.store)?;
        runs.uses.erase(&written.erased, &*self.store)
    }

    /// Step 2: makes the window's run findable, and merges. The merge itself needs no lock: a
    /// lookup that began before the swap ends before it, and the sources go after it.
    fn add_run(
        &self,
        run: Run,
        table: impl Fn(&mut PostingRuns) -> &mut Runs,
    ) -> Result<(), StoreError> {
        let due = {
            let mut runs = self.runs.write().unwrap_or_else(PoisonError::into_inner);
            let runs = table(&mut runs);
            runs.add(run);
            runs.due()
        };
        let Some(target) = due else { return Ok(()) };
        let mut batch = BatchWriter::new(&*self.store);
        let merged = merge_level(target, &*self.store, &mut batch)?;
        batch.apply()?;
        table(&mut self.runs.write().unwrap_or_else(PoisonError::into_inner)).replace(merged);
        delete_sources(target, &*self.store)
    }

    pub(super) fn present(&self) -> RwLockReadGuard<'_, Present> {
        self.present.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn runs(&self) -> RwLockReadGuard<'_, PostingRuns> {
        self.runs.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the first step of a commit has written.
struct Written {
    start: LeafIndex,
    rows: Vec<KeyValue>,
    nodes: Run,
    children: Run,
    uses: Run,
    erased: BTreeSet<LeafIndex>,
    inventory_before: Inventory,
}

/// A full tile from the store.
pub(super) fn stored_tile(store: &dyn KvStore, id: TileId) -> Result<Option<Tile>, StoreError> {
    let mut tile = None;
    let found = store.read(&keys::tile(id.level, id.index), &mut |bytes| {
        tile = Tile::from_stored(bytes);
    })?;
    if found && tile.is_none() {
        return Err(StoreError::damaged("a hash tile is malformed"));
    }
    Ok(tile)
}
