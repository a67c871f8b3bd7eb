//! A client that verifies.
//!
//! [`Connection`] speaks to every service and trusts nothing; what it hands out is unverified, as is
//! the file of an [`ExportStream`]. Everything else returns [`Verified`] values, or values whose own
//! types are evidence (a `SignedCheckpoint`, an `Included`):
//!
//! * [`VerifyingLog`]: checkpoints, proofs and runs of events of the log; [`Tail`] follows it.
//!   [`PinStore`] remembers the last checkpoint, so that a server that shows another history is
//!   found out: [`ClientError::Fork`].
//! * [`VerifyingScores`]: signed roots, nodes, manifests, bundles, rows of snapshots.
//!
//! [`Appender`] appends, each request with an idempotency key; [`bulk`] many at a time.
//!
//! Links no store: everything here works against bytes that anyone may have sent.

mod append;
mod bulk;
mod connect;
mod edge;
mod error;
mod event;
mod export;
mod log;
mod options;
mod pin;
mod read;
mod retry;
mod scores;
mod tail;
mod transport;
mod verified;

pub use append::{Appended, Appender, NewEvent, RequestIds};
pub use bulk::{Acknowledged, Acknowledgements, BulkAppender, NotAcknowledged, Window, bulk};
pub use connect::{Bearer, Connection};
pub use error::ClientError;
pub use event::{EventPayload, LogEvent};
pub use export::ExportStream;
pub use log::{LogTrust, ProvedLeaf, VerifyingLog};
pub use options::ConnectOptions;
pub use pin::PinStore;
pub use read::{Events, MAX_READ_EVENTS};
pub use retry::{Jitter, RetryPolicy};
pub use scores::{Bundle, ScoreTrust, VerifyingScores};
pub use tail::Tail;
pub use transport::Authorized;
pub use verified::Verified;
