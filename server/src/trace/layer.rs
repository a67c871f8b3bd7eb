//! The outermost layer: ids in, one line, one count and one span out.

use super::body::{Watched, code_of};
use super::otlp::{Span, Spans};
use super::{CALL, Call, Context};
use crate::connections::ConnectionInfo;
use crate::metrics::{Ended, MethodFigures, Metrics};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Instant, SystemTime};
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};

/// Response headers with the ids of the call.
const TRACE_ID_HEADER: &str = "x-trace-id";
const REQUEST_ID_HEADER: &str = "x-request-id";

/// Gives every call its ids and accounts for it; stands in front of everything else.
#[derive(Debug, Clone)]
pub(crate) struct TraceLayer {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) spans: Option<Spans>,
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;
    fn layer(&self, inner: S) -> Trace<S> {
        Trace {
            inner,
            to: self.clone(),
        }
    }
}

/// The service that [`TraceLayer`] makes.
#[derive(Debug, Clone)]
pub(crate) struct Trace<S> {
    inner: S,
    to: TraceLayer,
}

impl<S> Service<Request<Body>> for Trace<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if let Some(connection) = request.extensions().get::<ConnectionInfo>() {
            connection.spoke();
        }
        let call = Arc::new(Call::new(Context::of(request.headers())));
        let figures = self
            .to
            .metrics
            .requests
            .of(request.method(), request.uri().path());
        let mut ending = Ending {
            call: Arc::clone(&call),
            method: Arc::clone(figures),
            to: self.to.clone(),
            begun: Instant::now(),
            wall: SystemTime::now(),
            rpc: crate::auth::is_grpc(request.headers()),
            code: None,
            status: StatusCode::OK,
            complete: false,
        };
        // The inner call begins inside the scope: layers refuse before they return a future.
        let answering = CALL.sync_scope(Arc::clone(&call), || self.inner.call(request));
        let answering = CALL.scope(Arc::clone(&call), answering);
        Box::pin(async move {
            let mut response = answering.await?;
            let ids = [
                (TRACE_ID_HEADER, &call.context.trace_id),
                (REQUEST_ID_HEADER, &call.context.request_id),
            ];
            for (name, id) in ids {
                if let Ok(mut value) = HeaderValue::from_str(id) {
                    // No two answers share it: HTTP/2 is told to keep it out of its table of headers.
                    value.set_sensitive(true);
                    response.headers_mut().insert(name, value);
                }
            }
            ending.status = response.status();
            ending.code = code_of(response.headers());
            // What has no body ends here.
            ending.complete = response.body().is_end_stream();
            let stream = ending.rpc && ending.method.streaming;
            let cut = call.deadline.get().copied().filter(|_| stream);
            Ok(response.map(|body| Body::new(Watched::new(body, ending, cut))))
        })
    }
}

/// Accounts for a call when it is dropped.
pub(super) struct Ending {
    call: Arc<Call>,
    method: Arc<MethodFigures>,
    to: TraceLayer,
    begun: Instant,
    wall: SystemTime,
    rpc: bool,
    pub(super) code: Option<Code>,
    status: StatusCode,
    /// Whether the answer came to its end; else the caller hung up.
    pub(super) complete: bool,
}

impl Ending {
    fn how(&self) -> Ended {
        if !self.rpc {
            return Ended::Http(self.status.as_u16());
        }
        let cut = if self.complete {
            Code::Unknown
        } else {
            Code::Cancelled
        };
        Ended::Rpc(self.code.unwrap_or(cut))
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        let how = self.how();
        self.method.ended(how, took);
        let context = &self.call.context;
        let caller = self.call.caller.get().map_or("", |caller| caller);
        let method = self.method.name.as_str();
        macro_rules! say {
            ($level:ident) => {
                tracing::$level!(
                    target: "stella::request",
                    request_id = &*context.request_id,
                    trace_id = &*context.trace_id,
                    span_id = &*context.span_id,
                    method,
                    code = how.label(),
                    duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                    caller,
                    complete = self.complete,
                    "request"
                )
            };
        }
        if how.is_fault() {
            say!(error);
        } else if self.method.is_probe() {
            say!(debug);
        } else {
            say!(info);
        }
        if let Some(spans) = self.to.spans.as_ref().filter(|_| context.sampled) {
            let sent = spans.send(Span {
                context: context.clone(),
                name: method.to_owned(),
                begun: self.wall,
                took,
                code: how.label(),
                fault: how.is_fault(),
                caller: caller.to_owned(),
            });
            if !sent {
                self.to.metrics.spans_dropped.add(1);
            }
        }
    }
}
