//! Answers of the server measured, recorded to be given by a bare one.

use super::calls::an_export;
use crate::commands::bench::bare::Answers;
use crate::failure::Failure;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use stella_client::Connection;
use stella_proto::audit as audit_wire;
use stella_proto::ledger as wire;
use tokio_stream::{Stream, StreamExt as _};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// One inclusion proof, for whoever asks for any.
#[derive(Debug, Clone)]
pub(super) struct Proofs(wire::GetInclusionProofResponse);

impl Proofs {
    /// That of the leaf in the middle of the tree: it is as long as most.
    pub(super) async fn record(measured: &Connection, size: u64) -> Result<Self, Failure> {
        let request = wire::GetInclusionProofRequest {
            leaf_index: size / 2,
            tree_size: Some(size),
        };
        let proof = measured.ledger().get_inclusion_proof(request).await?;
        Ok(Self(proof.into_inner()))
    }
}

impl NamedService for Proofs {
    const NAME: &'static str = "stella.ledger.v1.LedgerService";
}

impl Answers for Proofs {
    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        let mut grpc = Grpc::new(ProstCodec::default());
        grpc.unary(self, request).await
    }
}

impl UnaryService<wire::GetInclusionProofRequest> for Proofs {
    type Response = wire::GetInclusionProofResponse;
    type Future = Ready<Result<Response<Self::Response>, Status>>;

    fn call(&mut self, _: Request<wire::GetInclusionProofRequest>) -> Self::Future {
        ready(Ok(Response::new(self.0.clone())))
    }
}

/// One export, for whoever asks for any.
#[derive(Debug, Clone)]
pub(super) struct Exports(Arc<[audit_wire::ExportEventsResponse]>);

impl Exports {
    /// That of the first `events` events.
    pub(super) async fn record(measured: &Connection, events: u64) -> Result<Self, Failure> {
        let export = measured.audit().export_events(an_export(0, events)).await?;
        let mut answers = export.into_inner();
        let mut messages = Vec::new();
        while let Some(message) = answers.message().await? {
            messages.push(message);
        }
        Ok(Self(messages.into()))
    }
}

impl NamedService for Exports {
    const NAME: &'static str = "stella.audit.v1.AuditService";
}

impl Answers for Exports {
    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        let mut grpc = Grpc::new(ProstCodec::default());
        grpc.server_streaming(self, request).await
    }
}

impl ServerStreamingService<audit_wire::ExportEventsRequest> for Exports {
    type Response = audit_wire::ExportEventsResponse;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<Self::Response, Status>> + Send>>;
    type Future = Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, _: Request<audit_wire::ExportEventsRequest>) -> Self::Future {
        let messages = Arc::clone(&self.0);
        let places = tokio_stream::iter(0..messages.len());
        let answers = places.filter_map(move |place| messages.get(place).cloned().map(Ok));
        ready(Ok(Response::new(Box::pin(answers))))
    }
}
