//! `stella serve`: a ledger over gRPC and HTTP on one port.

mod binding;
mod tls;

use super::bounds::Bounds;
use crate::cli::Global;
use crate::commands::access::Access;
use crate::failure::Failure;
use crate::logging::Logging;
use crate::output;
use crate::session::{data_dir, refused};
use binding::Binding;
use clap::Args;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use stella_proto::reason::Reason;
use stella_server::{
    App, AppOptions, Front, Metrics, Refusal, ServeError, ServeOptions, Spans, TenantName,
};
use tls::TlsOptions;
use tokio::net::TcpListener;

/// Serve a ledger over gRPC and HTTP on one port
///
/// With --dev it binds loopback only, draws keys and a token, and answers reads without the token.
/// Otherwise say how callers are told apart, and give --tls-cert and --tls-key when others than this
/// machine reach it. Every option can also stand in a file: docs/configuration.md.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// For one machine: loopback, drawn keys, drawn token, open reads
    #[arg(long)]
    dev: bool,
    /// Where to listen
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7443")]
    listen: SocketAddr,
    /// Name of the log in its checkpoints; only for a new ledger
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    /// Listen in plain text beyond this machine: a proxy with TLS stands in front
    #[arg(long)]
    allow_plaintext_remote: bool,
    /// Serve this tenant's ledger too, made when it is new; repeat for more
    #[arg(long = "tenant", value_name = "NAME", env = "STELLA_TENANT")]
    tenants: Vec<TenantName>,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    tls: TlsOptions,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    logging: Logging,
    /// Send spans to this OpenTelemetry collector, over gRPC: `http://127.0.0.1:4317`
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
}

impl Serve {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let directory = data_dir(global)?;
        self.binding().check()?;
        let tls = self.tls.load()?;
        let listener = TcpListener::bind(self.listen).await.map_err(|problem| {
            let message = format!("cannot listen on {}: {problem}", self.listen);
            Failure::of(Reason::Unavailable, message)
        })?;
        let address = listener.local_addr()?;
        self.logging.start();
        std::fs::create_dir_all(&directory).map_err(|p| Failure::file(&directory, &p))?;
        let (policy, token) = self.access.policy(self.dev.then_some(&*directory))?;
        let metrics = Arc::<Metrics>::default();
        let mut options = ServeOptions::new(policy, Arc::clone(&metrics));
        options.limits = self.bounds.limits();
        options.spans = self.spans(&metrics)?;
        options.tls.clone_from(&tls);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let app = self.app_options(&directory, metrics);
        let open = move |front: &Front| open(app, front);
        let opened = move || {
            // Who started this may have hung up; who calls has not.
            let url = format!("{scheme}://{address}");
            announce(&url, &directory, token.as_deref()).ok();
        };
        let fresh = tls.map(|tls| tokio::spawn(tls::keep_fresh(tls)));
        let served =
            stella_server::serve_while_opening(open, opened, listener, options, stop_signal());
        let served = Box::pin(served).await;
        if let Some(fresh) = fresh {
            fresh.abort();
        }
        let app = served.map_err(|problem| match problem {
            ServeError::Open(refusal) => refused(refusal),
            ServeError::Transport(problem) => Failure::operational(problem),
        })?;
        let closed = tokio::task::spawn_blocking(move || app.close()).await;
        closed.map_err(Failure::operational)?.map_err(refused)?;
        Ok(0)
    }

    fn binding(&self) -> Binding {
        Binding {
            listen: self.listen,
            dev: self.dev,
            tls: self.tls.chosen(),
            authenticated: self.access.is_chosen(),
            plaintext_said: self.allow_plaintext_remote,
        }
    }

    fn app_options(&self, directory: &Path, metrics: Arc<Metrics>) -> AppOptions {
        let mut options = AppOptions::new(directory);
        options.origin.clone_from(&self.origin);
        options.tenants.clone_from(&self.tenants);
        options.metrics = metrics;
        options
    }

    fn spans(&self, metrics: &Arc<Metrics>) -> Result<Option<Spans>, Failure> {
        let Some(endpoint) = &self.otlp_endpoint else {
            return Ok(None);
        };
        let spans = Spans::to(endpoint, Arc::clone(metrics));
        let spans = spans.map_err(|p| Failure::usage(p.to_string(), "give an http:// URL"))?;
        Ok(Some(spans))
    }
}

/// Opens the ledger, with a bar here and progress for who asks the server.
fn open(options: AppOptions, front: &Front) -> Result<Arc<App>, Refusal> {
    let bar = crate::progress::bar("refolding");
    let app = App::open(options, &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
        front.progress(done, total);
    });
    bar.finish_and_clear();
    app
}

fn announce(url: &str, directory: &Path, token: Option<&str>) -> Result<(), Failure> {
    let mut text = format!("serving {} at {url}\n", directory.display());
    if let Some(token) = token {
        text.push_str("paste this where you want to use it:\n");
        let line = format!("  export STELLA_SERVER={url} STELLA_TOKEN={token}\n");
        text.push_str(&line);
    }
    output::text(&text)?;
    Ok(std::io::stdout().flush()?)
}

/// Resolves at the first interrupt or termination.
async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => (),
                _ = terminate.recv() => (),
            }
            return;
        }
    }
    interrupt.await.ok();
}
