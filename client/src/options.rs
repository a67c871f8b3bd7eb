//! How to connect: who calls, and whom to believe that it is the server.

use crate::{Bearer, ClientError};
use std::time::Duration;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// How often a silent connection is asked whether it lives, unless told otherwise.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What a connection needs beside its address. The default is nothing: no token, and over `https`
/// the authorities that this machine trusts.
#[derive(Clone, Default)]
pub struct ConnectOptions {
    token: Option<String>,
    authorities: Option<Vec<u8>>,
    identity: Option<Identity>,
    keepalive: Option<Duration>,
}

impl ConnectOptions {
    /// With a bearer token.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Believes these authorities (PEM) and no others.
    #[must_use]
    pub fn authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities = Some(pem.into());
        self
    }

    /// Shows this certificate (PEM, followed by those up to its authority) and proves it with its key.
    #[must_use]
    pub fn identity(mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.identity = Some(Identity::from_pem(certificate, key));
        self
    }

    /// How often a silent connection is asked whether it lives, and how long it has to say: 30
    /// seconds unless told otherwise. One that does not answer breaks, which a tail survives; without
    /// asking, it would wait for ever on a server whose machine went away.
    #[must_use]
    pub const fn keepalive(mut self, every: Duration) -> Self {
        self.keepalive = Some(every);
        self
    }

    pub(crate) fn alive_every(&self) -> Duration {
        self.keepalive.unwrap_or(KEEPALIVE)
    }

    pub(crate) fn bearer(&self) -> Result<Bearer, ClientError> {
        let bearer = self.token.as_deref().map(Bearer::new).transpose()?;
        Ok(bearer.unwrap_or_default())
    }

    pub(crate) fn tls(&self) -> ClientTlsConfig {
        let tls = ClientTlsConfig::new();
        let tls = match &self.authorities {
            Some(pem) => tls.ca_certificate(Certificate::from_pem(pem)),
            None => tls.with_native_roots(),
        };
        match &self.identity {
            Some(identity) => tls.identity(identity.clone()),
            None => tls,
        }
    }
}

impl core::fmt::Debug for ConnectOptions {
    /// Names what is set and shows none of it.
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("ConnectOptions")
            .field("token", &self.token.is_some())
            .field("authorities", &self.authorities.is_some())
            .field("identity", &self.identity.is_some())
            .field("keepalive", &self.alive_every())
            .finish()
    }
}
