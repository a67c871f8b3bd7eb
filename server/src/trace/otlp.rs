//! Spans to an OpenTelemetry collector: OTLP over gRPC, in plain text to an agent nearby.
//!
//! One call of one service with a dozen small messages, written by hand like the exposition of
//! metrics; a test holds them against the published contract.

use super::Context;
use crate::metrics::Metrics;
use prost::Message;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, oneshot};
use tonic::transport::{Channel, Endpoint};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Spans that wait for the exporter; more are dropped and counted, never waited for.
const SPANS_WAITING: usize = 4096;

/// Spans in one call.
const SPANS_IN_CALL: usize = 512;

/// How long a span waits for others to share its call.
const LINGER: Duration = Duration::from_secs(1);

/// How long one call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Why spans cannot be exported.
#[derive(Debug, thiserror::Error)]
#[error("{endpoint} is no collector to send spans to: {problem}")]
pub struct OtlpError {
    endpoint: String,
    problem: String,
}

/// Where spans go.
#[derive(Debug, Clone)]
pub struct Spans(mpsc::Sender<Job>);

#[derive(Debug)]
enum Job {
    Span(Box<Span>),
    Flush(oneshot::Sender<()>),
}

/// A request that ended.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) context: Context,
    pub(super) name: String,
    pub(super) begun: SystemTime,
    pub(super) took: Duration,
    pub(super) code: String,
    pub(super) fault: bool,
    pub(super) caller: String,
}

impl Spans {
    /// Exports to `endpoint`, an `http://` URL; connects at the first span, and again as needed.
    /// Must be called inside of a runtime.
    ///
    /// # Errors
    /// [`OtlpError`] when the URL is none.
    pub fn to(endpoint: &str, metrics: Arc<Metrics>) -> Result<Self, OtlpError> {
        let refused = |problem: String| OtlpError {
            endpoint: endpoint.to_owned(),
            problem,
        };
        if !endpoint.starts_with("http://") {
            return Err(refused("only http:// is spoken".to_owned()));
        }
        let parsed = Endpoint::from_shared(endpoint.to_owned());
        let parsed = parsed.map_err(|problem| refused(problem.to_string()))?;
        let channel = parsed.timeout(CALL_TIMEOUT).connect_lazy();
        let (sender, jobs) = mpsc::channel(SPANS_WAITING);
        tokio::spawn(export(jobs, channel, metrics));
        Ok(Self(sender))
    }

    /// Hands a span over; false when too many wait already.
    pub(super) fn send(&self, span: Span) -> bool {
        self.0.try_send(Job::Span(Box::new(span))).is_ok()
    }

    /// Waits until what was handed over is sent.
    pub async fn flush(&self) {
        let (done, sent) = oneshot::channel();
        if self.0.send(Job::Flush(done)).await.is_ok() {
            sent.await.ok();
        }
    }
}

async fn export(mut jobs: mpsc::Receiver<Job>, channel: Channel, metrics: Arc<Metrics>) {
    let mut spans = Vec::new();
    while let Some(job) = jobs.recv().await {
        let mut waiting = Vec::new();
        let mut take = |job| match job {
            Job::Span(span) => {
                spans.push(*span);
                false
            }
            Job::Flush(done) => {
                waiting.push(done);
                true
            }
        };
        let full = tokio::time::sleep(LINGER);
        tokio::pin!(full);
        let mut sealed = take(job);
        let mut count = 1;
        while !sealed && count < SPANS_IN_CALL {
            tokio::select! {
                () = &mut full => sealed = true,
                more = jobs.recv() => {
                    sealed = more.is_none_or(&mut take);
                    count += 1;
                }
            }
        }
        let sending = std::mem::take(&mut spans);
        let lost = u64::try_from(sending.len()).unwrap_or(u64::MAX);
        if let Err(problem) = send(&channel, sending).await {
            metrics.spans_dropped.add(lost);
            tracing::warn!(spans = lost, %problem, "the collector did not take the spans");
        }
        for done in waiting {
            done.send(()).ok();
        }
    }
}

async fn send(channel: &Channel, spans: Vec<Span>) -> Result<(), tonic::Status> {
    if spans.is_empty() {
        return Ok(());
    }
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    let ready = grpc.ready().await;
    ready.map_err(|problem| tonic::Status::unavailable(problem.to_string()))?;
    let codec = tonic_prost::ProstCodec::<ExportRequest, ExportResponse>::default();
    let path = http::uri::PathAndQuery::from_static(EXPORT);
    let request = tonic::Request::new(ExportRequest::of(spans));
    grpc.unary(request, path, codec).await?;
    Ok(())
}

// opentelemetry/proto/collector/trace/v1/trace_service.proto and what it needs.

#[derive(Clone, PartialEq, Message)]
struct ExportRequest {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ExportResponse {}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    spans: Vec<WireSpan>,
}

#[derive(Clone, PartialEq, Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, Message)]
struct WireSpan {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(string, tag = "3")]
    trace_state: String,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    /// 2: a server's.
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "15")]
    status: Option<WireStatus>,
}

#[derive(Clone, PartialEq, Message)]
struct WireStatus {
    /// 0 unset, 2 error.
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

/// Only text is sent.
#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    string_value: Option<String>,
}

impl ExportRequest {
    fn of(spans: Vec<Span>) -> Self {
        let attributes = vec![
            text("service.name", "stella"),
            text("service.version", env!("CARGO_PKG_VERSION")),
        ];
        let scope = Scope {
            name: "stella-server".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let scoped = ScopeSpans {
            scope: Some(scope),
            spans: spans.into_iter().map(WireSpan::of).collect(),
        };
        Self {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource { attributes }),
                scope_spans: vec![scoped],
            }],
        }
    }
}

impl WireSpan {
    fn of(span: Span) -> Self {
        let since = span.begun.duration_since(SystemTime::UNIX_EPOCH);
        let begun = since.unwrap_or_default();
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            trace_id: bytes_of(&span.context.trace_id),
            span_id: bytes_of(&span.context.span_id),
            trace_state: span.context.state.to_string(),
            parent_span_id: bytes_of(&span.context.parent),
            kind: 2,
            start_time_unix_nano: nanos(begun),
            end_time_unix_nano: nanos(begun + span.took),
            attributes: vec![
                text("stella.method", &span.name),
                text("stella.code", &span.code),
                text("stella.caller", &span.caller),
                text("stella.request_id", &span.context.request_id),
            ],
            status: Some(WireStatus {
                code: if span.fault { 2 } else { 0 },
            }),
            name: span.name,
        }
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            string_value: Some(value.to_owned()),
        }),
    }
}

/// The bytes of hex digits that were checked when they came in.
fn bytes_of(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    pairs.filter_map(byte).collect()
}
