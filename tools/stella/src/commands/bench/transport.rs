//! The transport by itself: the append's messages over the same stack, answered at once.

use super::load::{self, Load};
use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use stella_client::Connection;
use stella_proto::ledger as wire;
use tokio::net::TcpListener;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// The append's messages, answered at once by a server that keeps nothing
#[derive(Debug, Args)]
pub(crate) struct Transport {
    #[command(flatten)]
    load: Load,
    /// Events in a request
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch: usize,
    /// Bytes in an event's payload
    #[arg(long, value_name = "N", default_value_t = 400)]
    payload: usize,
}

impl Transport {
    pub(super) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let incoming = TcpListenerStream::new(listener).map(|accepted| {
            // As the ledger's server does: an answer must not wait for more bytes.
            accepted.and_then(|stream| stream.set_nodelay(true).map(|()| stream))
        });
        let server = Server::builder()
            .add_service(Echo)
            .serve_with_incoming(incoming);
        let serving = tokio::spawn(server);
        let mut connections = Vec::new();
        for _ in 0..self.load.connections.max(1) {
            connections.push(Connection::to(&url, None).await?);
        }
        let batch = self.batch.max(1);
        let requests = super::append::Appends::new(connections, batch, self.payload);
        let outcome = load::run(&self.load, Arc::new(requests)).await?;
        serving.abort();
        let items = u64::try_from(batch).unwrap_or(1);
        let what = "appends that nothing keeps (bare transport)";
        output::document(global.format, &outcome.json(&self.load, what, items))?;
        Ok(0)
    }
}

/// Decodes an append and acknowledges it: all that the transport costs, and nothing else.
#[derive(Debug, Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "stella.ledger.v1.LedgerService";
}

impl UnaryService<wire::AppendRequest> for Echo {
    type Response = wire::AppendResponse;
    type Future = Ready<Result<Response<wire::AppendResponse>, Status>>;

    fn call(&mut self, request: Request<wire::AppendRequest>) -> Self::Future {
        let count = u32::try_from(request.get_ref().events.len()).unwrap_or(u32::MAX);
        ready(Ok(Response::new(wire::AppendResponse {
            count,
            ..Default::default()
        })))
    }
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(tonic_prost::ProstCodec::default());
            Ok(grpc.unary(Echo, request).await)
        })
    }
}
