//! The open log as its users see it.

use super::append::{AppendError, Poisoned};
use super::erase::{EraseError, EraseRequest};
use super::event::{OwnedEvent, StoredCommit, StoredEvent};
use super::fault::{DiskFault, StoreFault};
use super::fsck::{FsckError, FsckProgress, FsckReport};
use super::head::{self, Head, HeadFile, Stop};
use super::ids::SegmentNumber;
use super::lifecycle::{new_spec, take_lock};
use super::names::{Principal, RequestId};
use super::options::{LogOptions, UpkeepMode};
use super::pending::{Author, Pending};
use super::publish::Published;
use super::queue::Waiting;
use super::read::ReadError;
use super::record::{NameKey, RequestKey, StreamKey};
use super::recover::{OpenError, OpenReport, first_segment_has_frames, recover};
use super::reply::{AppendCallback, Reply};
use super::request::{AppendRequest, EventCount, Named, Receipt, StreamHead};
use super::segment::{FIRST_FRAME, LOG_FOLDER, Segment};
use super::signer::CheckpointVerifier;
use super::state::LogState;
use super::stretch::Stretch;
use crate::disk::DiskLock;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use stella_verify::merkle::{Frontier, LeafRange};
use stella_verify::units::{LeafIndex, TreeSize};

/// One sequences while the other is at its write.
const COMMITTERS: usize = 2;

/// An open event log: the one owner of its directory until it is closed or dropped.
#[derive(Debug)]
pub struct EventLog {
    pub(super) state: Arc<LogState>,
    committers: Vec<JoinHandle<()>>,
    upkeep: Option<JoinHandle<()>>,
    _lock: Box<dyn DiskLock>,
}

/// Counters since the log was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogStats {
    /// Commits: each was one write and one `fdatasync`.
    pub commits: u64,
    /// Bytes of all frames written, whole blocks.
    pub frame_bytes: u64,
}

impl EventLog {
    /// Makes a new, empty log in a directory that has none, and opens it.
    ///
    /// A creation that a crash cut short is started over.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::Exists`] if there is a log.
    pub fn create(options: LogOptions) -> Result<(Self, OpenReport), OpenError> {
        let disk = &*options.disk;
        let lock = take_lock(&options)?;
        disk.create_dir(LOG_FOLDER)
            .and_then(|()| disk.sync_dir("."))
            .map_err(|source| DiskFault::new("create", LOG_FOLDER, source))?;
        if head::read(disk)?.is_some() || first_segment_has_frames(disk) {
            return Err(OpenError::Exists);
        }
        let spec = new_spec(&options)?;
        Segment::create(disk, &spec, SegmentNumber(0))?;
        let empty = Frontier::new();
        // The log exists once this file does.
        HeadFile::create(
            disk,
            Head {
                spec,
                sequence: 0,
                stop: Stop::Clean,
                published: empty.head(),
                synced: (SegmentNumber(0), FIRST_FRAME),
                highest: SegmentNumber(0),
                sealed: SegmentNumber(0),
                erased: TreeSize::ZERO,
            },
        )?;
        Self::open_locked(options, lock)
    }

    /// Opens the log of a directory: recovers it, checks it against all evidence, and only then
    /// publishes. See the module `recover` for the order of work.
    ///
    /// # Errors
    /// [`OpenError`]; the log is left as it was.
    pub fn open(options: LogOptions) -> Result<(Self, OpenReport), OpenError> {
        let lock = take_lock(&options)?;
        Self::open_locked(options, lock)
    }

    fn open_locked(
        options: LogOptions,
        lock: Box<dyn DiskLock>,
    ) -> Result<(Self, OpenReport), OpenError> {
        let recovered = recover(&options)?;
        let report = recovered.report.clone();
        let erased = recovered.erased;
        let state = Arc::new(LogState::new(options, recovered));
        state.finish_all_erasing(erased)?;
        let mut log = Self {
            state,
            committers: Vec::new(),
            upkeep: None,
            _lock: lock,
        };
        if log.state.options.upkeep == UpkeepMode::Threads {
            log.upkeep = Some(log.start("log-upkeep", LogState::run_upkeep)?);
            for _ in 0..COMMITTERS {
                let committer = log.start("log-committer", LogState::run_committer)?;
                log.committers.push(committer);
            }
        }
        Ok((log, report))
    }

