//! When and how often a call is repeated.

use crate::ClientError;
use crate::error::refused;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;
use stella_proto::reason::{DOMAIN, Reason};
use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Draws a pause between nothing and the longest one given.
pub type Jitter = Arc<dyn Fn(Duration) -> Duration + Send + Sync>;

/// How a call is repeated that may be: because it only reads, or because it carries an idempotency
/// key, so that the server does at most once what it is asked twice.
#[derive(Clone)]
pub struct RetryPolicy {
    /// The longest first pause; each further one is up to twice as long.
    pub first_pause: Duration,
    /// What no pause exceeds, unless the server asks for a longer one.
    pub longest_pause: Duration,
    /// Time for the whole call with all its repeats.
    pub deadline: Duration,
    /// What spreads the pauses of many clients.
    pub jitter: Jitter,
}

impl Default for RetryPolicy {
    /// Up to a minute, with pauses of up to 100 ms at first and 5 s at last.
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
            deadline: Duration::from_mins(1),
            jitter: Arc::new(random_part),
        }
    }
}

impl std::fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("first_pause", &self.first_pause)
            .field("longest_pause", &self.longest_pause)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// A part of a duration, drawn from the system's generator; all of it where there is none.
fn random_part(longest: Duration) -> Duration {
    let drawn = getrandom::u32().unwrap_or(u32::MAX);
    let nanos = longest.as_nanos() * u128::from(drawn) / u128::from(u32::MAX);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The repeats of one call.
#[derive(Debug)]
pub(crate) struct Repeats<'p> {
    policy: &'p RetryPolicy,
    end: Instant,
    longest: Duration,
}

impl<'p> Repeats<'p> {
    /// Begins now.
    pub(crate) fn start(policy: &'p RetryPolicy) -> Self {
        Self {
            policy,
            end: Instant::now() + policy.deadline,
            longest: policy.first_pause,
        }
    }

    /// Takes no account of time for which a connection held: only what the server is away counts.
    pub(crate) fn held_since(&mut self, opened: Instant) {
        self.end += opened.elapsed();
    }

    /// Waits until the call may be made again.
    ///
    /// # Errors
    /// What it failed with, when repeating makes no sense or the time is over.
    pub(crate) async fn wait(&mut self, failed: Status) -> Result<(), ClientError> {
        if !may_repeat(&failed) {
            return Err(failed.into());
        }
        let asked = failed
            .get_details_retry_info()
            .and_then(|info| info.retry_delay)
            .unwrap_or_default();
        // The server's pause is a least one: without a part that differs, all would come at once.
        let pause = asked + (self.policy.jitter)(self.longest);
        if Instant::now() + pause >= self.end {
            return Err(failed.into());
        }
        self.longest = (self.longest * 2).min(self.policy.longest_pause);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Makes a call that may be repeated, until it is answered, refused for good, or out of time.
pub(crate) async fn repeat<T, F>(
    policy: &RetryPolicy,
    mut call: impl FnMut() -> F,
) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, Status>>,
{
    let mut repeats = Repeats::start(policy);
    loop {
        match tokio::time::timeout_at(repeats.end, call()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(failed)) => repeats.wait(failed).await?,
            Err(_) => {
                let message = format!("no answer within {:?}", policy.deadline);
                return Err(refused(Reason::DeadlineExceeded, message));
            }
        }
    }
}

/// Whether the same call may succeed later. What the server refused for good is not asked again.
fn may_repeat(status: &Status) -> bool {
    let info = status
        .get_details_error_info()
        .filter(|info| info.domain == DOMAIN);
    let told_when = status
        .get_details_retry_info()
        .is_some_and(|info| info.retry_delay.is_some());
    match info.and_then(|info| Reason::of(&info.reason)) {
        Some(reason) => match reason.meaning().grpc {
            Code::Unavailable | Code::DeadlineExceeded => true,
            Code::ResourceExhausted => told_when,
            _ => false,
        },
        // Without a reason of ours it is the transport, or something between us and the server.
        None => match status.code() {
            Code::Unavailable | Code::DeadlineExceeded => true,
            // A connection that broke under the call: tonic tells it by its source alone.
            Code::Unknown | Code::Internal | Code::Cancelled => status.source().is_some(),
            _ => told_when,
        },
    }
}

#[cfg(test)]
mod tests;
