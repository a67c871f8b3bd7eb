//! The integration tests, in one binary.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and say what they skip"
)]

mod access;
mod audited;
mod batch;
mod bundles;
mod client;
mod contract;
mod crate_edges;
mod exports;
mod fuzz_replay;
mod history;
mod http;
mod http_api;
mod http_reads;
mod jwt;
mod limits;
mod metrics;
mod openapi;
mod opening;
mod otlp;
mod reasons;
mod removal;
mod repeated;
mod replay;
mod scoring;
mod second_verifier;
mod service;
mod snapshots;
mod support;
mod tenants;
mod tiles;
mod tls;
