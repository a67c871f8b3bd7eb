//! The log as static files: hash tiles and entry bundles (C2SP tlog-tiles).

use std::ops::ControlFlow;
use std::time::Duration;

use stella_verify::hash::{HASH_SIZE, NodeHash, RootHash};
use stella_verify::limits::TILE_WIDTH;
use stella_verify::merkle::{Frontier, LeafRange, leaf_hash};
use stella_verify::tile::{BundleCoord, TileCoord};
use stella_verify::units::{LeafIndex, TreeSize};

use super::{Ledger, LedgerError};
use crate::index::tiles::TileId;
use crate::index::{IndexError, QueryError};

/// How long a tile waits for the projections before it is computed from the segments.
const PATIENCE: Duration = Duration::from_millis(50);

/// The highest level of a tile that is computed from the segments: 65,536 leaves.
const HIGHEST_FROM_LOG: u8 = 1;

impl Ledger {
    /// The bytes of a hash tile; `None` (404) when the published tree does not have it. A partial
    /// tile stays available when the tile is full.
    ///
    /// Published means answerable: when the projections lag, tiles of the two lowest levels are
    /// computed from the segments.
    ///
    /// # Errors
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn hash_tile(&self, coord: TileCoord) -> Result<Option<Vec<u8>>, LedgerError> {
        if !coord.exists_in(self.published().size) {
            return Ok(None);
        }
        let (needed, span) = leaves_of(coord);
        if self.index.wait_applied(needed, PATIENCE) {
            let stored = self.stored_tile(coord, needed);
            if !matches!(stored, Err(LedgerError::Index(IndexError::Behind { .. }))) {
                return stored.map(Some);
            }
        }
        if coord.level.get() > HIGHEST_FROM_LOG {
            let applied = self.index.stats().applied;
            return Err(LedgerError::Index(IndexError::Behind {
                applied,
                wanted: needed,
            }));
        }
        self.tile_from_log(coord, needed, span).map(Some)
    }

    /// The bytes of an entry bundle; `None` (404) when the published tree does not have it.
    ///
    /// # Errors
    /// [`LedgerError::Read`].
    pub fn entry_bundle(&self, coord: BundleCoord) -> Result<Option<Vec<u8>>, LedgerError> {
        let size = self.published().size;
        let (true, Some(start)) = (coord.exists_in(size), coord.first_leaf()) else {
            return Ok(None);
        };
        let end = start.get().saturating_add(u64::from(coord.width.get()));
        let range = LeafRange {
            start,
            end: LeafIndex::new(end),
        };
        Ok(Some(self.log.entry_bundle(range, size)?))
    }

    fn stored_tile(&self, coord: TileCoord, needed: TreeSize) -> Result<Vec<u8>, LedgerError> {
        let id = TileId {
            level: coord.level.get(),
            index: coord.index.get(),
        };
        let bytes = usize::from(coord.width.get()) * HASH_SIZE;
        self.index.query(needed, |fold| {
            let tile = fold.tile(id)?;
            let hashes = tile.as_deref().and_then(|tile| tile.hashes().get(..bytes));
            hashes.map(<[u8]>::to_vec).ok_or_else(|| {
                QueryError::Asker(LedgerError::Internal(
                    "a tile is narrower than its tree".into(),
                ))
            })
        })
    }

    /// Hashes the leaves under a tile.
    fn tile_from_log(
        &self,
        coord: TileCoord,
        needed: TreeSize,
        span: u64,
    ) -> Result<Vec<u8>, LedgerError> {
        let mut tile = Vec::with_capacity(usize::from(coord.width.get()) * HASH_SIZE);
        let mut subtree = Frontier::<RootHash>::new();
        let width = u64::from(coord.width.get());
        let range = LeafRange {
            start: LeafIndex::new(needed.get().saturating_sub(width.saturating_mul(span))),
            end: needed.next_index(),
        };
        self.log.visit(range, needed, |event| {
            subtree.push(leaf_hash(event.leaf));
            if subtree.size().get() == span {
                tile.extend_from_slice(NodeHash::new(*subtree.root().as_bytes()).as_bytes());
                subtree = Frontier::new();
            }
            ControlFlow::Continue(())
        })?;
        Ok(tile)
    }
}

/// The tree that a tile needs, and how many leaves are under each of its hashes.
fn leaves_of(coord: TileCoord) -> (TreeSize, u64) {
    let hashes = coord.index.get().saturating_mul(TILE_WIDTH as u64);
    let hashes = hashes.saturating_add(u64::from(coord.width.get()));
    let span = 1u64
        .checked_shl(8 * u32::from(coord.level.get()))
        .unwrap_or(u64::MAX);
    (TreeSize::new(hashes.saturating_mul(span)), span)
}
