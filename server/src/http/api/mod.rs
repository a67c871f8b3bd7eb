//! HTTP/JSON below `/api`: the read API and the URLs that operators use.

mod batches;
mod documents;
mod proofs;
mod query;
mod replays;
mod scans;
mod snapshots;

use super::routes;
use crate::App;
use crate::blocking::blocking;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use std::sync::Arc;

/// Largest request body in bytes: an SBOM comes in one, in base64 at worst.
const MAX_BODY_BYTES: usize = 96 * 1024 * 1024;

/// Routes of [`routes::ROUTES`].
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(routes::SCANS, get(scans::list).post(scans::submit))
        .route(routes::SCAN, get(scans::scan))
        .route(routes::MANIFEST, get(scans::manifest))
        .route(routes::REPLAY, post(replays::replay))
        .route(routes::BATCH, get(batches::list).post(batches::start))
        .route(routes::OPERATION, get(batches::one).post(batches::cancel))
        .route(routes::VERIFY, post(proofs::verify))
        .route(routes::PROOFS, get(proofs::list))
        .route(routes::BUNDLE, get(proofs::download))
        .route(routes::SNAPSHOTS, get(snapshots::list))
        .route(routes::SNAPSHOT, get(snapshots::one))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}
