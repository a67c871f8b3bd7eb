//! Tiles: the specification's own examples, every misspelt path, and proofs read out of tiles.

use super::*;
use crate::hash::{LeafHash, NodeHash};
use crate::merkle::{
    Growth, LeafRange, MemoryTree, NodeCoord, NodeReader as _, leaf_hash, prove_consistency,
    prove_inclusion, prove_range,
};
use crate::units::{LeafIndex, TreeSize};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

fn tile(level: u8, index: u64, width: u16) -> TileCoord {
    TileCoord {
        level: TileLevel::new(level).unwrap(),
        index: TileIndex::new(index),
        width: TileWidth::new(width).unwrap(),
    }
}

fn from_nothing(size: u64) -> Growth<TreeSize> {
    Growth {
        old: TreeSize::ZERO,
        new: TreeSize::new(size),
    }
}

#[test]
fn paths_are_those_of_the_specification() {
    let check = |path: &str, expected: TilePath| {
        assert_eq!(path.parse(), Ok(expected));
        assert_eq!(expected.to_string(), path);
    };
    check(
        "tile/0/x001/x234/067",
        TilePath::Hashes(tile(0, 1_234_067, 256)),
    );
    check("tile/63/000", TilePath::Hashes(tile(63, 0, 256)));
    check("tile/1/999.p/255", TilePath::Hashes(tile(1, 999, 255)));
    check("tile/1/x001/000.p/1", TilePath::Hashes(tile(1, 1000, 1)));
    let largest = BundleCoord {
        index: TileIndex::new(u64::MAX),
        width: TileWidth::FULL,
    };
    check(
        "tile/entries/x018/x446/x744/x073/x709/x551/615",
        TilePath::Entries(largest),
    );
}

#[test]
fn no_other_spelling_of_a_path_is_read() {
    use TilePathError::{Index, Level, Shape, Width};
    let check = |path: &str, expected| {
        assert_eq!(path.parse::<TilePath>(), Err(expected), "{path}");
    };
    for path in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "/tile/0/000",
        "tiles/0/000",
        "Tile/0/000",
    ] {
        check(path, Shape);
    }
    for level in ["", "00", "01", "64", "-1", "+1", "x", "256", "Entries"] {
        check(&alloc::format!("tile/{level}/000"), Level);
    }
    for index in [
        "",
        "0",
        "00",
        "0000",
        "x000",
        "x000/000",
        "x000/x001/000",
        "001/000",
        "x001/x000",
        "x1/000",
        "x001//000",
        "/000",
        "000/",
        "x001/00a",
        "+01",
        "x001/ 00",
        "X001/000",
        "x018/x446/x744/x073/x709/x551/616",
        "x001/x018/x446/x744/x073/x709/x551/615",
        "000.p",
        "000.q/1",
    ] {
        check(&alloc::format!("tile/0/{index}"), Index);
        check(&alloc::format!("tile/entries/{index}"), Index);
    }
    for width in ["", "0", "256", "01", "-1", "1/", "1.p/1", "300", "65537"] {
        check(&alloc::format!("tile/0/000.p/{width}"), Width);
    }
}

#[test]
fn a_tree_of_70000_has_the_tiles_of_the_specifications_example() {
    let tiles: Vec<_> = new_tiles(from_nothing(70_000)).collect();
    let mut expected: Vec<_> = (0..273).map(|index| tile(0, index, 256)).collect();
    expected.extend([
        tile(0, 273, 112),
        tile(1, 0, 256),
        tile(1, 1, 17),
        tile(2, 0, 1),
    ]);
    assert_eq!(tiles, expected);
    assert!(new_tiles(from_nothing(256)).eq([tile(0, 0, 256), tile(1, 0, 1)]));
    assert_eq!(new_tiles(from_nothing(0)).count(), 0);
    assert_eq!(new_bundles(from_nothing(70_000)).count(), 274);
    // The top of the tallest tree there can be.
    let top = TileCoord::in_tree(
        TileLevel::new(7).unwrap(),
        TileIndex::new(0),
        TreeSize::new(u64::MAX),
    );
    assert_eq!(top, Some(tile(7, 0, 255)));
    let above = TileCoord::in_tree(TileLevel::MAX, TileIndex::new(0), TreeSize::new(u64::MAX));
    assert_eq!(above, None);
}

