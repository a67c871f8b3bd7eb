//! Events: what the ledger admitted, as leaf bytes (FORMATS.md sections 3 and 4).
//!
//! A leaf is a small protobuf message in the one canonical encoding. Protobuf itself allows many
//! (repeated fields, padded varints, unknown fields), so the codec here is our own: it writes the
//! canonical bytes, and a reader re-encodes what it understood and refuses a leaf that differs.
//!
//! Payloads stand beside the leaf, which only commits to them: they can be erased, leaves cannot.

mod header;
mod name;
pub mod payload;
mod proto;
mod rule;

pub use header::{EVENT_SCHEMA, EventHeader};
pub use name::{Actor, EventType, LogOrigin, NameError, StreamName};
pub use proto::EventError;
pub use rule::RuleApplied;

#[cfg(test)]
mod tests;
