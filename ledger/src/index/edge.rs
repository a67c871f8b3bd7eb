//! The growing edge of the tree, in memory: the open tile of every level, and full ones that are not
//! stored yet. Rebuilt at open from the log and from the full tiles below them.
//!
//! Nearly all hashing of the tree is inside tiles of the lowest level, and such a tile depends on
//! its own 256 leaves only. So tiles are made where leaves are digested, on any thread
//! ([`LeafTiles`]), and the edge takes them as they are.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use stella_verify::hash::{LeafHash, NodeHash, RootHash};
use stella_verify::limits::TILE_WIDTH;
use stella_verify::merkle::{Frontier, Subtrees};
use stella_verify::units::{LeafIndex, TreeSize};

use super::kv::StoreError;
use super::tiles::{Tile, TileId};

/// The hashes of consecutive leaves, made into the tiles that they fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafTiles {
    end: LeafIndex,
    /// Leaves that belong to a tile begun before them.
    begun: Vec<LeafHash>,
    full: Vec<Arc<Tile>>,
    open: Tile,
}

impl LeafTiles {
    /// No leaves; the first will be `first`.
    #[must_use]
    pub fn starting_at(first: LeafIndex) -> Self {
        Self {
            end: first,
            begun: Vec::new(),
            full: Vec::new(),
            open: Tile::default(),
        }
    }

    /// The leaf after the last one.
    #[must_use]
    pub const fn end(&self) -> LeafIndex {
        self.end
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: LeafHash) {
        let starts_a_tile = self.end.get().is_multiple_of(TILE_WIDTH as u64);
        self.end = LeafIndex::new(self.end.get().saturating_add(1));
        if self.full.is_empty() && self.open.width() == 0 && !starts_a_tile {
            self.begun.push(leaf);
            return;
        }
        self.open.push(leaf.into());
        if self.open.is_full() {
            self.full.push(Arc::new(std::mem::take(&mut self.open)));
        }
    }
}

/// One level of the growing edge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeEdge {
    size: u64,
    levels: BTreeMap<u8, EdgeLevel>,
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
            levels: BTreeMap::new(),
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
            let stored = EdgeLevel {
                stored: full,
                full: VecDeque::new(),
                open: Arc::new(open),
            };
            edge.levels.insert(level, stored);
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

    /// Appends leaves, which begin where the tree ends.
    pub fn extend(&mut self, leaves: &LeafTiles) {
        self.size = leaves.end().get();
        for leaf in &leaves.begun {
            self.push(0, (*leaf).into());
        }
        for tile in &leaves.full {
            self.push_tile(0, Arc::clone(tile));
        }
        if leaves.open.width() > 0 {
            self.level(0).open = Arc::new(leaves.open.clone());
        }
    }

    fn push(&mut self, level: u8, hash: NodeHash) {
        let edge = self.level(level);
        Arc::make_mut(&mut edge.open).push(hash);
        if edge.open.is_full() {
            let tile = std::mem::take(&mut edge.open);
            self.push_tile(level, tile);
        }
    }

    /// Takes a full tile, at whose place none is open.
    fn push_tile(&mut self, level: u8, tile: Arc<Tile>) {
        let root = tile.root();
        self.level(level).full.push_back(tile);
        if let Some(root) = root {
            self.push(level + 1, root);
        }
    }

    fn level(&mut self, level: u8) -> &mut EdgeLevel {
        self.levels.entry(level).or_default()
    }

    /// A tile that is in memory.
    #[must_use]
    pub fn tile(&self, id: TileId) -> Option<Arc<Tile>> {
        let level = self.levels.get(&id.level)?;
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
        self.levels.iter().flat_map(|(level, edge)| {
            let level = *level;
            let full = (edge.stored..).zip(&edge.full);
            full.map(move |(index, tile)| (TileId { level, index }, &**tile))
        })
    }

    /// Forgets the full tiles: they are in the store now.
    pub fn stored(&mut self) {
        for edge in self.levels.values_mut() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tiles::node_from_tiles;
    use stella_verify::merkle::{leaf_hash, root_of};

    fn leaf(number: u64) -> LeafHash {
        leaf_hash(&number.to_be_bytes())
    }

    fn grow(edge: &mut TreeEdge, to: u64) {
        let mut leaves = LeafTiles::starting_at(edge.size().next_index());
        for number in edge.size().get()..to {
            leaves.push(leaf(number));
        }
        edge.extend(&leaves);
    }

    #[test]
    fn it_does_not_matter_how_the_leaves_came() {
        let mut whole = TreeEdge::default();
        grow(&mut whole, 70_000);
        for stretch in [1, 7, 255, 256, 257, 600, 8_192] {
            let mut edge = TreeEdge::default();
            while edge.size() < whole.size() {
                let to = edge.size().get() + stretch;
                grow(&mut edge, to.min(70_000));
            }
            assert_eq!(edge, whole, "{stretch}");
        }
    }

    #[test]
    fn roots_are_those_of_the_model_at_every_size() {
        let mut edge = TreeEdge::default();
        let mut model = Frontier::new();
        assert_eq!(edge.root(), Some(root_of([])));
        for number in 0..70_000 {
            grow(&mut edge, number + 1);
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
        grow(&mut edge, 66_000);
        for number in 0..66_000 {
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
        grow(&mut edge, 3 * 65_536 + 7 * 256);
        for (id, tile) in edge.full_tiles() {
            store.insert(id, tile.to_stored());
        }
        edge.stored();
        let read = |id: TileId| Ok(store.get(&id).and_then(|bytes| Tile::from_stored(bytes)));
        let mut loaded = TreeEdge::load(edge.size(), read).unwrap();
        assert_eq!(loaded.root(), edge.root());
        let to = edge.size().get() + 65_536;
        grow(&mut edge, to);
        grow(&mut loaded, to);
        assert_eq!(loaded.root(), edge.root());
        let missing = |id: TileId| {
            Ok(store
                .get(&id)
                .filter(|_| id.level == 1)
                .map(|_| Tile::default()))
        };
        assert!(TreeEdge::load(edge.size(), missing).is_err());
    }
}
