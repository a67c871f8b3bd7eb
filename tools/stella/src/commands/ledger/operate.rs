//! Checking and rebuilding.

use crate::at::{At, Point};
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::{Session, data_dir, refused};
use clap::Args;
use prost::Message as _;
use serde_json::json;
use stella_proto::admin as wire;
use stella_proto::google::longrunning::operation::Result as Ended;
use stella_proto::google::longrunning::{Operation, WaitOperationRequest};
use stella_proto::reason::Reason;
use tokio_stream::StreamExt as _;

/// Check every byte of the log, the projections and the blobs
///
/// Exits with 0 when all is well and 3 when it is not. With --data-dir the log need not open.
#[derive(Debug, Args)]
pub(crate) struct Fsck {}

/// Drop the projections and fold them again from the log
///
/// With --at the live projections stay as they are: those of the tree as it was then are folded
/// beside them, compared with the log's root and described. Queries as of a tree need no rebuild:
/// they take --at themselves.
#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    #[command(flatten)]
    at: At,
}

impl Fsck {
    /// Over a server.
    pub(super) async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let answers = session
            .connection()
            .admin()
            .fsck(wire::FsckRequest {})
            .await?;
        let mut answers = answers.into_inner();
        let bar = crate::progress::bar("checking");
        while let Some(step) = answers.next().await {
            let step = step?;
            bar.set_length(step.total);
            bar.set_position(step.done);
            if step.finished {
                bar.finish_and_clear();
                return report(format, step.done, &step.problems);
            }
        }
        Err(Failure::of(
            Reason::Unavailable,
            "the server stopped before the check was done",
        ))
    }

    /// Over files, without opening the log.
    pub(super) async fn run_offline(self, global: &Global) -> Result<u8, Failure> {
        let directory = data_dir(global)?;
        let format = global.format;
        let checked = tokio::task::spawn_blocking(move || {
            let bar = crate::progress::bar("checking");
            let report = stella_server::fsck_directory(&directory, &|done, total| {
                bar.set_length(total);
                bar.set_position(done);
            });
            bar.finish_and_clear();
            report
        });
        let found = checked
            .await
            .map_err(Failure::operational)?
            .map_err(refused)?;
        for part in &found.unchecked {
            output::warn(&format!("not checked: {part}"));
        }
        report(format, found.events, &found.problems)
    }
}

fn report(format: Format, events: u64, problems: &[String]) -> Result<u8, Failure> {
    if format == Format::Table {
        for problem in problems {
            output::text(&format!("damage: {problem}\n"))?;
        }
        let word = if problems.is_empty() {
            "all is well"
        } else {
            "damage was found"
        };
        output::text(&format!("{events} events checked: {word}\n"))?;
    } else {
        let ok = problems.is_empty();
        output::document(
            format,
            &json!({"ok": ok, "events": events, "problems": problems}),
        )?;
    }
    Ok(if problems.is_empty() { 0 } else { 3 })
}

impl Rebuild {
    pub(super) async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let point = self.at.point(session).await?;
        let request = match &point {
            None => wire::RebuildRequest::default(),
            Some(Point::Tree(size, _)) => wire::RebuildRequest {
                at_tree_size: Some(*size),
                ..wire::RebuildRequest::default()
            },
            Some(Point::Time(time)) => wire::RebuildRequest {
                at_unix_ms: Some(*time),
                ..wire::RebuildRequest::default()
            },
        };
        let started = session.connection().admin().rebuild(request).await?;
        let operation = started.into_inner().operation.unwrap_or_default();
        rebuilt(format, &finish(session, operation).await?, point.as_ref())
    }
}

/// How long one question for a rebuild's progress waits.
const LOOK: prost_types::Duration = prost_types::Duration {
    seconds: 0,
    nanos: 200_000_000,
};

/// Waits until a rebuild has ended, showing how far it is; answers what it made.
async fn finish(
    session: &Session,
    mut operation: Operation,
) -> Result<wire::RebuildResult, Failure> {
    let mut client = session.connection().operations();
    let bar = crate::progress::bar("refolding");
    while !operation.done {
        let metadata = operation.metadata.unwrap_or_default();
        let progress = wire::RebuildProgress::decode(metadata.value.as_slice());
        let progress = progress.map_err(Failure::operational)?;
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        let request = WaitOperationRequest {
            name: operation.name,
            timeout: Some(LOOK),
        };
        operation = client.wait_operation(request).await?.into_inner();
    }
    bar.finish_and_clear();
    match operation.result {
        Some(Ended::Response(made)) => {
            wire::RebuildResult::decode(made.value.as_slice()).map_err(Failure::operational)
        }
        Some(Ended::Error(status)) => {
            let details = status.encode_to_vec().into();
            let code = tonic::Code::from_i32(status.code);
            Err(tonic::Status::with_details(code, status.message, details).into())
        }
        None => Err(Failure::of(
            Reason::Internal,
            "a rebuild ended with nothing",
        )),
    }
}

/// Says what was folded; a checkpoint of another root is of another history.
fn rebuilt(
    format: Format,
    step: &wire::RebuildResult,
    point: Option<&Point>,
) -> Result<u8, Failure> {
    let Some(point) = point else {
        output::document(format, &json!({"rebuilt": true, "events": step.tree_size}))?;
        return Ok(0);
    };
    if let Point::Tree(_, Some(root)) = point
        && root.to_string() != step.root_hash
    {
        let message = format!(
            "the checkpoint says root {root} at size {}, the log has {}",
            step.tree_size, step.root_hash
        );
        return Err(Failure::of(Reason::ForkDetected, message));
    }
    let document = json!({
        "rebuilt": true,
        "events": step.tree_size,
        "treeSize": step.tree_size,
        "rootHash": step.root_hash,
        "keys": step.keys,
        "projectionDigest": step.projection_digest,
    });
    output::document(format, &document)?;
    Ok(0)
}
