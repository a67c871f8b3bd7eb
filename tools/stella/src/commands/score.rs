//! `stella score`: manifests, replays, explanations.

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{self, Format, points};
use crate::session::Session;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use stella_proto::score as wire;

/// Manifests, replays and explanations of scores
#[derive(Debug, Subcommand)]
pub(crate) enum Score {
    /// Print the manifest of a scan: its inputs by hash
    Manifest(Manifest),
    /// Compute a score again, against chosen inputs
    Replay(Replay),
    /// Explain a score from its verified proof, rule by rule
    Explain(super::explain::Explain),
    /// Explain the difference of two scores, rule by rule
    Diff(super::explain::Diff),
    /// Compute a score without a ledger
    Compute(super::compute::Compute),
}

/// Print the manifest of a scan: its inputs by hash
#[derive(Debug, Args)]
pub(crate) struct Manifest {
    /// The scan
    #[arg(long, value_name = "ID")]
    scan_id: String,
    /// Root of one of its computations; the first when absent
    #[arg(long, value_name = "HASH", default_value = "")]
    root_hash: String,
}

/// Compute a score again, against chosen inputs
///
/// Without options, against the current snapshots. Exits with 6 when recomputing recorded inputs
/// gives other nodes than those recorded.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The scan
    #[arg(long, value_name = "ID")]
    scan_id: String,
    /// Feed snapshot; the current one when absent
    #[arg(long, value_name = "HASH", default_value = "")]
    feed_snapshot: String,
    /// VEX snapshot; the current one when absent
    #[arg(long, value_name = "HASH", default_value = "")]
    vex_snapshot: String,
    /// Registered policy, or a policy file; the manifest's when absent
    #[arg(long, value_name = "HASH|FILE", default_value = "")]
    policy: String,
    /// Use exactly what the manifest names: the same root must come out
    #[arg(
        long,
        conflicts_with_all = ["feed_snapshot", "vex_snapshot", "policy"]
    )]
    use_original_snapshots: bool,
    /// Print nothing
    #[arg(long)]
    quiet: bool,
}

impl Score {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        match self {
            // Files are enough for these.
            Self::Compute(verb) => return verb.run(global.format),
            Self::Explain(verb) if verb.is_offline() => return verb.run(global, None).await,
            Self::Diff(verb) if verb.is_offline() => return verb.run(global, None).await,
            _ => (),
        }
        let session = Session::open(global).await?;
        let outcome = match self {
            Self::Manifest(verb) => verb.run(global.format, &session).await,
            Self::Replay(verb) => verb.run(global.format, &session).await,
            Self::Explain(verb) => verb.run(global, Some(&session)).await,
            Self::Diff(verb) => verb.run(global, Some(&session)).await,
            Self::Compute(verb) => verb.run(global.format),
        };
        session.close().await?;
        outcome
    }
}

impl Manifest {
    /// The manifest is printed bare, whatever the format: it is what is hashed.
    async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let request = wire::GetManifestRequest {
            scan_id: self.scan_id,
            root_hash: self.root_hash,
        };
        let answer = session
            .connection()
            .scores()
            .get_manifest(request)
            .await?
            .into_inner();
        let manifest: Value =
            serde_json::from_slice(&answer.manifest).map_err(Failure::operational)?;
        match format {
            Format::Jsonl => output::bytes(&answer.manifest)?,
            Format::Table => output::document(Format::Json, &manifest)?,
            format => output::document(format, &manifest)?,
        }
        Ok(0)
    }
}

impl Replay {
    async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let policy = super::snapshot::policy_hash(session, &self.policy).await?;
        let request = wire::ReplayScoreRequest {
            scan_id: self.scan_id,
            concelier_snapshot_hash: self.feed_snapshot,
            excititor_snapshot_hash: self.vex_snapshot,
            lattice_policy_hash: policy,
            use_original_snapshots: self.use_original_snapshots,
        };
        let answer = replay(session, request).await?;
        if !self.quiet {
            output::document(format, &replay_json(&answer))?;
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

/// A replay as programs read it.
pub(crate) fn replay_json(answer: &wire::ReplayScoreResponse) -> Value {
    let delta = answer.replayed_score_bps - answer.original_score_bps;
    json!({
        "scanId": answer.scan_id,
        "originalManifestHash": answer.original_manifest_hash,
        "replayedManifestHash": answer.replayed_manifest_hash,
        "originalRootHash": answer.original_root_hash,
        "rootHash": answer.replayed_root_hash,
        "originalScore": points(answer.original_score_bps),
        "replayedScore": points(answer.replayed_score_bps),
        "delta": points(delta),
        "verifiedEqual": answer.verified_equal,
        "treeSize": answer.tree_size,
    })
}
