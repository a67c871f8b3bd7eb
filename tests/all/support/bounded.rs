//! A server with limits of a test's choice, opened when the test says so.

use super::TOKEN;
use std::sync::Arc;
use std::sync::mpsc;
use stella_client::Connection;
use stella_server::{
    App, AppOptions, Front, Limits, Metrics, Policy, ServeError, ServeOptions, Spans,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running server, open or not yet.
pub(crate) struct BoundedServer {
    pub(crate) url: String,
    pub(crate) directory: TempDir,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<Arc<App>, ServeError>>,
}

/// Lets a held server open its ledger.
pub(crate) struct Hold(mpsc::Sender<()>);

impl Hold {
    pub(crate) fn release(self) {
        self.0.send(()).unwrap();
    }
}

impl BoundedServer {
    pub(crate) async fn start(limits: Limits) -> Self {
        Self::over(tempfile::tempdir().unwrap(), limits, None).await
    }

    /// Serves a directory; waits until it is open.
    pub(crate) async fn over(directory: TempDir, limits: Limits, otlp: Option<&str>) -> Self {
        let (server, opened) = Self::spawn(directory, limits, otlp, |_| ()).await;
        opened.await.unwrap();
        server
    }

    /// A server that says how far opening is, and opens its ledger only when it is let.
    pub(crate) async fn held(directory: TempDir) -> (Self, Hold, oneshot::Receiver<()>) {
        let (release, released) = mpsc::channel();
        let wait = move |front: &Front| {
            front.progress(3, 10);
            released.recv().unwrap();
        };
        let (server, opened) = Self::spawn(directory, Limits::default(), None, wait).await;
        (server, Hold(release), opened)
    }

    async fn spawn(
        directory: TempDir,
        limits: Limits,
        otlp: Option<&str>,
        before: impl FnOnce(&Front) + Send + 'static,
    ) -> (Self, oneshot::Receiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let metrics = Arc::<Metrics>::default();
        let mut options = ServeOptions::new(Policy::token(TOKEN, "tester", true), metrics);
        options.limits = limits;
        options.spans = otlp.map(|url| Spans::to(url, Arc::clone(&options.metrics)).unwrap());
        let mut app = AppOptions::new(directory.path());
        app.metrics = Arc::clone(&options.metrics);
        let (opened, is_open) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(stella_server::serve_while_opening(
            move |front| {
                before(front);
                App::open(app, &|_, _| ())
            },
            move || {
                opened.send(()).ok();
            },
            listener,
            options,
            async {
                stopped.await.ok();
            },
        ));
        let server = Self {
            url,
            directory,
            stop,
            serving,
        };
        (server, is_open)
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection::to(&self.url, Some(TOKEN)).await.unwrap()
    }

    /// Tells it to stop; calls under way are finished.
    pub(crate) fn ask_to_stop(self) -> Stopping {
        self.stop.send(()).ok();
        Stopping {
            directory: self.directory,
            serving: self.serving,
        }
    }

    /// Stops it cleanly and gives its directory back.
    pub(crate) async fn stop(self) -> TempDir {
        self.ask_to_stop().done().await
    }
}

/// A server that finishes what is under way.
pub(crate) struct Stopping {
    directory: TempDir,
    serving: JoinHandle<Result<Arc<App>, ServeError>>,
}

impl Stopping {
    pub(crate) async fn done(self) -> TempDir {
        let app = self.serving.await.unwrap().unwrap();
        tokio::task::spawn_blocking(move || app.close())
            .await
            .unwrap()
            .unwrap();
        self.directory
    }
}
