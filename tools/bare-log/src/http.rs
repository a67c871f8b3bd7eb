//! `POST /add` and the read API of C2SP tlog-tiles.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use stella_ledger::ledger::Ledger;
use stella_ledger::log::{AppendError, AppendRequest, Entries, Principal, Receipt};
use stella_verify::limits::MAX_TILE_ENTRY_BYTES;
use stella_verify::tile::TilePath;
use tokio::sync::oneshot;

/// What a path names never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

pub(crate) fn router(ledger: Arc<Ledger>) -> Router {
    Router::new()
        .route("/add", post(add))
        .route("/checkpoint", get(checkpoint))
        .route("/tile/{*path}", get(tile))
        .layer(DefaultBodyLimit::max(MAX_TILE_ENTRY_BYTES + 1))
        .with_state(ledger)
}

/// Appends the body as a leaf; answers its index once it is durable.
async fn add(State(ledger): State<Arc<Ledger>>, leaf: Bytes) -> Response {
    if leaf.len() > MAX_TILE_ENTRY_BYTES {
        return (
            StatusCode::PAYLOAD_TOO_LARGE,
            "a leaf has at most 65535 bytes\n",
        )
            .into_response();
    }
    let Ok(principal) = Principal::new("bare") else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let request = AppendRequest {
        principal,
        request_id: None,
        entries: Entries::Raw(vec![leaf.to_vec()]),
        names: Vec::new(),
    };
    let (answer, answered) = oneshot::channel();
    ledger.submit(
        request,
        Box::new(move |outcome| {
            answer.send(outcome).ok();
        }),
    );
    match answered.await {
        Ok(outcome) => acknowledge(outcome),
        Err(_) => unavailable("the log closed"),
    }
}

fn acknowledge(outcome: Result<Receipt, AppendError>) -> Response {
    match outcome {
        Ok(receipt) => receipt.first.to_string().into_response(),
        Err(AppendError::RequestTooLarge { .. } | AppendError::EntryTooLarge { .. }) => {
            StatusCode::PAYLOAD_TOO_LARGE.into_response()
        }
        Err(refusal) => unavailable(&refusal.to_string()),
    }
}

fn unavailable(why: &str) -> Response {
    let later = [(header::RETRY_AFTER, "1")];
    (StatusCode::SERVICE_UNAVAILABLE, later, format!("{why}\n")).into_response()
}

async fn checkpoint(State(ledger): State<Arc<Ledger>>) -> Response {
    match &ledger.published().checkpoint {
        Some(note) => {
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (headers, note.to_string()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn tile(State(ledger): State<Arc<Ledger>>, Path(path): Path<String>) -> Response {
    let Ok(path) = format!("tile/{path}").parse::<TilePath>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let read = tokio::task::spawn_blocking(move || match path {
        TilePath::Hashes(tile) => ledger.hash_tile(tile),
        TilePath::Entries(bundle) => ledger.entry_bundle(bundle),
    })
    .await;
    match read {
        Ok(Ok(Some(bytes))) => {
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CACHE_CONTROL, IMMUTABLE),
            ];
            (headers, bytes).into_response()
        }
        Ok(Ok(None)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(problem)) => unavailable(&problem.to_string()),
        Err(lost) => unavailable(&lost.to_string()),
    }
}
