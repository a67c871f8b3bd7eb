//! `stella bench`: load on a ledger over gRPC, client included.
//!
//! Figures are of one machine and one run; quote ratios from the same run. What is measured inside
//! the process, without gRPC, is in `cargo bench -p stella-ledger`.

mod append;
mod bare;
mod disk;
mod load;
mod overload;
mod prove;
mod replay;
mod rpc;
mod target;
mod transport;
mod umadb;

use crate::cli::Global;
use crate::failure::Failure;
use clap::Subcommand;

/// Measure a ledger over gRPC, client included
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Durable appends
    Append(append::Append),
    /// Inclusion proofs at random indexes
    Prove(prove::Prove),
    /// Replaying many scans after an update: what it touches against recomputing all
    Replay(replay::Replay),
    /// More than the server can take, and what becomes of it
    Overload(overload::Overload),
    /// Every kind of call at rising load: p50, p99 and p999
    Rpc(rpc::Rpc),
    /// The disk by itself: one write and one fdatasync after the other
    Disk(disk::Disk),
    /// The transport by itself: appends that a server answers at once and does not keep
    Transport(transport::Transport),
}

impl Bench {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        match self {
            Self::Append(verb) => verb.run(global).await,
            Self::Prove(verb) => verb.run(global).await,
            Self::Replay(verb) => verb.run(global.format).await,
            Self::Overload(verb) => verb.run(global).await,
            Self::Rpc(verb) => verb.run(global).await,
            Self::Disk(verb) => verb.run(global).await,
            Self::Transport(verb) => verb.run(global).await,
        }
    }
}
