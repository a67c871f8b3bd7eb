//! What is measured: a running server, or one started here on a loopback port.

use crate::cli::Global;
use crate::failure::Failure;
use crate::session::refused;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use stella_client::Connection;
use stella_server::{App, AppOptions, Limits, Policy, ServeOptions};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Token of a server that lives for one measurement on loopback.
const TOKEN: &str = "measured-on-loopback";

/// A server to measure.
pub(super) struct Target {
    url: String,
    token: Option<String>,
    own: Option<Own>,
}

struct Own {
    app: Arc<App>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
    scratch: Option<PathBuf>,
}

/// What a server of our own is like.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// How much longer each sync of its log takes.
    pub(super) sync_delay: Duration,
    /// How much it takes at once.
    pub(super) limits: Limits,
}

impl Target {
    /// The server that the options name; else one of this process, over real TCP, in the data
    /// directory or a scratch one.
    pub(super) async fn open(global: &Global) -> Result<Self, Failure> {
        Self::shaped(global, Shape::default()).await
    }

    /// The same; a server of this process is as `shape` says.
    pub(super) async fn shaped(global: &Global, shape: Shape) -> Result<Self, Failure> {
        if let Some(url) = &global.server {
            return Ok(Self {
                url: url.clone(),
                token: global.token.clone(),
                own: None,
            });
        }
        let scratch = match &global.data_dir {
            Some(_) => None,
            None => Some(std::env::temp_dir().join(format!("stella-bench-{}", std::process::id()))),
        };
        let directory = global
            .data_dir
            .clone()
            .or_else(|| scratch.clone())
            .unwrap_or_default();
        let mut options = AppOptions::new(&directory);
        options.sync_delay = shape.sync_delay;
        let opened = tokio::task::spawn_blocking(move || App::open(options, &|_, _| ()));
        let app = opened
            .await
            .map_err(Failure::operational)?
            .map_err(refused)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move {
            stopped.await.ok();
        };
        let policy = Policy::token(TOKEN, "bench", true);
        let mut options = ServeOptions::new(policy, Arc::clone(app.metrics()));
        options.limits = shape.limits;
        let serving = stella_server::serve_open(app.clone(), listener, options, shutdown);
        let serving = tokio::spawn(serving);
        let own = Own {
            app,
            stop,
            serving,
            scratch,
        };
        Ok(Self {
            url,
            token: Some(TOKEN.to_owned()),
            own: Some(own),
        })
    }

    /// A connection of its own.
    pub(super) async fn connect(&self) -> Result<Connection, Failure> {
        Ok(Connection::to(&self.url, self.token.as_deref()).await?)
    }

    /// Whether it is a new ledger that goes away afterwards.
    pub(super) fn is_scratch(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.scratch.is_some())
    }

    /// Stops what was started here and removes what was scratch.
    pub(super) async fn close(self) -> Result<(), Failure> {
        let Some(own) = self.own else { return Ok(()) };
        own.stop.send(()).ok();
        own.serving.abort();
        own.serving.await.ok();
        let app = own.app;
        let closed = tokio::task::spawn_blocking(move || app.close()).await;
        closed.map_err(Failure::operational)?.map_err(refused)?;
        if let Some(scratch) = own.scratch {
            std::fs::remove_dir_all(scratch)?;
        }
        Ok(())
    }
}
