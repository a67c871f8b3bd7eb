//! Audit exports: a range of the log as one file that verifies itself (FORMATS.md section 9.1).
//!
//! ```text
//! stella.audit-export/v1 LF
//! u32 length | header              two signed checkpoints, a range proof, a consistency proof
//! for each entry bundle of the range:
//!     u32 length | entries         as tlog-tiles has them: u16 length | leaf, ...
//!     for each entry: state | ...  salt and payload, or that it was erased or is withheld
//! ```
//!
//! Integers are big-endian. The header says in advance all that the events are held against, so the
//! file is verified while it is read, in memory that does not grow with it: [`ExportVerifier`]. The
//! range's leaves are exactly those that the later checkpoint's tree has there, that tree continues
//! the earlier checkpoint's, and each payload is the one that its leaf commits to.
//!
//! In scope: the format, both ways. Out of scope: where the bytes come from.

mod body;
mod error;
mod event;
mod header;
mod trust;
mod verdict;
mod verify;

pub use error::ExportError;
pub use event::{ExportedEvent, ExportedPayload, write_payload};
pub use header::ExportHeader;
pub(crate) use header::{hashes, write_hashes};
pub use trust::ExportTrust;
pub use verdict::{ExportSummary, VerifiedExport};
pub use verify::ExportVerifier;

use crate::limits::TILE_WIDTH;
use crate::units::LeafIndex;

/// The first bytes of an export: the format's name and version.
pub const EXPORT_MAGIC: &[u8; 23] = b"stella.audit-export/v1\n";

/// Where the entry bundle of a leaf ends: at the next multiple of 256, or at the range's end.
///
/// So every bundle but the first and the last is byte for byte the log's own `/tile/entries/<N>`.
#[must_use]
pub fn bundle_end(leaf: LeafIndex, range_end: LeafIndex) -> LeafIndex {
    let width = u64::try_from(TILE_WIDTH).unwrap_or(u64::MAX);
    let next = (leaf.get() / width).saturating_add(1).saturating_mul(width);
    LeafIndex::new(next.min(range_end.get()))
}

#[cfg(test)]
mod tests;
