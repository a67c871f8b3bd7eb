//! Doing a job: which scans did not change, and replaying the others.

use super::job::Job;
use super::reach::Reach;
use super::registry::{stream_of_job, time_of};
use super::{JOBS, scan_name};
use crate::app::App;
use crate::app::replays::{Author, Wanted, seal_of_original};
use crate::app::scans::{ScanState, stream_of};
use crate::app::writer::Draft;
use crate::auth::Caller;
use crate::refusal::Refusal;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use stella_verify::event::EventType;
use stella_verify::event::payload::{JobEnded, JobOutcome, JobProgress, JobResult};
use stella_verify::manifest::ScanManifest;

/// Scans that are looked at as one piece of work; unchanged ones share a commit.
const SCANS_IN_COMMIT: usize = 256;

/// Results that wait for a commit, at most, and for how long.
const RESULTS_IN_COMMIT: usize = 64;
const RESULT_WAIT: Duration = Duration::from_secs(1);

/// Runs a job to its end, or until the process closes the ledger. A failure of the log itself leaves
/// the job for the next open.
pub(super) fn run(app: &App, job: &Job) {
    // The scans without a result are done again at the next open; there is nobody to tell.
    let _ = Runner::new(app, job).and_then(|runner| runner.run());
}

struct Runner<'a> {
    app: &'a App,
    job: &'a Job,
    caller: Caller,
    wanted: Wanted,
    scans: Vec<String>,
    reach: Reach,
}

impl<'a> Runner<'a> {
    fn new(app: &'a App, job: &'a Job) -> Result<Self, Refusal> {
        let done: BTreeSet<String> = job.done_scans().into_iter().collect();
        let mut scans = app.scans_of_job(&job.started)?;
        scans.retain(|scan| !done.contains(scan));
        let started = &job.started;
        let own = started.concelier.is_none() && started.excititor.is_none();
        Ok(Self {
            app,
            job,
            caller: Caller::own("batch"),
            wanted: Wanted {
                feed: started.concelier,
                vex: started.excititor,
                policy: started.policy,
                original: own && started.policy.is_none(),
                ..Wanted::default()
            },
            reach: Reach::for_scans(scans.len()),
            scans,
        })
    }

    fn run(&self) -> Result<(), Refusal> {
        let left = if self.job.started.recompute {
            self.scans.clone()
        } else {
            self.skip_unchanged()?
        };
        self.each(&left, 1, |scans| self.replay_all(scans))?;
        if self.app.jobs.is_closing() {
            return Ok(());
        }
        let count = usize::try_from(self.job.started.count).unwrap_or(usize::MAX);
        let cancelled = self.job.done_scans().len() < count;
        let ended = JobEnded {
            job: self.job.started.job.clone(),
            cancelled,
        };
        let draft = Draft::by(&self.caller).event(JOBS, EventType::JOB_ENDED, ended.to_bytes())?;
        let receipt = self.app.append(draft)?;
        let event = self.app.newest()?.event(receipt.first)?;
        self.job.end(time_of(&event)?, cancelled);
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.job.is_stopping() || self.app.jobs.is_closing()
    }

    /// Records the scans for which nothing changed; answers the others.
    fn skip_unchanged(&self) -> Result<Vec<String>, Refusal> {
        let left = Mutex::new(Vec::new());
        self.each(&self.scans, SCANS_IN_COMMIT, |scans| {
            let changed = self.skip(scans)?;
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            left.extend(changed);
            Ok(())
        })?;
        let left = left.into_inner().unwrap_or_else(PoisonError::into_inner);
        // In the order of the job, whichever thread was first.
        let left: BTreeSet<String> = left.into_iter().collect();
        let scans = self.scans.iter().filter(|scan| left.contains(*scan));
        Ok(scans.cloned().collect())
    }

    /// One commit: an event for every unchanged scan of these, and their results.
    fn skip(&self, scans: &[String]) -> Result<Vec<String>, Refusal> {
        let begun = Instant::now();
        let mut draft = Draft::by(&self.caller);
        let (mut results, mut left) = (Vec::new(), Vec::new());
        for scan in scans {
            // What cannot be judged is replayed, and fails there if it must.
            let Ok(Some((state, asked, unchanged))) = self.judge(scan) else {
                left.push(scan.clone());
                continue;
            };
            let event = unchanged.event(&state.id, &asked);
            draft = draft.event(
                &stream_of(&state.id),
                EventType::SCORE_REPLAYED,
                event.to_bytes(),
            )?;
            let sealed = &unchanged.seal.sealed;
            results.push(JobResult {
                scan: scan.clone(),
                outcome: JobOutcome::Replayed {
                    how: "unchanged".to_owned(),
                    root: sealed.root,
                    before: seal_of_original(&state)?.sealed.score,
                    after: sealed.score,
                },
            });
        }
        let (took, count) = (begun.elapsed(), results.len());
        self.record(draft, results)?;
        for _ in 0..count {
            // They shared the work: each took its part of it.
            let part = took / u32::try_from(count).unwrap_or(u32::MAX);
            self.app.metrics.replayed("unchanged", part);
        }
        Ok(left)
    }

