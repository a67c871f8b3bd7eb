//! How a ledger is created and opened.

use std::sync::Arc;
use std::time::Duration;

use stella_verify::event::LogOrigin;

use crate::clock::{Clock, SystemClock};
use crate::disk::ByteLength;
use crate::entropy::{Entropy, OsEntropy};
use crate::index::{CacheBytes, Workers};
use crate::limits::{
    DEFAULT_INDEX_CACHE_BYTES, DEFAULT_REQUEST_WINDOW_MILLIS, DEFAULT_SEGMENT_BYTES,
};
use crate::log::{CheckpointSigner, CheckpointVerifier, Evidence, LeafKind, LogObserver};

/// Everything a ledger needs from outside its directory. Start from [`LedgerOptions::new`].
#[derive(Debug, Clone)]
pub struct LedgerOptions {
    /// The log's name in its checkpoints. Fixed at creation.
    pub origin: LogOrigin<Arc<str>>,
    /// Signs checkpoints.
    pub signer: Arc<dyn CheckpointSigner>,
    /// Checks at open that the log's newest checkpoint is of the key at hand; `None` trusts the caller.
    pub verifier: Option<Arc<dyn CheckpointVerifier>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where salts come from.
    pub entropy: Arc<dyn Entropy>,
    /// What the leaves are. Fixed at creation.
    pub kind: LeafKind,
    /// Length of a segment file. Fixed at creation.
    pub segment_bytes: ByteLength,
    /// How long a request id is recognised.
    pub request_window: Duration,
    /// Tree heads that others know of, which the log must reproduce.
    pub evidence: Vec<Evidence>,
    /// Who hears of the log's commits.
    pub observer: Arc<dyn LogObserver>,
    /// Memory for pages of the index.
    pub index_cache: CacheBytes,
    /// Threads that the index uses while it catches up.
    pub index_workers: Workers,
    /// How much longer than it takes a sync of the log is made to take: none, but for measuring what
    /// a slower disk would do.
    pub sync_delay: Duration,
}

impl LedgerOptions {
    /// The defaults, with the system's clock and randomness.
    #[must_use]
    pub fn new(origin: LogOrigin<Arc<str>>, signer: Arc<dyn CheckpointSigner>) -> Self {
        Self {
            origin,
            signer,
            verifier: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            kind: LeafKind::Event,
            segment_bytes: ByteLength(DEFAULT_SEGMENT_BYTES),
            request_window: Duration::from_millis(DEFAULT_REQUEST_WINDOW_MILLIS),
            evidence: Vec::new(),
            observer: Arc::new(()),
            index_cache: CacheBytes(DEFAULT_INDEX_CACHE_BYTES),
            index_workers: Workers::of_this_machine(),
            sync_delay: Duration::ZERO,
        }
    }
}
