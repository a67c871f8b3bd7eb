//! `stella serve`: a ledger over gRPC and HTTP on one port.

use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use crate::session::{data_dir, open_app, refused};
use clap::Args;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use stella_server::{ApiKeys, App, AppOptions, Policy};
use tokio::net::TcpListener;

/// Serve a ledger over gRPC and HTTP on one port
///
/// Speaks plain text: put TLS in front of it. With --dev it binds loopback only, draws keys and a
/// token, and answers reads without the token.
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
    /// File with a bearer token that may do everything (without --dev)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// File of principals: who shows which API key and may do what (`stella keys api-key new`)
    #[arg(long, value_name = "FILE", env = "STELLA_API_KEYS")]
    api_keys: Option<PathBuf>,
    /// Listen in plain text beyond this machine: a proxy with TLS stands in front
    #[arg(long)]
    allow_plaintext_remote: bool,
}

impl Serve {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let directory = data_dir(global)?;
        self.check_binding()?;
        let listener = TcpListener::bind(self.listen).await.map_err(|problem| {
            Failure::operational(format!("cannot listen on {}: {problem}", self.listen))
        })?;
        let address = listener.local_addr()?;
        let app = self.open(&directory).await?;
        let (policy, token) = self.policy(&directory)?;
        announce(address, &directory, token.as_deref())?;
        let served = stella_server::serve(app.clone(), listener, policy, stop_signal()).await;
        let closed = tokio::task::spawn_blocking(move || app.close()).await;
        served.map_err(Failure::operational)?;
        closed.map_err(Failure::operational)?.map_err(refused)?;
        Ok(0)
    }

    /// What would be read by others on the wire is refused unless said in full.
    fn check_binding(&self) -> Result<(), Failure> {
        let loopback = self.listen.ip().is_loopback();
        if self.dev && !loopback {
            return Err(Failure::usage(
                format!(
                    "--dev listens on loopback only, not on {}",
                    self.listen.ip()
                ),
                "use 127.0.0.1, or leave --dev and give --token-file",
            ));
        }
        if !loopback && !self.allow_plaintext_remote {
            return Err(Failure::usage(
                format!("{} is reachable from outside, in plain text", self.listen),
                "put TLS in front and say --allow-plaintext-remote, or use 127.0.0.1",
            ));
        }
        if !self.dev && self.token_file.is_none() && self.api_keys.is_none() {
            return Err(Failure::usage(
                "no authentication was chosen",
                "give --api-keys FILE or --token-file FILE, or --dev for one machine",
            ));
        }
        Ok(())
    }

    async fn open(&self, directory: &Path) -> Result<std::sync::Arc<App>, Failure> {
        let mut options = AppOptions::new(directory);
        options.origin.clone_from(&self.origin);
        open_app(options).await
    }

    /// Who may call, and the token to paste for `--dev`.
    fn policy(&self, directory: &Path) -> Result<(Policy, Option<String>), Failure> {
        let (mut policy, mut pasted) = (Policy::default(), None);
        if let Some(path) = &self.token_file {
            policy = Policy::token(&token_of(path)?, "token", false);
        } else if self.dev {
            let token = stella_server::dev_token(directory).map_err(refused)?;
            policy = Policy::token(&token, "dev", true);
            pasted = Some(token);
        }
        if let Some(path) = &self.api_keys {
            policy = policy.with_api_keys(ApiKeys::open(path).map_err(refused)?);
        }
        Ok((policy, pasted))
    }
}

fn token_of(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(|p| Failure::file(path, &p))?;
    let token = text.trim();
    if token.len() < 16 {
        let message = format!("{}: the token is too short", path.display());
        return Err(Failure::usage(message, "use at least 16 random characters"));
    }
    Ok(token.to_owned())
}

fn announce(address: SocketAddr, directory: &Path, token: Option<&str>) -> Result<(), Failure> {
    let url = format!("http://{address}");
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
