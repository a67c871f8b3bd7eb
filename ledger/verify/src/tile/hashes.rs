//! Hash tiles, and a tree's nodes read out of them.

use super::coord::{HashRun, TileCoord, TileWidth};
use crate::hash::{HASH_SIZE, NodeHash};
use crate::merkle::{NodeCoord, NodeReader, node_hash};
use crate::units::TreeSize;
use alloc::vec::Vec;

/// The bytes are not a tile of the width asked for. Whoever served it is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tile of {expected} hashes has 32 bytes each, not {found} in all")]
pub struct HashTileError {
    /// Hashes asked for.
    pub expected: u16,
    /// Bytes given.
    pub found: usize,
}

/// The hashes of one tile. Not verified: only a proof or root made of them shows they are true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashTile {
    hashes: Vec<NodeHash>,
}

impl HashTile {
    /// A tile of these hashes; `None` when there are none, or more than a tile has.
    #[must_use]
    pub fn new(hashes: Vec<NodeHash>) -> Option<Self> {
        TileWidth::new(u16::try_from(hashes.len()).ok()?)?;
        Some(Self { hashes })
    }

    /// Reads a tile of exactly `width` hashes.
    pub fn decode(bytes: &[u8], width: TileWidth) -> Result<Self, HashTileError> {
        let error = HashTileError {
            expected: width.get(),
            found: bytes.len(),
        };
        let (hashes, rest) = bytes.as_chunks::<HASH_SIZE>();
        if hashes.len() != usize::from(width.get()) || !rest.is_empty() {
            return Err(error);
        }
        let hashes = hashes.iter().copied().map(NodeHash::new).collect();
        Ok(Self { hashes })
    }

    /// The tile's bytes: its hashes one after the other.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.hashes
            .iter()
            .flat_map(NodeHash::as_bytes)
            .copied()
            .collect()
    }

    /// The hashes, left to right: 1-256.
    #[must_use]
    pub fn hashes(&self) -> &[NodeHash] {
        &self.hashes
    }

    /// The hash over a run of the tile's hashes; `None` when the tile is narrower.
    fn subtree(&self, run: HashRun) -> Option<NodeHash> {
        let mut layer = self.hashes.get(run.start..run.start + run.count)?.to_vec();
        while layer.len() > 1 {
            let (pairs, _) = layer.as_chunks::<2>();
            layer = pairs
                .iter()
                .map(|[left, right]| node_hash(left, right))
                .collect();
        }
        layer.first().copied()
    }
}

/// Where tiles come from: a server, a folder, a cache.
pub trait TileSource {
    /// Why a tile was not had.
    type Error;

    /// The tile at `coord`, exactly as wide as asked.
    fn tile(&self, coord: TileCoord) -> Result<HashTile, Self::Error>;
}

/// Why a node could not be read out of tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileNodeError<E> {
    /// The tree is too small for the node to be complete: the caller's fault.
    #[error("a tree of {size} leaves has no complete subtree {node}")]
    NotInTree {
        /// The node asked for.
        node: NodeCoord,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The source gave a tile that is narrower than asked.
    #[error("the source gave {0} with fewer hashes than that")]
    Narrow(TileCoord),
    /// The source failed.
    #[error("a tile could not be read")]
    Source(#[source] E),
}

/// The nodes of a tree of a given size, read out of its tiles: proofs can be made from it.
///
/// A node inside a tile costs up to 255 hashes each time; a caller that proves often should keep
/// nodes instead.
#[derive(Debug, Clone, Copy)]
pub struct TileNodes<S> {
    source: S,
    size: TreeSize,
}

impl<S: TileSource> TileNodes<S> {
    /// The tree of `size` leaves whose tiles `source` has.
    #[must_use]
    pub const fn new(source: S, size: TreeSize) -> Self {
        Self { source, size }
    }
}

impl<S: TileSource> NodeReader for TileNodes<S> {
    type Error = TileNodeError<S::Error>;

    fn node(&self, node: NodeCoord) -> Result<NodeHash, Self::Error> {
        let size = self.size;
        let (coord, run) =
            TileCoord::of_node(node, size).ok_or(TileNodeError::NotInTree { node, size })?;
        let tile = self.source.tile(coord).map_err(TileNodeError::Source)?;
        tile.subtree(run).ok_or(TileNodeError::Narrow(coord))
    }
}
