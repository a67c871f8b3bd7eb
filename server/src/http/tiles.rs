//! The read API of C2SP tlog-tiles: `/checkpoint`, `/tile/<L>/<N>[.p/<W>]`, `/tile/entries/...`.

use super::answer::{self, Caching};
use crate::App;
use crate::app::checkpoint_of;
use crate::refusal::Refusal;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use std::sync::Arc;
use stella_proto::reason::Reason;
use stella_verify::tile::TilePath;

/// The newest checkpoint: always asked again.
const FRESH: &str = "no-cache";

/// The newest signed tree head.
pub(super) async fn checkpoint(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let note = checkpoint_of(&app.ledger().published())?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static(FRESH)),
    ];
    Ok((headers, note).into_response())
}

/// A tile of hashes, or a bundle of entries. A path in another spelling names nothing.
pub(super) async fn tile(
    State(app): State<Arc<App>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let missing = || Refusal::new(Reason::NotFound, format!("the log has no tile/{path}"));
    let coordinates: TilePath = format!("tile/{path}").parse().map_err(|_| missing())?;
    let reading = tokio::task::spawn_blocking(move || match coordinates {
        TilePath::Hashes(tile) => app.ledger().hash_tile(tile),
        TilePath::Entries(bundle) => app.ledger().entry_bundle(bundle),
    });
    let read = reading
        .await
        .map_err(|lost| Refusal::new(Reason::Internal, lost.to_string()))?;
    let bytes = read.map_err(Refusal::from)?.ok_or_else(missing)?;
    answer::content(
        bytes,
        "application/octet-stream",
        Caching::PublicForEver,
        &headers,
    )
}
