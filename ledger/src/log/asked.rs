//! Request ids of use cases: what was asked for is one thing, what it became another.
//!
//! The body of an ordinary request is its entries. A use case makes other entries each time (current
//! snapshots move on, times pass), so it says itself what "the same request" is: a hash of what its
//! caller sent. Before it does anything it asks whether that was answered already, and reconstructs
//! the answer from the entries of then.

use super::append::AppendError;
use super::handle::{AdmissionReadError, EventLog};
use super::names::{Principal, RequestId};
use super::pending::Author;
use super::record::{BodyHash, RequestKey};
use super::request::{AppendRequest, EventCount, Receipt};
use std::time::Instant;
use stella_verify::units::LeafIndex;

/// A hash of a decoded request as its caller sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked([u8; 32]);

impl Asked {
    /// Takes a hash; equal hashes are the same request.
    #[must_use]
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Under a label of its own: never equal to the body of an ordinary request.
    fn body(&self) -> BodyHash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"asked\0");
        hasher.update(&self.0);
        BodyHash(*hasher.finalize().as_bytes())
    }
}

/// Why it is not known what became of an earlier request.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EarlierError {
    /// The request id was used for something else, or too long ago.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The admission state cannot be read.
    #[error(transparent)]
    Read(#[from] AdmissionReadError),
}

impl EventLog {
    /// As [`EventLog::append_before`], but the request's body is what was asked for.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn append_asked(
        &self,
        request: AppendRequest,
        asked: Asked,
        deadline: Option<Instant>,
    ) -> Result<Receipt, AppendError> {
        let mut pending = self.state.prepare_request(request, Author::Caller)?;
        pending.deadline = deadline;
        if let Some((_, body)) = &mut pending.request {
            *body = asked.body();
        }
        self.state.append_blocking(pending)
    }

    /// Where the entries of an earlier request with this id are; `None` when there was none. Durable
    /// when answered.
    ///
    /// # Errors
    /// [`AppendError::RequestIdReused`] when it asked for something else,
    /// [`AppendError::RequestIdExpired`] when it is older than the window.
    pub fn earlier(
        &self,
        (principal, id): (&Principal, &RequestId),
        asked: Asked,
    ) -> Result<Option<(LeafIndex, EventCount)>, EarlierError> {
        let key = RequestKey::of(principal, id);
        let found = self
            .state
            .admission()
            .request(&key, &super::admission::Older::default())
            .map_err(AdmissionReadError::from)?;
        let Some(entry) = self.settled(found, |entry| entry.first)? else {
            return Ok(None);
        };
        let first = entry.first;
        if entry.body != asked.body() {
            return Err(AppendError::RequestIdReused { first }.into());
        }
        let now = self.state.options.clock.now();
        let age = now.get().saturating_sub(entry.time.get());
        if u128::from(age) > self.state.options.request_window.as_millis() {
            return Err(AppendError::RequestIdExpired { first }.into());
        }
        Ok(Some((first, entry.count)))
    }
}
