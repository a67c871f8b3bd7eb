//! Status, check, rebuild.

use super::{blocking, caller};
use crate::App;
use crate::app::of_rebuild;
use crate::refusal::Refusal;
use std::sync::Arc;
use stella_proto::admin as wire;
use stella_proto::admin::admin_service_server::AdminService;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// The service over one ledger.
pub(super) struct AdminRpc(pub(super) Arc<App>);

/// Steps of progress that may wait for the caller; more are left out, none delays the work.
const STEPS_IN_FLIGHT: usize = 8;

/// Runs long work on a thread of its own, sending what it says on the way and its last word.
fn long<T: Send + 'static>(
    app: &Arc<App>,
    step: impl Fn(u64, u64) -> T + Send + Sync + 'static,
    work: impl FnOnce(&App, &(dyn Fn(u64, u64) + Sync)) -> Result<T, Refusal> + Send + 'static,
) -> ReceiverStream<Result<T, Status>> {
    let (answers, stream) = mpsc::channel(STEPS_IN_FLIGHT);
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || {
        let progress = |done: u64, total: u64| {
            answers.try_send(Ok(step(done, total))).ok();
        };
        let last = work(&app, &progress).map_err(Status::from);
        answers.blocking_send(last).ok();
    });
    ReceiverStream::new(stream)
}

#[tonic::async_trait]
impl AdminService for AdminRpc {
    type FsckStream = ReceiverStream<Result<wire::FsckResponse, Status>>;

    async fn get_status(
        &self,
        _: Request<wire::GetStatusRequest>,
    ) -> Result<Response<wire::GetStatusResponse>, Status> {
        Ok(Response::new(blocking(&self.0, |app| app.status()).await?))
    }

    async fn fsck(
        &self,
        _: Request<wire::FsckRequest>,
    ) -> Result<Response<Self::FsckStream>, Status> {
        let step = |done, total| wire::FsckResponse {
            done,
            total,
            problems: Vec::new(),
            finished: false,
        };
        Ok(Response::new(long(&self.0, step, |app, progress| {
            let found = app.fsck(progress)?;
            Ok(wire::FsckResponse {
                done: found.events,
                total: found.events,
                problems: found.problems,
                finished: true,
            })
        })))
    }

    async fn rebuild(
        &self,
        request: Request<wire::RebuildRequest>,
    ) -> Result<Response<wire::RebuildResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let rebuild = blocking(&self.0, move |app| app.start_rebuild(&caller, request)).await?;
        Ok(Response::new(wire::RebuildResponse {
            operation: Some(of_rebuild(&rebuild)),
        }))
    }
}
