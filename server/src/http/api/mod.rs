//! HTTP/JSON below `/api`: the read API and the URLs that operators use.

mod admin;
mod batches;
mod documents;
mod export;
mod log;
mod operations;
mod policies;
mod proofs;
mod query;
mod replays;
mod scans;
mod snapshots;

use super::answer::{self, Caching};
use super::json::document;
use super::routes;
use crate::App;
use crate::blocking::blocking;
use crate::limits::MAX_BODY_BYTES;
use crate::refusal::Refusal;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use axum::routing::{get, post};
use http::HeaderMap;
use std::sync::Arc;

/// Routes of [`routes::ROUTES`].
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(routes::SCANS, get(scans::list).post(scans::submit))
        .route(routes::SCAN, get(scans::scan))
        .route(routes::MANIFEST, get(scans::manifest))
        .route(routes::REPLAY, post(replays::replay))
        .route(routes::PROOFS, get(proofs::list))
        .route(routes::PROOF_STATUS, get(proofs::status))
        .route(routes::BUNDLE, get(proofs::download))
        .route(routes::BATCH, get(batches::list).post(batches::start))
        .route(
            routes::BATCH_OPERATION,
            get(batches::one).post(batches::cancel),
        )
        .route(routes::VERIFY, post(proofs::verify))
        .route(routes::SEALED, get(proofs::sealed))
        .route(routes::ROOT, get(proofs::root))
        .route(routes::NODE, get(proofs::node))
        .route(routes::SNAPSHOTS, get(snapshots::list))
        .route(
            routes::SNAPSHOT,
            get(snapshots::one)
                .post(snapshots::publish)
                .delete(snapshots::remove),
        )
        .route(routes::SNAPSHOT_DIFF, get(snapshots::diff))
        .route(routes::SNAPSHOT_PROOF, get(snapshots::prove))
        .route(
            routes::POLICIES,
            get(policies::list).post(policies::register),
        )
        .route(routes::POLICY, get(policies::one).post(policies::publish))
        .route(routes::INCLUSION, get(log::inclusion))
        .route(routes::CONSISTENCY, get(log::consistency))
        .route(routes::EVENTS, get(log::events))
        .route(routes::STREAM, get(log::stream))
        .route(routes::EXPORT, get(export::export))
        .route(routes::STATUS, get(admin::status))
        .route(routes::FSCK, get(admin::fsck))
        .route(routes::REBUILD, post(admin::rebuild))
        .route(routes::OPERATIONS, get(operations::list))
        .route(
            routes::OPERATION,
            get(operations::one).post(operations::cancel),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// The document of a message, with its digest and its tag.
fn answered(
    name: &str,
    message: &impl prost::Message,
    caching: Caching,
    asked: &HeaderMap,
) -> Result<Response, Refusal> {
    answer::json(document(name, message)?, caching, asked)
}
