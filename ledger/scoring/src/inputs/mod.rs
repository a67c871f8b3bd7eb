//! Readers of the formats that users have: bills of materials, feeds, VEX, reachability.
//!
//! Each takes bytes and gives values of [`crate::model`], or an error that names the place (a JSON
//! pointer, a line) and the reason. A document's digest is over the bytes as received,
//! decompressed, so the same document gzipped or not is the same input.
//!
//! Rules all readers share: members that are not needed are skipped; a needed member that is
//! missing or of another type is taken as absent and named in a warning, unless nothing can be
//! read without it; a member that occurs twice is an error, since readers differ in which they
//! take.

mod bytes;
pub mod epss;
pub mod json;
pub mod kev;
pub mod osv;
pub mod reachability;
pub mod sbom;
pub mod severity;
mod time;
pub mod vex;

pub use bytes::{DecompressError, decompress};
pub use json::check_members;
