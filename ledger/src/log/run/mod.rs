//! Admission runs: what was remembered of one sealed segment, sorted and immutable.
//!
//! ```text
//! tables: requests, streams, names, erased leaves     pages of sorted fixed-width entries
//! meta:   where they are, fences, filters, frame index, BLAKE3 of the tables
//! ```
//!
//! The seal holds the BLAKE3 of the meta section, so a run cannot change unseen. A run is a pure
//! function of its segment's frames: one that is missing or damaged is written again, and must
//! then match its seal to the byte.

mod entry;
mod file;
mod filter;
mod meta;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use file::{Run, run_path};
pub(crate) use meta::encode;

use super::block::BlockNumber;
use super::record::{BodyHash, NameKey, RequestKey, StreamKey};
use super::request::{EventCount, StreamHead};
use stella_verify::units::{LeafIndex, UnixMillis};

/// What the log remembers of a request with an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestEntry {
    pub(crate) body: BodyHash,
    pub(crate) first: LeafIndex,
    pub(crate) count: EventCount,
    pub(crate) time: UnixMillis,
}

/// Where a frame starts, by leaf and by block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameMark {
    pub(crate) first: LeafIndex,
    pub(crate) block: BlockNumber,
}

/// A run before it is written: each list sorted by key, without duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RunContent {
    pub(crate) requests: Vec<(RequestKey, RequestEntry)>,
    pub(crate) streams: Vec<(StreamKey, StreamHead)>,
    pub(crate) names: Vec<(NameKey, LeafIndex)>,
    pub(crate) erased: Vec<(LeafIndex, LeafIndex)>,
    pub(crate) frames: Vec<FrameMark>,
}
