//! The id of a call: taken from the caller's W3C trace context, else drawn; named in every refusal.

use http::{HeaderMap, HeaderValue, Request, Response};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use stella_verify::hash::to_hex;
use tonic::body::Body;
use tower::{Layer, Service};

/// Response header with the trace id of the call.
const TRACE_ID_HEADER: &str = "x-trace-id";

tokio::task_local! {
    static TRACE_ID: Arc<str>;
}

/// The trace id of the call that this task answers; empty outside of one.
pub(crate) fn trace_id() -> String {
    TRACE_ID.try_with(ToString::to_string).unwrap_or_default()
}

/// Gives every call its trace id; stands in front of everything else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceLayer;

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;
    fn layer(&self, inner: S) -> Trace<S> {
        Trace { inner }
    }
}

/// The service that [`TraceLayer`] makes.
#[derive(Debug, Clone)]
pub(crate) struct Trace<S> {
    inner: S,
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

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let id = of(request.headers());
        let header = HeaderValue::from_str(&id);
        // The inner call begins inside the scope: layers refuse before they return a future.
        let answering = TRACE_ID.sync_scope(Arc::clone(&id), || self.inner.call(request));
        let answering = TRACE_ID.scope(id, answering);
        Box::pin(async move {
            let mut response = answering.await?;
            if let Ok(header) = header {
                response.headers_mut().insert(TRACE_ID_HEADER, header);
            }
            Ok(response)
        })
    }
}

/// The trace id of `traceparent` (W3C Trace Context, section 3.2.2), else a new one.
fn of(headers: &HeaderMap) -> Arc<str> {
    headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok())
        .and_then(parse)
        .map_or_else(draw, Arc::from)
}

/// `00-<32 hex>-<16 hex>-<2 hex>`; later versions may append, all zeros is no id.
fn parse(text: &str) -> Option<&str> {
    let mut parts = text.split('-');
    let (version, id) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let hex = |text: &str, digits: usize| {
        text.len() == digits
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let whole = hex(version, 2) && hex(id, 32) && hex(parent, 16) && hex(flags, 2);
    let known = version != "ff" && (version != "00" || parts.next().is_none());
    (whole && known && id.bytes().any(|byte| byte != b'0')).then_some(id)
}

/// A random id; without randomness calls share one, which names nothing but breaks nothing.
fn draw() -> Arc<str> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok();
    Arc::from(to_hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_context_is_kept_and_a_broken_one_is_not() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let good = [
            format!("00-{id}-00f067aa0ba902b7-01"),
            format!("01-{id}-00f067aa0ba902b7-01-more"),
        ];
        for text in good {
            assert_eq!(parse(&text), Some(id), "{text}");
        }
        for text in [
            "",
            "00",
            &format!("00-{id}-00f067aa0ba902b7"),
            &format!("00-{id}-00f067aa0ba902b7-01-more"),
            &format!("ff-{id}-00f067aa0ba902b7-01"),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn ids_are_drawn_anew() {
        assert_ne!(draw(), draw());
        assert_eq!(draw().len(), 32);
    }
}
