//! Batches of replays.

use crate::commands::scan::{duration_ms, now_ms};
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::{Args, Subcommand};
use serde_json::Value;
use stella_proto::reason::Reason;
use stella_proto::replay as wire;
use stella_server::OperationDocument;
use tokio_stream::StreamExt as _;

/// Results in one answer.
const PAGE: u32 = 1000;

/// Which scans a batch replays, and how.
#[derive(Debug, Args)]
pub(super) struct Many {
    /// Scans of the batch, separated by commas or spaces
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 1.., requires = "batch")]
    scan_ids: Vec<String>,
    /// Scans of the last: 30m, 12h, 7d; all when neither this nor --scan-ids is there
    #[arg(
        long,
        value_name = "DURATION",
        requires = "batch",
        conflicts_with = "scan_ids"
    )]
    since: Option<String>,
    /// Replays at once; as many as the server has cores when absent
    #[arg(long, value_name = "N", requires = "batch", default_value_t = 0)]
    max_concurrency: u32,
    /// Compute also scans for which nothing changed
    #[arg(long, requires = "batch", conflicts_with = "skip_unchanged")]
    recompute_unchanged: bool,
    /// Makes a repeated command the same batch
    #[arg(long, value_name = "TEXT", requires = "batch", default_value = "")]
    request_id: String,
    /// Print the batch's name and do not wait for it (with --server)
    #[arg(long, requires = "batch")]
    detach: bool,
}

/// Inputs of the replays; what is empty is current.
pub(super) struct Inputs {
    pub(super) feed_snapshot: String,
    pub(super) vex_snapshot: String,
    pub(super) policy: String,
    pub(super) use_original_snapshots: bool,
}

/// List, watch and cancel batches of replays
#[derive(Debug, Subcommand)]
pub(crate) enum Batch {
    /// List batches, newest first
    List,
    /// Show how far a batch is, with its results
    Status(Named),
    /// Wait until a batch has ended
    Wait(Named),
    /// Stop a batch: what was not begun is not done
    Cancel(Named),
}

/// Names a batch
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The batch
    #[arg(value_name = "NAME")]
    name: String,
}

impl Many {
    pub(super) async fn run(
        self,
        format: Format,
        quiet: bool,
        session: &Session,
        inputs: Inputs,
    ) -> Result<u8, Failure> {
        let since_unix_ms = match &self.since {
            Some(text) => now_ms().saturating_sub(duration_ms(text)?),
            None => 0,
        };
        let request = wire::StartBatchReplayRequest {
            request_id: self.request_id,
            scan_ids: self.scan_ids,
            since_unix_ms,
            concelier_snapshot_hash: inputs.feed_snapshot,
            excititor_snapshot_hash: inputs.vex_snapshot,
            lattice_policy_hash: inputs.policy,
            use_original_snapshots: inputs.use_original_snapshots,
            recompute_unchanged: self.recompute_unchanged,
            max_concurrency: self.max_concurrency,
        };
        let mut client = session.connection().replays();
        let started = client.start_batch_replay(request).await?.into_inner();
        let operation = started.operation.unwrap_or_default();
        if self.detach {
            output::document(format, &document(&operation.into())?)?;
            return Ok(0);
        }
        finish(format, quiet, session, operation.name).await
    }
}

/// Operations on a page, at most.
const MAX_PAGE: u32 = 500;

impl Batch {
    pub(super) async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let mut client = session.connection().replays();
        match self {
            Self::List => {
                // The newest page: older batches are found by their names.
                let request = wire::ListOperationsRequest {
                    page_size: MAX_PAGE,
                    ..wire::ListOperationsRequest::default()
                };
                let answer = client.list_operations(request).await?;
                let operations = answer.into_inner().operations.into_iter();
                let rows: Vec<Value> = operations
                    .map(|operation| document(&operation.into()))
                    .collect::<Result<_, _>>()?;
                output::documents(format, &rows, &["name", "status", "startedAt", "metadata"])?;
                Ok(0)
            }
            Self::Status(Named { name }) => {
                print(format, &whole(session, name).await?)?;
                Ok(0)
            }
            Self::Wait(Named { name }) => finish(format, false, session, name).await,
            Self::Cancel(Named { name }) => {
                let request = wire::CancelOperationRequest {
                    name,
                    ..wire::CancelOperationRequest::default()
                };
                let answer = client.cancel_operation(request).await?.into_inner();
                let operation = answer.operation.unwrap_or_default();
                output::document(format, &document(&operation.into())?)?;
                Ok(0)
            }
        }
    }
}

/// Waits until a batch has ended and prints what came of it: exit code 1 when scans failed or were
/// left.
async fn finish(
    format: Format,
    quiet: bool,
    session: &Session,
    name: String,
) -> Result<u8, Failure> {
    let request = wire::WatchOperationRequest { name: name.clone() };
    let mut client = session.connection().replays();
    let mut answers = client.watch_operation(request).await?.into_inner();
    let bar = crate::progress::bar("replaying");
    let mut done = false;
    while let Some(answer) = answers.next().await {
        let operation = answer?.operation.unwrap_or_default();
        let progress = operation.progress.unwrap_or_default();
        bar.set_length(progress.total);
        bar.set_position(progress.completed);
        done = operation.done;
    }
    bar.finish_and_clear();
    if !done {
        let message =
            format!("the server stopped before {name} was done; it goes on when it is back");
        return Err(Failure::of(Reason::Unavailable, message));
    }
    let whole = whole(session, name).await?;
    if !quiet {
        print(format, &whole)?;
    }
    Ok(u8::from(
        whole.metadata.failed > 0 || whole.status == "cancelled",
    ))
}

/// An operation with all of its results.
async fn whole(session: &Session, name: String) -> Result<OperationDocument, Failure> {
    let mut client = session.connection().replays();
    let mut results = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = wire::GetOperationRequest {
            name: name.clone(),
            page_size: PAGE,
            page_token,
        };
        let answer = client.get_operation(request).await?.into_inner();
        let mut page = OperationDocument::of(&answer);
        results.append(&mut page.results);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            page.next_page_token = String::new();
            page.results = results;
            return Ok(page);
        }
    }
}

fn document(operation: &OperationDocument) -> Result<Value, Failure> {
    serde_json::to_value(operation).map_err(Failure::operational)
}

fn print(format: Format, operation: &OperationDocument) -> Result<(), Failure> {
    let value = document(operation)?;
    let results = value.get("results").and_then(Value::as_array).cloned();
    match format {
        Format::Table => {
            let columns = ["scanId", "status", "rootHash", "replayedScoreBps", "error"];
            output::documents(format, &results.unwrap_or_default(), &columns)?;
            let progress = &operation.metadata;
            output::text(&format!(
                "{} {}: {} of {} scans, {} computed, {} verified, {} unchanged, {} failed\n",
                operation.name,
                operation.status,
                progress.completed,
                progress.total,
                progress.computed,
                progress.verified,
                progress.unchanged,
                progress.failed
            ))
        }
        Format::Jsonl => output::documents(format, &results.unwrap_or_default(), &[]),
        format => output::document(format, &value),
    }
}
