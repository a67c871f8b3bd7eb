//! One GET for an issuer's keys.
//!
//! Keys that came over a network in plain text are anybody's keys, so `http` is for this machine
//! only: for an issuer beside the server. Elsewhere it is `https`, and the issuer shows a certificate
//! of an authority that the operator named, or else of one that this machine believes. Redirects are
//! not followed: keys come from where the operator said.

use super::roots::Roots;
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// How long an issuer has for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A URL that keys can be asked of.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    host: String,
    port: u16,
    uri: Uri,
    /// Whom to believe under TLS; none for plain text.
    roots: Option<Roots>,
}

/// A URL that keys cannot be asked of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not `https://host[:port]/path`, nor the same with `http`.
    #[error("it is not a URL https://HOST[:PORT]/PATH, or http:// of this machine")]
    Malformed,
    /// Authorities are given for plain text.
    #[error("authorities are for https only: nobody shows a certificate over http")]
    PlainText,
    /// The authorities cannot be used.
    #[error("{0}")]
    Authorities(String),
}

impl Endpoint {
    /// A URL, and the file of authorities to believe there instead of this machine's.
    pub(super) fn new(text: &str, authorities: Option<&Path>) -> Result<Self, EndpointError> {
        let uri: Uri = text.parse().map_err(|_| EndpointError::Malformed)?;
        let (roots, port) = match (uri.scheme_str(), authorities) {
            (Some("http"), None) => (None, 80),
            (Some("http"), Some(_)) => return Err(EndpointError::PlainText),
            (Some("https"), file) => (Some(Roots::of(file)), 443),
            _ => return Err(EndpointError::Malformed),
        };
        let authority = uri.authority().ok_or(EndpointError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::Malformed);
        }
        // An IPv6 address stands in brackets, which belong to the URL only.
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        // A mistake of the operator's is told at once, not when the first token comes.
        if let Some(roots) = &roots {
            roots.config().map_err(EndpointError::Authorities)?;
            ServerName::try_from(host.as_str()).map_err(|_| EndpointError::Malformed)?;
        }
        Ok(Self {
            host,
            port: authority.port_u16().unwrap_or(port),
            uri,
            roots,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

impl Endpoint {
    /// What is there now; at most `most` bytes of it.
    pub(super) async fn get(&self, most: usize) -> Result<Vec<u8>, String> {
        let answer = tokio::time::timeout(PATIENCE, self.ask(most)).await;
        answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
    }

    async fn ask(&self, most: usize) -> Result<Vec<u8>, String> {
        let stream = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(told)?;
        let Some(roots) = self.roots.clone() else {
            let peer = stream.peer_addr().map_err(told)?;
            if !peer.ip().is_loopback() {
                return Err(format!(
                    "{} is not this machine, and http has no TLS",
                    peer.ip()
                ));
            }
            return self.exchange(stream, most).await;
        };
        // Read again each time: authorities change, and keys are asked for seldom.
        let config = tokio::task::spawn_blocking(move || roots.config());
        let config = config.await.map_err(told)??;
        let name = ServerName::try_from(self.host.clone()).map_err(told)?;
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, stream).await.map_err(told)?;
        self.exchange(stream, most).await
    }

    async fn exchange<S>(&self, stream: S, most: usize) -> Result<Vec<u8>, String>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(told)?;
        // Ends with the sender, whatever comes.
        let driving = tokio::spawn(connection);
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = self
            .uri
            .authority()
            .map_or("", |authority| authority.as_str());
        let request = Request::get(path)
            .header(header::HOST, authority)
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .body(Body::empty())
            .map_err(told)?;
        let answer = sender.send_request(request).await.map_err(told)?;
        if answer.status() != StatusCode::OK {
            return Err(format!("it answered {}", answer.status()));
        }
        let bytes = to_bytes(Body::new(answer.into_body()), most)
            .await
            .map_err(told);
        driving.abort();
        Ok(bytes?.into())
    }
}

fn told(problem: impl fmt::Display) -> String {
    problem.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_without_secrets_are_taken() {
        for (good, port) in [
            ("http://127.0.0.1:9/keys", 9),
            ("http://localhost/x?y", 80),
            ("http://[::1]:8/", 8),
        ] {
            assert_eq!(Endpoint::new(good, None).unwrap().port, port, "{good}");
        }
        for bad in [
            "",
            "/keys",
            "ftp://a/b",
            "http://u:p@127.0.0.1/",
            "https://u:p@issuer.example/",
            "keys.json",
        ] {
            let refused = Endpoint::new(bad, None).err();
            assert_eq!(refused, Some(EndpointError::Malformed), "{bad}");
        }
    }

    #[test]
    fn authorities_are_for_https_and_must_be_some() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let ask = |url| Endpoint::new(url, Some(&file));
        let plain = ask("http://127.0.0.1/keys").err();
        assert_eq!(plain, Some(EndpointError::PlainText));
        for content in [None, Some("nothing of the kind")] {
            if let Some(content) = content {
                std::fs::write(&file, content).unwrap();
            }
            let refused = ask("https://issuer.example/keys").unwrap_err();
            assert!(refused.to_string().contains("ca.pem: "), "{refused}");
        }
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca = params.self_signed(&rcgen::KeyPair::generate().unwrap());
        std::fs::write(&file, ca.unwrap().pem()).unwrap();
        assert_eq!(ask("https://issuer.example/keys").unwrap().port, 443);
    }
}