#[test]
fn a_tile_exists_from_its_size_on() {
    let partial = tile(0, 1, 3);
    let exists: Vec<u64> = (0..1000)
        .filter(|size| partial.exists_in(TreeSize::new(*size)))
        .collect();
    assert_eq!(exists, (259..1000).collect::<Vec<_>>());
    let bundle = BundleCoord {
        index: partial.index,
        width: partial.width,
    };
    assert!(bundle.exists_in(TreeSize::new(259)) && !bundle.exists_in(TreeSize::new(258)));
    assert_eq!(bundle.first_leaf(), Some(LeafIndex::new(256)));
    let of_leaf = |leaf, size| BundleCoord::of_leaf(LeafIndex::new(leaf), TreeSize::new(size));
    assert_eq!(of_leaf(258, 259), Some(bundle));
    assert_eq!(of_leaf(259, 259), None);
    let beyond = BundleCoord {
        index: TileIndex::new(u64::MAX),
        width: TileWidth::FULL,
    };
    assert!(!beyond.exists_in(TreeSize::new(u64::MAX)) && beyond.first_leaf().is_none());
}

#[test]
fn growing_step_by_step_gives_every_tile_of_the_end() {
    let mut last = BTreeMap::new();
    let steps = [0u64, 1, 255, 256, 257, 600, 65_535, 65_536, 66_000];
    for pair in steps.windows(2) {
        let growth = Growth {
            old: TreeSize::new(pair[0]),
            new: TreeSize::new(pair[1]),
        };
        for coord in new_tiles(growth) {
            assert!(!coord.exists_in(growth.old) && coord.exists_in(growth.new));
            last.insert((coord.level, coord.index), coord);
        }
    }
    let all: BTreeSet<_> = new_tiles(from_nothing(66_000)).collect();
    assert_eq!(last.into_values().collect::<BTreeSet<_>>(), all);
}

#[test]
fn bundles_are_read_exactly() {
    let longest = vec![7; 65_535];
    let entries: [&[u8]; 3] = [b"abc", b"", &longest];
    let mut bytes = Vec::new();
    for entry in entries {
        append_entry(&mut bytes, entry).unwrap();
    }
    assert_eq!(&bytes[..7], [0, 3, b'a', b'b', b'c', 0, 0]);
    let width = |width| TileWidth::new(width).unwrap();
    let bundle = EntryBundle::decode(&bytes, width(3)).unwrap();
    assert_eq!(bundle.entries(), entries);
    assert!(bundle.leaf_hashes().eq(entries.map(leaf_hash)));
    let trailing = BundleError::TrailingBytes { count: 65_537 };
    assert_eq!(EntryBundle::decode(&bytes, width(2)), Err(trailing));
    assert_eq!(
        EntryBundle::decode(&bytes, width(4)),
        Err(BundleError::Truncated { entry: 3 })
    );
    for cut in 0..bytes.len() {
        let entry = if cut < 5 {
            0
        } else if cut < 7 {
            1
        } else {
            2
        };
        let read = EntryBundle::decode(&bytes[..cut], width(3));
        assert_eq!(read, Err(BundleError::Truncated { entry }));
    }
    let length = 65_536;
    let appended = append_entry(&mut bytes, &vec![0; length]);
    assert_eq!(appended, Err(EntryTooLarge { length }));
}

#[test]
fn hash_tiles_are_read_exactly() {
    let bytes: Vec<u8> = (0..96).collect();
    let width = |width| TileWidth::new(width).unwrap();
    let tile = HashTile::decode(&bytes, width(3)).unwrap();
    assert_eq!(tile.encode(), bytes);
    assert_eq!(HashTile::new(tile.hashes().to_vec()), Some(tile));
    assert_eq!(HashTile::new(Vec::new()), None);
    for (bytes, expected) in [
        (&bytes[..], 2),
        (&bytes[..], 4),
        (&bytes[..95], 3),
        (&[], 1),
    ] {
        let error = HashTileError {
            expected,
            found: bytes.len(),
        };
        assert_eq!(HashTile::decode(bytes, width(expected)), Err(error));
    }
    assert_eq!((TileWidth::new(0), TileWidth::new(257)), (None, None));
}

