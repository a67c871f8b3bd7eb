//! Replaying many scans: jobs that outlive the process.
//!
//! ```text
//! request -> job.started -> each scan: unchanged? recorded in one commit with its result
//!                                      else replayed; its result follows -> job.ended
//! ```
//!
//! A job's state is its events. After a crash the scans without a result are done again: one that
//! was unchanged has its result in the commit that says so, and one whose root was sealed after the
//! job began is not computed twice.

mod document;
pub(crate) mod job;
mod reach;
mod registry;
mod run;

pub use document::{ErrorDocument, OperationDocument, ProgressDocument, ResultDocument};
pub(super) use registry::Jobs;

use super::App;
use super::operations::batch as long_running;
use super::pages::page_size;
use super::repeats::Repeatable;
use super::replays::{Wanted, named};
use super::scans::parse_scan_id;
use super::writer::Draft;
use crate::auth::Caller;
use crate::refusal::Refusal;
use job::Job;
use job::operation;
use prost::Message as _;
use std::num::NonZero;
use std::sync::Arc;
use stella_ledger::index::kv::Direction;
use stella_ledger::ledger::PageSize;
use stella_ledger::log::{NameRule, Named};
use stella_proto::reason::Reason;
use stella_proto::replay as wire;
use stella_verify::event::EventType;
use stella_verify::event::payload::{JobCancelled, JobStarted};
use stella_verify::hash::{BlobDigest, sha256, sha256_parts, to_hex};
use stella_verify::units::{TreeSize, UnixMillis};

/// Scans in one batch, at most.
const MAX_SCANS: usize = 100_000;

/// Replays of a batch at once, at most.
const MAX_CONCURRENCY: u32 = 64;

/// Bytes of a request id, at most; as for requests to the log.
const MAX_REQUEST_ID_BYTES: usize = 255;

/// Results on one page, at most.
const MAX_RESULTS: usize = 1000;

/// The stream in which jobs begin and end.
const JOBS: &str = "jobs";

impl App {
    /// Starts a batch, or answers the one that the same request started before.
    pub(crate) fn start_batch(
        self: &Arc<Self>,
        caller: &Caller,
        request: &wire::StartBatchReplayRequest,
    ) -> Result<wire::StartBatchReplayResponse, Refusal> {
        if request.request_id.len() > MAX_REQUEST_ID_BYTES {
            let problem = format!("has more than {MAX_REQUEST_ID_BYTES} bytes");
            return Err(Refusal::field("request_id", problem));
        }
        let name = job_name(caller, &request.request_id)?;
        let asked = BlobDigest::new(sha256(&request.encode_to_vec()));
        // Held until the job is known here: two equal requests at once start one job.
        let mut starting = self.jobs.starting();
        let known = match starting.get(&name) {
            Some(job) => Some(job),
            None => self.logged_job(&name)?,
        };
        if let Some(job) = known {
            return existing(&job, asked);
        }
        let started = self.resolve_batch(name, asked, request)?;
        let _kept = self.keep_snapshots(started.concelier.into_iter().chain(started.excititor))?;
        let asked_by = Repeatable::of(caller, "StartBatchReplay", &request.request_id, request)?;
        let job = self.record_start(caller, asked_by.as_ref(), &started)?;
        starting.begin(self, &job);
        Ok(wire::StartBatchReplayResponse {
            operation: Some(operation(&job)),
            existing: false,
            long_running: Some(long_running(&operation(&job))),
        })
    }

    /// Resolves what a batch is: its scans, and its inputs as they are current now.
    fn resolve_batch(
        &self,
        job: String,
        asked: BlobDigest,
        request: &wire::StartBatchReplayRequest,
    ) -> Result<JobStarted, Refusal> {
        let wanted = Wanted {
            feed: named("concelier_snapshot_hash", &request.concelier_snapshot_hash)?,
            vex: named("excititor_snapshot_hash", &request.excititor_snapshot_hash)?,
            policy: named("lattice_policy_hash", &request.lattice_policy_hash)?,
            original: request.use_original_snapshots,
            ..Wanted::default()
        };
        wanted.check()?;
        let scans = self.scans_of(request)?;
        let count = u32::try_from(scans.len()).unwrap_or(u32::MAX);
        let mut list = String::new();
        for scan in &scans {
            list.push_str(scan);
            list.push('\n');
        }
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let concurrency = match request.max_concurrency {
            0 => u32::try_from(cores).unwrap_or(1),
            asked => asked,
        };
        let resolved = self.resolve_wanted(&wanted)?;
        Ok(JobStarted {
            job,
            asked,
            scans: self.put(list.as_bytes())?,
            count,
            concelier: resolved.feed,
            excititor: resolved.vex,
            policy: resolved.policy,
            recompute: request.recompute_unchanged || request.use_original_snapshots,
            concurrency: concurrency.min(MAX_CONCURRENCY),
        })
    }

