//! All that a stranger needs to check this ledger, and nothing else.
//!
//! Pure functions over bytes: no I/O, no clock, no randomness, no threads, no global state. The
//! writer is built from these types; nothing here depends on the writer. Formats are stated in
//! FORMATS.md at the root of the repository, with vectors under `tests/vectors`.
#![cfg_attr(not(any(test, feature = "std")), no_std)]

extern crate alloc;

pub mod base64;
pub mod bundle;
pub mod check;
pub mod checkpoint;
pub mod cosignature;
pub mod dsse;
pub mod event;
pub mod export;
pub mod hash;
pub mod json;
pub mod keys;
pub mod limits;
pub mod manifest;
pub mod merkle;
pub mod node;
pub mod note;
pub mod score_proof;
pub mod snapshot;
pub mod statement;
pub mod tile;
pub mod time;
pub mod tlog_proof;
pub mod units;
pub mod zip;

mod text;
