//! What the integration tests share, and the bodies of the fuzz targets.
//!
//! A body is a plain function over bytes: `tests/fuzz` runs it under a coverage-guided fuzzer, the
//! ordinary tests replay vectors, their mutants and random bytes through the same code.

pub mod fuzz;