    /// The scans that a request names, each once; all since a time when it names none.
    fn scans_of(&self, request: &wire::StartBatchReplayRequest) -> Result<Vec<String>, Refusal> {
        let mut scans = Vec::new();
        if request.scan_ids.is_empty() {
            let view = self.newest()?;
            let since = UnixMillis::new(request.since_unix_ms);
            let mut from = None;
            loop {
                let size = PageSize::of(usize::MAX);
                let page = view.scans(since, from, size, Direction::Forward)?;
                scans.extend(page.items.into_iter().map(|summary| summary.scan));
                from = page.next;
                if from.is_none() || scans.len() > MAX_SCANS {
                    break;
                }
            }
        } else {
            scans.clone_from(&request.scan_ids);
            for (place, scan) in scans.iter().enumerate() {
                if scan.len() > MAX_REQUEST_ID_BYTES || scan.contains('\n') {
                    return Err(Refusal::field(&format!("scan_ids[{place}]"), "is no name"));
                }
            }
            let mut seen = std::collections::BTreeSet::new();
            scans.retain(|scan| seen.insert(scan.clone()));
        }
        if scans.len() > MAX_SCANS {
            let message = format!("a batch has at most {MAX_SCANS} scans: narrow it by time");
            return Err(Refusal::new(Reason::TooLarge, message).of_field("scan_ids"));
        }
        Ok(scans)
    }

    fn record_start(
        &self,
        caller: &Caller,
        asked: Option<&Repeatable>,
        started: &JobStarted,
    ) -> Result<Arc<Job>, Refusal> {
        let draft = Draft::by(caller)
            .asked(asked)
            .name(NameRule::Record(Named::Blob(started.scans)))
            .event(JOBS, EventType::JOB_STARTED, started.to_bytes())?;
        let receipt = self.append(draft)?;
        self.load_started(started, receipt.first)
    }

    /// How far a job is, with a page of its results.
    pub(crate) fn get_operation(
        &self,
        request: &wire::GetOperationRequest,
    ) -> Result<wire::GetOperationResponse, Refusal> {
        let job = self.job(&request.name)?;
        // Results only ever come behind those that are there: nothing but the place is pinned.
        let listing = self.tokens.listing("GetOperation", &[&request.name]);
        let from = match request.page_token.as_str() {
            "" => 0,
            token => self.tokens.open(listing, token)?.at,
        };
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let size = usize::try_from(request.page_size).unwrap_or(usize::MAX);
        let (results, more) = job.results(from, size.min(MAX_RESULTS));
        let next = u64::try_from(from.saturating_add(results.len())).unwrap_or(u64::MAX);
        let next = (more && request.page_size > 0).then_some(next);
        Ok(wire::GetOperationResponse {
            operation: Some(operation(&job)),
            results,
            next_page_token: self.page_token(listing, TreeSize::ZERO, next),
        })
    }

    /// Asks a job to stop; one that is done stays as it is.
    pub(crate) fn cancel_operation(
        &self,
        caller: &Caller,
        request: &wire::CancelOperationRequest,
    ) -> Result<wire::Operation, Refusal> {
        let asked = Repeatable::of(caller, "CancelOperation", &request.request_id, request)?;
        let asked = asked.as_ref();
        let _turn = self.turn(asked);
        let job = self.job(&request.name)?;
        if self.earlier(asked)?.is_some() {
            return Ok(operation(&job));
        }
        if job.ask_to_stop() {
            let cancelled = JobCancelled {
                job: request.name.clone(),
            };
            let draft = Draft::by(caller).asked(asked).event(
                JOBS,
                EventType::JOB_CANCELLED,
                cancelled.to_bytes(),
            )?;
            self.append(draft)?;
        } else {
            self.remember(caller, asked, &request.name)?;
        }
        Ok(operation(&job))
    }

    /// One job: under way here, or as its events say.
    pub(crate) fn job(&self, name: &str) -> Result<Arc<Job>, Refusal> {
        let live = self.jobs.starting().get(name);
        let found = match live {
            Some(job) => Some(job),
            None => self.logged_job(name)?,
        };
        found.ok_or_else(|| Refusal::new(Reason::NotFound, format!("there is no operation {name}")))
    }

    /// A job as the API shows it now.
    pub(crate) fn operation_of(job: &Job) -> wire::Operation {
        operation(job)
    }

    /// A page of jobs, newest first.
    pub(crate) fn list_operations(
        &self,
        request: &wire::ListOperationsRequest,
    ) -> Result<wire::ListOperationsResponse, Refusal> {
        let listing = self.tokens.listing("ListOperations", &[]);
        let (view, from) = self.paged_at(listing, &request.page_token, None)?;
        let (jobs, next) = self.jobs_at(&view, from, page_size(request.page_size))?;
        Ok(wire::ListOperationsResponse {
            operations: jobs.iter().map(|job| operation(job)).collect(),
            next_page_token: self.page_token(listing, view.size(), next),
        })
    }
}

fn existing(job: &Job, asked: BlobDigest) -> Result<wire::StartBatchReplayResponse, Refusal> {
    if job.started.asked != asked {
        let message = format!("{} was started with another request", job.started.job);
        return Err(Refusal::new(Reason::RequestIdReused, message));
    }
    Ok(wire::StartBatchReplayResponse {
        operation: Some(operation(job)),
        existing: true,
        long_running: Some(long_running(&operation(job))),
    })
}

/// The name of a job: of its caller and request id, so that a repetition finds it; drawn without.
fn job_name(caller: &Caller, request_id: &str) -> Result<String, Refusal> {
    let digits = if request_id.is_empty() {
        to_hex(&super::open::random::<10>()?)
    } else {
        let hash = sha256_parts(&[caller.name().as_bytes(), b"\0", request_id.as_bytes()]);
        to_hex(&hash).chars().take(20).collect()
    };
    Ok(format!("batch-{digits}"))
}

/// Whether a text can be a scan's name at all.
fn scan_name(text: &str) -> Result<stella_verify::event::payload::ScanId, Refusal> {
    parse_scan_id(text)
}
