//! Opening a data directory, making it when it is new, and checking it when it does not open.

use super::figures::Storage;
use super::growth::Growing;
use super::tenants::Tenants;
use super::{App, batch, engine, pages, rebuilds, repeats};
use crate::auth::TenantName;
use crate::keys::{Keys, LogPresence, Secrecy, missing, storage, write, write_new};
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;
use stella_ledger::disk::RealDisk;
use stella_ledger::index::FoldProgress;
use stella_ledger::ledger::{CheckProgress, IndexReport, LedgerReport};
use stella_ledger::log::{
    FsckOptions, FsckReport as LogReport, NoteCheckpointSigner, NoteCheckpointVerifier, OpenError,
    fsck,
};
use stella_ledger::{Ledger, LedgerError, LedgerOptions};
use stella_proto::reason::Reason;
use stella_verify::event::LogOrigin;
use stella_verify::hash::to_hex;
use stella_verify::note::{Ed25519Signer, KeyName, NoteSigner as _, VerifierKey};
use stella_verify::units::TreeSize;
use tokio::sync::watch;

/// How a data directory is opened.
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// The directory; made when it is missing.
    pub directory: PathBuf,
    /// Name of the log in its checkpoints. Counts at creation; drawn when absent.
    pub origin: Option<String>,
    /// Whose ledgers are opened beside it, and made when they are new.
    pub tenants: Vec<TenantName>,
    /// Where the ledger's work is counted.
    pub metrics: Arc<Metrics>,
    /// How much longer than it takes a sync of the log is made to take: none, but for measuring what
    /// a slower disk would do.
    pub sync_delay: Duration,
}

impl AppOptions {
    /// Opens `directory`, whatever its log's name.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            origin: None,
            tenants: Vec::new(),
            metrics: Arc::default(),
            sync_delay: Duration::ZERO,
        }
    }
}

/// What a check of every byte found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FsckReport {
    /// Events checked.
    pub events: u64,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
    /// What could not be checked, one sentence each.
    pub unchecked: Vec<String>,
}

impl App {
    /// Opens a ledger, making it when it is new; `progress` hears of events folded and their total.
    ///
    /// # Errors
    /// Any reason of storage; [`Reason::DirectoryInUse`] when another process owns the directory.
    pub fn open(
        options: AppOptions,
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<Arc<Self>, Refusal> {
        let (ending, _) = watch::channel(false);
        Self::open_one(options, &Arc::new(ending), progress)
    }

    /// The same, ending its waits when `ending` says so.
    pub(super) fn open_one(
        options: AppOptions,
        ending: &Arc<watch::Sender<bool>>,
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<Arc<Self>, Refusal> {
        let whole = options.clone();
        let AppOptions {
            directory,
            origin,
            metrics,
            sync_delay,
            ..
        } = options;
        fs::create_dir_all(&directory).map_err(|problem| storage(&directory, &problem))?;
        // Whatever an existing log was made with is needed as it was: a new name or key would give
        // it checkpoints that contradict its own.
        let presence = if has_log(&directory)? {
            LogPresence::Present
        } else {
            LogPresence::Absent
        };
        let origin = origin_of(&directory, origin, presence)?;
        let keys = Keys::open(&directory.join("keys"), presence)?;
        let signer = signer(&keys, &origin)?;
        let vkey = signer.verifier_key().to_string();
        let mut options = ledger_options(&origin, signer, &metrics)?;
        options.verifier = Some(Arc::new(verifier(&vkey)?));
        options.sync_delay = sync_delay;
        let ledger = ledger(&directory, options, progress)?;
        // Only now are they known to be this log's.
        keys.publish(&vkey)?;
        let tokens = pages::Tokens::new(keys.log().as_bytes(), &origin);
        let mut app = Self {
            growing: Growing::of(&ledger, Arc::clone(ending)),
            ledger,
            directory,
            metrics,
            storage: Storage::default(),
            keys,
            origin,
            vkey,
            feeds: Mutex::new(engine::FeedCache::default()),
            differences: Mutex::new(Vec::new()),
            jobs: batch::Jobs::default(),
            rebuilds: rebuilds::Rebuilds::default(),
            tokens,
            turns: repeats::Turns::default(),
            registry: RwLock::new(()),
            recording: Mutex::new(()),
            tenants: Tenants::default(),
            denials: OnceLock::new(),
        };
        app.finish_removals()?;
        app.resume()?;
        app.tenants = Tenants::open(&whole, &app.origin, ending, progress)?;
        let app = Arc::new(app);
        app.resume_jobs()?;
        Ok(app)
    }

    /// Stops cleanly: what is acknowledged is durable anyhow, this makes the next open fast.
    ///
    /// # Errors
    /// Any reason of storage; [`Reason::Unavailable`] when calls are still under way.
    pub fn close(mut self: Arc<Self>) -> Result<(), Refusal> {
        self.jobs.close();
        self.rebuilds.close();
        for _ in 0..CLOSE_TRIES {
            match Arc::try_unwrap(self) {
                Ok(app) => {
                    let others = app.tenants.close();
                    app.ledger.close()?;
                    return others;
                }
                Err(shared) => self = shared,
            }
            std::thread::sleep(CLOSE_PAUSE);
        }
        Err(Refusal::new(
            Reason::Unavailable,
            "calls are still under way",
        ))
    }
}

/// Whether a directory has a log, whole or half made: anything in its folder. Keys and name are drawn
/// before that folder is made, never after.
fn has_log(directory: &Path) -> Result<bool, Refusal> {
    let folder = directory.join("log");
    match fs::read_dir(&folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(false),
        // One that cannot be looked into may be one.
        Err(problem) => Err(storage(&folder, &problem)),
    }
}

/// What a log is called, and whether there is one.
pub(super) const CONFIG: &str = "config.json";

/// How long a close waits for calls under way: 200 times 10 ms.
const CLOSE_TRIES: u32 = 200;
const CLOSE_PAUSE: Duration = Duration::from_millis(10);

/// Says how far a fold is.
struct Refolding<'a> {
    tell: &'a (dyn Fn(u64, u64) + Sync),
    total: AtomicU64,
}

impl FoldProgress for Refolding<'_> {
    fn to_do(&self, size: TreeSize) {
        self.total.store(size.get(), Ordering::Relaxed);
    }

