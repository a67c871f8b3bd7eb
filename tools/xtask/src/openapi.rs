//! `proto/openapi.json`, which a test of the server makes from its table of routes: the types of its
//! answers are there, and this tool must build when the server does not.

use crate::codegen::repository;
use std::process::Command;

/// Writes the document.
pub(crate) fn write() -> Result<String, String> {
    run(true).map(|()| "wrote proto/openapi.json".to_owned())
}

/// Compares what is checked in with what would be generated.
pub(crate) fn check() -> Result<String, String> {
    run(false).map(|()| "proto/openapi.json is up to date".to_owned())
}

fn run(bless: bool) -> Result<(), String> {
    let mut test = Command::new(env!("CARGO"));
    test.current_dir(repository()).args([
        "test",
        "--quiet",
        "-p",
        "stella-server",
        "--lib",
        "openapi",
    ]);
    if bless {
        test.env("STELLA_BLESS", "1");
    }
    let status = test.status().map_err(|e| e.to_string())?;
    if status.success() {
        return Ok(());
    }
    Err("proto/openapi.json is stale: run `cargo xtask openapi` and commit the result".to_owned())
}
