//! More load than a server can take: what it refuses, how fast, and what it keeps.

use super::append::Appends;
use super::load::{self, Load};
use super::target::{Shape, Target};
use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use hdrhistogram::Histogram;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stella_client::Connection;
use stella_proto::ledger as wire;
use tokio::sync::mpsc;
use tonic::Code;
use tonic_types::StatusExt as _;

/// Offer a multiple of what a server can take, open loop, and see that it stays whole
///
/// Measures the capacity with closed-loop appends, offers the multiple of it, and measures again.
/// Client and server share the machine, so what is offered may be less than asked for: both are
/// shown.
#[derive(Debug, Args)]
pub(crate) struct Overload {
    /// How many times the measured capacity is offered
    #[arg(long, value_name = "N", default_value_t = 10)]
    factor: u32,
    /// For how long, in seconds
    #[arg(long, value_name = "S", default_value_t = 60)]
    seconds: u64,
    /// Bytes in an event's payload
    #[arg(long, value_name = "N", default_value_t = 400)]
    payload: usize,
    /// Connections that share the load
    #[arg(long, value_name = "N", default_value_t = 8)]
    connections: usize,
    /// Requests without an answer at once; what is due beyond it is not sent, and counted
    #[arg(long, value_name = "N", default_value_t = 4096)]
    outstanding: u64,
    /// Milliseconds that each sync takes longer, for a server of this process: on a slow disk the
    /// client has the processor for ten times what the server can take
    #[arg(long, value_name = "MS", default_value_t = 0)]
    sync_delay: u64,
    /// Requests under way at most, for a server of this process
    #[arg(long, value_name = "N")]
    in_flight: Option<u64>,
}

/// How the measurements before and after load the server.
const CLOSED: Load = Load {
    clients: 64,
    seconds: 2,
    rate: None,
    connections: 8,
};

/// What became of the requests.
struct Outcomes {
    acknowledged: u64,
    refused: u64,
    /// Refusals without a time to come again.
    mute: u64,
    failed: u64,
    accepted_micros: Histogram<u64>,
    refused_micros: Histogram<u64>,
}

enum Outcome {
    Acknowledged(Duration),
    Refused { took: Duration, retry: bool },
    Failed,
}

impl Overload {
    pub(super) async fn run(self, global: &Global) -> Result<u8, Failure> {
        if global.server.is_some() && (self.sync_delay > 0 || self.in_flight.is_some()) {
            let message = "--sync-delay and --in-flight shape a server of this process";
            return Err(Failure::usage(message, "leave them or --server out"));
        }
        let target = Target::shaped(global, self.shape()).await?;
        let mut connections = Vec::new();
        for _ in 0..self.connections.max(1) {
            connections.push(target.connect().await?);
        }
        let before = self.capacity(&connections).await?;
        let size = tree_size(&connections).await?;
        let resting = resident_bytes();
        let offered = u64::from(self.factor).saturating_mul(before);
        let (sent, skipped, peak, seen) = self.offer(&connections, offered).await?;
        let kept = tree_size(&connections).await?.saturating_sub(size);
        let after = self.capacity(&connections).await?;
        // A request whose outcome is not known may have been kept, so it is no evidence of loss.
        let lost = seen.acknowledged.saturating_sub(kept);
        let answer = json!({
            "what": "overload of durable appends",
            "capacityPerSecond": before,
            "askedPerSecond": offered,
            "sentPerSecond": sent / self.seconds.max(1),
            "notSentPerSecond": skipped / self.seconds.max(1),
            "acknowledged": seen.acknowledged,
            "acknowledgedPerSecond": seen.acknowledged / self.seconds.max(1),
            "refused": seen.refused,
            "refusedWithoutRetryInfo": seen.mute,
            "failed": seen.failed,
            "acknowledgedButLost": lost,
            "acceptedMicros": quantiles(&seen.accepted_micros),
            "refusedMicros": quantiles(&seen.refused_micros),
            "residentBytesBefore": resting,
            "residentBytesPeak": peak,
            "capacityPerSecondAfter": after,
        });
        output::document(global.format, &answer)?;
        drop(connections);
        target.close().await?;
        Ok(u8::from(lost > 0))
    }

    fn shape(&self) -> Shape {
        let mut shape = Shape {
            sync_delay: Duration::from_millis(self.sync_delay),
            ..Shape::default()
        };
        if let Some(most) = self.in_flight {
            shape.limits.in_flight = most;
        }
        shape
    }

