//! Batches of replays.

use super::blocking;
use super::query::{Query, request_id};
use crate::App;
use crate::auth::Caller;
use crate::refusal::Refusal;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use stella_proto::replay::{
    BatchResult, CancelOperationRequest, GetOperationRequest, ListOperationsRequest, Operation,
    StartBatchReplayRequest,
};

/// Results with an operation unless more are asked for.
const RESULTS: u32 = 50;

/// The body of a batch. Ids that are named are replayed; none are named for all since a time.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Batch {
    scan_ids: Vec<String>,
    since_unix_ms: u64,
    /// False for one after the other.
    parallel: Option<bool>,
    max_concurrency: u32,
    overrides: Overrides,
    use_original_snapshots: bool,
    recompute_unchanged: bool,
    request_id: String,
}

/// Inputs instead of the current ones.
#[expect(
    clippy::struct_field_names,
    reason = "the names of the manifest's members"
)]
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Overrides {
    concelier_snapshot_hash: String,
    excititor_snapshot_hash: String,
    lattice_policy_hash: String,
}

/// `POST .../batch/replay`: 202 with the operation, which goes on without the caller.
pub(super) async fn start(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let asked: Batch =
        serde_json::from_slice(&body).map_err(|problem| Refusal::field("body", problem))?;
    let key = request_id(&headers)?;
    let request = StartBatchReplayRequest {
        request_id: if asked.request_id.is_empty() {
            key
        } else {
            asked.request_id
        },
        scan_ids: asked.scan_ids,
        since_unix_ms: asked.since_unix_ms,
        concelier_snapshot_hash: asked.overrides.concelier_snapshot_hash,
        excititor_snapshot_hash: asked.overrides.excititor_snapshot_hash,
        lattice_policy_hash: asked.overrides.lattice_policy_hash,
        use_original_snapshots: asked.use_original_snapshots,
        recompute_unchanged: asked.recompute_unchanged,
        max_concurrency: if asked.parallel == Some(false) {
            1
        } else {
            asked.max_concurrency
        },
    };
    let started = blocking(&app, move |app| app.start_batch(&caller, &request)).await?;
    let operation = started.operation.unwrap_or_default();
    let place = format!("{}/{}", super::routes::BATCH, operation.name);
    let mut response = (StatusCode::ACCEPTED, Json(document(&operation))).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// `GET .../batch/replay`: newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let query = Query::read(query.as_deref(), &["page_size", "page_token"])?;
    let request = ListOperationsRequest {
        page_size: query.number("page_size")?,
        page_token: query.text("page_token"),
    };
    let page = blocking(&app, move |app| app.list_operations(&request)).await?;
    let operations: Vec<Value> = page.operations.iter().map(document).collect();
    Ok(Json(json!({
        "operations": operations,
        "next_page_token": page.next_page_token,
    })))
}

/// `GET .../batch/replay/{name}`: how far it is, and a page of results.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let query = Query::read(query.as_deref(), &["page_size", "page_token"])?;
    let request = GetOperationRequest {
        name,
        page_size: match query.number("page_size")? {
            0 => RESULTS,
            size => size,
        },
        page_token: query.text("page_token"),
    };
    let found = blocking(&app, move |app| app.get_operation(&request)).await?;
    let mut document = document(&found.operation.unwrap_or_default());
    if let Value::Object(members) = &mut document {
        let results: Vec<Value> = found.results.iter().map(result).collect();
        members.insert("results".to_owned(), json!(results));
        members.insert("next_page_token".to_owned(), json!(found.next_page_token));
    }
    Ok(Json(document))
}

/// `POST .../batch/replay/{name}:cancel`.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    // The router takes whole segments; the table of routes lets nothing else come here.
    let name = name.strip_suffix(":cancel").unwrap_or(&name).to_owned();
    let request = CancelOperationRequest {
        name,
        request_id: request_id(&headers)?,
    };
    let operation = blocking(&app, move |app| app.cancel_operation(&caller, &request)).await?;
    Ok(Json(document(&operation)))
}

fn document(operation: &Operation) -> Value {
    let progress = operation.progress.unwrap_or_default();
    json!({
        "name": operation.name,
        "done": operation.done,
        "status": operation.status,
        "startedAt": operation.started_at,
        "endedAt": operation.ended_at,
        "feedSnapshotHash": operation.concelier_snapshot_hash,
        "vexSnapshotHash": operation.excititor_snapshot_hash,
        "progress": {
            "total": progress.total,
            "completed": progress.completed,
            "computed": progress.computed,
            "verified": progress.verified,
            "unchanged": progress.unchanged,
            "failed": progress.failed,
        },
        "_links": {"self": format!("{}/{}", super::routes::BATCH, operation.name)},
    })
}

fn result(result: &BatchResult) -> Value {
    if result.status == "failed" {
        return json!({
            "scanId": result.scan_id,
            "status": result.status,
            "error": {"code": result.error_code, "message": result.error_message},
        });
    }
    json!({
        "scanId": result.scan_id,
        "status": result.status,
        "rootHash": result.root_hash,
        "originalScoreBps": result.original_score_bps,
        "replayedScoreBps": result.replayed_score_bps,
    })
}
