//! A server without a ledger: what the transport alone does, over the same stack and the same client.

use crate::failure::Failure;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use stella_client::Connection;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Server;

/// A service of one call, whose answers are at hand.
pub(super) trait Answers: NamedService + Clone + Send + Sync + 'static {
    fn answer(
        self,
        request: http::Request<Body>,
    ) -> impl Future<Output = http::Response<Body>> + Send;
}

/// Serves on a loopback port as long as it exists.
pub(super) struct Bare {
    url: String,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Bare {
    pub(super) async fn serve(answers: impl Answers) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let incoming = TcpListenerStream::new(listener).map(|accepted| {
            // As the ledger's server does: an answer must not wait for more bytes.
            accepted.and_then(|stream| stream.set_nodelay(true).map(|()| stream))
        });
        let server = Server::builder().add_service(Served(answers));
        let serving = tokio::spawn(server.serve_with_incoming(incoming));
        Ok(Self { url, serving })
    }

    /// So many connections, one at least.
    pub(super) async fn connect(&self, connections: usize) -> Result<Vec<Connection>, Failure> {
        let mut to_it = Vec::new();
        for _ in 0..connections.max(1) {
            to_it.push(Connection::to(&self.url, None).await?);
        }
        Ok(to_it)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[derive(Debug, Clone)]
struct Served<A>(A);

impl<A: Answers> NamedService for Served<A> {
    const NAME: &'static str = A::NAME;
}

impl<A: Answers> tower::Service<http::Request<Body>> for Served<A> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answers = self.0.clone();
        Box::pin(async move { Ok(answers.answer(request).await) })
    }
}
