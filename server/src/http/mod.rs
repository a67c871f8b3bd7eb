//! HTTP on the same port: the log's tiles for anyone, and HTTP/JSON for the rest.

mod answer;
mod api;
mod json;
mod problems;
pub(crate) mod routes;
mod tiles;

use crate::App;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;

/// Every HTTP route of this server.
pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/checkpoint", get(tiles::checkpoint))
        .route("/tile/{*path}", get(tiles::tile))
        .merge(api::router())
        .layer(axum::middleware::map_response(problems::told))
        .with_state(Arc::clone(app))
}
