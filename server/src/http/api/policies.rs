//! Policies.

use super::query::{Query, request_id};
use super::{answered, blocking};
use crate::App;
use crate::auth::Caller;
use crate::http::answer::Caching;
use crate::refusal::Refusal;
use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use std::sync::Arc;
use stella_proto::snapshot as wire;

/// `GET /api/v1/policies`: newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["page_size", "page_token", "tree_size"])?;
    let request = wire::ListPoliciesRequest {
        page_size: query.number("page_size")?,
        page_token: query.text("page_token"),
        tree_size: query.optional("tree_size")?,
    };
    let page = blocking(&app, move |app| app.list_policies(&request)).await?;
    let name = "stella.snapshot.v1.ListPoliciesResponse";
    answered(name, &page, Caching::AskAgain, &headers)
}

/// `GET /api/v1/policies/{hash}`: its canonical JSON, and what is known of it.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(hash): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["tree_size"])?;
    let request = wire::GetPolicyRequest {
        hash,
        tree_size: query.optional("tree_size")?,
    };
    let found = blocking(&app, move |app| app.get_policy(&request)).await?;
    let name = "stella.snapshot.v1.GetPolicyResponse";
    // Whether it is the current one changes.
    answered(name, &found, Caching::AskAgain, &headers)
}

/// `POST /api/v1/policies`: registers the policy that the body is, YAML or JSON.
pub(super) async fn register(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let request = wire::RegisterPolicyRequest {
        policy: body,
        request_id: request_id(&headers)?,
    };
    let hash = blocking(&app, move |app| app.register_policy(&caller, &request)).await?;
    let registered = wire::RegisterPolicyResponse {
        hash: hash.to_string(),
    };
    let name = "stella.snapshot.v1.RegisterPolicyResponse";
    answered(name, &registered, Caching::AskAgain, &HeaderMap::new())
}

/// `POST /api/v1/policies/{hash}:publish`.
pub(super) async fn publish(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let request = wire::PublishPolicyRequest {
        hash: hash.strip_suffix(":publish").unwrap_or(&hash).to_owned(),
        request_id: request_id(&headers)?,
    };
    let policy = blocking(&app, move |app| app.publish_policy(&caller, &request)).await?;
    let name = "stella.snapshot.v1.Policy";
    answered(name, &policy, Caching::AskAgain, &HeaderMap::new())
}
