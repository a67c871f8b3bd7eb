//! Snapshots.

use super::query::Query;
use super::{blocking, documents};
use crate::App;
use crate::refusal::Refusal;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use stella_proto::snapshot::{ListSnapshotsRequest, SnapshotKind};
use stella_verify::hash::SnapshotHash;

/// `GET /api/v1/snapshots`: newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let query = Query::read(query.as_deref(), &["kind", "page_size", "page_token"])?;
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
        tree_size: None,
    };
    let page = blocking(&app, move |app| app.list_snapshots(&request)).await?;
    let snapshots: Vec<Value> = page.snapshots.iter().map(documents::snapshot).collect();
    Ok(Json(json!({
        "snapshots": snapshots,
        "next_page_token": page.next_page_token,
    })))
}

/// `GET /api/v1/snapshots/{hash}`: one snapshot and its header.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(hash): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let hash: SnapshotHash = hash
        .parse()
        .map_err(|problem| Refusal::field("hash", problem))?;
    let found = blocking(&app, move |app| app.snapshot(hash)).await?;
    let tables: Map<String, Value> = found
        .tables
        .into_iter()
        .map(|table| (table.table, json!(table.rows)))
        .collect();
    Ok(Json(json!({
        "snapshot": found.snapshot.as_ref().map(documents::snapshot),
        "tables": tables,
        "header": documents::stored(&found.header)?,
    })))
}
