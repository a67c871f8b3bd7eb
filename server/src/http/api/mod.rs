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
use crate::refusal::Refusal;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use std::sync::Arc;
use stella_proto::reason::Reason;

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

/// Runs a use case on a thread that may block.
async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let app = Arc::clone(app);
    match tokio::task::spawn_blocking(move || work(&app)).await {
        Ok(outcome) => outcome,
        Err(lost) => {
            let message = format!("a use case ended early: {lost}");
            Err(Refusal::new(Reason::Internal, message))
        }
    }
}