    fn applied(&self, size: TreeSize) {
        (self.tell)(size.get(), self.total.load(Ordering::Relaxed));
    }
}

fn ledger_options(
    origin: &str,
    signer: Ed25519Signer,
    metrics: &Arc<Metrics>,
) -> Result<LedgerOptions, Refusal> {
    let name =
        LogOrigin::new(Arc::from(origin)).map_err(|problem| Refusal::field("origin", problem))?;
    let signer = Arc::new(NoteCheckpointSigner::new(Box::new(signer)));
    let mut options = LedgerOptions::new(name, signer);
    options.observer = Arc::<Metrics>::clone(metrics);
    Ok(options)
}

fn ledger(
    directory: &Path,
    options: LedgerOptions,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Ledger, Refusal> {
    let refolding = Refolding {
        tell: progress,
        total: AtomicU64::new(0),
    };
    let opened = match Ledger::open(directory, options.clone(), &refolding) {
        Err(LedgerError::Open(OpenError::NoLog)) => Ledger::create(directory, options),
        opened => opened,
    };
    Ok(opened?.0)
}

/// Who checks checkpoints against the ledger's own key.
pub(super) fn verifier(vkey: &str) -> Result<NoteCheckpointVerifier, Refusal> {
    let key: VerifierKey = vkey
        .parse()
        .map_err(|problem| Refusal::new(Reason::Storage, format!("log.vkey: {problem}")))?;
    Ok(NoteCheckpointVerifier::new(vec![key]))
}

/// Checks the log of a directory that no process has open, also one that does not open.
///
/// # Errors
/// [`Reason::DirectoryInUse`], [`Reason::NotFound`], [`Reason::WrongKey`], [`Reason::Storage`]; damage
/// is not an error but what the report is for.
pub fn fsck_directory(
    directory: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<FsckReport, Refusal> {
    if !has_log(directory)? {
        let message = format!("there is no log in {}", directory.display());
        return Err(Refusal::new(Reason::NotFound, message));
    }
    let keys = vkey_of(directory)?;
    let verifier = verifier(&keys.log)?;
    let options = FsckOptions {
        verifier: Some(&verifier),
    };
    let disk = RealDisk::new(directory);
    let found = fsck(&disk, &options, &mut |at| {
        progress(at.checked, at.segments);
        ControlFlow::Continue(())
    });
    let found = found.map_err(LedgerError::from)?;
    let mut report = log_report(&found);
    if let Some(lacking) = keys.lacking {
        report.unchecked.push(format!(
            "projections and inputs, which takes the ledger's private keys: {lacking}"
        ));
        return Ok(report);
    }
    if !found.is_good() {
        return Ok(report);
    }
    // The log is whole, so it opens, and the rest can be checked against it.
    let app = App::open(AppOptions::new(directory), progress)?;
    let report = app.fsck(progress);
    app.close()?;
    report
}

/// What checks a directory's log.
struct LogKeys {
    /// The verifier key.
    log: String,
    /// Why the ledger itself cannot be opened, where it is a copy with the published key alone.
    lacking: Option<Refusal>,
}

/// The verifier key of a directory's log: that of its private key; the published one where that cannot be
/// had, as in a copy for an auditor.
fn vkey_of(directory: &Path) -> Result<LogKeys, Refusal> {
    let path = directory.join("keys/log.vkey");
    let published = match fs::read_to_string(&path) {
        Ok(text) => Some(text.trim().to_owned()),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => None,
        Err(problem) => return Err(storage(&path, &problem)),
    };
    let own = Keys::open(&directory.join("keys"), LogPresence::Present).and_then(|keys| {
        let origin = origin_of(directory, None, LogPresence::Present)?;
        Ok(signer(&keys, &origin)?.verifier_key().to_string())
    });
    match (own, published) {
        (Ok(own), Some(published)) if own != published => {
            let message = format!("{} is not of log.key beside it", path.display());
            Err(Refusal::new(Reason::WrongKey, message))
        }
        (Ok(own), _) => Ok(LogKeys {
            log: own,
            lacking: None,
        }),
        (Err(refusal), Some(published)) => Ok(LogKeys {
            log: published,
            lacking: Some(refusal),
        }),
        (Err(refusal), None) => Err(refusal),
    }
}

fn log_report(found: &LogReport) -> FsckReport {
    FsckReport {
        events: found.size.get(),
        problems: found.damage.iter().map(ToString::to_string).collect(),
        unchecked: Vec::new(),
    }
}

/// What a check of log, projections and blobs found.
pub(super) fn whole_report(found: &LedgerReport) -> FsckReport {
    let mut report = log_report(&found.log);
    match &found.index {
        IndexReport::Equal(_) => (),
        IndexReport::Differs(key) => report.problems.push(format!(
            "the projections differ from the log, first at key {key}: run `stella ledger rebuild`"
        )),
        IndexReport::Unreadable(why) => {
            report
                .problems
                .push(format!("the projections cannot be compared: {why}"));
        }
    }
    let blobs = found.damaged_blobs.iter();
    report
        .problems
        .extend(blobs.map(|(_, problem)| problem.to_string()));
    report
}

/// Says how far a check is.
pub(super) fn tell(at: &CheckProgress, progress: &dyn Fn(u64, u64)) {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    match at {
        CheckProgress::Log(at) => progress(at.checked, at.segments),
        CheckProgress::Index { folded, of } => progress(folded.get(), of.get()),
        CheckProgress::Blobs { checked, of } => progress(count(*checked), count(*of)),
    }
}

fn signer(keys: &Keys, origin: &str) -> Result<Ed25519Signer, Refusal> {
    let name = KeyName::new(origin).map_err(|problem| Refusal::field("origin", problem))?;
    Ok(Ed25519Signer::from_seed(name, keys.log().as_bytes()))
}

/// The origin that `config.json` names; in a new directory, the one asked for or a drawn one.
fn origin_of(
    directory: &Path,
    asked: Option<String>,
    presence: LogPresence,
) -> Result<String, Refusal> {
    let path = directory.join(CONFIG);
    match fs::read(&path) {
        Ok(bytes) => {
            let config: Value = serde_json::from_slice(&bytes).map_err(|problem| {
                Refusal::new(Reason::Storage, format!("{}: {problem}", path.display()))
            })?;
            let origin = config
                .get("origin")
                .and_then(Value::as_str)
                .ok_or_else(|| {
                    Refusal::new(Reason::Storage, format!("{}: no origin", path.display()))
                })?;
            match asked {
                Some(asked) if asked != origin => Err(Refusal::field(
                    "origin",
                    format!("this ledger is {origin}; a log keeps its name"),
                )),
                _ => Ok(origin.to_owned()),
            }
        }
        Err(problem)
            if problem.kind() == io::ErrorKind::NotFound && presence == LogPresence::Present =>
        {
            Err(missing(&path))
        }
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => {
            let origin = asked.clone().map_or_else(drawn_origin, Ok)?;
            KeyName::new(&origin).map_err(|problem| Refusal::field("origin", problem))?;
            let text = format!("{:#}\n", json!({"origin": origin}));
            match write_new(&path, text.as_bytes(), Secrecy::Public) {
                Ok(true) => Ok(origin),
                // Another process named it at the same time.
                Ok(false) => origin_of(directory, asked, LogPresence::Present),
                Err(problem) => Err(storage(&path, &problem)),
            }
        }
        Err(problem) => Err(storage(&path, &problem)),
    }
}

/// Two ledgers must never share an origin, so one that nobody named gets a random one.
fn drawn_origin() -> Result<String, Refusal> {
    Ok(format!("stella.local/{}", to_hex(&random::<8>()?)))
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|problem| Refusal::new(Reason::Internal, problem.to_string()))?;
    Ok(bytes)
}

/// The token of `serve --dev`: drawn once for a directory, readable by its owner only.
///
/// # Errors
/// [`Reason::Storage`].
pub fn dev_token(directory: &Path) -> Result<String, Refusal> {
    let path = directory.join("dev-token");
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => Ok(text.trim().to_owned()),
        Ok(_) => Err(Refusal::new(
            Reason::Storage,
            format!(
                "{} is damaged: remove it to draw a new token",
                path.display()
            ),
        )),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => {
            let token = to_hex(&random::<32>()?);
            let text = format!("{token}\n");
            write(&path, text.as_bytes(), Secrecy::Owner).map_err(|p| storage(&path, &p))?;
            Ok(token)
        }
        Err(problem) => Err(storage(&path, &problem)),
    }
}
