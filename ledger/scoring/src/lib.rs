//! The deterministic scoring engine and its input formats.
//!
//! Pure: bytes in, facts and proof nodes out. No I/O, no clock, no randomness, no floating point,
//! no hash-map order. Inputs are named by hash; every fact remembers the row or JSON pointer it
//! was read from.

pub mod cvss;
pub mod engine;
pub mod explain;
pub mod inputs;
pub mod limits;
pub mod matching;
pub mod model;
pub mod output;
pub mod policy;
pub mod purl;
pub mod snapshot;
pub mod version;
