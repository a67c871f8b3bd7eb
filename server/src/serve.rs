//! One port: gRPC, health, reflection and HTTP behind the same authentication.
//!
//! Served through tonic's `Server` with `accept_http1`, not through axum's: that one would lose
//! `grpc-timeout`, keepalive and connection limits.

use crate::auth::{AuthLayer, Caller, Policy};
use crate::tls::{PeerLayer, Tls, name_peer};
use crate::trace::TraceLayer;
use crate::{App, dispatch, tls};
use futures_util::{Stream, StreamExt as _, stream};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::Routes;
use tonic::transport::server::Connected;
use tonic::transport::{Channel, Endpoint, Server};
use tower::layer::util::{Identity, Stack};

/// Streams one connection may have open; more wait.
const MAX_CONCURRENT_STREAMS: u32 = 1024;

/// Flow-control windows in bytes: large enough that an export is not held up by its answers.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// How often a silent connection is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Bytes that a pipe in memory holds before the writer waits.
const PIPE_BYTES: usize = 1024 * 1024;

/// Serves plain text until `shutdown` resolves; calls in flight are finished.
///
/// # Errors
/// When the transport fails.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    policy: Policy,
    shutdown: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let incoming = TcpListenerStream::new(listener).map(|accepted| {
        // A lone answer must not wait for more bytes to share its packet.
        accepted.and_then(|stream| stream.set_nodelay(true).map(|()| stream))
    });
    run(app, incoming, policy, shutdown).await
}

/// Serves under TLS until `shutdown` resolves; calls in flight are finished.
///
/// # Errors
/// When the transport fails.
pub async fn serve_tls(
    app: Arc<App>,
    listener: TcpListener,
    tls: Arc<Tls>,
    policy: Policy,
    shutdown: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    run(app, tls::incoming(listener, tls), policy, shutdown).await
}

async fn run<C>(
    app: Arc<App>,
    incoming: impl Stream<Item = io::Result<C>>,
    policy: Policy,
    shutdown: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error>
where
    C: AsyncRead + AsyncWrite + Connected<ConnectInfo: Clone> + Send + Unpin + 'static,
{
    let stopping = async {
        shutdown.await;
        app.growing().end();
    };
    server(policy)
        .add_routes(Routes::from(dispatch::router(&app)))
        .serve_with_incoming_shutdown(incoming, stopping)
        .await
}

/// A service inside this process.
#[derive(Debug)]
pub struct Embedded {
    channel: Channel,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Embedded {
    /// Serves over a pipe in memory.
    ///
    /// # Errors
    /// When the pipe cannot be opened.
    pub async fn start(app: &Arc<App>) -> Result<Self, tonic::transport::Error> {
        let (client, far_end) = tokio::io::duplex(PIPE_BYTES);
        let router = server(Policy::trusted(Caller::local()))
            .add_routes(Routes::from(dispatch::router(app)));
        let incoming = stream::iter([Ok::<_, io::Error>(far_end)]).chain(stream::pending());
        let (stop, stopped) = oneshot::channel::<()>();
        let app = Arc::clone(app);
        let serving = tokio::spawn(router.serve_with_incoming_shutdown(incoming, async move {
            stopped.await.ok();
            app.growing().end();
        }));
        Ok(Self {
            channel: connect(client).await?,
            stop,
            serving,
        })
    }

    /// The client's end.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Ends the service once the calls under way are answered; other clones of the channel must
    /// be gone by then.
    pub async fn stop(self) {
        let Self {
            channel,
            stop,
            serving,
        } = self;
        drop(channel);
        stop.send(()).ok();
        serving.await.ok();
    }
}

/// What a call passes on its way in, the innermost first.
type Layers = Stack<AuthLayer, Stack<TraceLayer, Stack<PeerLayer, Identity>>>;

fn server(policy: Policy) -> Server<Layers> {
    Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .layer(PeerLayer::new(name_peer))
        .layer(TraceLayer)
        .layer(AuthLayer(Arc::new(policy)))
}

async fn connect(pipe: DuplexStream) -> Result<Channel, tonic::transport::Error> {
    let pipe = Mutex::new(Some(pipe));
    let connector = tower::service_fn(move |_: http::Uri| {
        let pipe = pipe.lock().unwrap_or_else(PoisonError::into_inner).take();
        let closed =
            || io::Error::new(io::ErrorKind::NotConnected, "the embedded ledger is closed");
        std::future::ready(pipe.map(TokioIo::new).ok_or_else(closed))
    });
    Endpoint::from_static("http://embedded")
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .connect_with_connector(connector)
        .await
}
