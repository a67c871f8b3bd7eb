//! The event log: segment files, group commit, recovery, `fsck`.
//!
//! ```text
//! AppendRequest -> Pending (caller's thread) -> Sequencer -> Batch -> frame -> write, fdatasync
//!               -> published -> Receipt
//! ```
//!
//! * One sequencer gives places, one commit is in flight at most, readers take none of their locks.
//! * What is durable when, and what a crash leaves: [`EventLog::append`] and `commit.rs`.
//! * What a torn frame is and what is damage: `scan.rs`. The order of recovery: `recover.rs`.
//! * The bytes: FORMATS.md, section 10.1.
//!
//! In scope: events as bytes with their admission. Out of scope: what payloads mean, node hashes
//! and tiles (the index folds those from here), blobs.

mod admission;
mod append;
mod asked;
mod batch;
mod block;
mod bytes;
mod commit;
mod erase;
mod event;
mod fault;
mod frame;
mod fsck;
mod handle;
mod head;
mod ids;
mod index;
mod journal;
mod lifecycle;
mod names;
mod observe;
mod options;
mod pending;
mod publish;
mod queue;
mod read;
mod record;
mod recover;
mod reply;
mod request;
mod run;
mod scan;
mod seal;
mod segment;
mod sequencer;
mod signer;
mod space;
mod spec;
mod state;
mod stretch;
mod upkeep;

pub use append::{AppendError, Poisoned};
pub use asked::{Asked, EarlierError};
pub use block::{BlockCount, BlockNumber};
pub use erase::{EraseError, EraseRequest};
pub use event::{OwnedEvent, OwnedPayload, StoredCommit, StoredEvent, StoredPayload};
pub use fault::{Damage, DiskFault, Fault, Place, StoreFault};
pub use frame::FrameFault;
pub use fsck::{FsckError, FsckOptions, FsckProgress, FsckReport, fsck};
pub use handle::{AdmissionReadError, CloseError, EventLog, LogStats};
pub use ids::{LogId, SegmentNumber};
pub use names::{NameError, Principal, RequestId};
pub use observe::{CommitSample, LogObserver};
pub use options::{Evidence, LogOptions, UpkeepMode};
pub use publish::Published;
pub use read::ReadError;
pub use recover::{OpenError, OpenReport};
pub use reply::AppendCallback;
pub use request::{
    AppendRequest, Entries, EventCount, Expected, NameRule, Named, NewEvent, Receipt, StreamHead,
};
pub use signer::{
    CheckpointSigner, CheckpointVerifier, NoteCheckpointSigner, NoteCheckpointVerifier, SignError,
};
pub use spec::LeafKind;
pub use stretch::Stretch;
