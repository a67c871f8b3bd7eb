//! An audit export as a download.

use super::blocking;
use super::query::Query;
use crate::App;
use crate::http::answer::value;
use crate::refusal::Refusal;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderValue, header};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use stella_proto::audit::export_point::Point;
use stella_proto::audit::{ExportEventsRequest, ExportPoint};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Pieces that wait for a slow reader; then reading pauses.
const PIECES_IN_FLIGHT: usize = 4;

/// `GET /api/v1/audit/export`: a range of the log as a file that verifies itself. What breaks off
/// shows as a body cut short; the file says itself how long it is.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let known = ["from_index", "from_unix_ms", "to_index", "to_unix_ms"];
    let query = Query::read(query.as_deref(), &known)?;
    let request = ExportEventsRequest {
        from: point(&query, "from")?,
        to: point(&query, "to")?,
        resume: None,
    };
    let mut export = blocking(&app, move |app| app.begin_export(&request)).await?;
    let name = format!("events-{}-{}.export", export.range.start, export.range.end);
    let (sender, pieces) = mpsc::channel::<Result<Bytes, io::Error>>(PIECES_IN_FLIGHT);
    tokio::task::spawn_blocking(move || {
        if sender
            .blocking_send(Ok(std::mem::take(&mut export.header).into()))
            .is_err()
        {
            return;
        }
        let send = |piece: crate::app::Piece| {
            for bytes in [piece.entries, piece.payloads] {
                if !bytes.is_empty() && sender.blocking_send(Ok(bytes.into())).is_err() {
                    // Nobody listens any more.
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        };
        if let Err(refusal) = app.export_body(export.range, export.next, |_| true, send) {
            sender.blocking_send(Err(io::Error::other(refusal))).ok();
        }
    });
    let body = Body::from_stream(ReceiverStream::new(pieces).boxed());
    let mut response = body.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    let disposition = value(&format!("attachment; filename=\"{name}\""))?;
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The point that `<side>_index` or `<side>_unix_ms` names.
fn point(query: &Query, side: &str) -> Result<Option<ExportPoint>, Refusal> {
    let (index, time) = (format!("{side}_index"), format!("{side}_unix_ms"));
    let index: Option<u64> = query.optional(&index)?;
    let point = match (index, query.optional(&time)?) {
        (Some(_), Some(_)) => {
            return Err(Refusal::field(&time, "excludes naming an index"));
        }
        (Some(index), None) => Some(Point::LeafIndex(index)),
        (None, time) => time.map(Point::UnixMs),
    };
    Ok(point.map(|point| ExportPoint { point: Some(point) }))
}
