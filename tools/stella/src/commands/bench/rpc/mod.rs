//! Every kind of call at rising load, with requests arriving at a constant rate.

mod arrivals;
mod calls;
mod prepare;
mod recorded;

use super::bare::{Answers, Bare};
use super::load::{self, Load, Outcome, Request};
use super::target::Target;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use arrivals::Arrivals;
use calls::{AppendCalls, ExportCalls, NodeCalls, Pool, ProofCalls};
use clap::{Args, ValueEnum};
use recorded::{Exports, Proofs};
use serde_json::{Value, json};
use std::sync::Arc;

/// Columns for people.
const COLUMNS: [&str; 8] = [
    "what",
    "offeredPerSecond",
    "requestsPerSecond",
    "itemsPerSecond",
    "p50Micros",
    "p99Micros",
    "p999Micros",
    "failed",
];

/// Shares of the greatest rate, in percent, when no rates are given.
const SHARES: [u64; 5] = [10, 25, 50, 75, 90];

/// Every kind of call at rising load: p50, p99 and p999
///
/// First as fast as the server answers, with --in-flight requests at a time; then at constant
/// rates, by default at shares of that. Requests arrive whether or not the server keeps up, and
/// latency counts from when a request was due, so a stall is not hidden. Exports are received, not
/// verified. Before proofs and exports stands what the transport alone does: a server that had one
/// such answer ready. Without --server a server of this process is measured; one in a new directory
/// is filled first.
#[derive(Debug, Args)]
pub(crate) struct Rpc {
    /// Kinds of call; all when absent
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// Requests under way at most
    #[arg(long, value_name = "N", default_value_t = 64)]
    in_flight: usize,
    /// Connections that they share
    #[arg(long, value_name = "N", default_value_t = 1)]
    connections: usize,
    /// Requests a second, one step each; shares of the greatest rate when absent
    #[arg(long, value_name = "N", value_delimiter = ',')]
    rates: Vec<u64>,
    /// For how long each step, in seconds
    #[arg(long, value_name = "S", default_value_t = 5)]
    seconds: u64,
    /// Events that the log has at least before anything is measured
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    leaves: u64,
    /// Bytes in an event's payload
    #[arg(long, value_name = "N", default_value_t = 400)]
    payload: usize,
    /// Events in a request of a batched append
    #[arg(long, value_name = "N", default_value_t = 1000)]
    batch: usize,
    /// Events of an export
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    export: u64,
}

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// One durable event a request
    Append,
    /// A batch of durable events a request
    Batch,
    /// An inclusion proof at a random index
    Proof,
    /// A proof node by its id
    Node,
    /// A range of the log
    Export,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Append,
        Self::Batch,
        Self::Proof,
        Self::Node,
        Self::Export,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Batch => "batched append",
            Self::Proof => "inclusion proof",
            Self::Node => "node",
            Self::Export => "export",
        }
    }
}

impl Rpc {
    pub(super) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let target = Target::open(global).await?;
        let rows = self.measure(&target).await;
        target.close().await?;
        output::documents(global.format, &rows?, &COLUMNS)?;
        Ok(0)
    }

    async fn measure(&self, target: &Target) -> Result<Vec<Value>, Failure> {
        let mut connections = Vec::new();
        for _ in 0..self.connections.max(1) {
            connections.push(target.connect().await?);
        }
        let pool = Pool::new(connections);
        let size = prepare::fill(pool.of(0)?, self.leaves, self.payload).await?;
        let kinds = match self.kinds.as_slice() {
            [] => &Kind::ALL[..],
            kinds => kinds,
        };
        let mut rows = Vec::new();
        for kind in kinds.iter().copied() {
            let batch = u64::try_from(self.batch.max(1)).unwrap_or(u64::MAX);
            let steps = match kind {
                Kind::Append => {
                    let calls = AppendCalls::new(&pool, 1, self.payload);
                    self.steps(kind, 1, calls).await
                }
                Kind::Batch => {
                    let calls = AppendCalls::new(&pool, self.batch.max(1), self.payload);
                    self.steps(kind, batch, calls).await
                }
                Kind::Proof => {
                    let answers = Proofs::record(pool.of(0)?, size).await?;
                    let calls = |pool| ProofCalls::new(pool, size);
                    rows.push(self.bare(kind, 1, answers, calls).await?);
                    let calls = calls(pool.clone());
                    self.steps(kind, 1, calls).await
                }
                Kind::Node => {
                    let ids = prepare::nodes(pool.of(0)?, target.is_scratch()).await?;
                    self.steps(kind, 1, NodeCalls::new(pool.clone(), ids)).await
                }
                Kind::Export => {
                    let events = self.export.clamp(1, size);
                    let answers = Exports::record(pool.of(0)?, events).await?;
                    let calls = |pool| ExportCalls::new(pool, size, events);
                    rows.push(self.bare(kind, events, answers, calls).await?);
                    let calls = calls(pool.clone());
                    self.steps(kind, events, calls).await
                }
            };
            rows.extend(steps?);
        }
        Ok(rows)
    }

    /// One kind: first as fast as it goes, then at each rate.
    async fn steps<R: Request>(
        &self,
        kind: Kind,
        items: u64,
        calls: R,
    ) -> Result<Vec<Value>, Failure> {
        let calls = Arc::new(calls);
        let greatest = load::run(&self.closed(), Arc::clone(&calls)).await?;
        let capacity = greatest.per_second();
        let mut rows = vec![row(kind.name(), None, items, &greatest, 0)];
        let shares: Vec<u64> = match self.rates.as_slice() {
            [] => SHARES.iter().map(|share| capacity * share / 100).collect(),
            rates => rates.to_vec(),
        };
        for rate in shares.into_iter().filter(|rate| *rate > 0) {
            let arrivals = Arrivals {
                rate,
                seconds: self.seconds.max(1),
                in_flight: self.in_flight.max(1),
            };
            let (outcome, failed) = arrivals::run(arrivals, Arc::clone(&calls)).await?;
            rows.push(row(kind.name(), Some(rate), items, &outcome, failed));
        }
        Ok(rows)
    }

    /// What the transport alone does with such answers: what the calls after it can be compared with.
    async fn bare<R: Request>(
        &self,
        kind: Kind,
        items: u64,
        answers: impl Answers,
        calls: impl FnOnce(Pool) -> R,
    ) -> Result<Value, Failure> {
        let server = Bare::serve(answers).await?;
        let pool = Pool::new(server.connect(self.connections).await?);
        let outcome = load::run(&self.closed(), Arc::new(calls(pool))).await?;
        let what = format!("{}, transport alone", kind.name());
        Ok(row(&what, None, items, &outcome, 0))
    }

    /// As fast as answers come.
    fn closed(&self) -> Load {
        Load {
            clients: self.in_flight.max(1),
            seconds: self.seconds.max(1),
            rate: None,
            connections: self.connections,
        }
    }
}

fn row(what: &str, offered: Option<u64>, items: u64, outcome: &Outcome, failed: u64) -> Value {
    let done = outcome.per_second();
    let offered = offered.map_or_else(|| json!("as answered"), Value::from);
    json!({
        "what": what,
        "offeredPerSecond": offered,
        "requestsPerSecond": done,
        "itemsPerRequest": items,
        "itemsPerSecond": done.saturating_mul(items),
        "p50Micros": outcome.at(0.50),
        "p99Micros": outcome.at(0.99),
        "p999Micros": outcome.at(0.999),
        "maxMicros": outcome.greatest(),
        "failed": failed,
    })
}