    fn start(&self, name: &str, run: fn(&LogState)) -> Result<JoinHandle<()>, DiskFault> {
        let state = Arc::clone(&self.state);
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _guard = PoisonOnPanic(&state);
                run(&state);
            })
            .map_err(|source| DiskFault::new("start a thread for", LOG_FOLDER, source))
    }

    /// Appends a request and blocks until it is acknowledged or refused.
    ///
    /// **When this answers `Ok`, the events are on stable storage, have their final leaf indexes,
    /// and a signed checkpoint that covers them is durable.** No signature leaves the log before
    /// the sync that makes it durable returned.
    ///
    /// Requests that wait at the same time share one write and one `fdatasync`; a lone request
    /// waits for nothing else. A request is atomic and never spans frames. A repeated request id
    /// with the same body gets the first answer again ([`Receipt::duplicate`]), also while the
    /// first is still under way.
    ///
    /// # Errors
    /// [`AppendError`]. After [`AppendError::OutcomeUnknown`] the log is poisoned: it answers
    /// errors until it is reopened and never guesses.
    pub fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        self.append_before(request, None)
    }

    /// As [`EventLog::append`], unless the deadline passes before the request's turn comes:
    /// [`AppendError::Expired`] then, and nothing of it was or will be appended. A request whose
    /// turn came is finished, however long that takes.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn append_before(
        &self,
        request: AppendRequest,
        deadline: Option<Instant>,
    ) -> Result<Receipt, AppendError> {
        let mut pending = self.state.prepare_request(request, Author::Caller)?;
        pending.deadline = deadline;
        self.state.append_blocking(pending)
    }

    /// Appends a request and answers through a callback, for callers that must not block.
    ///
    /// What [`EventLog::append`] computes on the caller's thread is computed on the caller's
    /// thread here, too. The callback runs on whichever thread committed.
    pub fn submit(&self, request: AppendRequest, callback: AppendCallback) {
        self.submit_before(request, None, callback);
    }

    /// As [`EventLog::submit`], with a deadline as in [`EventLog::append_before`].
    pub fn submit_before(
        &self,
        request: AppendRequest,
        deadline: Option<Instant>,
        callback: AppendCallback,
    ) {
        let prepared = self.state.prepare_request(request, Author::Caller);
        match prepared.map(|pending| Pending {
            deadline,
            ..pending
        }) {
            Ok(pending) => self.state.append_later(Waiting {
                pending,
                reply: Reply::callback(callback),
            }),
            Err(error) => callback(Err(error)),
        }
    }

    /// Appends a retention event for these leaves and blanks their salts and payloads. When this
    /// answers `Ok`, both are durable.
    ///
    /// # Errors
    /// [`EraseError`].
    pub fn erase(&self, request: EraseRequest) -> Result<Receipt, EraseError> {
        self.state.erase(request)
    }

    /// The latest published state.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        self.state.publisher.latest()
    }

    /// Blocks until at least `size` is published or `timeout` passed; the latest state then.
    #[must_use]
    pub fn wait_published(&self, size: TreeSize, timeout: Duration) -> Arc<Published> {
        let poisoned = || self.state.poison.get().is_some();
        self.state.publisher.wait(size, timeout, poisoned)
    }

    /// Calls `subscriber` after each publication, in order, before the answers go out. It runs on
    /// the committing thread and must be quick.
    pub fn on_publish(&self, subscriber: impl Fn(&Arc<Published>) + Send + Sync + 'static) {
        self.state.publisher.subscribe(Box::new(subscriber));
    }

    /// Visits the events of a range in order, reading frame by frame, until told to break.
    /// `at` pins the read to a published tree size.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn visit(
        &self,
        range: LeafRange,
        at: TreeSize,
        visitor: impl FnMut(StoredEvent<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.state.visit(range, at, visitor)
    }

    /// Visits a range in order as it is stored, until told to break; for who sends entries on as
    /// they are. `at` pins the read to a published tree size.
    ///
    /// # Errors
    /// [`ReadError`], the visitor's too.
    pub fn visit_stretches(
        &self,
        range: LeafRange,
        at: TreeSize,
        visitor: impl FnMut(Stretch<'_>) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<(), ReadError> {
        self.state.visit_stretches(range, at, visitor)
    }

    /// The events of a range.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, range: LeafRange, at: TreeSize) -> Result<Vec<OwnedEvent>, ReadError> {
        self.state.read_owned(range, at)
    }

    /// One event.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn get(&self, index: LeafIndex) -> Result<OwnedEvent, ReadError> {
        self.state.get(index, self.published().size)
    }

    /// The stored entries of a range as a tlog-tiles entry bundle has them: u16 big-endian length
    /// || leaf, one after the other.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn entry_bundle(&self, range: LeafRange, at: TreeSize) -> Result<Vec<u8>, ReadError> {
        self.state.entries(range, at)
    }

    /// The commit that a leaf came with: its extent and its signed checkpoint.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn commit_of(&self, index: LeafIndex) -> Result<StoredCommit, ReadError> {
        self.state.commit_of(index)
    }

    /// The end of a stream, `None` while it has no events. Durable when answered: if its last
    /// event is being written, this waits for it.
    ///
    /// # Errors
    /// [`AdmissionReadError`].
    pub fn stream_head(
        &self,
        stream: &stella_verify::event::StreamName<Arc<str>>,
    ) -> Result<Option<StreamHead>, AdmissionReadError> {
        let key = StreamKey::of(stream);
        let found = self
            .state
            .admission()
            .stream(&key, &super::admission::Older::default(), 0)?;
        self.settled(found, |head| head.last)
    }

    /// The leaf since which a name is recorded; `None` if it is not. Durable when answered.
    ///
    /// # Errors
    /// [`AdmissionReadError`].
    pub fn known_since(&self, named: &Named) -> Result<Option<LeafIndex>, AdmissionReadError> {
        let key = NameKey::of(named);
        let found = self
            .state
            .admission()
            .name(&key, &super::admission::Older::default(), 0)?;
        self.settled(found, |at| *at)
    }

    /// Where a request with this id was appended: first leaf and count. Durable when answered.
    ///
    /// # Errors
    /// [`AdmissionReadError`].
    pub fn request(
        &self,
        principal: &Principal,
        id: &RequestId,
    ) -> Result<Option<(LeafIndex, EventCount)>, AdmissionReadError> {
        let key = RequestKey::of(principal, id);
        let found = self
            .state
            .admission()
            .request(&key, &super::admission::Older::default())?;
        let found = found.map(|entry| (entry.first, entry.count));
        self.settled(found, |(first, _)| *first)
    }

    /// The retention event that erased a leaf's payload; `None` while it is not erased.
    ///
    /// # Errors
    /// [`AdmissionReadError`].
    pub fn erased_by(&self, leaf: LeafIndex) -> Result<Option<LeafIndex>, AdmissionReadError> {
        let found = self.state.admission().erased(leaf)?;
        self.settled(found, |by| *by)
    }

    /// What the admission state says may still be in flight: answers only once it is published.
    pub(super) fn settled<T>(
        &self,
        found: Option<T>,
        leaf: impl Fn(&T) -> LeafIndex,
    ) -> Result<Option<T>, AdmissionReadError> {
        let Some(covering) = found.as_ref().and_then(|found| leaf(found).covering_size()) else {
            return Ok(found);
        };
        while self.published().size < covering {
            if let Some(poisoned) = self.state.poisoned() {
                return Err(poisoned.into());
            }
            let _ = self.wait_published(covering, Duration::from_secs(1));
        }
        Ok(found)
    }

    /// Checks every byte of the log up to what is published now, while it is in use.
    ///
    /// # Errors
    /// [`FsckError`]; damage is not an error but what the report is for.
    pub fn fsck(
        &self,
        verifier: Option<&dyn CheckpointVerifier>,
        progress: &mut dyn FnMut(FsckProgress) -> ControlFlow<()>,
    ) -> Result<FsckReport, FsckError> {
        super::fsck::fsck_open(&self.state, verifier, progress)
    }

    /// The first failure, if the log is poisoned.
    #[must_use]
    pub fn poisoned(&self) -> Option<Poisoned> {
        self.state.poisoned()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> LogStats {
        LogStats {
            commits: self.state.commits.load(Ordering::Relaxed),
            frame_bytes: self.state.frame_bytes.load(Ordering::Relaxed),
        }
    }

    /// Stops taking requests, waits for the commit in flight, marks the log as cleanly stopped.
    /// Dropping the log does the same but cannot say whether it worked.
    ///
    /// # Errors
    /// [`Poisoned`] or the disk's refusal: the log is then as after a crash, nothing more.
    pub fn close(mut self) -> Result<(), CloseError> {
        self.shut_down()
    }

    fn shut_down(&mut self) -> Result<(), CloseError> {
        self.state.queue().closed = true;
        self.state.summon.notify_all();
        // The committers answer all that waits, for which they may need the upkeep thread. A thread
        // that panicked has poisoned the log; joining it tells nothing more.
        for committer in self.committers.drain(..) {
            let _ = committer.join();
        }
        self.state.upkeep.stop();
        let _ = self.upkeep.take().map(JoinHandle::join);
        self.state.stop_cleanly()
    }
}

/// A thread of the log that panics (a fault in this program) must not leave others waiting.
struct PoisonOnPanic<'a>(&'a LogState);

impl Drop for PoisonOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.poison("a thread of the log panicked");
        }
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        let _ = self.shut_down();
    }
}

/// Why the admission state gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdmissionReadError {
    /// The answer was in flight when a write failed.
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
    /// A run cannot be read.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// Why a log was not stopped cleanly.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CloseError {
    /// An earlier write had failed.
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
    /// The head file could not be written.
    #[error(transparent)]
    Disk(#[from] DiskFault),
}
