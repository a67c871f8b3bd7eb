//! Proofs and their bundles.

use super::{blocking, documents};
use crate::App;
use crate::app::VerifyProofDocument;
use crate::refusal::Refusal;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;
use stella_ledger::clock::{Clock as _, SystemClock};
use stella_proto::proof::{DownloadBundleRequest, ListProofsRequest};
use stella_proto::reason::Reason;
use stella_verify::base64;
use stella_verify::hash::{sha256, to_hex};

/// A bundle of a root never changes; who may read it is not everyone's business.
const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// `GET .../scans/{scan_id}/proofs`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(scan_id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let request = ListProofsRequest {
        scan_id,
        tree_size: None,
    };
    let proofs = blocking(&app, move |app| app.list_proofs(&request)).await?;
    let proofs: Vec<Value> = proofs.iter().map(documents::proof).collect();
    Ok(Json(json!({ "proofs": proofs })))
}

/// `GET .../scans/{scan_id}/proofs/{root_hash}`: the bundle, with its digest (RFC 9530).
pub(super) async fn download(
    State(app): State<Arc<App>>,
    Path((scan_id, root_hash)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let request = DownloadBundleRequest {
        scan_id,
        root_hash,
        ..DownloadBundleRequest::default()
    };
    let bundle = blocking(&app, move |app| app.bundle(&request)).await?;
    let digest = sha256(&bundle);
    let tag = format!("\"{}\"", to_hex(&digest));
    let known = headers.get(header::IF_NONE_MATCH);
    let unchanged = known.is_some_and(|known| names(known, &tag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        bundle.into_response()
    };
    let more = response.headers_mut();
    if !unchanged {
        more.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/zip"),
        );
        more.insert(
            "content-digest",
            value(&format!("sha-256=:{}:", base64::encode(&digest)))?,
        );
    }
    more.insert(header::CACHE_CONTROL, HeaderValue::from_static(IMMUTABLE));
    more.insert(header::ETAG, value(&tag)?);
    Ok(response)
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

/// Whether a list of entity tags names this one (RFC 9110 13.1.2, weak comparison).
fn names(list: &HeaderValue, tag: &str) -> bool {
    list.to_str().is_ok_and(|list| {
        list.split(',')
            .map(|one| one.trim().trim_start_matches("W/"))
            .any(|one| one == tag || one == "*")
    })
}

fn value(text: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_str(text)
        .map_err(|problem| Refusal::new(Reason::Internal, problem.to_string()))
}
