//! Everything that is folded from the log: the DAG and the projections in sled, hash tiles beside it.
//!
//! ```text
//! EventSource --digest (parallel)--> Digest --absorb--> Fold { unfinished window } --commit--> store
//!                                                         ^ queries                    ^ queries
//! ```
//!
//! Deleting the index folder loses nothing: it is folded again from the log, to the same keys and
//! values. No write decision reads it.

pub mod attach;
pub mod catch_up;
pub mod disk;
pub mod dump;
pub mod edge;
pub mod fold;
pub mod handle;
pub mod inspect;
pub mod keys;
pub mod kv;
pub mod marker;
pub mod memory;
pub mod postings;
pub mod query;
pub mod seal;
pub mod source;
pub mod store;
pub mod tile_files;
pub mod tiles;
pub mod window;

pub use attach::{AttachError, Found, IndexFolder};
pub use catch_up::{FoldError, FoldProgress, Workers, catch_up};
pub use fold::Fold;
pub use handle::{Index, IndexError, IndexOptions, IndexStats, QueryError};
pub use store::CacheBytes;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
