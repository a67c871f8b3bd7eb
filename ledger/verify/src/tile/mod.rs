//! Tiles (C2SP tlog-tiles): a log as files that never change, cached and mirrored like any others.
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]         hashes: at level 0 of leaves, at level L of full tiles of L-1
//! tile/entries/<N>[.p/<W>]     entry bundles: the leaves themselves, u16 length || bytes each
//! ```
//!
//! A full tile or bundle has 256 members, one at the right edge of the tree W = 1..255. N is
//! written in groups of three digits, all but the last marked: 1234067 is `x001/x234/067`.
//!
//! In scope: paths, which tiles a tree has, their bytes, and reading a tree's nodes out of them.
//! Out of scope: fetching them, HTTP headers, pruning.

mod bundle;
mod coord;
mod hashes;
mod path;

pub use bundle::{BundleError, EntryBundle, EntryTooLarge, append_entry};
pub use coord::{BundleCoord, TileCoord, TileIndex, TileLevel, TileWidth, new_bundles, new_tiles};
pub use hashes::{HashTile, HashTileError, TileNodeError, TileNodes, TileSource};
pub use path::{TilePath, TilePathError};

#[cfg(test)]
mod tests;
