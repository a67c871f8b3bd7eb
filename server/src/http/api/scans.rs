//! Scans and their manifests.

use super::query::{Query, request_id};
use super::{answered, blocking, documents};
use crate::App;
use crate::auth::Caller;
use crate::http::answer::{self, Caching};
use crate::refusal::Refusal;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;
use stella_proto::reason::Reason;
use stella_proto::scan::{GetScanRequest, ListScansRequest, SubmitScanRequest};
use stella_proto::score::GetManifestRequest;
use stella_verify::base64;

/// `GET .../scans`: newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let known = [
        "page_size",
        "page_token",
        "since_unix_ms",
        "artifact_digest",
        "package",
        "tree_size",
    ];
    let query = Query::read(query.as_deref(), &known)?;
    let request = ListScansRequest {
        page_size: query.number("page_size")?,
        page_token: query.text("page_token"),
        since_unix_ms: query.number("since_unix_ms")?,
        artifact_digest: query.text("artifact_digest"),
        tree_size: query.optional("tree_size")?,
        package: query.text("package"),
    };
    let page = blocking(&app, move |app| app.list_scans(&request)).await?;
    let scans = page.scans.iter().map(documents::scan);
    let scans = scans.collect::<Result<Vec<_>, _>>()?;
    let page = documents::page("scans", &scans, &page.next_page_token);
    answer::json(page, Caching::AskAgain, &headers)
}

/// `GET .../scans/{scan_id}`.
pub(super) async fn scan(
    State(app): State<Arc<App>>,
    Path(scan_id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["tree_size"])?;
    let request = GetScanRequest {
        scan_id,
        tree_size: query.optional("tree_size")?,
    };
    let scan = blocking(&app, move |app| app.scan(&request)).await?;
    answer::json(documents::scan(&scan)?, Caching::AskAgain, &headers)
}

/// `GET .../scans/{scan_id}/manifest`: the manifest, wrapped with its hash. The first manifest of a
/// scan and that of a root never change.
pub(super) async fn manifest(
    State(app): State<Arc<App>>,
    Path(scan_id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["root_hash", "tree_size"])?;
    let request = GetManifestRequest {
        scan_id,
        root_hash: query.text("root_hash"),
        tree_size: query.optional("tree_size")?,
    };
    let found = blocking(&app, move |app| app.manifest(&request)).await?;
    let name = "stella.score.v1.GetManifestResponse";
    answered(name, &found, Caching::ForEver, &headers)
}

/// The body of a submission. The SBOM is a JSON document as it is, or base64 of its bytes (gzip is
/// accepted): its digest is that of exactly those bytes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Submission<'a> {
    #[serde(borrow)]
    sbom: &'a RawValue,
    #[serde(borrow)]
    reachability: Option<&'a RawValue>,
    #[serde(default)]
    artifact_digest: String,
    #[serde(default)]
    artifact_purl: String,
    #[serde(default)]
    scanner_version: String,
    #[serde(default)]
    worker_version: String,
    #[serde(default)]
    concelier_snapshot_hash: String,
    #[serde(default)]
    excititor_snapshot_hash: String,
    #[serde(default)]
    lattice_policy_hash: String,
    deterministic: Option<bool>,
    #[serde(default)]
    seed: String,
    #[serde(default)]
    knobs: HashMap<String, String>,
}

impl Submission<'_> {
    fn request(self) -> Result<SubmitScanRequest, Refusal> {
        if self.deterministic == Some(false) {
            let problem = "only deterministic computations can be proved";
            return Err(Refusal::field("deterministic", problem));
        }
        let reachability = self.reachability.map(|raw| document("reachability", raw));
        Ok(SubmitScanRequest {
            sbom: document("sbom", self.sbom)?,
            reachability: reachability.transpose()?.unwrap_or_default(),
            artifact_digest: self.artifact_digest,
            artifact_purl: self.artifact_purl,
            scanner_version: self.scanner_version,
            worker_version: self.worker_version,
            concelier_snapshot_hash: self.concelier_snapshot_hash,
            excititor_snapshot_hash: self.excititor_snapshot_hash,
            lattice_policy_hash: self.lattice_policy_hash,
            seed: self.seed,
            knobs: self.knobs,
            ..SubmitScanRequest::default()
        })
    }
}

/// A document's bytes: as written when it stands in the body itself, decoded when it is base64.
fn document(field: &str, raw: &RawValue) -> Result<bytes::Bytes, Refusal> {
    if !raw.get().starts_with('"') {
        return Ok(bytes::Bytes::copy_from_slice(raw.get().as_bytes()));
    }
    let text: String =
        serde_json::from_str(raw.get()).map_err(|problem| Refusal::field(field, problem))?;
    let bytes = base64::decode(&text).map_err(|problem| Refusal::field(field, problem))?;
    Ok(bytes.into())
}

/// `POST .../scans`: scores an SBOM. 201; 409 with the scan's name when these inputs were scored
/// before, or 200 with that scan if `idempotent` is asked for.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let idempotent = Query::read(query.as_deref(), &["idempotent"])?.flag("idempotent")?;
    let submission: Submission<'_> =
        serde_json::from_slice(&body).map_err(|problem| Refusal::field("body", problem))?;
    let mut request = submission.request()?;
    request.request_id = request_id(&headers)?;
    let done = blocking(&app, move |app| app.submit_scan(&caller, request)).await?;
    let scan = done
        .scan
        .ok_or_else(|| Refusal::new(Reason::Internal, "a submission without its scan"))?;
    if done.existing && !idempotent {
        let message = format!("{} has these inputs already", scan.scan_id);
        return Err(Refusal::new(Reason::ScanExists, message));
    }
    let mut document = documents::scan(&scan)?;
    document.insert("warnings".to_owned(), json!(done.warnings));
    let status = if done.existing {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let mut response = (status, Json(document)).into_response();
    if let Ok(place) = HeaderValue::from_str(&format!("{}/{}", super::routes::SCANS, scan.scan_id))
    {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}
