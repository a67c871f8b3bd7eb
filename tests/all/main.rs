//! The integration tests, in one binary.

mod crate_edges;
mod fuzz_replay;
mod second_verifier;
mod service;
mod support;
mod tiles;
