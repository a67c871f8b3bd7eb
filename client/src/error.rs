//! What can go wrong for a client, with the server's reason when it gave one.

use std::error::Error;
use stella_proto::reason::{DOMAIN, Meaning, Reason};
use tonic_types::StatusExt as _;

/// A failed call, or an answer that does not verify.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server refused, or the transport failed.
    #[error("{message}")]
    Refused {
        /// Why, from the one table of refusals.
        reason: Reason,
        /// The server's sentence.
        message: String,
    },
    /// The server's address cannot be used.
    #[error("cannot reach {address}: {why}")]
    Connect {
        /// The address as given.
        address: String,
        /// What the transport said.
        why: String,
    },
    /// An answer is malformed or contradicts what it claims.
    #[error("the server's answer does not verify: {0}")]
    Unverified(String),
    /// Two signed checkpoints of one log contradict each other.
    #[error("fork detected: {0}")]
    Fork(String),
    /// The checkpoint this client remembers could not be read or written.
    #[error("remembered checkpoint {path}: {why}")]
    Pin {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl ClientError {
    /// The row of the table of refusals.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Refused { reason, .. } => *reason,
            Self::Connect { .. } => Reason::Unavailable,
            Self::Unverified(_) => Reason::VerificationFailed,
            Self::Fork(_) => Reason::ForkDetected,
            Self::Pin { .. } => Reason::Storage,
        }
    }

    /// What it means at each edge.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        self.reason().meaning()
    }
}

impl From<tonic::Status> for ClientError {
    fn from(status: tonic::Status) -> Self {
        let named = status
            .get_details_error_info()
            .filter(|info| info.domain == DOMAIN)
            .and_then(|info| Reason::of(&info.reason));
        let reason = named.unwrap_or_else(|| reason_of_code(status.code()));
        let mut message = status.message().to_owned();
        // What the transport says, not the server.
        if let Some(source) = status.source() {
            add_causes(&mut message, source);
        }
        Self::Refused { reason, message }
    }
}

/// For answers of proxies and of tonic itself, which carry no `ErrorInfo`.
fn reason_of_code(code: tonic::Code) -> Reason {
    use tonic::Code;
    match code {
        Code::InvalidArgument => Reason::InvalidArgument,
        Code::NotFound => Reason::NotFound,
        Code::PermissionDenied => Reason::PermissionDenied,
        Code::Unauthenticated => Reason::Unauthenticated,
        Code::ResourceExhausted => Reason::ResourceExhausted,
        // tonic answers Cancelled when a deadline of its own passes.
        Code::DeadlineExceeded | Code::Cancelled => Reason::DeadlineExceeded,
        Code::OutOfRange => Reason::BeyondTreeSize,
        Code::Unavailable => Reason::Unavailable,
        _ => Reason::Internal,
    }
}

/// An answer that does not verify.
pub(crate) fn unverified(problem: impl core::fmt::Display) -> ClientError {
    ClientError::Unverified(problem.to_string())
}

/// What this client refuses by itself.
pub(crate) fn refused(reason: Reason, message: String) -> ClientError {
    ClientError::Refused { reason, message }
}

/// An error and what caused it, one after the other.
pub(crate) fn chain<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// An error and all its causes in one line.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    add_causes(&mut text, error);
    if text.is_empty() {
        return error.to_string();
    }
    text
}

/// Adds what a text does not say yet. tonic's own words are only "transport error".
fn add_causes(text: &mut String, error: &(dyn Error + 'static)) {
    for cause in chain(error) {
        let said = cause.to_string();
        if said == "transport error" || text.contains(&said) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&said);
    }
}
