//! What a verified export is evidence of.

use crate::checkpoint::Origin;
use crate::merkle::{LeafRange, TreeHead};
use crate::units::UnixMillis;

/// Counts over an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportSummary {
    /// Events whose payload is there.
    pub present: u64,
    /// Events whose payload was erased, by the exporter's word.
    pub erased: u64,
    /// Events whose payload is not part of the export.
    pub withheld: u64,
    /// Time of the first event.
    pub first_time: Option<UnixMillis>,
    /// Time of the last event.
    pub last_time: Option<UnixMillis>,
}

/// Evidence that an export is what it says: only [`finish`](super::ExportVerifier::finish) makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedExport {
    /// The log.
    pub origin: Origin,
    /// The leaves, which are exactly those of the closing tree there.
    pub range: LeafRange,
    /// The earlier tree; the empty one when the export has no opening checkpoint.
    pub opening: TreeHead,
    /// The later tree, which continues the earlier one.
    pub closing: TreeHead,
    /// What was counted on the way.
    pub summary: ExportSummary,
}
