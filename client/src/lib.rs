//! A client that verifies.
//!
//! [`Connection`] speaks to every service and trusts nothing; what it hands out is unverified, as is
//! the file of an [`ExportStream`]. What carries proofs comes as [`Verified`] values, or as values whose
//! own types are evidence (a `SignedCheckpoint`, an `Included`):
//!
//! * [`VerifyingLog`]: checkpoints, proofs and runs of events of the log; [`Tail`] follows it.
//!   [`PinStore`] remembers the last checkpoint, so that a server that shows another history is
//!   found out: [`ClientError::Fork`].
//! * [`VerifyingScores`]: signed roots, nodes, manifests, bundles, rows of snapshots, and what a
//!   [`Scan`] says of its score.
//!
//! Some answers carry no proof. They come in types of their own, read strictly and documented as the
//! server's word, and name by hash what can be verified:
//!
//! * [`Appender`] appends, each request with an idempotency key; [`bulk`] many at a time.
//! * [`Scans`] submits scans, [`Replays`] starts batches of replays, each with an idempotency key;
//!   [`Watch`] follows a batch to its end.
//! * [`Pages`] walks a list of scans, batches or results, or one of [`Lists`]: snapshots, policies,
//!   proofs.
//!
//! Links no store: everything here works against bytes that anyone may have sent.

mod append;
mod batch;
mod bulk;
mod connect;
mod edge;
mod error;
mod event;
mod export;
mod fields;
mod ids;
mod listed;
mod lists;
mod log;
mod operation;
mod options;
mod pages;
mod pin;
mod read;
mod replays;
mod retry;
mod scan;
mod scans;
mod scored;
mod scores;
mod tail;
mod transport;
mod verified;
mod watch;

pub use append::{Appended, Appender, NewEvent};
pub use batch::{BatchInputs, BatchScans, NewBatch};
pub use bulk::{Acknowledged, Acknowledgements, BulkAppender, NotAcknowledged, Window, bulk};
pub use connect::{Bearer, Connection};
pub use error::ClientError;
pub use event::{EventPayload, LogEvent};
pub use export::ExportStream;
pub use ids::RequestIds;
pub use listed::{ListedPolicy, ListedProof, ListedSnapshot};
pub use lists::Lists;
pub use log::{LogTrust, ProvedLeaf, VerifyingLog};
pub use operation::{
    BatchOutcome, BatchResult, Operation, OperationName, OperationStatus, Progress, ReplayedScore,
};
pub use options::ConnectOptions;
pub use pages::{MAX_LISTED_ROWS, PageSize, Pages};
pub use pin::PinStore;
pub use read::{Events, MAX_READ_EVENTS};
pub use replays::{Replays, StartedBatch};
pub use retry::{Jitter, RetryPolicy};
pub use scan::{NewScan, Scan, SealedScore};
pub use scans::{ScanFilter, Scans, SubmittedScan};
pub use scored::ScoredScan;
pub use scores::{Bundle, ScoreTrust, VerifyingScores};
pub use tail::Tail;
pub use transport::Authorized;
pub use verified::Verified;
pub use watch::Watch;