/// Tiles cut from a tree in memory, and which of them were asked for.
struct CutTiles<'a>(&'a MemoryTree);

impl TileSource for CutTiles<'_> {
    type Error = String;

    fn tile(&self, coord: TileCoord) -> Result<HashTile, String> {
        let level = coord.level.get() * 8;
        let first = coord.index.get() * 256;
        let hashes = (first..first + u64::from(coord.width.get()))
            .map(|index| {
                self.0
                    .node(NodeCoord { level, index })
                    .map_err(|e| e.to_string())
            })
            .collect::<Result<_, _>>()?;
        HashTile::new(hashes).ok_or_else(|| "empty".into())
    }
}

#[test]
fn proofs_out_of_tiles_are_those_out_of_memory() {
    let leaves: Vec<LeafHash> = (0..66_000u32)
        .map(|i| leaf_hash(&i.to_be_bytes()))
        .collect();
    let tree: MemoryTree = leaves.into_iter().collect();
    for size in [1u64, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537, 66_000] {
        let size = TreeSize::new(size);
        let tiles = TileNodes::new(CutTiles(&tree), size);
        for index in [0, 1, 254, 255, 256, 300, 65_535, 65_536, 65_999] {
            let index = LeafIndex::new(index);
            if !size.contains(index) {
                continue;
            }
            let proof = prove_inclusion(index, size, &tree);
            assert_eq!(prove_inclusion(index, size, &tiles).ok(), proof.ok());
            let sizes = Growth {
                old: TreeSize::new(index.get()),
                new: size,
            };
            let proof = prove_consistency(sizes, &tree);
            assert_eq!(prove_consistency(sizes, &tiles).ok(), proof.ok());
            let range = LeafRange {
                start: index,
                end: size.next_index(),
            };
            let proof = prove_range(range, size, &tree);
            assert_eq!(prove_range(range, size, &tiles).ok(), proof.ok());
        }
    }
}

/// Gives a tile of one hash whatever was asked.
struct OneHash;

impl TileSource for OneHash {
    type Error = String;

    fn tile(&self, _: TileCoord) -> Result<HashTile, String> {
        Ok(HashTile::new(vec![NodeHash::new([0; 32])]).unwrap())
    }
}

#[test]
fn a_node_beyond_the_tree_or_its_tile_is_refused() {
    let tree: MemoryTree = (0..300u32).map(|i| leaf_hash(&i.to_be_bytes())).collect();
    let size = TreeSize::new(300);
    let tiles = TileNodes::new(CutTiles(&tree), size);
    for node in [
        NodeCoord {
            level: 0,
            index: 300,
        },
        NodeCoord {
            level: 2,
            index: 75,
        },
        NodeCoord { level: 9, index: 0 },
        NodeCoord {
            level: 63,
            index: 1,
        },
        NodeCoord {
            level: 255,
            index: u64::MAX,
        },
    ] {
        assert_eq!(
            tiles.node(node),
            Err(TileNodeError::NotInTree { node, size })
        );
    }
    let narrow = TileNodes::new(OneHash, size).node(NodeCoord { level: 1, index: 0 });
    assert_eq!(narrow, Err(TileNodeError::Narrow(tile(0, 0, 256))));
}

proptest! {
    #[test]
    fn every_path_reads_back(level in 0u8..64, index: u64, width in 1u16..=256, entries: bool) {
        let coord = tile(level, index, width);
        let path = if entries {
            TilePath::Entries(BundleCoord { index: coord.index, width: coord.width })
        } else {
            TilePath::Hashes(coord)
        };
        prop_assert_eq!(path.to_string().parse(), Ok(path));
    }

    #[test]
    fn what_is_read_is_written_again(text in "tile/(entries|[0-9]{1,2})/(x?[0-9]{3}/){0,3}[0-9]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, width in 1u16..=256) {
        let width = TileWidth::new(width).unwrap();
        let _ = EntryBundle::decode(&bytes, width);
        let _ = HashTile::decode(&bytes, width);
        let _ = String::from_utf8_lossy(&bytes).parse::<TilePath>();
    }
}
