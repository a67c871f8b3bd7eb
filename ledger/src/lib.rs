//! The ledger: an append-only event log with proofs, and the projections folded from it.
//!
//! [`log`] is the truth: segment files on a [`disk`], group commit, recovery, `fsck`. Everything
//! else in this crate can be dropped and folded again from it. No network and no async runtime.

pub mod blobs;
pub mod clock;
pub mod disk;
pub mod entropy;
pub mod index;
pub mod ledger;
pub mod limits;
pub mod log;
pub mod projection;

pub use ledger::{Ledger, LedgerError, LedgerOptions};
