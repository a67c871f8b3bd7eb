//! Batches of replays: starting, following and cancelling them.

use crate::fields::{present, wrong};
use crate::ids::{Keyed, random_ids};
use crate::pages::Place;
use crate::retry::repeat;
use crate::{
    Authorized, BatchResult, ClientError, Connection, NewBatch, Operation, OperationName, Pages,
    RequestIds, RetryPolicy, Watch,
};
use stella_proto::replay as wire;
use stella_proto::replay::replay_service_client::ReplayServiceClient;

/// Results on a page when the caller does not say: as many as there may be, for none is 0 to the
/// server.
const RESULTS: u32 = 1000;

/// A batch that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedBatch {
    /// The batch, which is durable: it goes on when the server is started again.
    pub operation: Operation,
    /// Whether an earlier try had started it.
    pub existing: bool,
}

/// Batches of replays, by the server's word, repeating what may not have arrived. Cheap to clone.
///
/// A key is drawn once for a call and stays the same for all its tries: a connection that breaks
/// never starts two batches.
#[derive(Debug, Clone)]
pub struct Replays {
    wire: ReplayServiceClient<Authorized>,
    keyed: Keyed,
}

impl Replays {
    /// Batches over a connection, with random keys of 128 bits.
    #[must_use]
    pub fn new(connection: &Connection, policy: RetryPolicy) -> Self {
        Self::with_ids(connection, policy, random_ids())
    }

    /// The same with keys from `ids`: for callers whose own requests have names already.
    #[must_use]
    pub fn with_ids(connection: &Connection, policy: RetryPolicy, ids: RequestIds) -> Self {
        Self {
            wire: connection.replays(),
            keyed: Keyed::new(policy, ids),
        }
    }

    /// Starts a batch and does not wait for it.
    ///
    /// # Errors
    /// [`ClientError`]. After an error other than a refusal for good the outcome is unknown: start
    /// under the same key to learn it.
    pub async fn start(&self, batch: &NewBatch) -> Result<StartedBatch, ClientError> {
        self.start_as(&self.keyed.draw()?, batch).await
    }

    /// Starts a batch under a key of the caller, for example again after an unknown outcome.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_as(&self, id: &str, batch: &NewBatch) -> Result<StartedBatch, ClientError> {
        let request = batch.to_wire(id)?;
        let answer = repeat(&self.keyed.policy, || {
            let (mut wire, request) = (self.wire.clone(), request.clone());
            async move { wire.start_batch_replay(request).await }
        });
        let answer = answer.await?.into_inner();
        Ok(StartedBatch {
            operation: Operation::read(&present("operation", answer.operation)?)?,
            existing: answer.existing,
        })
    }

    /// How far a batch is.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when there is none of that name.
    pub async fn get(&self, name: &OperationName) -> Result<Operation, ClientError> {
        let request = wire::GetOperationRequest {
            name: name.to_string(),
            ..wire::GetOperationRequest::default()
        };
        let answer = repeat(&self.keyed.policy, || {
            let (mut wire, request) = (self.wire.clone(), request.clone());
            async move { wire.get_operation(request).await }
        });
        named(name, answer.await?.into_inner().operation)
    }

    /// What came of each scan, in the order in which it came. Before the end there may be more
    /// later.
    #[must_use]
    pub fn results(&self, name: &OperationName) -> Pages<BatchResult> {
        let (wire, name) = (self.wire.clone(), name.clone());
        let ask = move |place: Place| {
            let mut wire = wire.clone();
            let request = wire::GetOperationRequest {
                name: name.to_string(),
                page_size: Some(place.size.get())
                    .filter(|size| *size > 0)
                    .unwrap_or(RESULTS),
                page_token: place.token,
            };
            async move {
                let answer = wire.get_operation(request).await?.into_inner();
                Ok((answer.results, answer.next_page_token))
            }
        };
        Pages::new(&self.keyed.policy, ask, BatchResult::read)
    }

    /// Follows a batch to its end.
    #[must_use]
    pub fn watch(&self, name: &OperationName) -> Watch {
        Watch::new(self.wire.clone(), self.keyed.policy.clone(), name.clone())
    }

    /// Waits for a batch to end, however long that takes.
    ///
    /// # Errors
    /// As [`Watch::next`].
    pub async fn wait(&self, name: &OperationName) -> Result<Operation, ClientError> {
        let mut watch = self.watch(name);
        let mut last = None;
        while let Some(operation) = watch.next().await? {
            last = Some(operation);
        }
        present("operation", last)
    }

    /// Asks a batch to stop. Replays under way are finished; one that is done stays as it is.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when there is none of that name.
    pub async fn cancel(&self, name: &OperationName) -> Result<Operation, ClientError> {
        self.cancel_as(&self.keyed.draw()?, name).await
    }

    /// Asks a batch to stop, under a key of the caller.
    ///
    /// # Errors
    /// As [`Self::cancel`].
    pub async fn cancel_as(
        &self,
        id: &str,
        name: &OperationName,
    ) -> Result<Operation, ClientError> {
        let request = wire::CancelOperationRequest {
            name: name.to_string(),
            request_id: id.to_owned(),
        };
        let answer = repeat(&self.keyed.policy, || {
            let (mut wire, request) = (self.wire.clone(), request.clone());
            async move { wire.cancel_operation(request).await }
        });
        named(name, answer.await?.into_inner().operation)
    }

    /// Batches, newest first; how far each is, is said as of when its page was asked for.
    #[must_use]
    pub fn list(&self) -> Pages<Operation> {
        let wire = self.wire.clone();
        let ask = move |place: Place| {
            let mut wire = wire.clone();
            let request = wire::ListOperationsRequest {
                page_size: place.size.get(),
                page_token: place.token,
            };
            async move {
                let answer = wire.list_operations(request).await?.into_inner();
                Ok((answer.operations, answer.next_page_token))
            }
        };
        Pages::new(&self.keyed.policy, ask, Operation::read)
    }
}

/// An operation in an answer, which must be the one that was asked for.
pub(crate) fn named(
    name: &OperationName,
    operation: Option<wire::Operation>,
) -> Result<Operation, ClientError> {
    let operation = Operation::read(&present("operation", operation)?)?;
    if operation.name != *name {
        return Err(wrong("name", "it is of another operation"));
    }
    Ok(operation)
}
