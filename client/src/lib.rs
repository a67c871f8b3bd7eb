//! A client that verifies.
//!
//! [`Connection`] speaks to every service and trusts nothing. [`VerifyingLog`] checks what carries
//! a proof before it returns it, and remembers the last checkpoint it saw ([`PinStore`]), so that a
//! server that shows another history is found out.
//!
//! Links no store: everything here works against bytes that anyone may have sent.

mod connect;
mod error;
mod export;
mod log;
mod pin;

pub use connect::{Authorized, Bearer, Connection};
pub use error::ClientError;
pub use export::ExportStream;
pub use log::{LogTrust, ProvedLeaf, VerifyingLog};
pub use pin::PinStore;
