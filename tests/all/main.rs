//! The integration tests, in one binary.

mod crate_edges;
mod second_verifier;
