//! A batch as JSON documents show it, over HTTP and on the command line.

use serde::Serialize;
use stella_proto::replay as wire;

/// The document that answers `POST /api/v1/scanner/batch/replay` and `GET .../{name}`: a
/// long-running operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationDocument {
    /// Its name.
    pub name: String,
    /// Whether it has ended.
    pub done: bool,
    /// `running`, `cancelling`, `cancelled` or `finished`.
    pub status: String,
    /// How far it is.
    pub metadata: ProgressDocument,
    /// When it was started, RFC 3339.
    pub started_at: String,
    /// When it ended; absent before.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ended_at: String,
    /// Feed snapshot; absent where each scan's own is used.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub feed_snapshot_hash: String,
    /// VEX snapshot; absent where each scan's own is used.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vex_snapshot_hash: String,
    /// Results, a page of them.
    pub results: Vec<ResultDocument>,
    /// Token for the next page; absent when there are no more yet.
    #[serde(rename = "next_page_token", skip_serializing_if = "String::is_empty")]
    pub next_page_token: String,
}

/// How many scans are done, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ProgressDocument {
    /// Scans.
    pub total: u64,
    /// Scans with a result.
    pub completed: u64,
    /// Replays with a new root.
    pub computed: u64,
    /// Replays that came out equal to what is recorded.
    pub verified: u64,
    /// Scans that were not computed because nothing they use changed.
    pub unchanged: u64,
    /// Scans that could not be replayed.
    pub failed: u64,
}

/// What came of one scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultDocument {
    /// The scan.
    pub scan_id: String,
    /// `computed`, `verified`, `unchanged` or `failed`.
    pub status: String,
    /// Root of the replay.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root_hash: String,
    /// Score before, in basis points.
    pub original_score_bps: i64,
    /// Score of the replay, in basis points.
    pub replayed_score_bps: i64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorDocument>,
}

/// Why a scan could not be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorDocument {
    /// A reason of docs/errors.md.
    pub code: String,
    /// One sentence.
    pub message: String,
}

impl OperationDocument {
    /// The document of an operation with a page of its results.
    #[must_use]
    pub fn of(answer: &wire::GetOperationResponse) -> Self {
        let operation = answer.operation.clone().unwrap_or_default();
        let progress = operation.progress.unwrap_or_default();
        Self {
            name: operation.name,
            done: operation.done,
            status: operation.status,
            metadata: ProgressDocument {
                total: progress.total,
                completed: progress.completed,
                computed: progress.computed,
                verified: progress.verified,
                unchanged: progress.unchanged,
                failed: progress.failed,
            },
            started_at: operation.started_at,
            ended_at: operation.ended_at,
            feed_snapshot_hash: operation.concelier_snapshot_hash,
            vex_snapshot_hash: operation.excititor_snapshot_hash,
            results: answer.results.iter().map(ResultDocument::from).collect(),
            next_page_token: answer.next_page_token.clone(),
        }
    }
}

impl From<wire::Operation> for OperationDocument {
    fn from(operation: wire::Operation) -> Self {
        Self::of(&wire::GetOperationResponse {
            operation: Some(operation),
            ..wire::GetOperationResponse::default()
        })
    }
}

impl From<&wire::BatchResult> for ResultDocument {
    fn from(result: &wire::BatchResult) -> Self {
        let failed = !result.error_code.is_empty();
        Self {
            scan_id: result.scan_id.clone(),
            status: result.status.clone(),
            root_hash: result.root_hash.clone(),
            original_score_bps: result.original_score_bps,
            replayed_score_bps: result.replayed_score_bps,
            error: failed.then(|| ErrorDocument {
                code: result.error_code.clone(),
                message: result.error_message.clone(),
            }),
        }
    }
}
