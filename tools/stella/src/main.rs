//! The `stella` command: one file per verb under `commands`, one place for errors and exit codes.

#![allow(
    clippy::struct_excessive_bools,
    clippy::large_enum_variant,
    reason = "options of a command line: parsed once, and as many as users need"
)]

mod at;
mod cli;
mod commands;
mod failure;
mod lockfile;
mod output;
mod progress;
mod session;

use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match cli::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(problem) => {
            // Help and version are answers; everything else is a usage error: exit code 2.
            let code = if problem.use_stderr() { 2 } else { 0 };
            problem.print().ok();
            return ExitCode::from(code);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(problem) => return failure::Failure::operational(problem).report(),
    };
    let outcome = runtime.block_on(commands::run(arguments));
    let flushed = std::io::stdout().flush();
    match outcome {
        Ok(code) if flushed.is_ok() => ExitCode::from(code),
        Ok(_) => ExitCode::from(1),
        Err(failure) => failure.report(),
    }
}
