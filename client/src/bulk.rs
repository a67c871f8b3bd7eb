//! Many batches at a time, within a window, acknowledged in the order sent.
//!
//! ```text
//! push -> [ window: batches, bytes ] -> append, again until durable -> Acknowledgements, in order
//!  waits while the window is full
//! ```
//!
//! Each batch has a key of its own that it keeps for all its tries, so what breaks and is sent again
//! is appended once. Batches in the window are committed in any order; with a window of one batch in
//! the order sent.

use crate::error::refused;
use crate::{Appended, Appender, ClientError, NewEvent};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stella_proto::reason::Reason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

/// What may be under way at once: pushing waits while it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Batches.
    pub batches: u32,
    /// Bytes of payloads and names; a larger batch goes alone.
    pub bytes: u32,
}

impl Default for Window {
    /// 64 batches of together 32 MiB.
    fn default() -> Self {
        Self {
            batches: 64,
            bytes: 32 * 1024 * 1024,
        }
    }
}

/// Takes batches.
#[derive(Debug)]
pub struct BulkAppender {
    appender: Appender,
    window: Window,
    batches: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    stopped: Arc<AtomicBool>,
    sent: mpsc::UnboundedSender<Sent>,
    next: u64,
}

/// A batch under way. Its events are kept until it is known what became of them.
struct Sent {
    number: u64,
    request_id: String,
    events: Arc<[NewEvent]>,
    outcome: JoinHandle<Result<Appended, ClientError>>,
}

/// A batch that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// Its number, counted from 0 in the order pushed.
    pub batch: u64,
    /// Where its events are.
    pub appended: Appended,
}

/// A batch of which that is not known. Every batch acknowledged before and behind it is durable.
#[derive(Debug, thiserror::Error)]
#[error("batch {batch} was not acknowledged: {error}")]
pub struct NotAcknowledged {
    /// Its number.
    pub batch: u64,
    /// Its key: appending under it again is safe, whatever became of the first time.
    pub request_id: String,
    /// Its events.
    pub events: Arc<[NewEvent]>,
    /// Why.
    pub error: ClientError,
}

/// What became of the batches, in the order pushed.
#[derive(Debug)]
pub struct Acknowledgements(mpsc::UnboundedReceiver<Sent>);

/// Opens a window for batches.
#[must_use]
pub fn bulk(appender: Appender, window: Window) -> (BulkAppender, Acknowledgements) {
    let (sent, arriving) = mpsc::unbounded_channel();
    let room = |number: u32| {
        let number = usize::try_from(number.max(1)).unwrap_or(usize::MAX);
        Arc::new(Semaphore::new(number.min(Semaphore::MAX_PERMITS)))
    };
    let bulk = BulkAppender {
        appender,
        window,
        batches: room(window.batches),
        bytes: room(window.bytes),
        stopped: Arc::default(),
        sent,
        next: 0,
    };
    (bulk, Acknowledgements(arriving))
}

impl BulkAppender {
    /// Sends a batch as soon as there is room for it, and answers its number. What becomes of it
    /// is said by [`Acknowledgements::next`].
    ///
    /// # Errors
    /// [`ClientError::Refused`] when an earlier batch failed: then nothing was sent.
    pub async fn push(&mut self, events: Vec<NewEvent>) -> Result<u64, ClientError> {
        let size: usize = events.iter().map(NewEvent::size).sum();
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let room = (
            permits(&self.batches, 1).await?,
            permits(&self.bytes, size.clamp(1, self.window.bytes.max(1))).await?,
        );
        if self.stopped.load(Ordering::Acquire) {
            let message = "an earlier batch was not acknowledged: see what became of it".to_owned();
            return Err(refused(Reason::Unavailable, message));
        }
        let events: Arc<[NewEvent]> = events.into();
        let request_id = self.appender.draw()?;
        let (appender, stopped) = (self.appender.clone(), Arc::clone(&self.stopped));
        let (id, batch) = (request_id.clone(), Arc::clone(&events));
        let outcome = tokio::spawn(async move {
            let outcome = appender.append_as(&id, &batch).await;
            if outcome.is_err() {
                stopped.store(true, Ordering::Release);
            }
            drop(room);
            outcome
        });
        let number = self.next;
        self.next += 1;
        let sent = Sent {
            number,
            request_id,
            events,
            outcome,
        };
        // Whoever dropped the other end does not want to know.
        self.sent.send(sent).ok();
        Ok(number)
    }
}

async fn permits(of: &Arc<Semaphore>, number: u32) -> Result<OwnedSemaphorePermit, ClientError> {
    let permits = Arc::clone(of).acquire_many_owned(number).await;
    permits.map_err(|closed| refused(Reason::Internal, closed.to_string()))
}

impl Acknowledgements {
    /// What became of the next batch; `None` when the [`BulkAppender`] is gone and every batch was
    /// told of. Goes on after an error: each batch is told of once.
    pub async fn next(&mut self) -> Option<Result<Acknowledged, NotAcknowledged>> {
        let sent = self.0.recv().await?;
        let outcome = match sent.outcome.await {
            Ok(outcome) => outcome,
            Err(lost) => Err(refused(Reason::Internal, lost.to_string())),
        };
        let batch = sent.number;
        Some(match outcome {
            Ok(appended) => Ok(Acknowledged { batch, appended }),
            Err(error) => Err(NotAcknowledged {
                batch,
                request_id: sent.request_id,
                events: sent.events,
                error,
            }),
        })
    }
}
