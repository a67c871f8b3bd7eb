//! The log's service.

use super::{append, blocking, caller, read};
use crate::App;
use crate::app::checkpoint_of;
use crate::limits::MAX_BATCHES_IN_FLIGHT;
use crate::refusal::Refusal;
use crate::trace;
use futures_util::StreamExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;
use stella_ledger::log::Receipt;
use stella_proto::ledger as wire;
use stella_proto::ledger::ledger_service_server::LedgerService;
use stella_proto::reason::Reason;
use stella_verify::merkle::Growth;
use stella_verify::units::{LeafIndex, TreeSize};
use tokio::sync::oneshot;
use tonic::{Request, Response, Status, Streaming};

/// The service over one ledger.
pub(super) struct LedgerRpc(pub(super) Arc<App>);

type Answers<T> = Pin<Box<dyn futures_util::Stream<Item = Result<T, Status>> + Send>>;

impl LedgerRpc {
    /// Queues a request and waits for its commit without holding a thread.
    fn submit(
        &self,
        request: stella_ledger::log::AppendRequest,
    ) -> impl Future<Output = Result<Receipt, Refusal>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let metrics = Arc::clone(self.0.metrics());
        let begun = Instant::now();
        // Before its turn a request whose caller gave up is not admitted; after it, it is finished.
        self.0.ledger().submit_before(
            request,
            trace::deadline(),
            Box::new(move |outcome| {
                metrics.appended(begun.elapsed());
                // A caller that hung up does not undo what is durable.
                answer.send(outcome).ok();
            }),
        );
        async move {
            match answered.await {
                Ok(outcome) => outcome.map_err(Refusal::from),
                Err(_) => Err(Refusal::new(Reason::Unavailable, "the log closed")),
            }
        }
    }
}

#[tonic::async_trait]
impl LedgerService for LedgerRpc {
    type ReadEventsStream = Answers<wire::ReadEventsResponse>;
    type ReadStreamStream = Answers<wire::ReadStreamResponse>;
    type TailStream = Answers<wire::TailResponse>;

    async fn append(
        &self,
        request: Request<wire::AppendRequest>,
    ) -> Result<Response<wire::AppendResponse>, Status> {
        let caller = caller(&request)?;
        let admitted = append::admit(&caller, request.into_inner())?;
        let receipt = self.submit(admitted).await?;
        Ok(Response::new(append::acknowledge(&receipt)))
    }

    async fn append_stream(
        &self,
        request: Request<Streaming<wire::AppendStreamRequest>>,
    ) -> Result<Response<wire::AppendStreamResponse>, Status> {
        let caller = caller(&request)?;
        let mut batches = request.into_inner();
        let mut sum = wire::AppendStreamResponse {
            requests: 0,
            events: 0,
            tree_size: 0,
        };
        // Batches are queued as they arrive and committed in their order, several in one frame;
        // what is acknowledged is counted in that order too.
        let mut waiting = std::collections::VecDeque::new();
        loop {
            let queued = tokio::select! {
                biased;
                Some(outcome) = first(&mut waiting) => {
                    waiting.pop_front();
                    count(&mut sum, outcome)?;
                    continue;
                }
                next = batches.message(), if waiting.len() < MAX_BATCHES_IN_FLIGHT => next?,
            };
            let Some(message) = queued else { break };
            let Some(batch) = message.append else {
                let refusal = Refusal::field("append", "is missing");
                return Err(after(&sum, refusal));
            };
            let admitted = append::admit(&caller, batch).map_err(|refusal| after(&sum, refusal))?;
            waiting.push_back(Box::pin(self.submit(admitted)));
        }
        for outcome in waiting {
            count(&mut sum, outcome.await)?;
        }
        Ok(Response::new(sum))
    }

    async fn get_checkpoint(
        &self,
        request: Request<wire::GetCheckpointRequest>,
    ) -> Result<Response<wire::GetCheckpointResponse>, Status> {
        let mut published = self.0.ledger().published();
        if let Some(wanted) = request.into_inner().at_least {
            let wanted = TreeSize::new(wanted);
            if published.size < wanted {
                published = blocking(&self.0, move |app| app.wait_published(wanted)).await?;
            }
        }
        let note = checkpoint_of(&published)?;
        Ok(Response::new(wire::GetCheckpointResponse {
            checkpoint: note,
            tree_size: published.size.get(),
            root_hash: published.root.as_bytes().to_vec().into(),
        }))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<wire::GetInclusionProofRequest>,
    ) -> Result<Response<wire::GetInclusionProofResponse>, Status> {
        let request = request.into_inner();
        let index = LeafIndex::new(request.leaf_index);
        let size = request.tree_size.map(TreeSize::new);
        Ok(Response::new(read::inclusion(&self.0, index, size)?))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<wire::GetConsistencyProofRequest>,
    ) -> Result<Response<wire::GetConsistencyProofResponse>, Status> {
        let request = request.into_inner();
        let newest = self.0.ledger().published().size;
        let sizes = Growth {
            old: TreeSize::new(request.old_size),
            new: request.new_size.map_or(newest, TreeSize::new),
        };
        Ok(Response::new(read::consistency(&self.0, sizes)?))
    }

    async fn read_events(
        &self,
        request: Request<wire::ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let request = request.into_inner();
        let range = read::Span::of_log(&self.0, &request)?;
        let chunks = read::chunks(&self.0, range);
        let answers = chunks.map(|chunk| Ok(wire::ReadEventsResponse { events: chunk? }));
        Ok(Response::new(Box::pin(answers)))
    }

    async fn read_stream(
        &self,
        request: Request<wire::ReadStreamRequest>,
    ) -> Result<Response<Self::ReadStreamStream>, Status> {
        let chunks = read::stream_chunks(&self.0, request.get_ref())?;
        let answers = chunks.map(|chunk| Ok(wire::ReadStreamResponse { events: chunk? }));
        Ok(Response::new(Box::pin(answers)))
    }

    async fn tail(
        &self,
        request: Request<wire::TailRequest>,
    ) -> Result<Response<Self::TailStream>, Status> {
        let from = LeafIndex::new(request.into_inner().from);
        Ok(Response::new(Box::pin(read::tail(&self.0, from))))
    }
}

/// The outcome of the oldest batch; never, when none waits.
async fn first<F>(waiting: &mut std::collections::VecDeque<Pin<Box<F>>>) -> Option<F::Output>
where
    F: Future,
{
    match waiting.front_mut() {
        Some(oldest) => Some(oldest.await),
        None => None,
    }
}

fn count(
    sum: &mut wire::AppendStreamResponse,
    outcome: Result<Receipt, Refusal>,
) -> Result<(), Status> {
    let receipt = outcome.map_err(|refusal| after(sum, refusal))?;
    sum.requests += 1;
    sum.events += u64::from(receipt.count.0);
    sum.tree_size = sum.tree_size.max(receipt.published.size.get());
    Ok(())
}

/// A refusal that says how many batches before it are durable.
fn after(sum: &wire::AppendStreamResponse, refusal: Refusal) -> Status {
    let mut status = Status::from(refusal);
    if let Ok(value) = sum.requests.to_string().parse() {
        status.metadata_mut().insert("acknowledged-requests", value);
    }
    status
}
