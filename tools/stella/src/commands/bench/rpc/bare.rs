//! The transport by itself: a server that gives every caller the same answers, which it had ready.

use super::calls::Pool;
use crate::failure::Failure;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use stella_client::Connection;
use stella_proto::audit as audit_wire;
use stella_proto::ledger as wire;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// A server of recorded answers, and connections to it.
pub(super) struct Bare {
    pub(super) pool: Pool,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Bare {
    /// Records one proof and one export of the server measured, and serves them.
    pub(super) async fn of(
        measured: &Connection,
        export: audit_wire::ExportEventsRequest,
        size: u64,
        connections: usize,
    ) -> Result<Self, Failure> {
        let proof = measured.ledger().get_inclusion_proof(a_proof(size)).await?;
        let mut answers = measured.audit().export_events(export).await?.into_inner();
        let mut messages = Vec::new();
        while let Some(message) = answers.message().await? {
            messages.push(message);
        }
        let proof = Proofs(proof.into_inner());
        let export = Exports(messages.into());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let incoming = TcpListenerStream::new(listener).map(|accepted| {
            // As the ledger's server does: an answer must not wait for more bytes.
            accepted.and_then(|stream| stream.set_nodelay(true).map(|()| stream))
        });
        let server = Server::builder().add_service(proof).add_service(export);
        let serving = tokio::spawn(server.serve_with_incoming(incoming));
        let mut to_it = Vec::new();
        for _ in 0..connections.max(1) {
            to_it.push(Connection::to(&url, None).await?);
        }
        let pool = Pool::new(to_it);
        Ok(Self { pool, serving })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The middle of the tree: its proof is as long as most.
fn a_proof(size: u64) -> wire::GetInclusionProofRequest {
    wire::GetInclusionProofRequest {
        leaf_index: size / 2,
        tree_size: Some(size),
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

#[derive(Debug, Clone)]
struct Proofs(wire::GetInclusionProofResponse);

impl NamedService for Proofs {
    const NAME: &'static str = "stella.ledger.v1.LedgerService";
}

impl UnaryService<wire::GetInclusionProofRequest> for Proofs {
    type Response = wire::GetInclusionProofResponse;
    type Future = Ready<Result<Response<Self::Response>, Status>>;

    fn call(&mut self, _: Request<wire::GetInclusionProofRequest>) -> Self::Future {
        ready(Ok(Response::new(self.0.clone())))
    }
}

impl tower::Service<http::Request<Body>> for Proofs {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answers = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::default());
            Ok(grpc.unary(answers, request).await)
        })
    }
}

#[derive(Debug, Clone)]
struct Exports(Arc<[audit_wire::ExportEventsResponse]>);

impl NamedService for Exports {
    const NAME: &'static str = "stella.audit.v1.AuditService";
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

impl tower::Service<http::Request<Body>> for Exports {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answers = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::default());
            Ok(grpc.server_streaming(answers, request).await)
        })
    }
}
