//! Who calls, and whether the call may pass: one layer in front of gRPC and HTTP alike.

use crate::access::{Access, needed};
use crate::refusal::Refusal;
use axum::response::IntoResponse as _;
use http::{Method, Request, Response, header};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use stella_proto::reason::Reason;
use stella_verify::hash::sha256;
use tonic::body::Body;
use tower::{Layer, Service};

/// Who a call is from: the scope of request ids and the actor of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub Arc<str>);

/// How callers are told apart.
#[derive(Debug, Clone)]
pub enum Policy {
    /// Everyone is this caller and may do everything: a ledger inside the same process.
    Trusted(Caller),
    /// The bearer of one token may do everything; others may read if `open_reads`.
    Token {
        /// SHA-256 of the token, so that comparing takes no time that depends on it.
        digest: [u8; 32],
        /// Who the bearer is.
        caller: Caller,
        /// Whether reading needs no token (`serve --dev`, loopback only).
        open_reads: bool,
    },
}

impl Policy {
    /// One token for everything.
    #[must_use]
    pub fn token(token: &str, name: &str, open_reads: bool) -> Self {
        Self::Token {
            digest: sha256(token.as_bytes()),
            caller: Caller(name.into()),
            open_reads,
        }
    }

    /// Decides over a call to `path` with this `authorization` header.
    fn admit(
        &self,
        method: &Method,
        path: &str,
        authorization: Option<&str>,
    ) -> Result<Caller, Refusal> {
        let anonymous = || Caller("anonymous".into());
        let Some(access) = needed(method, path) else {
            return Err(Refusal::new(
                Reason::NotFound,
                format!("nothing answers {method} {path}"),
            ));
        };
        match self {
            Self::Trusted(caller) => Ok(caller.clone()),
            Self::Token {
                digest,
                caller,
                open_reads,
            } => match authorization {
                Some(value) => match value.strip_prefix("Bearer ") {
                    Some(token) if sha256(token.as_bytes()) == *digest => Ok(caller.clone()),
                    _ => Err(unauthenticated("the token is not one of this server")),
                },
                None if access == Access::Open => Ok(anonymous()),
                None if access == Access::Read && *open_reads => Ok(anonymous()),
                None => Err(unauthenticated("this call needs a token")),
            },
        }
    }
}

fn unauthenticated(message: &str) -> Refusal {
    Refusal::new(Reason::Unauthenticated, message)
}

/// Puts a [`Caller`] into every request that may pass and answers the others.
#[derive(Debug, Clone)]
pub struct AuthLayer(pub Arc<Policy>);

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;
    fn layer(&self, inner: S) -> Auth<S> {
        Auth {
            inner,
            policy: Arc::clone(&self.0),
        }
    }
}

/// The service that [`AuthLayer`] makes.
#[derive(Debug, Clone)]
pub struct Auth<S> {
    inner: S,
    policy: Arc<Policy>,
}

impl<S> Service<Request<Body>> for Auth<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let authorization = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        match self
            .policy
            .admit(request.method(), request.uri().path(), authorization)
        {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
                Box::pin(self.inner.call(request))
            }
            Err(refusal) => {
                let response = refused(refusal, is_grpc(&request));
                Box::pin(std::future::ready(Ok(response)))
            }
        }
    }
}

fn is_grpc(request: &Request<Body>) -> bool {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/grpc"))
}

fn refused(refusal: Refusal, grpc: bool) -> Response<Body> {
    if grpc {
        return tonic::Status::from(refusal).into_http();
    }
    refusal.into_response().map(Body::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = "/stella.scan.v1.ScanService/GetScan";
    const WRITE: &str = "/stella.scan.v1.ScanService/SubmitScan";

    fn outcome(open_reads: bool, path: &str, header: Option<&str>) -> Result<String, Reason> {
        let policy = Policy::token("secret", "dev", open_reads);
        let method = if path.starts_with("/stella.") {
            &Method::POST
        } else {
            &Method::GET
        };
        let caller = policy
            .admit(method, path, header)
            .map_err(|refusal| refusal.reason)?;
        Ok(caller.0.to_string())
    }

    #[test]
    fn who_may_do_what() {
        let denied = Err(Reason::Unauthenticated);
        for open_reads in [false, true] {
            assert_eq!(outcome(open_reads, WRITE, None), denied);
            assert_eq!(outcome(open_reads, WRITE, Some("Bearer wrong")), denied);
            assert_eq!(outcome(open_reads, WRITE, Some("secret")), denied);
            assert_eq!(
                outcome(open_reads, WRITE, Some("Bearer secret")),
                Ok("dev".to_owned())
            );
            assert_eq!(outcome(open_reads, READ, Some("Bearer wrong")), denied);
            assert_eq!(
                outcome(open_reads, "/checkpoint", None),
                Ok("anonymous".to_owned())
            );
            assert_eq!(
                outcome(open_reads, "/nowhere", Some("Bearer secret")),
                Err(Reason::NotFound)
            );
        }
        assert_eq!(outcome(true, READ, None), Ok("anonymous".to_owned()));
        assert_eq!(outcome(false, READ, None), denied);
    }
}
