//! One commit as bytes.
//!
//! ```text
//! header (104) | directory (8 a leaf) | leaves | admission | checkpoint | frame hash (32) | payloads
//! ```
//!
//! * directory: for each leaf the ends of its entry in *leaves* and in *payloads*, u32 each;
//! * leaves: entries exactly as in a tlog-tiles entry bundle (u16 big-endian length || leaf), so a
//!   bundle is a concatenation of stored slices;
//! * admission: records of [`super::record`];
//! * frame hash: BLAKE3 of everything before it. The header holds the previous frame's hash;
//! * payloads: for each event salt (32) || payload; nothing for raw leaves. They stand outside the
//!   hash so that they can be erased; the leaf's commitment and the blocks' checksums guard them.
//!
//! Integers are little-endian unless the line says otherwise.

mod fault;
mod header;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use fault::FrameFault;
pub(crate) use header::{EntryEnds, FrameHeader};
pub(crate) use read::{Frame, FrameEvent};
pub(crate) use write::FrameParts;

pub(crate) const HEADER_BYTES: usize = 104;
pub(crate) const DIRECTORY_ENTRY_BYTES: usize = 8;
pub(crate) const HASH_BYTES: usize = 32;
pub(crate) const SALT_BYTES: usize = 32;
