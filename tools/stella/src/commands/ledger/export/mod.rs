//! Exporting a range of the log, and verifying such a file.

mod file;
mod online;
#[cfg(feature = "parquet")]
mod parquet;
mod point;
mod rows;

use super::TrustedLog;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use stella_proto::reason::Reason;
use stella_verify::export::{ExportError, VerifiedExport};
use stella_verify::time::format_time;
use stella_verify::units::UnixMillis;

/// Export a range of the log as a file that verifies itself
///
/// The file holds the events' leaves and payloads with the proofs that they are exactly those of the
/// log between two signed checkpoints; it is verified while it is written. `--verify FILE` verifies
/// one offline.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Where it begins: a leaf index, a day or time (UTC), or a file with a signed checkpoint; the
    /// log's beginning when absent
    #[arg(long, value_name = "POINT")]
    from: Option<String>,
    /// Where it ends, excluded (a day is included): as --from; the newest event when absent
    #[arg(long, value_name = "POINT")]
    to: Option<String>,
    /// Where to write; with --as jsonl, stdout when absent
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the events for analysis instead of the self-verifying file
    #[arg(long = "as", value_enum, value_name = "FORMAT")]
    shape: Option<Shape>,
    /// Verify this export, offline
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "resume", "pins"])]
    verify: Option<PathBuf>,
    /// Go on with an export that broke off: with what lies beside --output as FILE.part
    #[arg(long, requires = "output", conflicts_with_all = ["from", "to", "shape"])]
    resume: bool,
    /// The log that is expected
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    #[command(flatten)]
    trust: TrustedLog,
}

/// How events are written for analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shape {
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet, in builds with the feature `parquet`.
    Parquet,
}

impl Export {
    /// Whether it works on a file alone.
    pub(super) fn is_offline(&self) -> bool {
        self.verify.is_some()
    }

    pub(super) fn run_offline(&self, global: &Global) -> Result<u8, Failure> {
        let path = self.verify.as_deref().ok_or_else(nowhere)?;
        let keys = self.trust.offline_keys(global)?;
        let origin = self.expected_origin()?;
        let verified = file::verify(self, path, &keys, origin.as_ref())?;
        if self.shape.is_none() || self.output.is_some() {
            output::document(global.format, &summary(&verified, None))?;
        }
        Ok(0)
    }

    pub(super) async fn run(self, global: &Global, session: &Session) -> Result<u8, Failure> {
        if self.output.is_none() && self.shape != Some(Shape::Jsonl) {
            return Err(nowhere());
        }
        let verified = online::export(&self, session).await?;
        if let Some(path) = &self.output {
            let file = path.display().to_string();
            output::document(global.format, &summary(&verified, Some(&file)))?;
        }
        Ok(0)
    }

    fn expected_origin(&self) -> Result<Option<stella_verify::checkpoint::Origin>, Failure> {
        let origin = self.origin.as_deref().map(|text| {
            stella_verify::checkpoint::Origin::new(text).map_err(|problem| {
                Failure::usage(format!("--origin {text}: {problem}"), "one line, not empty")
            })
        });
        origin.transpose()
    }
}

fn nowhere() -> Failure {
    Failure::usage(
        "nowhere to write the export",
        "say --output FILE, or --as jsonl for lines on stdout",
    )
}

/// An export that does not verify.
fn refused(problem: &ExportError) -> Failure {
    Failure::of(Reason::VerificationFailed, problem.to_string())
}

/// What was verified, as programs read it.
fn summary(verified: &VerifiedExport, file: Option<&str>) -> Value {
    let time = |time: Option<UnixMillis>| time.and_then(|time| format_time(time).ok());
    let counted = verified.summary;
    let mut value = json!({
        "verified": true,
        "origin": verified.origin.as_str(),
        "from": verified.range.start.get(),
        "to": verified.range.end.get(),
        "events": counted.present + counted.erased + counted.withheld,
        "payloadsPresent": counted.present,
        "payloadsErased": counted.erased,
        "payloadsWithheld": counted.withheld,
        "firstTime": time(counted.first_time),
        "lastTime": time(counted.last_time),
        "openingTreeSize": verified.opening.size.get(),
        "openingRootHash": verified.opening.root.to_string(),
        "closingTreeSize": verified.closing.size.get(),
        "closingRootHash": verified.closing.root.to_string(),
    });
    if let (Value::Object(members), Some(file)) = (&mut value, file) {
        members.insert("file".to_owned(), json!(file));
    }
    value
}
