//! Hash tiles: 256 hashes of one level of the tree, as tlog-tiles serves them.
//!
//! A full tile is stored once ([`super::tile_files`]), when its last hash is known, together with
//! the nodes two, four and six levels above its hashes. With them an inclusion proof needs 4 hash
//! computations per tile instead of 247. The tiles at the tree's growing edge are in memory
//! ([`TreeEdge`]), rebuilt at open from the log and from the full tiles below them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use stella_verify::hash::{HASH_SIZE, LeafHash, NodeHash, RootHash};
use stella_verify::limits::TILE_WIDTH;
use stella_verify::merkle::{Frontier, NodeCoord, Subtrees, node_hash};
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
    fn of(coord: NodeCoord) -> (Self, u8, usize) {
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

    fn is_full(&self) -> bool {
        self.width() == TILE_WIDTH
    }

    fn push(&mut self, hash: NodeHash) {
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
    fn node(&self, height: u8, place: usize) -> Option<NodeHash> {
        let at = usize::from(height / STEP_HEIGHT).min(KEPT_LEVELS - 1);
        let level = self.kept.get(at)?;
        let above = height - STEP_HEIGHT * u8::try_from(at).ok()?;
        fold(level, place << above, above)
    }

    fn root(&self) -> Option<NodeHash> {
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

/// One level of the growing edge.
#[derive(Debug, Clone, Default)]
struct EdgeLevel {
    /// Full tiles before these are in the store.
    stored: u64,
    /// Full tiles that are kept here until the window is written.
    full: VecDeque<Arc<Tile>>,
    /// Shared with readers; copied when it grows while one of them has it.
    open: Arc<Tile>,
}

/// All tiles that are not only in the store: full ones of the present window, and the open one of
/// every level.
#[derive(Debug, Clone, Default)]
pub struct TreeEdge {
    size: u64,
    levels: Vec<EdgeLevel>,
}

impl TreeEdge {
    /// The edge of a tree of `size` leaves, a multiple of 256, whose full tiles are in the store.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a tile is missing.
    pub fn load(
        size: TreeSize,
        read: impl Fn(TileId) -> Result<Option<Tile>, StoreError>,
    ) -> Result<Self, StoreError> {
        let mut edge = Self {
            size: size.get(),
            levels: Vec::new(),
        };
        let mut below = size.get();
        let mut level = 0;
        while below > 0 {
            let full = below / TILE_WIDTH as u64;
            let mut open = Tile::default();
            for index in (full * TILE_WIDTH as u64)..below {
                let id = TileId {
                    level: level - 1,
                    index,
                };
                let root = read(id)?.and_then(|tile| tile.root());
                open.push(root.ok_or_else(|| StoreError::damaged("a hash tile is missing"))?);
            }
            edge.levels.push(EdgeLevel {
                stored: full,
                full: VecDeque::new(),
                open: Arc::new(open),
            });
            below = full;
            level += 1;
        }
        Ok(edge)
    }

    /// Leaves in the tree.
    #[must_use]
    pub const fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: LeafHash) {
        self.size += 1;
        let mut carry = Some(NodeHash::from(leaf));
        let mut level = 0;
        while let Some(hash) = carry.take() {
            if self.levels.len() == level {
                self.levels.push(EdgeLevel::default());
            }
            let Some(edge) = self.levels.get_mut(level) else {
                return;
            };
            Arc::make_mut(&mut edge.open).push(hash);
            if edge.open.is_full() {
                let tile = std::mem::take(&mut edge.open);
                carry = tile.root();
                edge.full.push_back(tile);
            }
            level += 1;
        }
    }

    /// A tile that is in memory.
    #[must_use]
    pub fn tile(&self, id: TileId) -> Option<Arc<Tile>> {
        let level = self.levels.get(usize::from(id.level))?;
        let at = usize::try_from(id.index.checked_sub(level.stored)?).ok()?;
        match level.full.get(at) {
            Some(tile) => Some(Arc::clone(tile)),
            None if at == level.full.len() && level.open.width() > 0 => {
                Some(Arc::clone(&level.open))
            }
            None => None,
        }
    }

    /// The full tiles that are in memory.
    pub fn full_tiles(&self) -> impl Iterator<Item = (TileId, &Tile)> {
        (0u8..).zip(&self.levels).flat_map(|(level, edge)| {
            let full = (edge.stored..).zip(&edge.full);
            full.map(move |(index, tile)| (TileId { level, index }, &**tile))
        })
    }

    /// Forgets the full tiles: they are in the store now.
    pub fn stored(&mut self) {
        for edge in &mut self.levels {
            edge.stored += u64::try_from(edge.full.len()).unwrap_or(0);
            edge.full.clear();
        }
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> Option<RootHash> {
        let node = |coord| {
            let (id, height, place) = TileId::of(coord);
            self.tile(id)?.node(height, place)
        };
        let nodes = Subtrees::of_tree(self.size())
            .map(node)
            .collect::<Option<Vec<_>>>()?;
        Some(Frontier::from_parts(self.size(), nodes).ok()?.root())
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
    use std::collections::BTreeMap;
    use stella_verify::merkle::{leaf_hash, root_of};

    fn leaf(number: u64) -> LeafHash {
        leaf_hash(&number.to_be_bytes())
    }

    #[test]
    fn roots_are_those_of_the_model_at_every_size() {
        let mut edge = TreeEdge::default();
        let mut model = Frontier::new();
        assert_eq!(edge.root(), Some(root_of([])));
        for number in 0..70_000 {
            edge.push(leaf(number));
            model.push(leaf(number));
            if number < 600 || number % 977 == 0 {
                assert_eq!(edge.root(), Some(model.root()), "{number}");
            }
        }
    }

    #[test]
    fn every_node_is_computed_from_its_tile() {
        let mut edge = TreeEdge::default();
        let mut model = Frontier::new();
        let mut nodes = BTreeMap::new();
        for number in 0..66_000 {
            edge.push(leaf(number));
            model.push_with(leaf(number), |coord, hash| {
                nodes.insert(coord, hash);
            });
        }
        for (coord, hash) in nodes {
            let read = |id| edge.tile(id).ok_or_else(|| StoreError::damaged("none"));
            assert_eq!(node_from_tiles(coord, read).unwrap(), hash, "{coord}");
        }
    }

    #[test]
    fn an_edge_is_rebuilt_from_stored_tiles() {
        let mut store = BTreeMap::new();
        let mut edge = TreeEdge::default();
        for number in 0..(3 * 65_536 + 7 * 256) {
            edge.push(leaf(number));
        }
        for (id, tile) in edge.full_tiles() {
            store.insert(id, tile.to_stored());
        }
        edge.stored();
        let read = |id: TileId| Ok(store.get(&id).and_then(|bytes| Tile::from_stored(bytes)));
        let mut loaded = TreeEdge::load(edge.size(), read).unwrap();
        assert_eq!(loaded.root(), edge.root());
        for number in 0..65_536 {
            edge.push(leaf(number));
            loaded.push(leaf(number));
        }
        assert_eq!(loaded.root(), edge.root());
        let missing = |id: TileId| {
            Ok(store
                .get(&id)
                .filter(|_| id.level == 1)
                .map(|_| Tile::default()))
        };
        assert!(TreeEdge::load(edge.size(), missing).is_err());
    }

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
