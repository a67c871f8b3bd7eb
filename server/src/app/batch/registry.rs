//! Which jobs there are: those under way in this process, and all others from the log.

use super::job::Job;
use super::run;
use super::{JOBS, MAX_SCANS};
use crate::app::App;
use crate::refusal::Refusal;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use stella_ledger::ledger::{Event, PageSize, View};
use stella_proto::reason::Reason;
use stella_verify::event::StreamName;
use stella_verify::event::payload::{JobCancelled, JobEnded, JobProgress, JobResult, JobStarted};
use stella_verify::hash::SnapshotHash;
use stella_verify::units::{LeafIndex, StreamPosition, UnixMillis};

/// Events of a job's stream that are read at once.
const PAGE: usize = 500;

/// Jobs by their names, with the thread of each that was started here.
type Running = BTreeMap<String, (Arc<Job>, Option<JoinHandle<()>>)>;

/// The jobs of this process.
#[derive(Debug, Default)]
pub(in crate::app) struct Jobs {
    running: Mutex<Running>,
    closing: AtomicBool,
}

/// The right to start jobs.
pub(super) struct Starting<'a>(MutexGuard<'a, Running>);

impl Jobs {
    /// Waits until nobody else starts a job.
    pub(super) fn starting(&self) -> Starting<'_> {
        Starting(self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Scans of all jobs under way that have no result yet.
    pub(in crate::app) fn waiting(&self) -> u64 {
        let starting = self.starting();
        starting.0.values().map(|(job, _)| job.waiting()).sum()
    }

    /// Whether the process is about to close the ledger.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Lets every job finish the replays under way and waits for that. They go on at the next open.
    pub(in crate::app) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        let running = std::mem::take(&mut *self.starting().0);
        for (_, (_, thread)) in running {
            if let Some(thread) = thread {
                thread.join().ok();
            }
        }
    }
}

impl Starting<'_> {
    /// A job that is under way, or was in this process.
    pub(super) fn get(&self, name: &str) -> Option<Arc<Job>> {
        self.0.get(name).map(|(job, _)| Arc::clone(job))
    }

    /// Runs a job on a thread of its own.
    pub(super) fn begin(&mut self, app: &Arc<App>, job: &Arc<Job>) {
        // What has ended is in the log; only what runs is kept here.
        self.0.retain(|_, (job, _)| !job.is_done());
        let (app, running) = (Arc::clone(app), Arc::clone(job));
        let name = job.started.job.clone();
        let thread = std::thread::Builder::new()
            .name(name.clone())
            .spawn(move || run::run(&app, &running));
        // Without a thread the job waits for the next open.
        self.0.insert(name, (Arc::clone(job), thread.ok()));
    }
}

impl App {
    /// Goes on with the jobs that a stop interrupted.
    pub(in crate::app) fn resume_jobs(self: &Arc<Self>) -> Result<(), Refusal> {
        for job in self.logged_jobs(None)? {
            if !job.is_done() {
                self.fill(&job)?;
                let mut starting = self.jobs.starting();
                starting.begin(self, &job);
            }
        }
        Ok(())
    }

    /// A job as the log says, with its results.
    pub(super) fn logged_job(&self, name: &str) -> Result<Option<Arc<Job>>, Refusal> {
        let found = self.logged_jobs(Some(name))?.into_iter().next();
        if let Some(job) = &found {
            self.fill(job)?;
        }
        Ok(found)
    }

    /// A page of the jobs that a tree knows, newest first, with their results as of now, and the place
    /// of the next page: the leaf of its first job.
    pub(in crate::app) fn jobs_at(
        &self,
        view: &View<'_>,
        from: Option<u64>,
        size: PageSize,
    ) -> Result<(Vec<Arc<Job>>, Option<u64>), Refusal> {
        let mut jobs = self.logged_jobs(None)?;
        jobs.reverse();
        jobs.retain(|job| {
            view.size().contains(job.leaf) && from.is_none_or(|from| job.leaf.get() <= from)
        });
        let next = jobs.get(size.get()).map(|job| job.leaf.get());
        jobs.truncate(size.get());
        for job in &mut jobs {
            let live = self.jobs.starting().get(&job.started.job);
            match live {
                Some(live) => *job = live,
                None => self.fill(job)?,
            }
        }
        Ok((jobs, next))
    }

