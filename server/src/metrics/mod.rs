//! What is counted, and how a scrape says it.
//!
//! Everything is atomic integers that the work increments as it goes; a scrape reads them and asks
//! the ledger for what it knows anyway. No library: two small formats and one histogram.

mod gather;
mod histogram;
mod number;
mod process;
mod protobuf;
mod requests;
mod series;
mod text;
mod window;

pub(crate) use number::{Counter, Entered, Level};
pub(crate) use requests::{Ended, MethodFigures};

use crate::refusal::Refusal;
use gather::Gather;
use histogram::{BYTES, COUNT, Histogram, SECONDS};
use number::float;
use process::Started;
use requests::Requests;
use series::Series;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use stella_ledger::log::{CommitSample, LogObserver};
use stella_verify::bundle::{Outcome, Report};
use window::Window;

/// Over how long the success rate of verifications is taken.
const VERIFICATION_WINDOW: Duration = Duration::from_mins(15);

/// The runbook's threshold is "more than 0 in an hour".
const GENERATION_WINDOW: Duration = Duration::from_hours(1);

/// The figures of one server.
#[derive(Debug)]
pub struct Metrics {
    started: Started,
    pub(crate) requests: Requests,
    pub(crate) in_flight: Arc<Level>,
    pub(crate) streams: Arc<Level>,
    pub(crate) connections: Arc<Level>,
    pub(crate) connections_total: Counter,
    pub(crate) spans_dropped: Counter,
    pub(crate) denials_dropped: Counter,
    limited: Mutex<BTreeMap<&'static str, u64>>,
    replays: Mutex<BTreeMap<&'static str, u64>>,
    replay_duration: Histogram,
    replaying: Arc<Level>,
    verified: Counter,
    not_verified: Counter,
    failed_checks: Mutex<BTreeMap<&'static str, u64>>,
    verifications: Window,
    bundle_size: Histogram,
    generation_failed: Counter,
    generation: Window,
    append_duration: Histogram,
    commits: Counter,
    commit_bytes: Counter,
    commit_events: Histogram,
    sync_duration: Histogram,
}

/// What a ledger knows of itself at a scrape.
#[derive(Debug, Clone, Default)]
pub(crate) struct LedgerFigures {
    pub(crate) events: u64,
    pub(crate) lag: u64,
    pub(crate) refolds: u64,
    pub(crate) poisoned: bool,
    /// Of the newest checkpoint; none while the log is empty.
    pub(crate) checkpoint_age: Option<Duration>,
    /// Scans of batches that have no result yet.
    pub(crate) replays_waiting: u64,
    /// Bytes on disk by part.
    pub(crate) storage: Vec<(&'static str, u64)>,
}

impl LedgerFigures {
    /// Those of two ledgers together: sums, the newest checkpoint, and poisoned when one is.
    pub(crate) fn with(self, other: Self) -> Self {
        let mut storage = self.storage;
        for (part, bytes) in other.storage {
            match storage.iter_mut().find(|(known, _)| *known == part) {
                Some((_, sum)) => *sum += bytes,
                None => storage.push((part, bytes)),
            }
        }
        let ages = [self.checkpoint_age, other.checkpoint_age];
        Self {
            events: self.events + other.events,
            lag: self.lag + other.lag,
            refolds: self.refolds + other.refolds,
            poisoned: self.poisoned || other.poisoned,
            checkpoint_age: ages.into_iter().flatten().min(),
            replays_waiting: self.replays_waiting + other.replays_waiting,
            storage,
        }
    }
}

/// Whether the server takes calls, and how far opening is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Readiness {
    pub(crate) ready: bool,
    pub(crate) refolded: u64,
}

/// The answer to a scrape.
pub(crate) struct Exposition {
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started: Started::now(),
            requests: Requests::new(),
            in_flight: Arc::default(),
            streams: Arc::default(),
            connections: Arc::default(),
            connections_total: Counter::default(),
            spans_dropped: Counter::default(),
            denials_dropped: Counter::default(),
            limited: Mutex::default(),
            replays: Mutex::default(),
            replay_duration: Histogram::new(&SECONDS),
            replaying: Arc::default(),
            verified: Counter::default(),
            not_verified: Counter::default(),
            failed_checks: Mutex::default(),
            verifications: Window::of(VERIFICATION_WINDOW),
            bundle_size: Histogram::new(&BYTES),
            generation_failed: Counter::default(),
            generation: Window::of(GENERATION_WINDOW),
            append_duration: Histogram::new(&SECONDS),
            commits: Counter::default(),
            commit_bytes: Counter::default(),
            commit_events: Histogram::new(&COUNT),
            sync_duration: Histogram::new(&SECONDS),
        }
    }
}

impl LogObserver for Metrics {
    fn committed(&self, commit: &CommitSample) {
        self.commits.add(1);
        self.commit_bytes.add(commit.bytes);
        self.commit_events.observe(commit.leaves);
        self.sync_duration.observe_duration(commit.sync);
    }
}

impl Metrics {
    /// A request was refused by a limit.
    pub(crate) fn limited(&self, limit: &'static str) {
        bump(&self.limited, limit);
    }

    /// A single replay is under way until the guard is dropped.
    pub(crate) fn replaying(&self) -> Entered {
        self.replaying.enter()
    }

    /// A replay ended.
    pub(crate) fn replayed(&self, outcome: &'static str, took: Duration) {
        bump(&self.replays, outcome);
        self.replay_duration.observe_duration(took);
    }

