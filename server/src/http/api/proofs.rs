//! Proofs and their bundles.

use super::query::Query;
use super::{answered, blocking, documents};
use crate::App;
use crate::app::VerifyProofDocument;
use crate::http::answer::{self, Caching};
use crate::refusal::Refusal;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, header};
use std::sync::Arc;
use stella_ledger::clock::{Clock as _, SystemClock};
use stella_proto::proof as wire;

/// `GET .../scans/{scan_id}/proofs`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(scan_id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["page_size", "page_token", "tree_size"])?;
    let request = wire::ListProofsRequest {
        scan_id,
        tree_size: query.optional("tree_size")?,
        page_size: query.number("page_size")?,
        page_token: query.text("page_token"),
    };
    let page = blocking(&app, move |app| app.list_proofs(&request)).await?;
    let proofs = page.proofs.iter().map(documents::proof);
    let proofs = proofs.collect::<Result<Vec<_>, _>>()?;
    let page = documents::page("proofs", &proofs, &page.next_page_token);
    answer::json(page, Caching::AskAgain, &headers)
}

/// `GET /api/v1/proofs`: the roots sealed in a period.
pub(super) async fn sealed(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let known = [
        "from_unix_ms",
        "to_unix_ms",
        "page_size",
        "page_token",
        "tree_size",
    ];
    let query = Query::read(query.as_deref(), &known)?;
    let request = wire::ListSealedProofsRequest {
        from_unix_ms: query.number("from_unix_ms")?,
        to_unix_ms: query.optional("to_unix_ms")?.unwrap_or(u64::MAX),
        page_size: query.number("page_size")?,
        page_token: query.text("page_token"),
        tree_size: query.optional("tree_size")?,
    };
    let page = blocking(&app, move |app| app.sealed_between(&request)).await?;
    let proofs = page.proofs.iter().map(documents::proof);
    let proofs = proofs.collect::<Result<Vec<_>, _>>()?;
    let page = documents::page("proofs", &proofs, &page.next_page_token);
    answer::json(page, Caching::AskAgain, &headers)
}

/// `GET /api/v1/proofs/{root_hash}`: a root with its envelope, as it was signed once for all.
pub(super) async fn root(
    State(app): State<Arc<App>>,
    Path(root_hash): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["tree_size"])?;
    let request = wire::GetProofRootRequest {
        root_hash,
        tree_size: query.optional("tree_size")?,
    };
    let found = blocking(&app, move |app| app.proof_root(&request)).await?;
    let name = "stella.proof.v1.GetProofRootResponse";
    answered(name, &found, Caching::ForEver, &headers)
}

/// `GET /api/v1/nodes/{node_id}`: a node, and where it stands; later computations add places.
pub(super) async fn node(
    State(app): State<Arc<App>>,
    Path(node_id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["tree_size"])?;
    let request = wire::GetNodeRequest {
        node_id,
        tree_size: query.optional("tree_size")?,
    };
    let found = blocking(&app, move |app| app.node(&request)).await?;
    let name = "stella.proof.v1.GetNodeResponse";
    answered(name, &found, Caching::AskAgain, &headers)
}

/// `GET .../scans/{scan_id}/proof-status`.
pub(super) async fn status(
    State(app): State<Arc<App>>,
    Path(scan_id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["tree_size"])?;
    let request = wire::GetProofStatusRequest {
        scan_id,
        tree_size: query.optional("tree_size")?,
    };
    let now = SystemClock.now();
    let found = blocking(&app, move |app| app.proof_status(&request, now)).await?;
    let name = "stella.proof.v1.GetProofStatusResponse";
    answered(name, &found, Caching::AskAgain, &headers)
}

/// `GET .../scans/{scan_id}/proofs/{root_hash}`: the bundle. With the chain it changes when the scan
/// has another seal, without it never.
pub(super) async fn download(
    State(app): State<Arc<App>>,
    Path((scan_id, root_hash)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let known = [
        "include_chain",
        "include_anchors",
        "include_inputs",
        "tree_size",
    ];
    let query = Query::read(query.as_deref(), &known)?;
    let request = wire::DownloadBundleRequest {
        scan_id,
        root_hash,
        include_chain: query.flag("include_chain")?,
        include_anchors: query.flag("include_anchors")?,
        include_inputs: query.flag("include_inputs")?,
        tree_size: query.optional("tree_size")?,
    };
    let caching = if request.include_chain || request.include_anchors {
        Caching::AskAgain
    } else {
        Caching::ForEver
    };
    let bundle = blocking(&app, move |app| app.bundle(&request)).await?;
    answer::content(bundle, "application/zip", caching, &headers)
}

/// `POST /api/v1/proofs/verify`: the report of a bundle that the server holds, `verified: false`
/// included; only what cannot be asked is a refusal.
pub(super) async fn verify(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Refusal> {
    let request: VerifyProofDocument =
        serde_json::from_slice(&body).map_err(|problem| Refusal::field("body", problem))?;
    let now = SystemClock.now();
    let report = blocking(&app, move |app| app.verify_proof(&request, now)).await?;
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json)], report.to_json()).into_response())
}
