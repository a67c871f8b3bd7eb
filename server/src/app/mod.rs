//! The use cases: what a caller asks for, as events in the ledger.
//!
//! Everything here is synchronous and may block; the edges run it on threads that may. The order
//! is always the same: what an event names is durable before the event, and what a caller is told
//! is durable before the answer.

mod acts;
mod batch;
mod computations;
mod engine;
mod exports;
mod figures;
mod growth;
mod open;
mod operations;
mod pages;
mod policies;
mod proofs;
mod rebuilds;
mod repeats;
mod replays;
mod scans;
mod snapshots;
mod status;
mod tenants;
mod writer;

pub(crate) use acts::Act;
pub use batch::{ErrorDocument, OperationDocument, ProgressDocument, ResultDocument};
pub(crate) use exports::{Export, Piece};
pub use open::{AppOptions, FsckReport, dev_token, fsck_directory};
#[cfg(test)]
pub(crate) use operations::batch as long_running;
pub(crate) use operations::of_rebuild;
pub use proofs::{OWN_ANCHOR, VerifyProofDocument};
pub use replays::{FindingsDeltaDocument, ReplayDocument, ScoreDeltaDocument, ScoreProofDocument};
pub use snapshots::Source;

use crate::denials::Denials;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::trace::patience;
use bytes::Bytes;
use growth::Growing;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;
use stella_ledger::Ledger;
use stella_ledger::ledger::View;
use stella_ledger::log::Published;
use stella_proto::reason::Reason;
use stella_verify::units::TreeSize;

/// How long a read waits for what it was told is there, and for the projections.
const WAIT: Duration = Duration::from_secs(10);

/// A ledger with its keys and its engine.
pub struct App {
    ledger: Ledger,
    /// Where the ledger's folders are.
    directory: PathBuf,
    metrics: Arc<Metrics>,
    storage: figures::Storage,
    keys: Keys,
    origin: String,
    vkey: String,
    feeds: Mutex<engine::FeedCache>,
    growing: Growing,
    /// What differs between feed snapshots, as far as it was asked for.
    differences: Mutex<replays::Differences>,
    jobs: batch::Jobs,
    rebuilds: rebuilds::Rebuilds,
    tokens: pages::Tokens,
    turns: repeats::Turns,
    /// Read: an event that names snapshots is under way. Written: one is being removed.
    registry: RwLock<()>,
    /// Held while one computation's nodes are appended and sealed.
    recording: Mutex<()>,
    /// Those beside it; only the default tenant's ledger has any.
    tenants: tenants::Tenants,
    /// Where callers are counted who lack a scope for what they then ask for; set once served.
    denials: OnceLock<Arc<Denials>>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl App {
    /// The ledger underneath.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Where this ledger's work is counted.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Where to hear of new trees, and of the end of service.
    pub(crate) fn growing(&self) -> &Growing {
        &self.growing
    }

    /// Waits until the log has a size.
    pub(crate) fn wait_published(&self, size: TreeSize) -> Result<Arc<Published>, Refusal> {
        let published = self.ledger.wait_published(size, patience(WAIT));
        if published.size >= size {
            return Ok(published);
        }
        let message = format!("the log has {} leaves, not {size}", published.size);
        Err(Refusal::new(Reason::BeyondTreeSize, message))
    }

    /// Everything as of the newest tree.
    pub(crate) fn newest(&self) -> Result<View<'_>, Refusal> {
        Ok(self.ledger.latest(patience(WAIT))?)
    }

    /// Everything as of the tree size that a request names; as of the newest when it names none.
    pub(crate) fn view_of(&self, size: Option<u64>) -> Result<View<'_>, Refusal> {
        match size {
            None => self.newest(),
            Some(size) => self.view_at(TreeSize::new(size)),
        }
    }

    /// Everything as of a published tree.
    pub(crate) fn view_at(&self, size: TreeSize) -> Result<View<'_>, Refusal> {
        Ok(self.ledger.at(size, patience(WAIT))?)
    }
}

/// The signed note of a published state.
///
/// # Errors
/// [`Reason::NotFound`] for the empty log, which has nothing durable to sign.
pub(crate) fn checkpoint_of(published: &Published) -> Result<Bytes, Refusal> {
    let note = published.checkpoint.as_ref().ok_or_else(|| {
        Refusal::new(
            Reason::NotFound,
            "the log is empty: it has no checkpoint yet",
        )
    })?;
    Ok(Bytes::copy_from_slice(note.as_bytes()))
}
