//! One port: gRPC, health, reflection and HTTP behind the same authentication.
//!
//! Served through tonic's `Server` with `accept_http1`, not through axum's: that one would lose
//! `grpc-timeout`, keepalive and connection limits.

use crate::App;
use crate::auth::{AuthLayer, Caller, Policy};
use crate::connections::{Connection, Door};
use crate::denials::{self, Denials};
use crate::front::Front;
use crate::limits::{Limits, MAX_CONCURRENT_STREAMS, MAX_HEADER_BYTES};
use crate::pushback::{AdmitLayer, RateLayer};
use crate::refusal::Refusal;
use crate::tls::{self, PeerLayer, Tls, name_peer};
use crate::trace::{Spans, TraceLayer};
use futures_util::{Stream, StreamExt as _, stream};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use stella_proto::reason::Reason;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tower::layer::util::{Identity, Stack};

/// Flow-control windows in bytes: large enough that an export is not held up by its answers.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// Bytes that a pipe in memory holds before the writer waits.
const PIPE_BYTES: usize = 1024 * 1024;

/// How long connections have to notice that they were cut.
const CUT: Duration = Duration::from_secs(1);

/// How a service serves: who may call, and how much.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Who may do what.
    pub policy: Policy,
    /// How much at once, and for how long.
    pub limits: Limits,
    /// Where figures are counted; the same that the ledger was opened with.
    pub metrics: Arc<crate::Metrics>,
    /// Where spans go, if anywhere.
    pub spans: Option<Spans>,
    /// With which certificates; plain text without.
    pub tls: Option<Arc<Tls>>,
}

impl ServeOptions {
    /// The default limits, plain text, no spans.
    #[must_use]
    pub fn new(policy: Policy, metrics: Arc<crate::Metrics>) -> Self {
        Self {
            policy,
            limits: Limits::default(),
            metrics,
            spans: None,
            tls: None,
        }
    }
}

/// Why a service ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The transport failed.
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
    /// The ledger does not open.
    #[error(transparent)]
    Open(#[from] Refusal),
}

/// Serves an open ledger in plain text until `shutdown` resolves; calls in flight are finished.
///
/// # Errors
/// When the transport fails.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    policy: Policy,
    shutdown: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let options = ServeOptions::new(policy, Arc::clone(app.metrics()));
    serve_open(app, listener, options, shutdown).await
}

/// Serves an open ledger under TLS until `shutdown` resolves; calls in flight are finished.
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
    let mut options = ServeOptions::new(policy, Arc::clone(app.metrics()));
    options.tls = Some(tls);
    serve_open(app, listener, options, shutdown).await
}

/// Serves an open ledger as the options say until `shutdown` resolves; calls in flight are finished.
///
/// # Errors
/// When the transport fails.
pub async fn serve_open(
    app: Arc<App>,
    listener: TcpListener,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let (front, service) = Service::new(&options).await;
    front.opened(&app).await;
    service.run(listener, shutdown).await
}

