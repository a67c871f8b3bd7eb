//! Hash tiles: 256 hashes of one level of the tree, as tlog-tiles serves them.
//!
//! A full tile is stored once ([`super::tile_files`]), when its last hash is known, together with
//! the nodes two, four and six levels above its hashes. With them an inclusion proof needs 4 hash
//! computations per tile instead of 247. The tiles at the tree's growing edge are in memory
//! ([`super::edge`]).

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use stella_verify::hash::{HASH_SIZE, NodeHash};
use stella_verify::limits::TILE_WIDTH;
use stella_verify::merkle::{NodeCoord, node_hash};
use stella_verify::units::TreeSize;

use super::kv::StoreError;
use crate::limits::MAX_UPPER_TILES;

/// Levels of the tree that one tile spans: 2^8 = 256 hashes.
const TILE_HEIGHT: u8 = 8;

/// Levels between the kept levels of a tile: each has a quarter of the nodes of the one below.
const STEP_HEIGHT: u8 = 2;

/// Kept levels of a tile: heights 0, 2, 4 and 6.
const KEPT_LEVELS: usize = 4;

/// Bytes of a full tile as stored: 256 + 64 + 16 + 4 hashes.
pub(super) const TILE_BYTES: usize =
    (TILE_WIDTH + TILE_WIDTH / 4 + TILE_WIDTH / 16 + TILE_WIDTH / 64) * HASH_SIZE;

/// Names a tile: tile level `level` holds nodes of tree level 8 * `level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileId {
    /// Tile level, 0 for leaf hashes.
    pub level: u8,
    /// Place among the tiles of its level.
    pub index: u64,
}

impl TileId {
    /// The tile that has, or is able to compute, a node; the node's height above the tile's hashes
    /// and its place at that height.
    pub(super) fn of(coord: NodeCoord) -> (Self, u8, usize) {
        let height = coord.level % TILE_HEIGHT;
        let per_tile = TILE_HEIGHT - height;
        let place = coord.index & ((1 << per_tile) - 1);
        let id = Self {
            level: coord.level / TILE_HEIGHT,
            index: coord.index >> per_tile,
        };
        (id, height, usize::try_from(place).unwrap_or(usize::MAX))
    }

    /// How many hashes this tile has in a tree of `size` leaves, 0-256.
    #[must_use]
    pub fn width_in(self, size: TreeSize) -> usize {
        let shift = u32::from(self.level) * u32::from(TILE_HEIGHT);
        let hashes = size.get().checked_shr(shift).unwrap_or(0);
        let before = self.index.saturating_mul(TILE_WIDTH as u64);
        let width = hashes.saturating_sub(before).min(TILE_WIDTH as u64);
        usize::try_from(width).unwrap_or(TILE_WIDTH)
    }
}

/// The hashes of a tile, full or growing, and the complete nodes above them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tile {
    /// Lowest first.
    kept: [Vec<u8>; KEPT_LEVELS],
}

