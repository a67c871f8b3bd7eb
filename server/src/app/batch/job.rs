//! One job, as far as it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use stella_proto::replay as wire;
use stella_verify::event::payload::{JobOutcome, JobResult, JobStarted};
use stella_verify::time::format_time;
use stella_verify::units::{LeafIndex, UnixMillis};

/// A job. What stands here also stands in the log.
#[derive(Debug)]
pub(crate) struct Job {
    /// What it is.
    pub(super) started: JobStarted,
    /// Its first event.
    pub(super) leaf: LeafIndex,
    /// When it began.
    pub(super) time: UnixMillis,
    state: Mutex<State>,
    stopping: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    results: Vec<JobResult>,
    ended: Option<(UnixMillis, bool)>,
}

impl Job {
    /// A job with the results that are recorded.
    pub(super) fn new(
        started: JobStarted,
        (leaf, time): (LeafIndex, UnixMillis),
        results: Vec<JobResult>,
    ) -> Self {
        Self {
            started,
            leaf,
            time,
            state: Mutex::new(State {
                results,
                ended: None,
            }),
            stopping: AtomicBool::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up results that are durable.
    pub(super) fn add(&self, results: Vec<JobResult>) {
        self.state().results.extend(results);
    }

    /// The scans that have a result.
    pub(super) fn done_scans(&self) -> Vec<String> {
        let state = self.state();
        let scans = state.results.iter().map(|result| result.scan.clone());
        scans.collect()
    }

    /// How many scans have no result yet; none once it has ended.
    pub(super) fn waiting(&self) -> u64 {
        let state = self.state();
        let done = u64::try_from(state.results.len()).unwrap_or(u64::MAX);
        match state.ended {
            Some(_) => 0,
            None => u64::from(self.started.count).saturating_sub(done),
        }
    }

    /// Results from a place on, and whether there are or will be more.
    pub(super) fn results(&self, from: usize, most: usize) -> (Vec<wire::BatchResult>, bool) {
        let state = self.state();
        let shown: Vec<_> = (state.results.iter().skip(from).take(most))
            .map(result_to_wire)
            .collect();
        let more = from + shown.len() < state.results.len();
        (shown, more)
    }

    /// Remembers that it has ended.
    pub(super) fn end(&self, time: UnixMillis, cancelled: bool) {
        self.state().ended = Some((time, cancelled));
    }

    /// Whether it has ended.
    pub(in crate::app) fn is_done(&self) -> bool {
        self.state().ended.is_some()
    }

    /// Whether it is to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Asks it to stop; whether that is news.
    pub(super) fn ask_to_stop(&self) -> bool {
        !self.is_done() && !self.stopping.swap(true, Ordering::AcqRel)
    }
}

/// A job as the API shows it.
pub(super) fn operation(job: &Job) -> wire::Operation {
    let state = job.state();
    let mut progress = wire::Progress {
        total: u64::from(job.started.count),
        ..wire::Progress::default()
    };
    for result in &state.results {
        progress.completed += 1;
        match &result.outcome {
            JobOutcome::Failed { .. } => progress.failed += 1,
            JobOutcome::Replayed { how, .. } => match how.as_str() {
                "computed" => progress.computed += 1,
                "verified" => progress.verified += 1,
                _ => progress.unchanged += 1,
            },
        }
    }
    let status = match (state.ended, job.is_stopping()) {
        (Some((_, true)), _) => "cancelled",
        (Some((_, false)), _) => "finished",
        (None, true) => "cancelling",
        (None, false) => "running",
    };
    let time = |time: UnixMillis| format_time(time).unwrap_or_default();
    let hash = |text: Option<String>| text.unwrap_or_default();
    wire::Operation {
        name: job.started.job.clone(),
        done: state.ended.is_some(),
        progress: Some(progress),
        status: status.to_owned(),
        started_at: time(job.time),
        ended_at: state.ended.map(|(at, _)| time(at)).unwrap_or_default(),
        concelier_snapshot_hash: hash(job.started.concelier.map(|hash| hash.to_string())),
        excititor_snapshot_hash: hash(job.started.excititor.map(|hash| hash.to_string())),
    }
}

fn result_to_wire(result: &JobResult) -> wire::BatchResult {
    let scan_id = result.scan.clone();
    match &result.outcome {
        JobOutcome::Replayed {
            how,
            root,
            before,
            after,
        } => wire::BatchResult {
            scan_id,
            status: how.clone(),
            root_hash: root.to_string(),
            original_score_bps: before.get(),
            replayed_score_bps: after.get(),
            ..wire::BatchResult::default()
        },
        JobOutcome::Failed { code, message } => wire::BatchResult {
            scan_id,
            status: "failed".to_owned(),
            error_code: code.clone(),
            error_message: message.clone(),
            ..wire::BatchResult::default()
        },
    }
}
