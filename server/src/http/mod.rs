//! HTTP on the same port: the log's tiles for anyone, and HTTP/JSON for the rest.

mod answer;
mod api;
mod json;
#[cfg(test)]
mod openapi;
mod problems;
pub(crate) mod routes;
mod tiles;

use crate::App;
use crate::refusal::Refusal;
use ::http::HeaderMap;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;

/// Every HTTP route of this server.
pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/checkpoint", get(tiles::checkpoint))
        .route("/openapi.json", get(description))
        .route("/tile/{*path}", get(tiles::tile))
        .merge(api::router())
        .layer(axum::middleware::map_response(problems::told))
        .with_state(Arc::clone(app))
}

/// `GET /openapi.json`: what this API is, as `proto/openapi.json` has it.
async fn description(headers: HeaderMap) -> Result<Response, Refusal> {
    let body = include_bytes!("../../../proto/openapi.json").as_slice();
    answer::content(
        body,
        "application/json",
        answer::Caching::AskAgain,
        &headers,
    )
}
