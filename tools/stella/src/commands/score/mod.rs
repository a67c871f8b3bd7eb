//! `stella score`: manifests, replays, explanations.

mod batch;
mod diff;
mod offline;
mod replay;

pub(crate) use diff::{kind_of, policy_notes};
pub(crate) use replay::replay;

use crate::at::At;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use stella_proto::score as wire;

/// Manifests, replays and explanations of scores
#[derive(Debug, Subcommand)]
pub(crate) enum Score {
    /// Print the manifest of a scan: its inputs by hash
    Manifest(Manifest),
    /// Print the inputs of a score: what each is, and its hash
    Inputs(Inputs),
    /// Compute a score again, against chosen inputs
    Replay(replay::Replay),
    /// List, watch and cancel batches of replays
    #[command(subcommand)]
    Batch(batch::Batch),
    /// Explain a score from its verified proof, rule by rule
    Explain(super::explain::Explain),
    /// Explain the difference of two scores, rule by rule
    Diff(diff::Diff),
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
    #[command(flatten)]
    at: At,
}

/// Print the inputs of a score: what each is, and its hash
#[derive(Debug, Args)]
pub(crate) struct Inputs {
    /// The scan
    #[arg(long, value_name = "ID")]
    scan_id: String,
    /// Root of one of its computations; the first when absent
    #[arg(long, value_name = "HASH", default_value = "")]
    root_hash: String,
    #[command(flatten)]
    at: At,
    /// Print the hash of all of them, which is the manifest's, too
    #[arg(long)]
    hash: bool,
}

impl Score {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        match self {
            // Files are enough for these.
            Self::Compute(verb) => return verb.run(global.format),
            Self::Explain(verb) if verb.is_offline() => return verb.run(global, None).await,
            Self::Diff(verb) if verb.is_offline() => return verb.run(global, None).await,
            Self::Replay(verb) if verb.is_offline() => return verb.run_offline(global.format),
            _ => (),
        }
        let session = Session::open(global).await?;
        let outcome = match self {
            Self::Manifest(verb) => verb.run(global.format, &session).await,
            Self::Inputs(verb) => verb.run(global.format, &session).await,
            Self::Replay(verb) => verb.run(global, &session).await,
            Self::Batch(verb) => verb.run(global.format, &session).await,
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
        let tree_size = self.at.tree_size(session).await?;
        let answer = manifest(session, self.scan_id, self.root_hash, tree_size).await?;
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

/// The inputs that a manifest names: the word for each, and the manifest's member.
const INPUTS: &[(&str, &str)] = &[
    ("artifact", "artifactDigest"),
    ("sbom", "sbomDigest"),
    ("reachability", "reachabilityDigest"),
    ("feed", "concelierSnapshotHash"),
    ("vex", "excititorSnapshotHash"),
    ("policy", "latticePolicyHash"),
];

impl Inputs {
    async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let tree_size = self.at.tree_size(session).await?;
        let answer = manifest(session, self.scan_id, self.root_hash, tree_size).await?;
        let manifest: Value =
            serde_json::from_slice(&answer.manifest).map_err(Failure::operational)?;
        let named = |member: &str| manifest.get(member).cloned();
        let mut rows: Vec<Value> = INPUTS
            .iter()
            .filter_map(|(input, member)| {
                Some(json!({"input": input, "member": member, "hash": named(member)?}))
            })
            .collect();
        if self.hash {
            rows.push(json!({
                "input": "manifest",
                "member": "manifestHash",
                "hash": answer.manifest_hash,
            }));
        }
        output::documents(format, &rows, &["input", "hash", "member"])?;
        Ok(0)
    }
}

async fn manifest(
    session: &Session,
    scan_id: String,
    root_hash: String,
    tree_size: Option<u64>,
) -> Result<wire::GetManifestResponse, Failure> {
    let request = wire::GetManifestRequest {
        scan_id,
        root_hash,
        tree_size,
    };
    let mut client = session.connection().scores();
    Ok(client.get_manifest(request).await?.into_inner())
}
