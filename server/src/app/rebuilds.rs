//! Rebuilds of the projections: operations of this process.
//!
//! A rebuild changes nothing that the log knows of: that somebody asked for one is an event
//! (`acts.rs`), how far it is is none. Its operation lives as long as the process, which is also how
//! long the fold it speaks of can be waited for.

use super::App;
use super::acts::Act;
use super::open::random;
use crate::auth::Caller;
use crate::refusal::Refusal;
use prost::Message as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use stella_proto::admin as wire;
use stella_proto::reason::Reason;
use stella_verify::hash::{sha256, sha256_parts, to_hex};

/// Rebuilds that are remembered after they ended.
const REMEMBERED: usize = 64;

/// How names of rebuilds begin.
pub(super) const PREFIX: &str = "rebuild-";

/// The rebuilds of this process, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Rebuilds(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    rebuilds: Vec<(Arc<Rebuild>, Option<JoinHandle<()>>)>,
    asked: u64,
}

/// One rebuild.
#[derive(Debug)]
pub(crate) struct Rebuild {
    /// Its name.
    pub(super) name: String,
    /// Its place among the rebuilds of this process.
    pub(super) number: u64,
    request: [u8; 32],
    done: AtomicU64,
    total: AtomicU64,
    cancelled: AtomicBool,
    outcome: Mutex<Option<Result<wire::RebuildResult, Refusal>>>,
}

impl Rebuild {
    /// How far it is.
    pub(super) fn progress(&self) -> wire::RebuildProgress {
        wire::RebuildProgress {
            done: self.done.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
        }
    }

    /// What came of it; `None` while it is under way.
    pub(super) fn outcome(&self) -> Option<Result<wire::RebuildResult, Refusal>> {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        if outcome.is_none() && self.cancelled.load(Ordering::Acquire) {
            let message = format!("{} is not waited for any more", self.name);
            return Some(Err(Refusal::new(Reason::OperationCancelled, message)));
        }
        outcome.clone()
    }

    /// Stops waiting for it. One that has ended stays as it is.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    fn run(&self, app: &App, request: &wire::RebuildRequest) {
        let progress = |done: u64, total: u64| {
            self.done.store(done, Ordering::Relaxed);
            self.total.store(total, Ordering::Relaxed);
        };
        let outcome = app.fold_again(request, &progress);
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

impl Rebuilds {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rebuild of a name.
    pub(super) fn get(&self, name: &str) -> Option<Arc<Rebuild>> {
        let known = self.known();
        let mut rebuilds = known.rebuilds.iter().map(|(rebuild, _)| rebuild);
        rebuilds.find(|rebuild| rebuild.name == name).cloned()
    }

    /// All that are remembered, newest first.
    pub(super) fn newest(&self) -> Vec<Arc<Rebuild>> {
        let known = self.known();
        let rebuilds = known.rebuilds.iter().rev();
        rebuilds.map(|(rebuild, _)| Arc::clone(rebuild)).collect()
    }

    /// Waits for those under way: they read the ledger that is about to be closed.
    pub(super) fn close(&self) {
        let rebuilds = std::mem::take(&mut self.known().rebuilds);
        for (_, thread) in rebuilds {
            if let Some(thread) = thread {
                thread.join().ok();
            }
        }
    }
}

impl App {
    /// Starts a rebuild, or answers the one that the same request started before.
    pub(crate) fn start_rebuild(
        self: &Arc<Self>,
        caller: &Caller,
        request: wire::RebuildRequest,
    ) -> Result<Arc<Rebuild>, Refusal> {
        self.check_rebuild(&request)?;
        let name = name_of(caller, &request.request_id)?;
        let asked = sha256(&request.encode_to_vec());
        let mut known = self.rebuilds.known();
        let mut rebuilds = known.rebuilds.iter().map(|(rebuild, _)| rebuild);
        if let Some(earlier) = rebuilds.find(|rebuild| rebuild.name == name) {
            if earlier.request != asked {
                let message = format!("{name} was started with another request");
                return Err(Refusal::new(Reason::RequestIdReused, message));
            }
            return Ok(Arc::clone(earlier));
        }
        // Projections of an earlier tree stand beside the live ones: that changes nothing.
        if request.at_tree_size.is_none() && request.at_unix_ms.is_none() {
            // Before anybody can find it by its name: it is an operation once it is recorded.
            self.record_act(caller, Act::Rebuild, &name)?;
        }
        known.asked += 1;
        let rebuild = Arc::new(Rebuild {
            name: name.clone(),
            number: known.asked,
            request: asked,
            done: AtomicU64::new(0),
            total: AtomicU64::new(self.ledger.published().size.get()),
            cancelled: AtomicBool::new(false),
            outcome: Mutex::new(None),
        });
        let (app, running) = (Arc::clone(self), Arc::clone(&rebuild));
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || running.run(&app, &request))
            .map_err(|problem| Refusal::new(Reason::ResourceExhausted, problem.to_string()))?;
        known.rebuilds.push((Arc::clone(&rebuild), Some(thread)));
        let ended = |(rebuild, _): &(Arc<Rebuild>, _)| rebuild.outcome().is_some();
        if known.rebuilds.len() > REMEMBERED
            && let Some(oldest) = known.rebuilds.iter().position(ended)
        {
            known.rebuilds.remove(oldest);
        }
        Ok(rebuild)
    }
}

/// The name of a rebuild: of its caller and request id, so that a repetition finds it; drawn without.
fn name_of(caller: &Caller, request_id: &str) -> Result<String, Refusal> {
    let digits: String = if request_id.is_empty() {
        to_hex(&random::<10>()?)
    } else {
        let hash = sha256_parts(&[caller.name().as_bytes(), b"\0", request_id.as_bytes()]);
        to_hex(&hash).chars().take(20).collect()
    };
    Ok(format!("{PREFIX}{digits}"))
}
