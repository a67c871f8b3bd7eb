//! Spans, as a collector that speaks the published contract receives them.

use crate::support::TOKEN;
use crate::support::bounded::BoundedServer;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use stella_server::Limits;
use stella_verify::hash::to_hex;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

struct Collector(mpsc::UnboundedSender<Span>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for resource in request.into_inner().resource_spans {
            assert!(
                resource
                    .resource
                    .unwrap()
                    .attributes
                    .iter()
                    .any(|one| one.key == "service.name")
            );
            for span in resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans)
            {
                self.0.send(span).ok();
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn attribute<'a>(span: &'a Span, key: &str) -> &'a str {
    let found = span.attributes.iter().find(|one| one.key == key).unwrap();
    match found.value.as_ref().unwrap().value.as_ref().unwrap() {
        Value::StringValue(text) => text,
        other => panic!("{key}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_receives_the_spans_of_calls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    let (sender, mut spans) = mpsc::unbounded_channel();
    tokio::spawn(
        tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(Collector(sender)))
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let directory = tempfile::tempdir().unwrap();
    let server = BoundedServer::over(directory, Limits::default(), Some(&collector)).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let answer = crate::http::call(
        &server.url,
        "GET",
        "/api/v1/scanner/scans",
        &[
            &format!("authorization: Bearer {TOKEN}"),
            &format!("traceparent: 00-{trace}-00f067aa0ba902b7-01"),
            "tracestate: vendor=kept",
            "x-request-id: order-66",
        ],
        &[],
    );
    assert_eq!(
        (answer.status, answer.header("x-trace-id")),
        (200, Some(trace))
    );
    assert_eq!(answer.header("x-request-id"), Some("order-66"));
    // One that its caller does not record, and one that begins here.
    let quiet = format!("traceparent: 00-{trace}-00f067aa0ba902b7-00");
    crate::http::call(&server.url, "GET", "/api/v1/snapshots", &[&quiet], &[]);
    crate::http::get(&server.url, "/checkpoint");
    // Stopping sends what waits.
    server.stop().await;
    let first = spans.recv().await.unwrap();
    assert_eq!(first.name, "GET /api/v1/scanner/scans");
    assert_eq!(
        (to_hex(&first.trace_id), to_hex(&first.parent_span_id)),
        (trace.to_owned(), "00f067aa0ba902b7".to_owned())
    );
    assert_eq!(
        (first.trace_state.as_str(), first.span_id.len(), first.kind),
        ("vendor=kept", 8, 2)
    );
    assert!(first.end_time_unix_nano > first.start_time_unix_nano);
    assert_eq!(
        (
            attribute(&first, "stella.caller"),
            attribute(&first, "stella.code")
        ),
        ("tester", "200")
    );
    assert_eq!(attribute(&first, "stella.request_id"), "order-66");
    let second = spans.recv().await.unwrap();
    assert_eq!(
        (second.name.as_str(), second.parent_span_id.len()),
        ("GET /checkpoint", 0)
    );
    assert!(spans.try_recv().is_err());
}
