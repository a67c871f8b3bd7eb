//! Paths of tiles and bundles, each with exactly one spelling.

use super::coord::{BundleCoord, TileCoord, TileIndex, TileLevel, TileWidth};
use crate::text::parse_decimal;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// What a path below a log's prefix names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TilePath {
    /// `tile/<L>/<N>[.p/<W>]`.
    Hashes(TileCoord),
    /// `tile/entries/<N>[.p/<W>]`.
    Entries(BundleCoord),
}

/// Why a text is not the path of a tile. To be answered as "not found": no tree has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TilePathError {
    /// Does not begin with `tile/`, or ends after it.
    #[error("a tile's path is tile/<level or \"entries\">/<index>")]
    Shape,
    /// The level is not 0-63 in decimal without leading zeros.
    #[error("a tile's level is 0-63, without leading zeros")]
    Level,
    /// The index is not groups of three digits, all but the last marked x, in the fewest groups,
    /// below 2^64.
    #[error("a tile's index is written in groups of three digits: x001/x234/067")]
    Index,
    /// What follows `.p/` is not 1-255 in decimal without leading zeros.
    #[error("a partial tile's width is 1-255, without leading zeros")]
    Width,
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(path: &str) -> Result<Self, TilePathError> {
        let rest = path.strip_prefix("tile/").ok_or(TilePathError::Shape)?;
        let (kind, rest) = rest.split_once('/').ok_or(TilePathError::Shape)?;
        let level = if kind == "entries" {
            None
        } else {
            Some(parse_level(kind)?)
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, parse_partial_width(width)?),
            None => (rest, TileWidth::FULL),
        };
        let index = parse_index(index).ok_or(TilePathError::Index)?;
        Ok(match level {
            Some(level) => Self::Hashes(TileCoord {
                level,
                index,
                width,
            }),
            None => Self::Entries(BundleCoord { index, width }),
        })
    }
}

fn parse_level(text: &str) -> Result<TileLevel, TilePathError> {
    let level = parse_decimal(text).and_then(|level| u8::try_from(level).ok());
    level.and_then(TileLevel::new).ok_or(TilePathError::Level)
}

fn parse_partial_width(text: &str) -> Result<TileWidth, TilePathError> {
    let width = parse_decimal(text).and_then(|width| u16::try_from(width).ok());
    width
        .and_then(TileWidth::new)
        .filter(|width| !width.is_full())
        .ok_or(TilePathError::Width)
}

fn parse_index(text: &str) -> Option<TileIndex> {
    let mut groups = text.split('/').peekable();
    // A first group of zeros with others behind it says nothing: 67 is 067, not x000/067.
    if text.starts_with("x000/") {
        return None;
    }
    let mut index: u64 = 0;
    while let Some(group) = groups.next() {
        let digits = match groups.peek() {
            Some(_) => group.strip_prefix('x')?,
            None => group,
        };
        if digits.len() != 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let value: u64 = digits.parse().ok()?;
        index = index.checked_mul(1000)?.checked_add(value)?;
    }
    Some(TileIndex::new(index))
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hashes(tile) => tile.fmt(f),
            Self::Entries(bundle) => bundle.fmt(f),
        }
    }
}

impl fmt::Display for TileCoord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/", self.level.get())?;
        write_place(f, self.index, self.width)
    }
}

impl fmt::Display for BundleCoord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tile/entries/")?;
        write_place(f, self.index, self.width)
    }
}

fn write_place(f: &mut fmt::Formatter<'_>, index: TileIndex, width: TileWidth) -> fmt::Result {
    let mut groups = Vec::with_capacity(7);
    let mut rest = index.get();
    while rest >= 1000 {
        groups.push(rest % 1000);
        rest /= 1000;
    }
    groups.push(rest);
    for (place, group) in groups.iter().enumerate().rev() {
        match place {
            0 => write!(f, "{group:03}")?,
            _ => write!(f, "x{group:03}/")?,
        }
    }
    if width.is_full() {
        Ok(())
    } else {
        write!(f, ".p/{}", width.get())
    }
}