    /// A bundle was verified.
    pub(crate) fn verified(&self, report: &Report) {
        let verified = report.verified();
        self.verifications.record(verified, Instant::now());
        if verified {
            return self.verified.add(1);
        }
        self.not_verified.add(1);
        let failed = report.checks().iter().filter(|check| {
            check.outcome == Outcome::Fail
                || check.outcome == Outcome::Skipped && check.name.is_required()
        });
        for check in failed {
            bump(&self.failed_checks, check.name.as_str());
        }
    }

    /// A proof was generated, or was not; what is the caller's fault does not count.
    pub(crate) fn generated<T>(&self, outcome: &Result<T, Refusal>) {
        let fault = |refusal: &Refusal| refusal.reason.meaning().http >= 500;
        let good = !outcome.as_ref().is_err_and(fault);
        self.generation.record(good, Instant::now());
        if !good {
            self.generation_failed.add(1);
        }
    }

    /// A bundle was built.
    pub(crate) fn bundled(&self, bundle: &[u8]) {
        self.bundle_size.observe(bundle.len() as u64);
    }

    /// A request to the log was answered.
    pub(crate) fn appended(&self, took: Duration) {
        self.append_duration.observe_duration(took);
    }

    /// A scrape in the format that `accept` asks for.
    pub(crate) fn expose(
        &self,
        accept: &str,
        ledger: Option<&LedgerFigures>,
        readiness: Readiness,
    ) -> Exposition {
        let scrape = self.gather(ledger, readiness);
        if accept.contains("io.prometheus.client.MetricFamily") {
            return Exposition {
                content_type: protobuf::CONTENT_TYPE,
                body: protobuf::write(&scrape),
            };
        }
        Exposition {
            content_type: text::CONTENT_TYPE,
            body: text::write(&scrape).into_bytes(),
        }
    }

    fn gather(&self, ledger: Option<&LedgerFigures>, readiness: Readiness) -> Gather {
        let mut scrape = Gather::new();
        self.gather_scores(&mut scrape, ledger);
        self.gather_log(&mut scrape, ledger);
        self.requests.gather(&mut scrape);
        scrape.count(Series::Ready, readiness.ready.into());
        scrape.count(Series::RefoldDone, readiness.refolded);
        scrape.count(Series::InFlight, self.in_flight.get() + self.streams.get());
        each(&mut scrape, Series::Limited, "limit", &self.limited);
        scrape.count(Series::DenialsDropped, self.denials_dropped.get());
        scrape.count(Series::Connections, self.connections.get());
        scrape.count(Series::ConnectionsTotal, self.connections_total.get());
        scrape.count(Series::Spans, self.spans_dropped.get());
        scrape.labelled(Series::BuildInfo, ("version", env!("CARGO_PKG_VERSION")), 1);
        process::gather(&mut scrape, &self.started);
        scrape
    }

    fn gather_scores(&self, scrape: &mut Gather, ledger: Option<&LedgerFigures>) {
        scrape.histogram(Series::ReplayDuration, self.replay_duration.snapshot());
        each(scrape, Series::Replays, "outcome", &self.replays);
        let waiting = ledger.map_or(0, |ledger| ledger.replays_waiting);
        scrape.count(Series::ReplayQueue, waiting + self.replaying.get());
        let (good, bad) = (self.verified.get(), self.not_verified.get());
        scrape.labelled(Series::Verifications, ("result", "verified"), good);
        scrape.labelled(Series::Verifications, ("result", "failed"), bad);
        scrape.count(Series::VerificationFailures, bad);
        let recent = self.verifications.recent(Instant::now());
        let all = recent.good + recent.bad;
        let rate = if all == 0 {
            1.0
        } else {
            float(recent.good) / float(all)
        };
        scrape.number(Series::VerificationRate, rate);
        each(
            scrape,
            Series::AttestorFailures,
            "check",
            &self.failed_checks,
        );
        scrape.histogram(Series::BundleSize, self.bundle_size.snapshot());
        for (part, bytes) in ledger.iter().flat_map(|ledger| &ledger.storage) {
            scrape.labelled(Series::BundleStorage, ("part", part), *bytes);
        }
        let failures = self.generation.recent(Instant::now()).bad;
        scrape.count(Series::GenerationFailures, failures);
        scrape.count(
            Series::GenerationFailuresTotal,
            self.generation_failed.get(),
        );
    }

    fn gather_log(&self, scrape: &mut Gather, ledger: Option<&LedgerFigures>) {
        scrape.histogram(Series::AppendDuration, self.append_duration.snapshot());
        scrape.count(Series::Commits, self.commits.get());
        scrape.histogram(Series::CommitEvents, self.commit_events.snapshot());
        scrape.count(Series::CommitBytes, self.commit_bytes.get());
        scrape.histogram(Series::SyncDuration, self.sync_duration.snapshot());
        let Some(ledger) = ledger else { return };
        scrape.count(Series::LogEvents, ledger.events);
        scrape.count(Series::Poisoned, ledger.poisoned.into());
        scrape.count(Series::ProjectionLag, ledger.lag);
        scrape.count(Series::Refolds, ledger.refolds);
        if let Some(age) = ledger.checkpoint_age {
            scrape.number(Series::CheckpointAge, age.as_secs_f64());
        }
    }
}

fn bump<K: Ord>(counts: &Mutex<BTreeMap<K, u64>>, key: K) {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    *counts.entry(key).or_default() += 1;
}

fn each<K: Ord + AsRef<str>>(
    scrape: &mut Gather,
    series: Series,
    label: &'static str,
    counts: &Mutex<BTreeMap<K, u64>>,
) {
    let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    for (key, count) in counts.iter() {
        scrape.labelled(series, (label, key.as_ref()), *count);
    }
}
