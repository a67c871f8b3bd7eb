//! HTTP on the same port: the log's tiles for anyone.

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
        .with_state(Arc::clone(app))
}
