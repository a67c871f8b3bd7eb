//! Load and its latencies.

use crate::failure::Failure;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How load is offered.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Load {
    /// Clients that each have one request in flight
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) clients: usize,
    /// For how long, in seconds
    #[arg(long, value_name = "S", default_value_t = 5)]
    pub(super) seconds: u64,
    /// Requests a second over all clients, whatever the server does; as fast as it answers when
    /// absent. Latency then counts from when a request was due, so a stall is not hidden
    #[arg(long, value_name = "N")]
    pub(super) rate: Option<u32>,
    /// Connections that the clients share
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) connections: usize,
}

/// What came of a load.
pub(super) struct Outcome {
    latencies: Histogram<u64>,
    elapsed: Duration,
}

/// One client's request number `n`.
pub(super) trait Request: Send + Sync + 'static {
    /// Sends it and waits for the answer.
    fn send(&self, client: usize, n: u64) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Runs a load to its end.
pub(super) async fn run<R: Request>(load: &Load, request: Arc<R>) -> Result<Outcome, Failure> {
    let start = Instant::now();
    let end = start + Duration::from_secs(load.seconds);
    let mut clients = JoinSet::new();
    for client in 0..load.clients {
        let request = Arc::clone(&request);
        let pace = load.rate.map(|rate| Pace::of(rate, load.clients, client));
        clients.spawn(drive(request, client, start, end, pace));
    }
    let mut latencies = empty()?;
    while let Some(done) = clients.join_next().await {
        let measured = done.map_err(Failure::operational)??;
        latencies.add(measured).map_err(Failure::operational)?;
    }
    Ok(Outcome {
        latencies,
        elapsed: start.elapsed(),
    })
}

/// When a client's requests are due.
#[derive(Debug, Clone, Copy)]
struct Pace {
    between: Duration,
    offset: Duration,
}

impl Pace {
    /// Clients take turns, evenly spread.
    fn of(rate: u32, clients: usize, client: usize) -> Self {
        let every = Duration::from_secs(1) / rate.max(1);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            between: every * count(clients),
            offset: every * count(client),
        }
    }

    fn due(self, start: Instant, n: u64) -> Instant {
        start + self.offset + self.between * u32::try_from(n).unwrap_or(u32::MAX)
    }
}

async fn drive<R: Request>(
    request: Arc<R>,
    client: usize,
    start: Instant,
    end: Instant,
    pace: Option<Pace>,
) -> Result<Histogram<u64>, Failure> {
    let mut latencies = empty()?;
    let mut n = 0;
    loop {
        let due = pace.map_or_else(Instant::now, |pace| pace.due(start, n));
        if due >= end {
            return Ok(latencies);
        }
        // The runtime's timer rounds up to its next millisecond: not asked when nothing is to wait for.
        if pace.is_some() {
            tokio::time::sleep_until(due.into()).await;
        }
        request.send(client, n).await?;
        let micros = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
        latencies.saturating_record(micros.max(1));
        n += 1;
    }
}

/// Microseconds up to a minute, to three digits.
pub(super) fn empty() -> Result<Histogram<u64>, Failure> {
    Histogram::new_with_bounds(1, 60_000_000, 3).map_err(Failure::operational)
}

impl Outcome {
    pub(super) fn new(latencies: Histogram<u64>, elapsed: Duration) -> Self {
        Self { latencies, elapsed }
    }

    /// Requests answered.
    pub(super) fn count(&self) -> u64 {
        self.latencies.len()
    }

    /// Requests answered in a second.
    pub(super) fn per_second(&self) -> u64 {
        let micros = self.elapsed.as_micros().max(1);
        let rate = u128::from(self.count()) * 1_000_000 / micros;
        u64::try_from(rate).unwrap_or(u64::MAX)
    }

    /// Latency of a share of the requests, in microseconds.
    pub(super) fn at(&self, quantile: f64) -> u64 {
        self.latencies.value_at_quantile(quantile)
    }

    /// The greatest latency, in microseconds.
    pub(super) fn greatest(&self) -> u64 {
        self.latencies.max()
    }

    /// The figures of one thing after the other.
    pub(super) fn json_of(&self, what: &str) -> Value {
        let one = Load {
            clients: 1,
            seconds: self.elapsed.as_secs(),
            rate: None,
            connections: 0,
        };
        self.json(&one, what, 1)
    }

    /// The figures, `items` of `what` in each request.
    pub(super) fn json(&self, load: &Load, what: &str, items: u64) -> Value {
        let requests = self.latencies.len();
        let micros = u64::try_from(self.elapsed.as_micros())
            .unwrap_or(u64::MAX)
            .max(1);
        let rate = u128::from(requests) * u128::from(items) * 1_000_000 / u128::from(micros);
        json!({
            "what": what,
            "clients": load.clients,
            "connections": load.connections,
            "itemsPerRequest": items,
            "requests": requests,
            "perSecond": u64::try_from(rate).unwrap_or(u64::MAX),
            "p50Micros": self.latencies.value_at_quantile(0.50),
            "p99Micros": self.latencies.value_at_quantile(0.99),
            "p999Micros": self.latencies.value_at_quantile(0.999),
            "maxMicros": self.latencies.max(),
        })
    }
}
