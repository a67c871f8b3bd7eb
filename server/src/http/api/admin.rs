//! Status, check, rebuild.

use super::query::request_id;
use super::{answered, blocking};
use crate::App;
use crate::app::of_rebuild;
use crate::auth::Caller;
use crate::http::answer::{Caching, value};
use crate::refusal::Refusal;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use std::sync::Arc;
use stella_proto::admin as wire;

/// `GET /api/v1/status`.
pub(super) async fn status(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let status = blocking(&app, |app| app.status()).await?;
    let name = "stella.admin.v1.GetStatusResponse";
    answered(name, &status, Caching::AskAgain, &headers)
}

/// `GET /api/v1/admin/fsck`: the report, when every byte was read.
pub(super) async fn fsck(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let found = blocking(&app, |app| app.fsck(&|_, _| ())).await?;
    let report = wire::FsckResponse {
        done: found.events,
        total: found.events,
        problems: found.problems,
        finished: true,
    };
    let name = "stella.admin.v1.FsckResponse";
    answered(name, &report, Caching::AskAgain, &HeaderMap::new())
}

/// The body of a rebuild; `{}` asks for the live projections.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Rebuild {
    at_tree_size: Option<u64>,
    at_unix_ms: Option<u64>,
}

/// `POST /api/v1/admin/rebuild`: 202 with the operation.
pub(super) async fn rebuild(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let asked: Rebuild = if body.is_empty() {
        Rebuild::default()
    } else {
        serde_json::from_slice(&body).map_err(|problem| Refusal::field("body", problem))?
    };
    let request = wire::RebuildRequest {
        at_tree_size: asked.at_tree_size,
        at_unix_ms: asked.at_unix_ms,
        request_id: request_id(&headers)?,
    };
    let rebuild = blocking(&app, move |app| app.start_rebuild(&caller, request)).await?;
    let operation = of_rebuild(&rebuild);
    let name = "google.longrunning.Operation";
    let mut response = answered(name, &operation, Caching::AskAgain, &HeaderMap::new())?;
    *response.status_mut() = StatusCode::ACCEPTED;
    let place = format!("{}/{}", super::routes::OPERATIONS, operation.name);
    response
        .headers_mut()
        .insert(header::LOCATION, value(&place)?);
    Ok(response)
}