    /// A job that has not ended and was started with a snapshot.
    pub(in crate::app) fn unfinished_job_with(
        &self,
        snapshot: SnapshotHash,
    ) -> Result<Option<String>, Refusal> {
        let mut jobs = self.logged_jobs(None)?.into_iter();
        let found = jobs.find(|job| {
            let named = [job.started.concelier, job.started.excititor];
            !job.is_done() && named.contains(&Some(snapshot))
        });
        Ok(found.map(|job| job.started.job.clone()))
    }

    /// A job that has just begun.
    pub(super) fn load_started(
        &self,
        started: &JobStarted,
        leaf: LeafIndex,
    ) -> Result<Arc<Job>, Refusal> {
        let time = time_of(&self.newest()?.event(leaf)?)?;
        Ok(Arc::new(Job::new(
            started.clone(),
            (leaf, time),
            Vec::new(),
        )))
    }

    /// The scans of a job.
    pub(super) fn scans_of_job(&self, started: &JobStarted) -> Result<Vec<String>, Refusal> {
        let bytes = self.get(started.scans)?;
        let text = String::from_utf8(bytes)
            .map_err(|problem| Refusal::new(Reason::BlobDamaged, problem.to_string()))?;
        Ok(text.lines().take(MAX_SCANS).map(str::to_owned).collect())
    }

    /// Jobs in the order in which they began, without their results; only one when it is named.
    fn logged_jobs(&self, name: Option<&str>) -> Result<Vec<Arc<Job>>, Refusal> {
        let mut jobs: Vec<Arc<Job>> = Vec::new();
        self.visit_stream(JOBS, |event| {
            let header = event.header().map_err(damaged)?;
            let payload = event.payload()?;
            let find = |jobs: &[Arc<Job>], name: &str| {
                jobs.iter().find(|job| job.started.job == name).cloned()
            };
            match header.event_type.as_str() {
                "job.started" => {
                    let started = JobStarted::parse(payload).map_err(damaged)?;
                    if name.is_none_or(|name| name == started.job) {
                        let place = (event.index(), header.time);
                        jobs.push(Arc::new(Job::new(started, place, Vec::new())));
                    }
                }
                "job.cancelled" => {
                    let cancelled = JobCancelled::parse(payload).map_err(damaged)?;
                    if let Some(job) = find(&jobs, &cancelled.job) {
                        job.ask_to_stop();
                    }
                }
                "job.ended" => {
                    let ended = JobEnded::parse(payload).map_err(damaged)?;
                    if let Some(job) = find(&jobs, &ended.job) {
                        job.end(header.time, ended.cancelled);
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(jobs)
    }

    /// Adds a job's recorded results.
    fn fill(&self, job: &Job) -> Result<(), Refusal> {
        let mut results: Vec<JobResult> = Vec::new();
        self.visit_stream(&stream_of_job(&job.started.job), |event| {
            let progress = JobProgress::parse(event.payload()?).map_err(damaged)?;
            results.extend(progress.results);
            Ok(())
        })?;
        job.add(results);
        Ok(())
    }

    fn visit_stream(
        &self,
        stream: &str,
        mut visit: impl FnMut(&Event) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let view = self.newest()?;
        let stream = StreamName::new(stream).map_err(damaged)?;
        let mut from = Some(StreamPosition::ZERO);
        while let Some(position) = from {
            let page = view.stream(&stream, position, PageSize::of(PAGE))?;
            page.events.iter().try_for_each(&mut visit)?;
            from = page.next;
        }
        Ok(())
    }
}

/// The stream of a job's results.
pub(super) fn stream_of_job(name: &str) -> String {
    format!("job/{name}")
}

pub(super) fn time_of(event: &Event) -> Result<UnixMillis, Refusal> {
    Ok(event.header().map_err(damaged)?.time)
}

fn damaged(problem: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::LogDamaged, problem.to_string())
}
