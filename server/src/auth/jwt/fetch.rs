//! One GET for an issuer's keys.
//!
//! Keys that came over a network in plain text are anybody's keys, so `http` is for this machine
//! only: for a proxy that speaks TLS with the issuer, or an issuer beside the server. Redirects are not
//! followed: keys come from where the operator said.

use axum::body::{Body, to_bytes};
use http::{Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long an issuer has for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A URL that keys can be asked of.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    host: String,
    port: u16,
    uri: Uri,
}

/// A URL that keys cannot be asked of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not `http://host[:port]/path`.
    #[error("it is not a URL http://HOST[:PORT]/PATH")]
    Malformed,
    /// `https`.
    #[error(
        "this build speaks no https as a client: give a file that a job keeps fresh, or a proxy \
         on this machine"
    )]
    Https,
}

impl FromStr for Endpoint {
    type Err = EndpointError;
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let uri: Uri = text.parse().map_err(|_| EndpointError::Malformed)?;
        match uri.scheme_str() {
            Some("http") => (),
            Some("https") => return Err(EndpointError::Https),
            _ => return Err(EndpointError::Malformed),
        }
        let authority = uri.authority().ok_or(EndpointError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::Malformed);
        }
        // An IPv6 address stands in brackets, which belong to the URL only.
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        Ok(Self {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(80),
            uri,
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
        let peer = stream.peer_addr().map_err(told)?;
        if !peer.ip().is_loopback() {
            return Err(format!(
                "{} is not this machine, and http has no TLS",
                peer.ip()
            ));
        }
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
    fn only_plain_urls_without_secrets_are_taken() {
        for good in [
            "http://127.0.0.1:9/keys",
            "http://localhost/x?y",
            "http://[::1]:8/",
        ] {
            assert!(good.parse::<Endpoint>().is_ok(), "{good}");
        }
        let https = "https://issuer.example/keys".parse::<Endpoint>();
        assert_eq!(https.err(), Some(EndpointError::Https));
        for bad in [
            "",
            "/keys",
            "ftp://a/b",
            "http://u:p@127.0.0.1/",
            "keys.json",
        ] {
            let refused = bad.parse::<Endpoint>().err();
            assert_eq!(refused, Some(EndpointError::Malformed), "{bad}");
        }
    }
}
