//! The words of the command line that all verbs share.

use crate::commands;
use crate::output::Format;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Record, prove, replay and verify vulnerability scores.
#[derive(Debug, Parser)]
#[command(name = "stella", version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(flatten, next_help_heading = "Options of every command")]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that mean the same everywhere.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// A file of settings (TOML); see `stella config show --help`
    #[arg(long, global = true, env = "STELLA_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The ledger's directory, used by this process alone
    #[arg(long, global = true, env = "STELLA_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// A running server, instead of a directory
    #[arg(long, global = true, env = "STELLA_SERVER", value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The server's bearer token
    #[arg(
        long,
        global = true,
        env = "STELLA_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub(crate) token: Option<String>,
    /// Authorities (PEM) to believe for the server, instead of this machine's
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Certificate (PEM) to show to the server
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) client_cert: Option<PathBuf>,
    /// The private key (PEM) of --client-cert
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) client_key: Option<PathBuf>,
    /// How to print the answer
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) format: Format,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve a ledger over gRPC and HTTP on one port
    Serve(commands::serve::Serve),
    /// See the whole system work on an example, in a new directory
    Quickstart(commands::quickstart::Quickstart),
    /// Import and list snapshots of advisories and VEX
    #[command(subcommand)]
    Snapshot(commands::snapshot::Snapshot),
    /// Submit and find scans
    #[command(subcommand)]
    Scan(commands::scan::Scan),
    /// Manifests, replays and explanations of scores
    #[command(subcommand)]
    Score(commands::score::Score),
    /// Check, show and test policies; no ledger is needed
    #[command(subcommand)]
    Policy(commands::policy::PolicyCommand),
    /// List, download, verify and inspect proof bundles
    #[command(subcommand)]
    Proof(commands::proof::Proof),
    /// The log itself: checkpoints, events, proofs, checks
    #[command(subcommand)]
    Ledger(commands::ledger::Ledger),
    /// The ledger's keys, and keys of its callers
    #[command(subcommand)]
    Keys(commands::keys::Keys),
    /// What is set, and where it comes from
    #[command(subcommand)]
    Config(commands::config::Config),
    /// Print the completions of a shell
    Completions(commands::completions::Completions),
    /// Write a manual page for every verb
    Man(commands::completions::Man),
    /// Run test vectors of a format: one JSON case a line in, one result a line out
    Check(commands::check::Check),
    /// Measure this machine and this ledger
    #[command(subcommand)]
    Bench(commands::bench::Bench),
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        crate::config::command().debug_assert();
    }
}
