//! TLS on the one port, with certificates that are read anew while it serves.
//!
//! Each handshake takes the configuration that is current then, so a change of certificate, key or
//! client authority holds from the next connection on, and connections that stand keep theirs. ALPN
//! offers HTTP/2 and HTTP/1.1. What cannot be used never replaces what is in use.

mod config;
mod incoming;
mod peer;
#[cfg(test)]
mod tests;

pub(crate) use incoming::incoming;
pub use peer::PeerCertificates;
pub(crate) use peer::{PeerLayer, name_peer};

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use stella_verify::hash::sha256;
use tokio_rustls::rustls::ServerConfig;

/// What a client must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// Whoever shows no certificate is refused in the handshake.
    Required,
    /// A certificate is verified when one is shown.
    Optional,
}

/// The files that TLS needs, all PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's certificate, then those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities whose clients are known.
    pub client_ca: Option<PathBuf>,
    /// What clients must show; without `client_ca` nobody is asked.
    pub client_auth: ClientAuth,
}

/// Why files cannot be used for TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
    /// A file does not hold what it should.
    #[error("{path}: {why}")]
    Content {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// Certificate and key together are no identity.
    #[error("{certificate} and {key}: {why}")]
    Identity {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
        /// What is wrong with them.
        why: String,
    },
}

/// TLS for a server.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    config: Arc<ServerConfig>,
    /// Digest of the files as last read, good or bad, so that a bad one is told of once.
    seen: [u8; 32],
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`] when they cannot be used.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let contents = Contents::read(&files);
        let state = RwLock::new(State {
            config: Arc::new(config::server(&files, &contents)?),
            seen: contents.digest(),
        });
        Ok(Self { files, state })
    }

    /// Reads the files again; whether they had changed since they were last read.
    ///
    /// # Errors
    /// [`TlsError`] when they cannot be used: what was in use stays so. [`Self::refresh`] tells of
    /// the same bad files once only, this one each time.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let contents = Contents::read(&self.files);
        let changed = self.see(contents.digest());
        let config = Arc::new(config::server(&self.files, &contents)?);
        if changed {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.config = config;
        }
        Ok(changed)
    }

    /// Reads the files and does what [`Self::reload`] does if they changed since the last time.
    ///
    /// # Errors
    /// As [`Self::reload`].
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let seen = state.seen;
        drop(state);
        if Contents::read(&self.files).digest() == seen {
            return Ok(false);
        }
        self.reload()
    }

    /// Remembers what was read; whether it is new.
    fn see(&self, digest: [u8; 32]) -> bool {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut state.seen, digest) != digest
    }

    /// What the next handshake uses.
    fn current(&self) -> Arc<ServerConfig> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&state.config)
    }
}

/// The files' bytes, or why they cannot be read.
struct Contents {
    certificate: Result<Vec<u8>, String>,
    key: Result<Vec<u8>, String>,
    client_ca: Option<Result<Vec<u8>, String>>,
}

impl Contents {
    fn read(files: &TlsFiles) -> Self {
        let read = |path: &PathBuf| std::fs::read(path).map_err(|problem| problem.to_string());
        Self {
            certificate: read(&files.certificate),
            key: read(&files.key),
            client_ca: files.client_ca.as_ref().map(read),
        }
    }

    fn digest(&self) -> [u8; 32] {
        let mut all = Vec::new();
        for part in [
            Some(&self.certificate),
            Some(&self.key),
            self.client_ca.as_ref(),
        ] {
            let digest = match part {
                Some(Ok(bytes)) => sha256(bytes),
                Some(Err(why)) => sha256(why.as_bytes()),
                None => [0; 32],
            };
            all.extend(digest);
        }
        sha256(&all)
    }
}
