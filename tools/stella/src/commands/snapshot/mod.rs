//! `stella snapshot`: the registry of feed snapshots, VEX snapshots and policies.

mod import;
mod prove;
mod remove;
mod show;

pub(crate) use import::{Source, import};

use crate::at::At;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::path::Path;
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_server::documents;

/// Import, publish, list, show and compare snapshots of feeds and VEX, and policies
#[derive(Debug, Subcommand)]
pub(crate) enum Snapshot {
    /// Import a snapshot from the files that feeds publish; all or nothing
    Import(import::Import),
    /// Make an imported snapshot, or a registered policy, the current one
    Publish(Publish),
    /// Remove a snapshot that nothing needs any more, with the records that only it has
    Remove(remove::Remove),
    /// List snapshots and policies, newest first
    List(List),
    /// Show one snapshot or policy
    Show(show::Show),
    /// Show what differs between two snapshots or two policies
    Diff(show::Diff),
    /// Prove what a snapshot holds for a package or a vulnerability, or that it holds nothing
    Prove(prove::Prove),
    /// Verify such a proof offline
    VerifyProof(prove::VerifyProof),
}

/// Make an imported snapshot, or a registered policy, the current one
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The snapshot or policy
    #[arg(value_name = "HASH")]
    hash: String,
}

/// List snapshots and policies, newest first
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only these
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<Kind>,
    #[command(flatten)]
    at: At,
}

/// What the registry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Advisories, EPSS, KEV, severities
    Feed,
    /// VEX statements
    Vex,
    /// Policies
    Policy,
}

impl Snapshot {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        if let Self::VerifyProof(verb) = self {
            // Offline means offline: no ledger is opened, no socket either.
            return verb.run(global.format);
        }
        let session = Session::open(global).await?;
        let outcome = match self {
            Self::Import(verb) => verb.run(&session, global.format).await,
            Self::Publish(verb) => verb.run(&session, global.format).await,
            Self::Remove(verb) => verb.run(&session, global.format).await,
            Self::List(verb) => verb.run(&session, global.format).await,
            Self::Show(verb) => verb.run(&session, global.format).await,
            Self::Diff(verb) => verb.run(&session, global.format).await,
            Self::Prove(verb) => verb.run(&session, global.format).await,
            Self::VerifyProof(verb) => verb.run(global.format),
        };
        session.close().await?;
        outcome
    }
}

impl Publish {
    async fn run(self, session: &Session, format: Format) -> Result<u8, Failure> {
        let mut client = session.connection().snapshots();
        let hash = self.hash.clone();
        let request = wire::PublishSnapshotRequest {
            hash,
            ..wire::PublishSnapshotRequest::default()
        };
        let document = match client.publish_snapshot(request).await {
            Ok(answer) => documents::snapshot(&answer.into_inner().snapshot.unwrap_or_default()),
            Err(refusal) if is_unknown(&refusal) => {
                let request = wire::PublishPolicyRequest {
                    hash: self.hash,
                    ..wire::PublishPolicyRequest::default()
                };
                let answer = client.publish_policy(request).await?.into_inner();
                policy_json(&answer.policy.unwrap_or_default())
            }
            Err(refusal) => return Err(refusal.into()),
        };
        output::document(format, &document)?;
        Ok(0)
    }
}

impl List {
    async fn run(self, session: &Session, format: Format) -> Result<u8, Failure> {
        let tree_size = self.at.tree_size(session).await?;
        let mut rows = Vec::new();
        if self.kind != Some(Kind::Policy) {
            let kind = match self.kind {
                Some(Kind::Feed) => wire::SnapshotKind::Concelier,
                Some(Kind::Vex) => wire::SnapshotKind::Excititor,
                _ => wire::SnapshotKind::Unspecified,
            };
            rows.extend(snapshots(session, kind, tree_size).await?);
        }
        if matches!(self.kind, None | Some(Kind::Policy)) {
            rows.extend(policies(session, tree_size).await?);
        }
        output::documents(
            format,
            &rows,
            &["hash", "kind", "count", "current", "importedAt", "sources"],
        )?;
        Ok(0)
    }
}

async fn snapshots(
    session: &Session,
    kind: wire::SnapshotKind,
    tree_size: Option<u64>,
) -> Result<Vec<Value>, Failure> {
    let mut client = session.connection().snapshots();
    let mut rows = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = wire::ListSnapshotsRequest {
            page_size: 500,
            page_token,
            kind: kind.into(),
            tree_size,
        };
        let answer = client.list_snapshots(request).await?.into_inner();
        rows.extend(answer.snapshots.iter().map(documents::snapshot));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return Ok(rows);
        }
    }
}

async fn policies(session: &Session, tree_size: Option<u64>) -> Result<Vec<Value>, Failure> {
    let mut client = session.connection().snapshots();
    let mut rows = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = wire::ListPoliciesRequest {
            page_size: 500,
            page_token,
            tree_size,
        };
        let answer = client.list_policies(request).await?.into_inner();
        rows.extend(answer.policies.iter().map(policy_json));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return Ok(rows);
        }
    }
}

/// The hash of a policy that is named by hash, by a built-in one's name, or by file; the last two are
/// registered.
pub(crate) async fn policy_hash(session: &Session, word: &str) -> Result<String, Failure> {
    if word.is_empty() || word.starts_with("sha256:") {
        return Ok(word.to_owned());
    }
    let text = match stella_scoring::policy::built_in(word) {
        Some(built_in) => built_in.text.as_bytes().to_vec(),
        None => super::scan::read(Path::new(word))?,
    };
    register(session, text).await
}

/// Registers a policy file.
async fn register_policy(session: &Session, path: &Path) -> Result<String, Failure> {
    register(session, super::scan::read(path)?).await
}

async fn register(session: &Session, policy: Vec<u8>) -> Result<String, Failure> {
    let request = wire::RegisterPolicyRequest {
        policy: policy.into(),
        ..wire::RegisterPolicyRequest::default()
    };
    Ok(session
        .connection()
        .snapshots()
        .register_policy(request)
        .await?
        .into_inner()
        .hash)
}

/// Whether the registry has no snapshot of the hash: then it may name a policy.
fn is_unknown(refusal: &tonic::Status) -> bool {
    stella_client::ClientError::from(refusal.clone()).reason() == Reason::SnapshotNotFound
}

/// A policy as programs read it.
fn policy_json(policy: &wire::Policy) -> Value {
    json!({
        "hash": policy.hash,
        "kind": "policy",
        "current": policy.current,
        "importedAt": policy.registered_at,
        "sources": [policy.name],
    })
}