    fn judge(
        &self,
        scan: &str,
    ) -> Result<Option<(ScanState, ScanManifest, crate::app::replays::Unchanged)>, Refusal> {
        let (state, _) = self.app.scan_state(&scan_name(scan)?)?;
        let asked = self.wanted.applied_to(state.original()?);
        let unchanged = self.app.unchanged(&state, &asked, |difference, leaf| {
            self.reach.spares(self.app, difference, leaf)
        })?;
        Ok(unchanged.map(|unchanged| (state, asked, unchanged)))
    }

    /// Replays scans one after the other; their results are recorded together.
    fn replay_all(&self, scans: &[String]) -> Result<(), Refusal> {
        let mut results = Vec::new();
        let mut waited = Instant::now();
        for scan in scans {
            if self.is_over() {
                break;
            }
            let outcome = match self.replay(scan) {
                Ok(outcome) => outcome,
                // The log is not there to record anything: the job goes on at the next open.
                Err(refusal) if is_of_the_log(&refusal) => return Err(refusal),
                Err(refusal) => JobOutcome::Failed {
                    code: refusal.reason.name().to_owned(),
                    message: refusal.message,
                },
            };
            results.push(JobResult {
                scan: scan.clone(),
                outcome,
            });
            if results.len() >= RESULTS_IN_COMMIT || waited.elapsed() >= RESULT_WAIT {
                self.record(Draft::by(&self.caller), std::mem::take(&mut results))?;
                waited = Instant::now();
            }
        }
        self.record(Draft::by(&self.caller), results)
    }

    fn replay(&self, scan: &str) -> Result<JobOutcome, Refusal> {
        let (state, _) = self.app.scan_state(&scan_name(scan)?)?;
        let before = seal_of_original(&state)?.sealed.score;
        let asked = self.wanted.applied_to(state.original()?).hash();
        let sealed = state
            .seal_of(asked)
            .filter(|seal| seal.leaf > self.job.leaf);
        if let Some(seal) = sealed {
            // Computed for this job, and the process ended before the result was recorded.
            return Ok(JobOutcome::Replayed {
                how: "computed".to_owned(),
                root: seal.sealed.root,
                before,
                after: seal.sealed.score,
            });
        }
        let author = Author {
            caller: &self.caller,
            asked: None,
        };
        let outcome = self.app.replay_one(author, &state, &self.wanted)?;
        Ok(JobOutcome::Replayed {
            how: outcome.status.name().to_owned(),
            root: outcome.root,
            before,
            after: outcome.score,
        })
    }

    /// Makes results durable, then known.
    fn record(&self, draft: Draft, results: Vec<JobResult>) -> Result<(), Refusal> {
        if results.is_empty() {
            return Ok(());
        }
        let progress = JobProgress {
            job: self.job.started.job.clone(),
            results,
        };
        let stream = stream_of_job(&progress.job);
        let draft = draft.event(&stream, EventType::JOB_PROGRESS, progress.to_bytes())?;
        self.app.append(draft)?;
        self.job.add(progress.results);
        Ok(())
    }

    /// Works on pieces of at least `piece` scans, as many at once as the job allows, until it is
    /// over. The first error ends all of it.
    fn each(
        &self,
        scans: &[String],
        piece: usize,
        work: impl Fn(&[String]) -> Result<(), Refusal> + Sync,
    ) -> Result<(), Refusal> {
        let threads = usize::try_from(self.job.started.concurrency)
            .unwrap_or(1)
            .max(1);
        // Large enough that results share commits, small enough that no thread waits for long.
        let piece = piece.max(scans.len() / (threads * 8)).min(SCANS_IN_COMMIT);
        let pieces: Vec<&[String]> = scans.chunks(piece.max(1)).collect();
        let next = AtomicUsize::new(0);
        let failed: Mutex<Option<Refusal>> = Mutex::new(None);
        let failure = || failed.lock().unwrap_or_else(PoisonError::into_inner);
        let worker = || {
            while !self.is_over() && failure().is_none() {
                let Some(scans) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    return;
                };
                if let Err(refusal) = work(scans) {
                    *failure() = Some(refusal);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.min(pieces.len()) {
                scope.spawn(worker);
            }
            worker();
        });
        let failed = failure().take();
        failed.map_or(Ok(()), Err)
    }
}

/// Whether the log refused, not the scan.
fn is_of_the_log(refusal: &Refusal) -> bool {
    use stella_proto::reason::Reason;
    matches!(
        refusal.reason,
        Reason::LogPoisoned | Reason::Storage | Reason::Unavailable
    )
}
