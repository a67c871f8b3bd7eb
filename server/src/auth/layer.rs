//! One layer in front of gRPC and HTTP alike.

use super::caller::Caller;
use super::denial::Denial;
use super::jwt::Issuer;
use super::policy::{Policy, Shown};
use crate::denials::Denials;
use crate::refusal::Refusal;
use crate::tls::PeerCertificates;
use crate::trace;
use axum::response::IntoResponse as _;
use http::{HeaderMap, Request, Response, header};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::body::Body;
use tower::{Layer, Service};

/// Puts a [`Caller`] into every request that may pass, answers the others and notes them.
#[derive(Debug, Clone)]
pub(crate) struct AuthLayer {
    pub(crate) policy: Arc<Policy>,
    pub(crate) denials: Arc<Denials>,
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;
    fn layer(&self, inner: S) -> Auth<S> {
        Auth {
            inner,
            to: self.clone(),
        }
    }
}

/// The service that [`AuthLayer`] makes.
#[derive(Debug, Clone)]
pub(crate) struct Auth<S> {
    inner: S,
    to: AuthLayer,
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

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let issuer = self.to.policy.issuer();
        match decide(&self.to.policy, &request) {
            // The keys may have been replaced: ask once, then decide for good.
            Err(Denial::UnknownKey) if let Some(issuer) = issuer => {
                let (to, issuer) = (self.to.clone(), Arc::clone(issuer));
                // The one that is ready is the one to call.
                let next = self.inner.clone();
                let inner = std::mem::replace(&mut self.inner, next);
                Box::pin(async move {
                    ask(&issuer).await;
                    let decision = decide(&to.policy, &request);
                    go_on(inner, request, decision, &to.denials).await
                })
            }
            decision => {
                if let Some(issuer) = issuer.filter(|issuer| issuer.keys().is_due()) {
                    let issuer = Arc::clone(issuer);
                    tokio::spawn(async move { ask(&issuer).await });
                }
                let next = self.inner.clone();
                let inner = std::mem::replace(&mut self.inner, next);
                let denials = Arc::clone(&self.to.denials);
                Box::pin(async move { go_on(inner, request, decision, &denials).await })
            }
        }
    }
}

fn decide(policy: &Policy, request: &Request<Body>) -> Result<Caller, Denial> {
    let peer = request.extensions().get::<PeerCertificates>();
    let shown = Shown {
        headers: request.headers(),
        certificate: peer.and_then(PeerCertificates::client),
    };
    policy.admit(request.method(), request.uri().path(), shown)
}

/// Asks an issuer for its keys; without an answer those known stay.
async fn ask(issuer: &Issuer) {
    issuer.keys().refresh().await.ok();
}

async fn go_on<S>(
    mut inner: S,
    mut request: Request<Body>,
    decision: Result<Caller, Denial>,
    denials: &Denials,
) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    match decision {
        Ok(caller) => {
            trace::identify(caller.name());
            request.extensions_mut().insert(caller);
            inner.call(request).await
        }
        Err(denial) => {
            denials.denied(&denial, request.method(), request.uri().path());
            Ok(denied(denial, is_grpc(request.headers())))
        }
    }
}

/// Whether a call is one of gRPC, which hears of refusals in its own way.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/grpc"))
}

/// What whoever may not pass is told.
pub(crate) fn denied(denial: Denial, grpc: bool) -> Response<Body> {
    let challenge = denial.challenge();
    let mut response = refused(Refusal::from(denial), grpc);
    if let Some(challenge) = challenge.filter(|_| !grpc) {
        let headers = response.headers_mut();
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A refusal as the answer of a layer.
pub(crate) fn refused(refusal: Refusal, grpc: bool) -> Response<Body> {
    if grpc {
        return tonic::Status::from(refusal).into_http();
    }
    refusal.into_response().map(Body::new)
}
