//! `stella serve`: a ledger over gRPC and HTTP on one port.

mod binding;
mod tls;

use crate::cli::Global;
use crate::commands::access::Access;
use crate::failure::Failure;
use crate::output;
use crate::session::{data_dir, open_app, refused};
use binding::Binding;
use clap::Args;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use stella_server::{App, AppOptions, TenantName};
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
}

impl Serve {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let directory = data_dir(global)?;
        self.binding().check()?;
        let tls = self.tls.load()?;
        let listener = TcpListener::bind(self.listen).await.map_err(|problem| {
            Failure::operational(format!("cannot listen on {}: {problem}", self.listen))
        })?;
        let address = listener.local_addr()?;
        let app = self.open(&directory).await?;
        let (policy, token) = self.access.policy(self.dev.then_some(&*directory))?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        announce(
            &format!("{scheme}://{address}"),
            &directory,
            token.as_deref(),
        )?;
        let served = match tls {
            None => stella_server::serve(app.clone(), listener, policy, stop_signal()).await,
            Some(tls) => {
                let fresh = tokio::spawn(tls::keep_fresh(tls.clone()));
                let stop = stop_signal();
                let served = stella_server::serve_tls(app.clone(), listener, tls, policy, stop);
                let served = served.await;
                fresh.abort();
                served
            }
        };
        let closed = tokio::task::spawn_blocking(move || app.close()).await;
        served.map_err(Failure::operational)?;
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

    async fn open(&self, directory: &Path) -> Result<std::sync::Arc<App>, Failure> {
        let mut options = AppOptions::new(directory);
        options.origin.clone_from(&self.origin);
        options.tenants.clone_from(&self.tenants);
        open_app(options).await
    }
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
