//! Checking and rebuilding.

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::{Session, data_dir, refused};
use clap::Args;
use serde_json::json;
use stella_proto::admin as wire;
use stella_proto::reason::Reason;
use tokio_stream::StreamExt as _;

/// Check every byte of the log, the projections and the blobs
///
/// Exits with 0 when all is well and 3 when it is not. With --data-dir the log need not open.
#[derive(Debug, Args)]
pub(crate) struct Fsck {}

/// Drop the projections and fold them again from the log
#[derive(Debug, Args)]
pub(crate) struct Rebuild {}

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
        let answers = session
            .connection()
            .admin()
            .rebuild(wire::RebuildRequest {})
            .await?;
        let mut answers = answers.into_inner();
        let bar = crate::progress::bar("refolding");
        while let Some(step) = answers.next().await {
            let step = step?;
            bar.set_length(step.total);
            bar.set_position(step.done);
            if step.finished {
                bar.finish_and_clear();
                output::document(format, &json!({"rebuilt": true, "events": step.done}))?;
                return Ok(0);
            }
        }
        Err(Failure::of(
            Reason::Unavailable,
            "the server stopped before the rebuild was done",
        ))
    }
}
