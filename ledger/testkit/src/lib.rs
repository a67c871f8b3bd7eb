//! What the ledger's tests are built from: a disk that fails and loses power on command, a clock
//! and randomness that repeat themselves, the oracle, and the suite any log must pass.
//!
//! Everything is deterministic: the same seed gives the same faults, and a failing test prints it.

pub mod clock;
pub mod conformance;
pub mod disk;
pub mod entropy;
pub mod fixture;
pub mod oracle;
