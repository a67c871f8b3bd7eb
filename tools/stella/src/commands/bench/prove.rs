//! Inclusion proofs over gRPC, at random indexes of whatever the log holds.

use super::load::{self, Load};
use super::target::Target;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use std::sync::Arc;
use stella_client::Connection;
use stella_proto::ledger as wire;
use stella_proto::reason::Reason;

/// Inclusion proofs at random indexes
#[derive(Debug, Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    load: Load,
}

struct Proofs {
    connections: Vec<Connection>,
    size: u64,
}

impl load::Request for Proofs {
    async fn send(&self, client: usize, n: u64) -> Result<(), Failure> {
        let connection = self.connections.get(client % self.connections.len().max(1));
        let connection = connection.ok_or_else(|| Failure::usage("no connections", "use one"))?;
        let seed = (u64::try_from(client).unwrap_or(0) << 40) ^ n;
        let request = wire::GetInclusionProofRequest {
            leaf_index: mix(seed) % self.size,
            tree_size: Some(self.size),
        };
        connection.ledger().get_inclusion_proof(request).await?;
        Ok(())
    }
}

/// SplitMix64's finaliser: spreads indexes over the whole log, the same in every run.
pub(super) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Prove {
    pub(super) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let target = Target::open(global).await?;
        let mut connections = Vec::new();
        for _ in 0..self.load.connections.max(1) {
            connections.push(target.connect().await?);
        }
        let first = connections
            .first()
            .ok_or_else(|| Failure::usage("no connections", "use one"))?;
        let request = wire::GetCheckpointRequest { at_least: None };
        let size = first
            .ledger()
            .get_checkpoint(request)
            .await?
            .into_inner()
            .tree_size;
        if size == 0 {
            return Err(Failure::of(
                Reason::NotFound,
                "the log is empty: nothing to prove",
            ));
        }
        let outcome = load::run(&self.load, Arc::new(Proofs { connections, size })).await?;
        output::document(
            global.format,
            &outcome.json(&self.load, "inclusion proofs", 1),
        )?;
        target.close().await?;
        Ok(0)
    }
}
