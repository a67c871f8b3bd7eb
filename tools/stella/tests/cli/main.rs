//! The command as users run it: what it prints, what it exits with, what it leaves behind.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and say what they skip"
)]

mod config;
mod crash;
mod damage;
mod exports;
mod forged;
mod forks;
mod full_disk;
mod history;
mod logs;
mod packaged;
mod proofs;
mod quickstart;
mod real_data;
mod refusals;
mod replay;
mod restarts;
mod runbook;
mod support;
mod tls;
