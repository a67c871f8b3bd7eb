//! The options of TLS, and keeping it fresh.

use crate::failure::Failure;
use clap::{Args, ValueEnum};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use stella_server::{ClientAuth, Tls, TlsError, TlsFiles};

/// How often the files are looked at, beside at every SIGHUP.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// TLS
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
#[expect(clippy::struct_field_names, reason = "they are the flags' names")]
pub(crate) struct TlsOptions {
    /// Serve TLS with this certificate and those up to its authority (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Know clients by certificates of these authorities (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
    /// What a client without a certificate gets
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        default_value_t,
        requires = "tls_client_ca"
    )]
    tls_client_auth: Shown,
}

/// What clients must show.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Shown {
    /// Its connection is refused
    #[default]
    Required,
    /// It is told apart by other means
    Optional,
}

impl TlsOptions {
    pub(super) fn chosen(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// Reads the files, if TLS was chosen.
    pub(super) fn load(&self) -> Result<Option<Arc<Tls>>, Failure> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        let loaded = Tls::load(TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
            client_ca: self.tls_client_ca.clone(),
            client_auth: match self.tls_client_auth {
                Shown::Required => ClientAuth::Required,
                Shown::Optional => ClientAuth::Optional,
            },
        });
        let tls = loaded.map_err(|problem| {
            let hint = "files of certificates and keys are PEM; see docs/configuration.md";
            Failure::usage(problem.to_string(), hint)
        })?;
        Ok(Some(Arc::new(tls)))
    }
}

/// Reads the files again at every SIGHUP and when they change, for as long as it is polled.
pub(super) async fn keep_fresh(tls: Arc<Tls>) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    #[cfg(unix)]
    if let Ok(mut hangups) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
    {
        loop {
            tokio::select! {
                _ = hangups.recv() => look(&tls, Tls::reload).await,
                _ = ticks.tick() => look(&tls, Tls::refresh).await,
            }
        }
    }
    loop {
        ticks.tick().await;
        look(&tls, Tls::refresh).await;
    }
}

/// Looks once and says what changed.
async fn look(tls: &Arc<Tls>, how: fn(&Tls) -> Result<bool, TlsError>) {
    let tls = Arc::clone(tls);
    let told = match tokio::task::spawn_blocking(move || how(&tls)).await {
        Ok(Ok(true)) => "tls: new connections get the new certificate".to_owned(),
        Ok(Err(problem)) => format!("warning: tls: the old certificate stays in use: {problem}"),
        Ok(Ok(false)) | Err(_) => return,
    };
    writeln!(std::io::stderr().lock(), "{told}").ok();
}
