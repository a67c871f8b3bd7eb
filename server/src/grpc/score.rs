//! Manifests and replays.

use super::{blocking, caller};
use crate::App;
use std::sync::Arc;
use stella_proto::score as wire;
use stella_proto::score::score_service_server::ScoreService;
use tonic::{Request, Response, Status};

/// The service over one ledger.
pub(super) struct ScoreRpc(pub(super) Arc<App>);

#[tonic::async_trait]
impl ScoreService for ScoreRpc {
    async fn get_manifest(
        &self,
        request: Request<wire::GetManifestRequest>,
    ) -> Result<Response<wire::GetManifestResponse>, Status> {
        let request = request.into_inner();
        Ok(Response::new(
            blocking(&self.0, move |app| app.manifest(&request)).await?,
        ))
    }

    async fn replay_score(
        &self,
        request: Request<wire::ReplayScoreRequest>,
    ) -> Result<Response<wire::ReplayScoreResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let replayed = blocking(&self.0, move |app| app.replay(&caller, &request)).await?;
        Ok(Response::new(replayed))
    }
}
