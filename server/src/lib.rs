//! The service: use cases over the ledger and the engine, gRPC and HTTP on one port.

mod access;
mod auth;
mod keys;
mod refusal;

pub use auth::{AuthLayer, Caller, Policy};
pub use keys::Keys;
pub use refusal::Refusal;