impl Tile {
    /// How many hashes it has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.hashes().len() / HASH_SIZE
    }

    /// The hashes, 32 bytes each: the body of a tlog-tiles response.
    #[must_use]
    pub fn hashes(&self) -> &[u8] {
        let [hashes, ..] = &self.kept;
        hashes
    }

    pub(super) fn is_full(&self) -> bool {
        self.width() == TILE_WIDTH
    }

    pub(super) fn push(&mut self, hash: NodeHash) {
        let mut carry = Some(hash);
        for level in &mut self.kept {
            let Some(hash) = carry else { return };
            level.extend_from_slice(hash.as_bytes());
            let count = level.len() / HASH_SIZE;
            let complete = count.is_multiple_of(1 << STEP_HEIGHT);
            carry = complete
                .then(|| fold(level, count - (1 << STEP_HEIGHT), STEP_HEIGHT))
                .flatten();
        }
    }

    /// The node of `height` levels above the hashes at `place`; `None` when not complete.
    pub(super) fn node(&self, height: u8, place: usize) -> Option<NodeHash> {
        let at = usize::from(height / STEP_HEIGHT).min(KEPT_LEVELS - 1);
        let level = self.kept.get(at)?;
        let above = height - STEP_HEIGHT * u8::try_from(at).ok()?;
        fold(level, place << above, above)
    }

    pub(super) fn root(&self) -> Option<NodeHash> {
        self.node(TILE_HEIGHT, 0)
    }

    /// As stored: the kept levels, lowest first.
    pub(crate) fn to_stored(&self) -> Vec<u8> {
        self.kept.concat()
    }

    /// `None` when the bytes are not those of a full tile.
    pub(crate) fn from_stored(bytes: &[u8]) -> Option<Self> {
        let mut tile = Self::default();
        let mut rest = bytes;
        let mut width = TILE_WIDTH * HASH_SIZE;
        for level in &mut tile.kept {
            let (stored, after) = rest.split_at_checked(width)?;
            level.extend_from_slice(stored);
            rest = after;
            width >>= STEP_HEIGHT;
        }
        rest.is_empty().then_some(tile)
    }
}

/// The node `height` (at most 2) levels above neighbouring hashes, of which `first` is the first.
fn fold(hashes: &[u8], first: usize, height: u8) -> Option<NodeHash> {
    let count = 1 << height;
    let bytes = hashes.get(first * HASH_SIZE..(first + count) * HASH_SIZE)?;
    let (chunks, _) = bytes.as_chunks::<HASH_SIZE>();
    let hash = |at: usize| chunks.get(at).copied().map(NodeHash::new);
    let pair = |at: usize| Some(node_hash(&hash(at)?, &hash(at + 1)?));
    match height {
        0 => hash(0),
        1 => pair(0),
        _ => Some(node_hash(&pair(0)?, &pair(2)?)),
    }
}

/// Full tiles above the lowest level, kept once read: every proof needs one of each level, and one
/// of them covers 65,536 leaves.
#[derive(Debug, Default)]
pub struct UpperTiles {
    kept: RwLock<BTreeMap<TileId, Arc<Tile>>>,
}

impl UpperTiles {
    /// A tile that was kept.
    pub fn get(&self, id: TileId) -> Option<Arc<Tile>> {
        if id.level == 0 {
            return None;
        }
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(&id).cloned()
    }

    /// Keeps a full tile, if it is of an upper level. When there are too many, all are forgotten.
    pub fn keep(&self, id: TileId, tile: &Arc<Tile>) {
        if id.level == 0 {
            return;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_UPPER_TILES {
            kept.clear();
        }
        kept.insert(id, Arc::clone(tile));
    }
}

/// The node at `coord`, from the tile that `read` finds for it.
///
/// # Errors
/// Those of `read`; [`StoreError::Damaged`] when the tile does not have the node.
pub fn node_from_tiles<E: From<StoreError>>(
    coord: NodeCoord,
    read: impl FnOnce(TileId) -> Result<Arc<Tile>, E>,
) -> Result<NodeHash, E> {
    let (id, height, place) = TileId::of(coord);
    let node = read(id)?.node(height, place);
    node.ok_or_else(|| StoreError::damaged("a hash tile is too short").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_tile_is_whole_or_none() {
        assert!(Tile::from_stored(&[0; 340 * 32]).is_some());
        assert!(Tile::from_stored(&[0; 340 * 32 - 1]).is_none());
        assert!(Tile::from_stored(&[0; 341 * 32]).is_none());
    }

    #[test]
    fn widths_follow_the_tree() {
        let id = |level, index| TileId { level, index };
        let size = TreeSize::new(70_000);
        assert_eq!(id(0, 273).width_in(size), 112);
        assert_eq!(id(0, 274).width_in(size), 0);
        assert_eq!(id(1, 0).width_in(size), 256);
        assert_eq!(id(1, 1).width_in(size), 17);
        assert_eq!(id(2, 0).width_in(size), 1);
        assert_eq!(id(63, 0).width_in(size), 0);
    }
}
