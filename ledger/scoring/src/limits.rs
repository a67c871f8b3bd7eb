//! Every bound on inputs of the engine, in one place: the constant, its unit and its reason.
//!
//! Bounds are checked before anything is allocated for the thing they bound. Relations between
//! them are asserted at compile time at the end of this file.

/// Longest package URL, in bytes of text. Real ones stay below 1 KiB; qualifiers may carry URLs.
pub const MAX_PURL_BYTES: usize = 8 * 1024;

/// Qualifiers of one package URL.
pub const MAX_PURL_QUALIFIERS: usize = 64;

/// Longest text repeated in a warning, in bytes: enough to find it, too little to flood a proof.
pub const MAX_WARNING_DETAIL_BYTES: usize = 200;
