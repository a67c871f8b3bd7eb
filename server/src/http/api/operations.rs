//! Long work: `google.longrunning.Operations` over HTTP.

use super::query::Query;
use super::{answered, blocking};
use crate::App;
use crate::auth::Caller;
use crate::http::answer::Caching;
use crate::refusal::Refusal;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use std::sync::Arc;
use std::time::Duration;
use stella_proto::google::longrunning as wire;

/// How long a wait lasts when it does not say, and at most, in milliseconds.
const PATIENCE_MS: u64 = 30_000;
const MAX_PATIENCE_MS: u64 = 300_000;

const OPERATION: &str = "google.longrunning.Operation";

/// `GET /api/v1/operations`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["filter", "page_size", "page_token"])?;
    let request = wire::ListOperationsRequest {
        name: String::new(),
        filter: query.text("filter"),
        page_size: query.number("page_size")?,
        page_token: query.text("page_token"),
    };
    let page = blocking(&app, move |app| app.list_work(&request)).await?;
    let name = "google.longrunning.ListOperationsResponse";
    answered(name, &page, Caching::AskAgain, &headers)
}

/// `GET /api/v1/operations/{name}`, and `{name}:wait`, which answers when it is done or
/// `timeout_ms` are over.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (name, patience) = match name.strip_suffix(":wait") {
        None => {
            Query::read(query.as_deref(), &[])?;
            (name, 0)
        }
        Some(waited) => {
            let query = Query::read(query.as_deref(), &["timeout_ms"])?;
            let patience = query.optional("timeout_ms")?.unwrap_or(PATIENCE_MS);
            (waited.to_owned(), patience.min(MAX_PATIENCE_MS))
        }
    };
    let patience = Duration::from_millis(patience);
    let operation = blocking(&app, move |app| app.wait_operation(&name, patience)).await?;
    answered(OPERATION, &operation, Caching::AskAgain, &headers)
}

/// `POST /api/v1/operations/{name}:cancel`.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let name = name.strip_suffix(":cancel").unwrap_or(&name).to_owned();
    let operation = blocking(&app, move |app| {
        app.cancel(&caller, &name)?;
        Ok(app.work(&name)?.operation())
    })
    .await?;
    answered(OPERATION, &operation, Caching::AskAgain, &HeaderMap::new())
}
