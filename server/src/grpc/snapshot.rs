//! Snapshots and policies.

use super::{blocking, caller, hash};
use crate::App;
use crate::app::Source;
use crate::refusal::Refusal;
use std::sync::Arc;
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_proto::snapshot::snapshot_service_server::SnapshotService;
use tonic::{Request, Response, Status, Streaming};
use wire::import_snapshot_request::Part;

/// Most bytes that one import may send: the largest public feeds, and room.
const MAX_IMPORT_BYTES: usize = 2 * 1024 * 1024 * 1024;

/// Most files in one import.
const MAX_IMPORT_FILES: usize = 1_000_000;

/// The service over one ledger.
pub(super) struct SnapshotRpc(pub(super) Arc<App>);

/// An upload as far as it has come.
#[derive(Default)]
struct Upload {
    header: Option<wire::ImportHeader>,
    sources: Vec<Source>,
    bytes: usize,
}

impl Upload {
    fn take(&mut self, part: Option<Part>) -> Result<(), Refusal> {
        match part {
            None => Err(Refusal::field("part", "is missing: the sender gave up")),
            Some(Part::Header(header)) if self.header.is_none() => {
                self.header = Some(header);
                Ok(())
            }
            Some(Part::Header(_)) => Err(Refusal::field("header", "came twice")),
            Some(_) if self.header.is_none() => Err(Refusal::field("header", "must come first")),
            Some(Part::File(file)) => {
                if self.sources.len() == MAX_IMPORT_FILES {
                    return Err(Refusal::new(
                        Reason::TooLarge,
                        "the import has too many files",
                    ));
                }
                self.sources.push(Source {
                    name: file.name,
                    bytes: Vec::new(),
                });
                Ok(())
            }
            Some(Part::Chunk(chunk)) => {
                let source = self
                    .sources
                    .last_mut()
                    .ok_or_else(|| Refusal::field("chunk", "comes before any file"))?;
                self.bytes = self.bytes.saturating_add(chunk.len());
                if self.bytes > MAX_IMPORT_BYTES {
                    return Err(Refusal::new(Reason::TooLarge, "the import is too large"));
                }
                source.bytes.extend_from_slice(&chunk);
                Ok(())
            }
        }
    }
}

#[tonic::async_trait]
impl SnapshotService for SnapshotRpc {
    async fn import_snapshot(
        &self,
        request: Request<Streaming<wire::ImportSnapshotRequest>>,
    ) -> Result<Response<wire::ImportSnapshotResponse>, Status> {
        let caller = caller(&request)?;
        let mut parts = request.into_inner();
        let mut upload = Upload::default();
        while let Some(message) = parts.message().await? {
            upload.take(message.part)?;
        }
        let header = upload
            .header
            .ok_or_else(|| Status::from(Refusal::field("header", "is missing")))?;
        let sources = upload.sources;
        let imported = blocking(&self.0, move |app| {
            app.import_snapshot(&caller, &header, sources)
        })
        .await?;
        Ok(Response::new(imported))
    }

    async fn publish_snapshot(
        &self,
        request: Request<wire::PublishSnapshotRequest>,
    ) -> Result<Response<wire::PublishSnapshotResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let published =
            blocking(&self.0, move |app| app.publish_snapshot(&caller, &request)).await?;
        Ok(Response::new(wire::PublishSnapshotResponse {
            snapshot: Some(published),
        }))
    }

    async fn list_snapshots(
        &self,
        request: Request<wire::ListSnapshotsRequest>,
    ) -> Result<Response<wire::ListSnapshotsResponse>, Status> {
        let request = request.into_inner();
        Ok(Response::new(
            blocking(&self.0, move |app| app.list_snapshots(&request)).await?,
        ))
    }

    async fn register_policy(
        &self,
        request: Request<wire::RegisterPolicyRequest>,
    ) -> Result<Response<wire::RegisterPolicyResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let hash = blocking(&self.0, move |app| app.register_policy(&caller, &request)).await?;
        Ok(Response::new(wire::RegisterPolicyResponse {
            hash: hash.to_string(),
        }))
    }

    async fn get_snapshot(
        &self,
        request: Request<wire::GetSnapshotRequest>,
    ) -> Result<Response<wire::GetSnapshotResponse>, Status> {
        let request = request.into_inner();
        let found = blocking(&self.0, move |app| app.snapshot(&request)).await?;
        Ok(Response::new(found))
    }

    async fn remove_snapshot(
        &self,
        request: Request<wire::RemoveSnapshotRequest>,
    ) -> Result<Response<wire::RemoveSnapshotResponse>, Status> {
        let caller = caller(&request)?;
        let snapshot = hash("hash", &request.into_inner().hash)?;
        let removed = blocking(&self.0, move |app| app.remove_snapshot(&caller, snapshot)).await?;
        Ok(Response::new(removed))
    }

    type DiffSnapshotsStream =
        tokio_stream::Iter<std::vec::IntoIter<Result<wire::DiffSnapshotsResponse, Status>>>;

    async fn diff_snapshots(
        &self,
        request: Request<wire::DiffSnapshotsRequest>,
    ) -> Result<Response<Self::DiffSnapshotsStream>, Status> {
        let request = request.into_inner();
        let messages = blocking(&self.0, move |app| app.diff_snapshots(&request)).await?;
        let messages: Vec<_> = messages.into_iter().map(Ok).collect();
        Ok(Response::new(tokio_stream::iter(messages)))
    }

    async fn prove_snapshot(
        &self,
        request: Request<wire::ProveSnapshotRequest>,
    ) -> Result<Response<wire::ProveSnapshotResponse>, Status> {
        let request = request.into_inner();
        let proof = blocking(&self.0, move |app| app.prove_snapshot(&request)).await?;
        Ok(Response::new(wire::ProveSnapshotResponse {
            proof: proof.into(),
        }))
    }

    async fn get_policy(
        &self,
        request: Request<wire::GetPolicyRequest>,
    ) -> Result<Response<wire::GetPolicyResponse>, Status> {
        let request = request.into_inner();
        let found = blocking(&self.0, move |app| app.get_policy(&request)).await?;
        Ok(Response::new(found))
    }

    async fn list_policies(
        &self,
        request: Request<wire::ListPoliciesRequest>,
    ) -> Result<Response<wire::ListPoliciesResponse>, Status> {
        let request = request.into_inner();
        let listed = blocking(&self.0, move |app| app.list_policies(&request)).await?;
        Ok(Response::new(listed))
    }

    async fn publish_policy(
        &self,
        request: Request<wire::PublishPolicyRequest>,
    ) -> Result<Response<wire::PublishPolicyResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let published = blocking(&self.0, move |app| app.publish_policy(&caller, &request)).await?;
        Ok(Response::new(wire::PublishPolicyResponse {
            policy: Some(published),
        }))
    }
}
