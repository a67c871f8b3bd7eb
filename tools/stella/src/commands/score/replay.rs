//! Computing a score again.

use super::batch::{Inputs, Many};
use super::diff::{Roots, between};
use crate::cli::Global;
use crate::commands::explain::{Drawing, drawing};
use crate::commands::snapshot::policy_hash;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::Args;
use serde_json::Value;
use std::path::PathBuf;
use stella_proto::score as wire;
use stella_server::ReplayDocument;

/// Compute a score again, against chosen inputs
///
/// Without options, against the current snapshots. Exits with 6 when recomputing recorded inputs
/// gives other nodes than those recorded, and names the first of them.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The scan
    #[arg(long, value_name = "ID", required_unless_present_any = ["batch", "bundle"])]
    scan_id: Option<String>,
    /// Replay many scans: those of --scan-ids, or all of the last --since
    #[arg(long, conflicts_with_all = ["scan_id", "diff", "dry_run", "engine_version"])]
    batch: bool,
    #[command(flatten)]
    many: Many,
    /// Feed snapshot; the current one when absent
    #[arg(long, value_name = "HASH", default_value = "")]
    feed_snapshot: String,
    /// VEX snapshot; the current one when absent
    #[arg(long, value_name = "HASH", default_value = "")]
    vex_snapshot: String,
    /// Registered policy, or a policy file; when absent the published one, else the scan's own
    #[arg(long, value_name = "HASH|FILE", default_value = "")]
    policy: String,
    /// Engine; the one that computed the scan when absent
    #[arg(long, value_name = "N")]
    engine_version: Option<u32>,
    /// Use exactly what the manifest names: the same root must come out
    #[arg(
        long,
        conflicts_with_all = ["feed_snapshot", "vex_snapshot", "policy", "engine_version"]
    )]
    use_original_snapshots: bool,
    /// Then explain the difference to the original, rule by rule
    #[arg(long, conflicts_with_all = ["quiet", "dry_run"])]
    diff: bool,
    /// Do not compute when nothing that the scan uses changed; record that instead
    #[arg(long, conflicts_with_all = ["use_original_snapshots", "dry_run"])]
    skip_unchanged: bool,
    /// Compute and compare, record nothing
    #[arg(long)]
    dry_run: bool,
    /// Compute from a replayable bundle alone: no ledger is opened, no socket either
    #[arg(
        long,
        requires = "bundle",
        conflicts_with_all = [
            "feed_snapshot", "vex_snapshot", "policy", "engine_version", "diff", "batch",
            "skip_unchanged",
        ]
    )]
    offline: bool,
    /// The bundle, as `stella proof download --replayable` writes it
    #[arg(long, value_name = "FILE", requires = "offline")]
    bundle: Option<PathBuf>,
    /// Print nothing
    #[arg(long)]
    quiet: bool,
}

impl Replay {
    /// Whether a file is enough.
    pub(super) fn is_offline(&self) -> bool {
        self.bundle.is_some()
    }

    /// Recomputes what a bundle carries.
    pub(super) fn run_offline(self, format: Format) -> Result<u8, Failure> {
        let path = self.bundle.unwrap_or_default();
        let answer = super::offline::replay(&path, self.scan_id.as_deref())?;
        if !self.quiet {
            output::document(format, &replay_json(&answer)?)?;
        }
        Ok(0)
    }

    pub(super) async fn run(self, global: &Global, session: &Session) -> Result<u8, Failure> {
        let Some(scan_id) = self.scan_id else {
            let one = Inputs {
                feed_snapshot: self.feed_snapshot,
                vex_snapshot: self.vex_snapshot,
                policy: policy_hash(session, &self.policy).await?,
                use_original_snapshots: self.use_original_snapshots,
            };
            return self.many.run(global.format, self.quiet, session, one).await;
        };
        let request = wire::ReplayScoreRequest {
            scan_id: scan_id.clone(),
            concelier_snapshot_hash: self.feed_snapshot,
            excititor_snapshot_hash: self.vex_snapshot,
            lattice_policy_hash: policy_hash(session, &self.policy).await?,
            use_original_snapshots: self.use_original_snapshots,
            dry_run: self.dry_run,
            skip_unchanged: self.skip_unchanged,
            engine_version: self.engine_version,
            ..wire::ReplayScoreRequest::default()
        };
        let answer = replay(session, request).await?;
        if self.quiet {
            return Ok(0);
        }
        let document = replay_json(&answer)?;
        if !self.diff {
            output::document(global.format, &document)?;
            return Ok(0);
        }
        let roots = Roots {
            old: answer.original_root_hash,
            new: answer.replayed_root_hash,
        };
        let explained = between(global, session, &scan_id, &roots, None).await?;
        match drawing(Drawing::Table, global) {
            Drawing::Json => output::document(global.format, &explained.in_document(document)?)?,
            table => {
                output::document(global.format, &document)?;
                output::text(&explained.drawn(table))?;
            }
        }
        Ok(0)
    }
}

/// Replays over the wire.
pub(crate) async fn replay(
    session: &Session,
    request: wire::ReplayScoreRequest,
) -> Result<wire::ReplayScoreResponse, Failure> {
    Ok(session
        .connection()
        .scores()
        .replay_score(request)
        .await?
        .into_inner())
}

/// A replay as programs read it: the document that HTTP answers.
fn replay_json(answer: &wire::ReplayScoreResponse) -> Result<Value, Failure> {
    serde_json::to_value(ReplayDocument::from(answer)).map_err(Failure::operational)
}
