//! Generates what is checked in, or says that it is stale.
//!
//! ```text
//! cargo xtask codegen [--check]   Rust code and descriptors from the .proto files
//! cargo xtask openapi [--check]   proto/openapi.json from the table of routes
//! cargo xtask baseline            the contract as it is becomes what must not break
//! ```
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool that talks to developers"
)]

mod baseline;
mod codegen;
mod openapi;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["codegen"] => codegen::write(),
        ["codegen", "--check"] => codegen::check(),
        ["openapi"] => openapi::write(),
        ["openapi", "--check"] => openapi::check(),
        ["baseline"] => baseline::renew(),
        _ => {
            eprintln!("usage: cargo xtask codegen [--check] | openapi [--check] | baseline");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}
