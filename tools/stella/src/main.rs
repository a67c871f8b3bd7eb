//! The `stella` command: one file per verb under `commands`, one place for errors and exit codes.

#![allow(
    clippy::struct_excessive_bools,
    clippy::large_enum_variant,
    reason = "options of a command line: parsed once, and as many as users need"
)]

mod at;
mod cli;
mod commands;
mod config;
mod failure;
mod lockfile;
mod logging;
mod output;
mod progress;
mod session;

use clap::FromArgMatches as _;
use config::Refused;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let typed: Vec<_> = std::env::args_os().collect();
    let read = config::resolve(&typed).and_then(|given| {
        let arguments = cli::Arguments::from_arg_matches(&given.matches);
        let arguments = arguments.map_err(|e| Refused::Clap(e, Vec::new()))?;
        Ok((arguments, given))
    });
    let (arguments, given) = match read {
        Ok(read) => read,
        Err(Refused::File(failure)) => return failure.report(),
        Err(Refused::Clap(answer, notes)) => return answered(&answer, &notes),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(problem) => return failure::Failure::operational(problem).report(),
    };
    let outcome = runtime.block_on(commands::run(arguments, &given));
    let flushed = std::io::stdout().flush();
    match outcome {
        Ok(code) if flushed.is_ok() => ExitCode::from(code),
        Ok(_) => ExitCode::from(1),
        Err(failure) => failure.report(),
    }
}

/// Help and version are answers; everything else of clap's is a usage error: exit code 2.
fn answered(answer: &clap::Error, notes: &[String]) -> ExitCode {
    answer.print().ok();
    for note in notes {
        writeln!(std::io::stderr().lock(), "note: {note}").ok();
    }
    ExitCode::from(if answer.use_stderr() { 2 } else { 0 })
}
