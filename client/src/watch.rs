//! Following a batch of replays to its end, across restarts of the server.

use crate::replays::named;
use crate::retry::Repeats;
use crate::{Authorized, ClientError, Operation, OperationName, RetryPolicy};
use stella_proto::replay as wire;
use stella_proto::replay::replay_service_client::ReplayServiceClient;
use tokio::time::Instant;
use tonic::{Status, Streaming};

/// A batch each time it has got further, until it has ended; by the server's word.
///
/// When the connection breaks the server is asked again. What was told then is not told twice, and
/// steps in between may be missing: the last one never is.
#[derive(Debug)]
pub struct Watch {
    wire: ReplayServiceClient<Authorized>,
    policy: RetryPolicy,
    name: OperationName,
    answers: Option<Streaming<wire::WatchOperationResponse>>,
    last: Option<Operation>,
}

impl Watch {
    pub(crate) fn new(
        wire: ReplayServiceClient<Authorized>,
        policy: RetryPolicy,
        name: OperationName,
    ) -> Self {
        Self {
            wire,
            policy,
            name,
            answers: None,
            last: None,
        }
    }

    /// Waits until the batch has got further; `None` when its end was told. As long as a replay
    /// takes, that takes. Giving up the wait loses nothing.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when there is no such batch, or the connection breaks for longer
    /// than the policy allows: the watch may be asked again. [`ClientError::Unverified`] for a
    /// malformed answer.
    pub async fn next(&mut self) -> Result<Option<Operation>, ClientError> {
        if self.last.as_ref().is_some_and(|last| last.status.done()) {
            return Ok(None);
        }
        let policy = self.policy.clone();
        let mut repeats = Repeats::start(&policy);
        loop {
            let broken = match self.connected().await {
                Ok(mut answers) => {
                    let opened = Instant::now();
                    let broken = match answers.message().await {
                        Ok(Some(answer)) => {
                            self.answers = Some(answers);
                            let operation = named(&self.name, answer.operation)?;
                            // After a break the first answer is where it is now.
                            if self.last.as_ref() == Some(&operation) {
                                continue;
                            }
                            self.last = Some(operation.clone());
                            return Ok(Some(operation));
                        }
                        Ok(None) => Status::unavailable("the watch ended before the operation"),
                        Err(status) => status,
                    };
                    repeats.held_since(opened);
                    broken
                }
                Err(status) => status,
            };
            repeats.wait(broken).await?;
        }
    }

    /// The stream of answers. It is taken out while it is read: whatever goes wrong, the next call
    /// connects anew.
    async fn connected(&mut self) -> Result<Streaming<wire::WatchOperationResponse>, Status> {
        if let Some(answers) = self.answers.take() {
            return Ok(answers);
        }
        let name = self.name.to_string();
        let request = wire::WatchOperationRequest { name };
        Ok(self.wire.watch_operation(request).await?.into_inner())
    }
}
