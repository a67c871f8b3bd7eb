//! Replays.

use super::blocking;
use super::query::request_id;
use crate::App;
use crate::app::ReplayDocument;
use crate::auth::Caller;
use crate::refusal::Refusal;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use http::HeaderMap;
use serde::Deserialize;
use std::sync::Arc;
use stella_proto::score::ReplayScoreRequest;

/// The body of a replay; `{}` asks for the current inputs.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Replay {
    overrides: Overrides,
    use_original_snapshots: bool,
    skip_unchanged: bool,
    dry_run: bool,
}

/// Inputs instead of the current ones.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Overrides {
    concelier_snapshot_hash: String,
    excititor_snapshot_hash: String,
    lattice_policy_hash: String,
    engine_version: Option<u32>,
}

/// `POST .../scans/{scan_id}/score/replay`.
pub(super) async fn replay(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(scan_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ReplayDocument>, Refusal> {
    let asked: Replay = if body.is_empty() {
        Replay::default()
    } else {
        serde_json::from_slice(&body).map_err(|problem| Refusal::field("body", problem))?
    };
    let request = ReplayScoreRequest {
        scan_id,
        concelier_snapshot_hash: asked.overrides.concelier_snapshot_hash,
        excititor_snapshot_hash: asked.overrides.excititor_snapshot_hash,
        lattice_policy_hash: asked.overrides.lattice_policy_hash,
        engine_version: asked.overrides.engine_version,
        use_original_snapshots: asked.use_original_snapshots,
        skip_unchanged: asked.skip_unchanged,
        dry_run: asked.dry_run,
        request_id: request_id(&headers)?,
    };
    let answer = blocking(&app, move |app| app.replay(&caller, &request)).await?;
    Ok(Json(ReplayDocument::from(&answer)))
}
