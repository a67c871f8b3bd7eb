//! The verbs, one file each.

pub(crate) mod access;
pub(crate) mod bench;
mod bounds;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod compute;
pub(crate) mod config;
pub(crate) mod explain;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod period;
pub(crate) mod policy;
pub(crate) mod proof;
pub(crate) mod quickstart;
pub(crate) mod scan;
pub(crate) mod score;
pub(crate) mod serve;
pub(crate) mod snapshot;

use crate::cli::{Arguments, Command};
use crate::config::Resolved;
use crate::failure::Failure;

/// Runs the verb that was asked for; answers the exit code.
pub(crate) async fn run(arguments: Arguments, given: &Resolved) -> Result<u8, Failure> {
    let global = &arguments.global;
    match arguments.command {
        Command::Serve(verb) => Box::pin(verb.run(global)).await,
        Command::Quickstart(verb) => verb.run(global).await,
        Command::Snapshot(verb) => verb.run(global).await,
        Command::Scan(verb) => verb.run(global).await,
        Command::Score(verb) => verb.run(global).await,
        Command::Policy(verb) => verb.run(global.format),
        Command::Proof(verb) => verb.run(global).await,
        Command::Ledger(verb) => verb.run(global).await,
        Command::Keys(verb) => verb.run(global),
        Command::Config(verb) => verb.run(global, given),
        Command::Completions(verb) => verb.run(),
        Command::Man(verb) => verb.run(),
        Command::Check(verb) => verb.run(global),
        Command::Bench(verb) => verb.run(global).await,
    }
}
