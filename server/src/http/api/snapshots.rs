//! Snapshots.

use super::query::{Query, request_id};
use super::{answered, blocking, documents};
use crate::App;
use crate::auth::Caller;
use crate::http::answer::{self, Caching};
use crate::http::json::document;
use crate::refusal::Refusal;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use stella_proto::snapshot as wire;
use stella_proto::snapshot::prove_snapshot_request::Subject;
use stella_proto::snapshot::{ListSnapshotsRequest, SnapshotKind};
use stella_verify::hash::SnapshotHash;

/// `GET /api/v1/snapshots`: newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let known = ["kind", "page_size", "page_token", "tree_size"];
    let query = Query::read(query.as_deref(), &known)?;
    let kind = match query.text("kind").as_str() {
        "" => SnapshotKind::Unspecified,
        "concelier" => SnapshotKind::Concelier,
        "excititor" => SnapshotKind::Excititor,
        _ => return Err(Refusal::field("kind", "is neither concelier nor excititor")),
    };
    let request = ListSnapshotsRequest {
        page_size: query.number("page_size")?,
        page_token: query.text("page_token"),
        kind: kind.into(),
        tree_size: query.optional("tree_size")?,
    };
    let page = blocking(&app, move |app| app.list_snapshots(&request)).await?;
    let snapshots = page.snapshots.iter();
    let snapshots = snapshots.map(|of| document("stella.snapshot.v1.Snapshot", of));
    let snapshots = snapshots.collect::<Result<Vec<_>, _>>()?;
    let page = documents::page("snapshots", &snapshots, &page.next_page_token);
    answer::json(page, Caching::AskAgain, &headers)
}

/// `GET /api/v1/snapshots/{hash}`: one snapshot and its header.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(hash): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["tree_size"])?;
    let request = wire::GetSnapshotRequest {
        hash,
        tree_size: query.optional("tree_size")?,
    };
    let found = blocking(&app, move |app| app.snapshot(&request)).await?;
    let mut members = document("stella.snapshot.v1.GetSnapshotResponse", &found)?;
    // By name, as people look for them.
    let tables: Map<String, Value> = (found.tables.into_iter())
        .map(|table| (table.table, json!(table.rows)))
        .collect();
    members.insert("tables".to_owned(), Value::Object(tables));
    // Whether it is the current one changes.
    answer::json(members, Caching::AskAgain, &headers)
}

/// `POST /api/v1/snapshots/{hash}:publish`.
pub(super) async fn publish(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let request = wire::PublishSnapshotRequest {
        hash: hash.strip_suffix(":publish").unwrap_or(&hash).to_owned(),
        request_id: request_id(&headers)?,
    };
    let snapshot = blocking(&app, move |app| app.publish_snapshot(&caller, &request)).await?;
    let name = "stella.snapshot.v1.Snapshot";
    answered(name, &snapshot, Caching::AskAgain, &HeaderMap::new())
}

/// `GET /api/v1/snapshots/{old_hash}/diff/{new_hash}`: all rows that differ, and the totals.
pub(super) async fn diff(
    State(app): State<Arc<App>>,
    Path((old_hash, new_hash)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["scan_id", "tree_size"])?;
    let request = wire::DiffSnapshotsRequest {
        old_hash,
        new_hash,
        scan_id: query.text("scan_id"),
        tree_size: query.optional("tree_size")?,
    };
    // Two snapshots differ as they do; what a scan uses grows with its replays.
    let caching = if request.scan_id.is_empty() {
        Caching::ForEver
    } else {
        Caching::AskAgain
    };
    let messages = blocking(&app, move |app| app.diff_snapshots(&request)).await?;
    let mut whole = wire::DiffSnapshotsResponse::default();
    for message in messages {
        whole.changes.extend(message.changes);
        whole.totals.extend(message.totals);
    }
    let name = "stella.snapshot.v1.DiffSnapshotsResponse";
    answered(name, &whole, caching, &headers)
}

/// `GET /api/v1/snapshots/{hash}/proof`: the proof file itself; `current` names the current snapshot.
pub(super) async fn prove(
    State(app): State<Arc<App>>,
    Path(hash): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let known = [
        "purl",
        "vulnerability",
        "entry",
        "with_records",
        "tree_size",
    ];
    let query = Query::read(query.as_deref(), &known)?;
    let subjects = [
        query.given("purl").map(Subject::Purl),
        query.given("vulnerability").map(Subject::Vulnerability),
        query.given("entry").map(Subject::Entry),
    ];
    let mut subjects = subjects.into_iter().flatten();
    let (subject, more) = (subjects.next(), subjects.next());
    if more.is_some() {
        return Err(Refusal::field("subject", "is named more than once"));
    }
    let current = hash == "current";
    let request = wire::ProveSnapshotRequest {
        hash: if current { String::new() } else { hash },
        subject,
        with_records: query.flag("with_records")?,
        tree_size: query.optional("tree_size")?,
    };
    let caching = if current {
        Caching::AskAgain
    } else {
        Caching::ForEver
    };
    let proof = blocking(&app, move |app| app.prove_snapshot(&request)).await?;
    answer::content(proof, "application/json", caching, &headers)
}

/// `DELETE /api/v1/snapshots/{hash}`: removes a snapshot that nothing needs.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(hash): Path<String>,
) -> Result<Response, Refusal> {
    let hash: SnapshotHash = hash
        .parse()
        .map_err(|problem| Refusal::field("hash", problem))?;
    let removed = blocking(&app, move |app| app.remove_snapshot(&caller, hash)).await?;
    let name = "stella.snapshot.v1.RemoveSnapshotResponse";
    answered(name, &removed, Caching::AskAgain, &HeaderMap::new())
}
