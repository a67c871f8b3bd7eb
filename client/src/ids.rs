//! Idempotency keys: what makes it safe to ask again for something that may have been done.

use crate::error::refused;
use crate::{ClientError, RetryPolicy};
use std::sync::Arc;
use stella_proto::reason::Reason;
use stella_verify::hash::to_hex;

/// Draws the idempotency key of a request: 1-255 bytes without control characters that no other request of
/// this principal has.
pub type RequestIds = Arc<dyn Fn() -> Result<String, ClientError> + Send + Sync>;

/// Keys of 128 random bits.
pub(crate) fn random_ids() -> RequestIds {
    Arc::new(random_id)
}

/// 128 random bits as 32 hex digits.
fn random_id() -> Result<String, ClientError> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|problem| {
        let message = format!("no randomness for a request id: {problem}");
        refused(Reason::Internal, message)
    })?;
    Ok(to_hex(&bits))
}

/// How calls that change something are made: each under a key of its own, and repeated.
#[derive(Clone)]
pub(crate) struct Keyed {
    pub(crate) policy: RetryPolicy,
    ids: RequestIds,
}

impl Keyed {
    pub(crate) const fn new(policy: RetryPolicy, ids: RequestIds) -> Self {
        Self { policy, ids }
    }

    /// A new key.
    pub(crate) fn draw(&self) -> Result<String, ClientError> {
        (self.ids)()
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyed")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