/// Serves from now on, opens the ledger meanwhile, and serves it until `shutdown` resolves. Until
/// it is open, health says NOT_SERVING and calls are told to come again; then `opened` is called.
///
/// Answers the ledger, to be closed; nobody uses it any more.
///
/// # Errors
/// [`ServeError`].
pub async fn serve_while_opening(
    open: impl FnOnce(&Front) -> Result<Arc<App>, Refusal> + Send + 'static,
    opened: impl FnOnce() + Send + 'static,
    listener: TcpListener,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> Result<Arc<App>, ServeError> {
    let (front, service) = Service::new(&options).await;
    let opening = Arc::clone(&front);
    let opening = tokio::task::spawn_blocking(move || open(&opening));
    let (failed, fails) = oneshot::channel::<()>();
    let opening = tokio::spawn(async move {
        let lost = |lost: tokio::task::JoinError| Refusal::new(Reason::Internal, lost.to_string());
        let app = opening.await.map_err(lost)??;
        front.opened(&app).await;
        opened();
        // Kept until the service has ended: dropping it, as a failure does, ends the service.
        Ok::<_, Refusal>((app, failed))
    });
    let end = async {
        tokio::select! {
            () = shutdown => (),
            _ = fails => (),
        }
    };
    service.run(listener, end).await?;
    if let Some(spans) = &options.spans {
        spans.flush().await;
    }
    let lost = |lost: tokio::task::JoinError| Refusal::new(Reason::Internal, lost.to_string());
    let (app, _failed) = opening.await.map_err(lost)??;
    Ok(app)
}

/// The service with its layers, before it has connections.
struct Service {
    front: Arc<Front>,
    routes: tonic::service::Routes,
    options: ServeOptions,
    limits: Arc<Limits>,
}

impl Service {
    async fn new(options: &ServeOptions) -> (Arc<Front>, Self) {
        let metrics = || Arc::clone(&options.metrics);
        let denials = Denials::new(Arc::clone(options.policy.clock()), metrics());
        let (front, routes) = Front::new(metrics(), denials).await;
        let service = Self {
            front: Arc::clone(&front),
            routes,
            options: options.clone(),
            limits: Arc::new(options.limits.clone()),
        };
        (front, service)
    }

    /// Serves until `shutdown` resolves, then finishes what is under way, within the time for that.
    async fn run(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), tonic::transport::Error> {
        let (cut, is_cut) = watch::channel(false);
        let door = Door {
            metrics: Arc::clone(&self.options.metrics),
            limits: Arc::clone(&self.limits),
            cut: is_cut,
        };
        let front = Arc::clone(&self.front);
        let (end, ends) = oneshot::channel();
        let keeping = denials::keep(Arc::clone(front.denials()), front, ends);
        let keeping = tokio::spawn(keeping);
        let served = match self.options.tls.clone() {
            None => {
                let incoming = plain(listener, door);
                Box::pin(self.over(incoming, cut, shutdown)).await
            }
            Some(tls) => {
                let incoming = tls::incoming(listener, tls, door);
                Box::pin(self.over(incoming, cut, shutdown)).await
            }
        };
        // Nobody is refused any more: the last ones.
        denials::finish(end, keeping).await;
        served
    }

    async fn over<S>(
        self,
        incoming: impl Stream<Item = io::Result<Connection<S>>>,
        cut: watch::Sender<bool>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), tonic::transport::Error>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (stopping, stops) = oneshot::channel();
        let front = Arc::clone(&self.front);
        let shutdown = async move {
            shutdown.await;
            front.stop().await;
            stopping.send(()).ok();
        };
        let router = self.server().add_routes(self.routes.clone());
        let serving = router.serve_with_incoming_shutdown(incoming, shutdown);
        tokio::pin!(serving);
        let drained = async {
            if stops.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(self.limits.drain).await;
        };
        tokio::select! {
            served = &mut serving => return served,
            () = drained => tracing::warn!("calls under way were cut: they took too long"),
        }
        cut.send_replace(true);
        tokio::time::timeout(CUT, serving).await.unwrap_or(Ok(()))
    }

    fn server(&self) -> Server<Layers> {
        layered(&self.options, &self.limits, self.front.denials())
    }
}

/// Connections as they come.
fn plain(
    listener: TcpListener,
    door: Door,
) -> impl Stream<Item = io::Result<Connection<TcpStream>>> {
    TcpListenerStream::new(listener).map(move |accepted| {
        let stream = accepted?;
        // A lone answer must not wait for more bytes to share its packet.
        stream.set_nodelay(true)?;
        Ok(door.enter(door.place()?, stream, None))
    })
}

/// What a call passes on its way in, the innermost first.
type Layers = Stack<
    RateLayer,
    Stack<AuthLayer, Stack<AdmitLayer, Stack<TraceLayer, Stack<PeerLayer, Identity>>>>,
>;

fn layered(options: &ServeOptions, limits: &Arc<Limits>, denials: &Arc<Denials>) -> Server<Layers> {
    let metrics = || Arc::clone(&options.metrics);
    Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_keepalive_interval(Some(limits.keepalive))
        .http2_keepalive_timeout(Some(limits.keepalive))
        .layer(PeerLayer::new(name_peer))
        .layer(TraceLayer {
            metrics: metrics(),
            spans: options.spans.clone(),
        })
        .layer(AdmitLayer {
            metrics: metrics(),
            limits: Arc::clone(limits),
        })
        .layer(AuthLayer {
            policy: Arc::new(options.policy.clone()),
            denials: Arc::clone(denials),
        })
        .layer(RateLayer::new(metrics(), Arc::clone(limits)))
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
        let policy = Policy::trusted(Caller::local());
        let options = ServeOptions::new(policy, Arc::clone(app.metrics()));
        let (front, service) = Service::new(&options).await;
        front.opened(app).await;
        let router = service.server().add_routes(service.routes);
        let incoming = stream::iter([Ok::<_, io::Error>(far_end)]).chain(stream::pending());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(router.serve_with_incoming_shutdown(incoming, async move {
            stopped.await.ok();
            front.stop().await;
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

async fn connect(pipe: DuplexStream) -> Result<Channel, tonic::transport::Error> {
    let pipe = Mutex::new(Some(pipe));
    let connector = tower::service_fn(move |_: ::http::Uri| {
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
