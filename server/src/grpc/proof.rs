//! Roots, nodes, bundles.

use super::blocking;
use crate::App;
use bytes::Bytes;
use futures_util::stream;
use std::sync::Arc;
use stella_ledger::clock::{Clock as _, SystemClock};
use stella_proto::proof as wire;
use stella_proto::proof::proof_service_server::ProofService;
use tonic::{Request, Response, Status};

/// Bytes in one message of a download.
const CHUNK_BYTES: usize = 256 * 1024;

/// The service over one ledger.
pub(super) struct ProofRpc(pub(super) Arc<App>);

type Chunks = std::pin::Pin<
    Box<dyn futures_util::Stream<Item = Result<wire::DownloadBundleResponse, Status>> + Send>,
>;

#[tonic::async_trait]
impl ProofService for ProofRpc {
    type DownloadBundleStream = Chunks;

    async fn list_proofs(
        &self,
        request: Request<wire::ListProofsRequest>,
    ) -> Result<Response<wire::ListProofsResponse>, Status> {
        let request = request.into_inner();
        let listed = blocking(&self.0, move |app| app.list_proofs(&request)).await?;
        Ok(Response::new(listed))
    }

    async fn get_proof_root(
        &self,
        request: Request<wire::GetProofRootRequest>,
    ) -> Result<Response<wire::GetProofRootResponse>, Status> {
        let request = request.into_inner();
        Ok(Response::new(
            blocking(&self.0, move |app| app.proof_root(&request)).await?,
        ))
    }

    async fn get_node(
        &self,
        request: Request<wire::GetNodeRequest>,
    ) -> Result<Response<wire::GetNodeResponse>, Status> {
        let request = request.into_inner();
        Ok(Response::new(
            blocking(&self.0, move |app| app.node(&request)).await?,
        ))
    }

    async fn download_bundle(
        &self,
        request: Request<wire::DownloadBundleRequest>,
    ) -> Result<Response<Chunks>, Status> {
        let request = request.into_inner();
        let bundle: Bytes = blocking(&self.0, move |app| app.bundle(&request))
            .await?
            .into();
        let chunks = stream::unfold(bundle, |mut rest| async move {
            if rest.is_empty() {
                return None;
            }
            let chunk = rest.split_to(rest.len().min(CHUNK_BYTES));
            Some((Ok(wire::DownloadBundleResponse { chunk }), rest))
        });
        Ok(Response::new(Box::pin(chunks)))
    }

    async fn verify_proof(
        &self,
        request: Request<wire::VerifyProofRequest>,
    ) -> Result<Response<wire::VerifyProofResponse>, Status> {
        let request = request.into_inner().into();
        let now = SystemClock.now();
        let report = blocking(&self.0, move |app| app.verify_proof(&request, now)).await?;
        Ok(Response::new(wire::VerifyProofResponse {
            verified: report.verified(),
            report: report.to_json().into(),
        }))
    }

    async fn get_proof_status(
        &self,
        request: Request<wire::GetProofStatusRequest>,
    ) -> Result<Response<wire::GetProofStatusResponse>, Status> {
        let request = request.into_inner();
        let now = SystemClock.now();
        let status = blocking(&self.0, move |app| app.proof_status(&request, now)).await?;
        Ok(Response::new(status))
    }

    async fn list_sealed_proofs(
        &self,
        request: Request<wire::ListSealedProofsRequest>,
    ) -> Result<Response<wire::ListSealedProofsResponse>, Status> {
        let request = request.into_inner();
        let listed = blocking(&self.0, move |app| app.sealed_between(&request)).await?;
        Ok(Response::new(listed))
    }
}
