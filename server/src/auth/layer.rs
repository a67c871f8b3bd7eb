//! One layer in front of gRPC and HTTP alike.

use super::denial::Denial;
use super::policy::Policy;
use crate::refusal::Refusal;
use axum::response::IntoResponse as _;
use http::{Request, Response, header};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::body::Body;
use tower::{Layer, Service};

/// Puts a [`Caller`](super::Caller) into every request that may pass and answers the others.
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
        let path = request.uri().path();
        let admitted = self.policy.admit(request.method(), path, request.headers());
        match admitted {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
                Box::pin(self.inner.call(request))
            }
            Err(denial) => {
                let response = denied(denial, is_grpc(&request));
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

fn denied(denial: Denial, grpc: bool) -> Response<Body> {
    let challenge = denial.challenge();
    let refusal = Refusal::from(denial);
    if grpc {
        return tonic::Status::from(refusal).into_http();
    }
    let mut response = refusal.into_response().map(Body::new);
    if let Some(challenge) = challenge {
        let headers = response.headers_mut();
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
