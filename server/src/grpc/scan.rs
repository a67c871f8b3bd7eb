//! Scans.

use super::{blocking, caller};
use crate::App;
use std::sync::Arc;
use stella_proto::scan as wire;
use stella_proto::scan::scan_service_server::ScanService;
use tonic::{Request, Response, Status};

/// The service over one ledger.
pub(super) struct ScanRpc(pub(super) Arc<App>);

#[tonic::async_trait]
impl ScanService for ScanRpc {
    async fn submit_scan(
        &self,
        request: Request<wire::SubmitScanRequest>,
    ) -> Result<Response<wire::SubmitScanResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let submitted = blocking(&self.0, move |app| app.submit_scan(&caller, request)).await?;
        Ok(Response::new(submitted))
    }

    async fn get_scan(
        &self,
        request: Request<wire::GetScanRequest>,
    ) -> Result<Response<wire::GetScanResponse>, Status> {
        let request = request.into_inner();
        let scan = blocking(&self.0, move |app| app.scan(&request)).await?;
        Ok(Response::new(wire::GetScanResponse { scan: Some(scan) }))
    }

    async fn list_scans(
        &self,
        request: Request<wire::ListScansRequest>,
    ) -> Result<Response<wire::ListScansResponse>, Status> {
        let request = request.into_inner();
        Ok(Response::new(
            blocking(&self.0, move |app| app.list_scans(&request)).await?,
        ))
    }
}
