//! In front of authentication: a place among the requests under way, and the deadline.

use crate::auth::{is_grpc, refused};
use crate::deadline;
use crate::limits::{Limit, Limits, MAX_BODY_BYTES, MAX_MESSAGE_BYTES};
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::trace;
use http::{Request, Response};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use stella_proto::reason::Reason;
use tonic::body::Body;
use tower::{Layer, Service};

/// Refuses what there is no place for, and ends what takes too long.
#[derive(Debug, Clone)]
pub(crate) struct AdmitLayer {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Arc<Limits>,
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;
    fn layer(&self, inner: S) -> Admit<S> {
        Admit {
            inner,
            to: self.clone(),
        }
    }
}

/// The service that [`AdmitLayer`] makes.
#[derive(Debug, Clone)]
pub(crate) struct Admit<S> {
    inner: S,
    to: AdmitLayer,
}

impl AdmitLayer {
    /// Takes a place for a call; the place is given back when nothing works for the call any more.
    fn place(&self, request: &Request<Body>) -> Result<Option<Instant>, Refusal> {
        let method = self
            .metrics
            .requests
            .of(request.method(), request.uri().path());
        // Whoever watches the server must be answered above all when it is busy.
        if method.is_probe() {
            return Ok(None);
        }
        if let Some(length) = body_length(request).filter(|length| *length > MAX_BODY_BYTES) {
            // Before the first byte of it is read.
            let message = format!("a body of {length} bytes: at most {MAX_BODY_BYTES} are taken");
            return Err(Refusal::new(Reason::TooLarge, message));
        }
        let (level, most, limit) = if method.streaming {
            (&self.metrics.streams, self.limits.streams, Limit::Streams)
        } else {
            (
                &self.metrics.in_flight,
                self.limits.in_flight,
                Limit::InFlight,
            )
        };
        let Some(place) = level.try_enter(most) else {
            self.metrics.limited(limit.name());
            let message = format!("{most} requests are under way ({})", limit.name());
            return Err(Refusal::new(Reason::ResourceExhausted, message));
        };
        let own = (!method.streaming).then_some(self.limits.request_timeout);
        let wait = [deadline::asked(request.headers()), own];
        let until = wait.into_iter().flatten().min();
        let until = until.and_then(|wait| Instant::now().checked_add(wait));
        if let Some(call) = trace::current() {
            call.takes(place);
            if let Some(until) = until {
                call.until(until);
            }
        }
        Ok(until)
    }
}

impl<S> Service<Request<Body>> for Admit<S>
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
        let grpc = is_grpc(request.headers());
        let until = match self.to.place(&request) {
            Ok(until) => until,
            Err(refusal) => {
                return Box::pin(std::future::ready(Ok(refused(refusal, grpc))));
            }
        };
        let answering = self.inner.call(request);
        let Some(until) = until else {
            return Box::pin(async move { answering.await.map(named) });
        };
        Box::pin(async move {
            if let Ok(answer) = tokio::time::timeout_at(until.into(), answering).await {
                return answer.map(named);
            }
            let message = "the deadline passed before the answer was there";
            Ok(refused(
                Refusal::new(Reason::DeadlineExceeded, message),
                grpc,
            ))
        })
    }
}

/// What a request says of its body's length.
fn body_length(request: &Request<Body>) -> Option<usize> {
    let value = request.headers().get(http::header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

/// The transport refuses a message above the limit in words of its own: here it gets the reason
/// that everything too large has.
fn named(answer: Response<Body>) -> Response<Body> {
    let says = |name: &str, words: &str| {
        let value = answer.headers().get(name);
        value.is_some_and(|value| String::from_utf8_lossy(value.as_bytes()).contains(words))
    };
    if says("grpc-status", "11") && says("grpc-message", "message%20length%20too%20large") {
        let message = format!("a message has more than {MAX_MESSAGE_BYTES} bytes");
        return refused(Refusal::new(Reason::TooLarge, message), true);
    }
    answer
}
