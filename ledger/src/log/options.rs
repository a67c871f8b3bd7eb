//! How a log is created and opened.

use super::observe::LogObserver;
use super::signer::{CheckpointSigner, CheckpointVerifier};
use super::spec::LeafKind;
use crate::clock::{Clock, SystemClock};
use crate::disk::{ByteLength, Disk};
use crate::entropy::{Entropy, OsEntropy};
use crate::limits::{DEFAULT_REQUEST_WINDOW_MILLIS, DEFAULT_SEGMENT_BYTES};
use std::sync::Arc;
use std::time::Duration;
use stella_verify::event::LogOrigin;
use stella_verify::merkle::TreeHead;

/// Everything a log needs from outside. Start from [`LogOptions::new`].
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// The data directory.
    pub disk: Arc<dyn Disk>,
    /// The log's name in its checkpoints; opening a log of another origin is refused.
    pub origin: LogOrigin<Arc<str>>,
    /// Signs checkpoints.
    pub signer: Arc<dyn CheckpointSigner>,
    /// Checks at open that the log's newest checkpoint is of the key at hand: one more checkpoint by
    /// another key under this name could not be taken back. `None` trusts the caller.
    pub verifier: Option<Arc<dyn CheckpointVerifier>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where salts come from.
    pub entropy: Arc<dyn Entropy>,
    /// What the leaves are. Counts at creation; opening a log of the other kind is refused.
    pub kind: LeafKind,
    /// Length of a segment file. Counts at creation.
    pub segment_bytes: ByteLength,
    /// How long a request id is recognised.
    pub request_window: Duration,
    /// Who does what need not delay an append.
    pub upkeep: UpkeepMode,
    /// What others know of the log's size: what the projections applied, what witnesses
    /// cosigned. A log shorter than that is refused, and so is one with another root there.
    pub evidence: Vec<Evidence>,
    /// Who hears of commits.
    pub observer: Arc<dyn LogObserver>,
}

/// Who prepares segments, seals full ones, writes the head file and serves queued requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpkeepMode {
    /// Threads of the log's own.
    Threads,
    /// The appending thread, at fixed points: the order of disk operations is then a function of
    /// the requests, as tests need it.
    Inline,
}

/// A tree head that the log must be able to reproduce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Who says so, for the error's text: for example "the index".
    pub source: String,
    /// What they know.
    pub head: TreeHead,
}

impl LogOptions {
    /// An event log with the defaults, the system's clock and the system's randomness.
    #[must_use]
    pub fn new(
        disk: Arc<dyn Disk>,
        origin: LogOrigin<Arc<str>>,
        signer: Arc<dyn CheckpointSigner>,
    ) -> Self {
        Self {
            disk,
            origin,
            signer,
            verifier: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            kind: LeafKind::Event,
            segment_bytes: ByteLength(DEFAULT_SEGMENT_BYTES),
            request_window: Duration::from_millis(DEFAULT_REQUEST_WINDOW_MILLIS),
            upkeep: UpkeepMode::Threads,
            evidence: Vec::new(),
            observer: Arc::new(()),
        }
    }
}
