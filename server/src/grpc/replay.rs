//! Batches of replays.

use super::{blocking, caller};
use crate::App;
use std::sync::Arc;
use std::time::Duration;
use stella_proto::replay as wire;
use stella_proto::replay::replay_service_server::ReplayService;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// How often a watched operation is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The service over one ledger.
pub(super) struct ReplayRpc(pub(super) Arc<App>);

#[tonic::async_trait]
impl ReplayService for ReplayRpc {
    async fn start_batch_replay(
        &self,
        request: Request<wire::StartBatchReplayRequest>,
    ) -> Result<Response<wire::StartBatchReplayResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let started = blocking(&self.0, move |app| app.start_batch(&caller, &request)).await?;
        Ok(Response::new(started))
    }

    async fn get_operation(
        &self,
        request: Request<wire::GetOperationRequest>,
    ) -> Result<Response<wire::GetOperationResponse>, Status> {
        let request = request.into_inner();
        let found = blocking(&self.0, move |app| app.get_operation(&request)).await?;
        Ok(Response::new(found))
    }

    async fn list_operations(
        &self,
        request: Request<wire::ListOperationsRequest>,
    ) -> Result<Response<wire::ListOperationsResponse>, Status> {
        let request = request.into_inner();
        let listed = blocking(&self.0, move |app| app.list_operations(&request)).await?;
        Ok(Response::new(listed))
    }

    async fn cancel_operation(
        &self,
        request: Request<wire::CancelOperationRequest>,
    ) -> Result<Response<wire::CancelOperationResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let stopped = blocking(&self.0, move |app| app.cancel_operation(&caller, &request)).await?;
        Ok(Response::new(wire::CancelOperationResponse {
            operation: Some(stopped),
        }))
    }

    type WatchOperationStream = ReceiverStream<Result<wire::WatchOperationResponse, Status>>;

    async fn watch_operation(
        &self,
        request: Request<wire::WatchOperationRequest>,
    ) -> Result<Response<Self::WatchOperationStream>, Status> {
        let name = request.into_inner().name;
        let job = blocking(&self.0, move |app| app.job(&name)).await?;
        let (answers, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut last = None;
            loop {
                let operation = App::operation_of(&job);
                let done = operation.done;
                if last.as_ref() != Some(&operation) {
                    last = Some(operation.clone());
                    let answer = wire::WatchOperationResponse {
                        operation: Some(operation),
                    };
                    if answers.send(Ok(answer)).await.is_err() {
                        return;
                    }
                }
                if done {
                    return;
                }
                tokio::select! {
                    () = answers.closed() => return,
                    () = tokio::time::sleep(LOOK) => (),
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}
