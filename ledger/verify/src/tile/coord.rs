//! Which tiles and bundles there are, and which of them a tree of some size has.

use crate::limits::TILE_WIDTH;
use crate::merkle::{Growth, NodeCoord};
use crate::units::{LeafIndex, TreeSize};

/// Levels of the tree between a tile's own hashes and those of the tile above.
pub(super) const TILE_HEIGHT: u32 = TILE_WIDTH.ilog2();

/// Height of a hash tile in tiles, 0-63. Level 7 is the highest any 64-bit tree reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileLevel(u8);

impl TileLevel {
    /// The level of leaf hashes.
    pub const LEAVES: Self = Self(0);
    /// The highest level that can be written.
    pub const MAX: Self = Self(63);

    /// Names a number as level; `None` above 63.
    #[must_use]
    pub const fn new(level: u8) -> Option<Self> {
        if level > Self::MAX.0 {
            None
        } else {
            Some(Self(level))
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// How many hashes of this level a tree has: its size / 256^level.
    const fn hashes_in(self, size: TreeSize) -> u64 {
        match size.get().checked_shr(self.0 as u32 * TILE_HEIGHT) {
            Some(count) => count,
            None => 0,
        }
    }
}

/// Place of a tile or bundle at its level, from 0 at the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileIndex(u64);

impl TileIndex {
    /// Names a number as index.
    #[must_use]
    pub const fn new(index: u64) -> Self {
        Self(index)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Members of a tile or bundle: 256 when full, 1-255 when partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileWidth(u16);

impl TileWidth {
    /// 256.
    #[expect(clippy::cast_possible_truncation, reason = "256 fits; asserted below")]
    pub const FULL: Self = Self(TILE_WIDTH as u16);

    /// Names a number as width; `None` for 0 and above 256.
    #[must_use]
    pub const fn new(width: u16) -> Option<Self> {
        if width == 0 || width > Self::FULL.0 {
            None
        } else {
            Some(Self(width))
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether this is a full tile's width.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.0 == Self::FULL.0
    }
}

const _: () = assert!(TILE_WIDTH == 256 && 1 << TILE_HEIGHT == TILE_WIDTH);

/// A hash tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileCoord {
    /// Height.
    pub level: TileLevel,
    /// Place at that height.
    pub index: TileIndex,
    /// How many hashes.
    pub width: TileWidth,
}

/// An entry bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleCoord {
    /// Place.
    pub index: TileIndex,
    /// How many entries.
    pub width: TileWidth,
}

impl TileCoord {
    /// The tile at a place, as wide as a tree of `size` leaves has it; `None` when it has none.
    #[must_use]
    pub fn in_tree(level: TileLevel, index: TileIndex, size: TreeSize) -> Option<Self> {
        let width = width_of(level.hashes_in(size), index)?;
        Some(Self {
            level,
            index,
            width,
        })
    }

    /// Whether a tree of `size` leaves has this tile, or had it when it was smaller. Its bytes
    /// are then final.
    #[must_use]
    pub fn exists_in(self, size: TreeSize) -> bool {
        Self::in_tree(self.level, self.index, size).is_some_and(|tile| self.width <= tile.width)
    }

    /// The tile in a tree of `size` leaves whose hashes lie at or below `node`, and the run of its
    /// hashes that are `node`'s leaves there; `None` when `node` is not complete in that tree.
    pub(super) fn of_node(node: NodeCoord, size: TreeSize) -> Option<(Self, HashRun)> {
        if !node.is_complete_in(size) {
            return None;
        }
        let (level, height) = (
            u32::from(node.level) / TILE_HEIGHT,
            u32::from(node.level) % TILE_HEIGHT,
        );
        let first = node.index << height;
        let level = TileLevel::new(u8::try_from(level).ok()?)?;
        let tile = Self::in_tree(level, TileIndex(first >> TILE_HEIGHT), size)?;
        let start = usize::try_from(first % TILE_WIDTH as u64).ok()?;
        Some((
            tile,
            HashRun {
                start,
                count: 1 << height,
            },
        ))
    }
}

/// A run of a tile's hashes that make up one subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HashRun {
    pub(super) start: usize,
    pub(super) count: usize,
}

impl BundleCoord {
    /// The bundle at a place, as wide as a tree of `size` leaves has it; `None` when it has none.
    #[must_use]
    pub fn in_tree(index: TileIndex, size: TreeSize) -> Option<Self> {
        let width = width_of(size.get(), index)?;
        Some(Self { index, width })
    }

    /// The bundle that has a leaf, as wide as a tree of `size` leaves has it.
    #[must_use]
    pub fn of_leaf(leaf: LeafIndex, size: TreeSize) -> Option<Self> {
        let bundle = Self::in_tree(TileIndex(leaf.get() >> TILE_HEIGHT), size)?;
        size.contains(leaf).then_some(bundle)
    }

    /// Whether a tree of `size` leaves has this bundle, or had it when it was smaller.
    #[must_use]
    pub fn exists_in(self, size: TreeSize) -> bool {
        Self::in_tree(self.index, size).is_some_and(|bundle| self.width <= bundle.width)
    }

    /// Index of its first leaf; `None` when no 64-bit tree has it.
    #[must_use]
    pub const fn first_leaf(self) -> Option<LeafIndex> {
        match self.index.0.checked_mul(TILE_WIDTH as u64) {
            Some(first) => Some(LeafIndex::new(first)),
            None => None,
        }
    }
}

/// Width of tile `index` at a level of `count` hashes.
fn width_of(count: u64, index: TileIndex) -> Option<TileWidth> {
    let before = index.0.checked_mul(TILE_WIDTH as u64)?;
    let width = count.checked_sub(before)?.min(TILE_WIDTH as u64);
    TileWidth::new(u16::try_from(width).ok()?)
}

/// The hash tiles that a tree gains by growing, as wide as the new tree has them: lowest level
/// first, left to right. From size 0 these are all the tiles of the tree.
pub fn new_tiles(growth: Growth<TreeSize>) -> impl Iterator<Item = TileCoord> {
    // Above level 7 a 64-bit tree has no hashes.
    (0..u64::BITS.div_ceil(TILE_HEIGHT))
        .filter_map(|level| TileLevel::new(u8::try_from(level).ok()?))
        .flat_map(move |level| {
            let old = level.hashes_in(growth.old);
            let new = level.hashes_in(growth.new);
            indexes_grown(old, new)
                .filter_map(move |index| TileCoord::in_tree(level, index, growth.new))
        })
}

/// The entry bundles that a tree gains by growing, as wide as the new tree has them.
pub fn new_bundles(growth: Growth<TreeSize>) -> impl Iterator<Item = BundleCoord> {
    indexes_grown(growth.old.get(), growth.new.get())
        .filter_map(move |index| BundleCoord::in_tree(index, growth.new))
}

/// The tiles that change when a level grows from `old` to `new` hashes.
fn indexes_grown(old: u64, new: u64) -> impl Iterator<Item = TileIndex> {
    let end = if new > old {
        new.div_ceil(TILE_WIDTH as u64)
    } else {
        0
    };
    (old / TILE_WIDTH as u64..end).map(TileIndex)
}
