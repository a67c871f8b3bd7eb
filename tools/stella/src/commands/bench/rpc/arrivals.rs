//! Requests that arrive at a constant rate, whatever the server does.
//!
//! A thread of its own lets requests arrive: the runtime's timer knows only milliseconds. Whoever is
//! free takes the next one; when nobody is, it waits, and its latency grows with its waiting, since
//! that counts from the moment at which it was due. So the figures are free of coordinated omission.

use crate::commands::bench::load::{Outcome, Request, empty};
use crate::failure::Failure;
use hdrhistogram::Histogram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The shortest pause between two arrivals' releases: below it they are released together.
const TICK: Duration = Duration::from_micros(100);

/// An offered load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrivals {
    /// Requests a second.
    pub(super) rate: u64,
    /// For how long.
    pub(super) seconds: u64,
    /// Requests under way at most; others wait for their turn.
    pub(super) in_flight: usize,
}

impl Arrivals {
    fn total(self) -> u64 {
        self.rate.saturating_mul(self.seconds)
    }

    /// When request `n` is due, from the start.
    fn due(self, n: u64) -> Duration {
        let nanos = u128::from(n) * 1_000_000_000 / u128::from(self.rate.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many are due by now.
    fn arrived(self, since: Duration) -> u64 {
        let due = since.as_nanos() * u128::from(self.rate) / 1_000_000_000 + 1;
        u64::try_from(due).unwrap_or(u64::MAX).min(self.total())
    }
}

/// What workers share.
struct Shared<R> {
    request: Arc<R>,
    arrivals: Arrivals,
    start: Instant,
    next: AtomicU64,
    /// One permit for each request that has arrived and was not taken.
    waiting: Semaphore,
    failed: AtomicU64,
}

/// Offers the load until every request was answered; answers also how many of them failed.
pub(super) async fn run<R: Request>(
    arrivals: Arrivals,
    request: Arc<R>,
) -> Result<(Outcome, u64), Failure> {
    let shared = Arc::new(Shared {
        request,
        arrivals,
        start: Instant::now(),
        next: AtomicU64::new(0),
        waiting: Semaphore::new(0),
        failed: AtomicU64::new(0),
    });
    let pacer = {
        let shared = Arc::clone(&shared);
        std::thread::spawn(move || release(&shared))
    };
    let mut workers = JoinSet::new();
    for client in 0..arrivals.in_flight {
        workers.spawn(work(Arc::clone(&shared), client));
    }
    let mut latencies = empty()?;
    while let Some(done) = workers.join_next().await {
        let measured = done.map_err(Failure::operational)??;
        latencies.add(measured).map_err(Failure::operational)?;
    }
    // Every request was taken, so it has released the last one.
    pacer
        .join()
        .map_err(|_| Failure::operational("the pacing thread ended early"))?;
    let failed = shared.failed.load(Ordering::Relaxed);
    Ok((Outcome::new(latencies, shared.start.elapsed()), failed))
}

/// Lets requests arrive when they are due; then lets every worker go.
fn release<R>(shared: &Shared<R>) {
    let (arrivals, mut released) = (shared.arrivals, 0);
    while released < arrivals.total() {
        let arrived = arrivals.arrived(shared.start.elapsed());
        let more = usize::try_from(arrived - released).unwrap_or(usize::MAX);
        shared.waiting.add_permits(more.min(Semaphore::MAX_PERMITS));
        released = arrived;
        let next = arrivals
            .due(released)
            .saturating_sub(shared.start.elapsed());
        std::thread::sleep(next.max(TICK));
    }
    shared.waiting.add_permits(arrivals.in_flight);
}

async fn work<R: Request>(
    shared: Arc<Shared<R>>,
    client: usize,
) -> Result<Histogram<u64>, Failure> {
    let mut latencies = empty()?;
    loop {
        let arrived = shared
            .waiting
            .acquire()
            .await
            .map_err(Failure::operational)?;
        arrived.forget();
        let n = shared.next.fetch_add(1, Ordering::Relaxed);
        if n >= shared.arrivals.total() {
            return Ok(latencies);
        }
        // A request that is refused under load is part of what is measured.
        if shared.request.send(client, n).await.is_err() {
            shared.failed.fetch_add(1, Ordering::Relaxed);
        }
        let due = shared.start + shared.arrivals.due(n);
        let micros = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
        latencies.saturating_record(micros.max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers at once, but for one call that stops everything for a while.
    struct Stalls;

    impl Request for Stalls {
        async fn send(&self, _: usize, n: u64) -> Result<(), Failure> {
            if n == 100 {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            Ok(())
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stall_counts_for_all_that_were_due_meanwhile() {
        let arrivals = Arrivals {
            rate: 1000,
            seconds: 1,
            in_flight: 1,
        };
        let (outcome, failed) = run(arrivals, Arc::new(Stalls)).await.unwrap();
        assert_eq!((outcome.count(), failed), (1000, 0));
        // 300 requests were due during the stall: a closed loop would have seen a single slow one.
        assert!(outcome.at(0.90) > 100_000, "p90 {}", outcome.at(0.90));
        assert!(outcome.at(0.50) < 100_000, "p50 {}", outcome.at(0.50));
    }

    #[test]
    fn arrivals_are_spread_evenly() {
        let arrivals = Arrivals {
            rate: 3,
            seconds: 2,
            in_flight: 1,
        };
        let seconds = |n: u64| Duration::from_secs(n);
        assert_eq!(arrivals.due(3), seconds(1));
        assert_eq!(arrivals.arrived(Duration::ZERO), 1);
        assert_eq!(arrivals.arrived(seconds(1)), 4);
        assert_eq!(arrivals.arrived(seconds(100)), 6);
    }
}