    /// Requests a second, closed loop.
    async fn capacity(&self, connections: &[Connection]) -> Result<u64, Failure> {
        let requests = Appends::new(connections.to_vec(), 1, self.payload);
        let outcome = load::run(&CLOSED, Arc::new(requests)).await?;
        Ok(outcome.per_second())
    }

    /// Sends requests when they are due, whatever became of those before. Answers how many were
    /// sent, how many were not, the most memory, and the outcomes.
    async fn offer(
        &self,
        connections: &[Connection],
        per_second: u64,
    ) -> Result<(u64, u64, u64, Outcomes), Failure> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let gathering = tokio::spawn(gather(receiver));
        let waiting = Arc::new(AtomicU64::new(0));
        let payload = bytes::Bytes::from(vec![b'x'; self.payload]);
        let (mut sent, mut skipped, mut peak) = (0, 0, 0);
        let begun = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(1));
        let mut turn = connections.iter().cycle();
        while begun.elapsed() < Duration::from_secs(self.seconds) {
            tick.tick().await;
            let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            let due = micros.saturating_mul(per_second) / 1_000_000;
            while sent + skipped < due {
                if waiting.load(Ordering::Relaxed) >= self.outstanding {
                    skipped = due - sent;
                    break;
                }
                let Some(connection) = turn.next() else { break };
                waiting.fetch_add(1, Ordering::Relaxed);
                let (waiting, sender) = (Arc::clone(&waiting), sender.clone());
                let (connection, payload) = (connection.clone(), payload.clone());
                tokio::spawn(async move {
                    let outcome = append(&connection, payload).await;
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    sender.send(outcome).ok();
                });
                sent += 1;
                if sent % 256 == 0 {
                    // What was spawned must run, too.
                    tokio::task::yield_now().await;
                }
            }
            if sent % 64 == 0 {
                peak = peak.max(resident_bytes());
            }
        }
        drop(sender);
        let seen = gathering.await.map_err(Failure::operational)??;
        Ok((sent, skipped, peak.max(resident_bytes()), seen))
    }
}

async fn append(connection: &Connection, payload: bytes::Bytes) -> Outcome {
    let request = wire::AppendRequest {
        request_id: String::new(),
        events: vec![wire::NewEvent {
            stream: "overload".to_owned(),
            r#type: "bench".to_owned(),
            payload,
            expected_position: None,
        }],
    };
    let begun = Instant::now();
    match connection.ledger().append(request).await {
        Ok(_) => Outcome::Acknowledged(begun.elapsed()),
        Err(status) if status.code() == Code::ResourceExhausted => Outcome::Refused {
            took: begun.elapsed(),
            retry: status.get_details_retry_info().is_some(),
        },
        Err(_) => Outcome::Failed,
    }
}

async fn gather(mut outcomes: mpsc::UnboundedReceiver<Outcome>) -> Result<Outcomes, Failure> {
    let mut seen = Outcomes {
        acknowledged: 0,
        refused: 0,
        mute: 0,
        failed: 0,
        accepted_micros: load::empty()?,
        refused_micros: load::empty()?,
    };
    let micros = |took: Duration| u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    while let Some(outcome) = outcomes.recv().await {
        match outcome {
            Outcome::Acknowledged(took) => {
                seen.acknowledged += 1;
                seen.accepted_micros.saturating_record(micros(took));
            }
            Outcome::Refused { took, retry } => {
                seen.refused += 1;
                seen.mute += u64::from(!retry);
                seen.refused_micros.saturating_record(micros(took));
            }
            Outcome::Failed => seen.failed += 1,
        }
    }
    Ok(seen)
}

async fn tree_size(connections: &[Connection]) -> Result<u64, Failure> {
    let first = connections.first();
    let connection = first.ok_or_else(|| Failure::usage("no connections", "use at least one"))?;
    let request = wire::GetCheckpointRequest { at_least: None };
    let newest = connection.ledger().get_checkpoint(request).await?;
    Ok(newest.into_inner().tree_size)
}

fn quantiles(seen: &Histogram<u64>) -> serde_json::Value {
    json!({
        "p50": seen.value_at_quantile(0.50),
        "p99": seen.value_at_quantile(0.99),
        "p999": seen.value_at_quantile(0.999),
        "max": seen.max(),
    })
}

/// Of this process, client included; 0 where the system does not say.
fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
