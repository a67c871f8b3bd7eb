//! Proving what a snapshot holds, and verifying such a proof without any ledger.

use crate::at::At;
use crate::commands::scan::read;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_verify::hash::SnapshotHash;
use stella_verify::snapshot::{Answer, VerifiedSnapshotProof, verify_snapshot_proof};
use wire::prove_snapshot_request::Subject;

/// Prove what a snapshot holds for a package or a vulnerability, or that it holds nothing
///
/// The proof is checked here before it is written.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("subject").required(true)))]
pub(crate) struct Prove {
    /// All advisories of a package: its purl, with or without a version
    #[arg(long, value_name = "PURL", group = "subject")]
    package: Option<String>,
    /// An advisory or vulnerability id: its advisories, EPSS, KEV and severities
    #[arg(long, value_name = "ID", group = "subject")]
    advisory: Option<String>,
    /// One row, as `entry` of a proof node names it
    #[arg(long, value_name = "JSON", group = "subject")]
    entry: Option<String>,
    /// The snapshot; the current feed snapshot when absent
    #[arg(long, value_name = "HASH", default_value = "")]
    snapshot: String,
    /// Put the records into the proof, too
    #[arg(long)]
    with_records: bool,
    /// Where to write the proof
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    at: At,
}

/// Verify a proof of what a snapshot holds, offline
///
/// Opens no socket and no ledger. Exits with 3 when the proof does not hold.
#[derive(Debug, Args)]
pub(crate) struct VerifyProof {
    /// The proof
    #[arg(value_name = "FILE")]
    proof: PathBuf,
    /// The snapshot: as a verified manifest names it, `concelierSnapshotHash` or
    /// `excititorSnapshotHash`
    #[arg(long, value_name = "HASH")]
    snapshot: String,
}

impl Prove {
    pub(super) async fn run(self, session: &Session, format: Format) -> Result<u8, Failure> {
        let subject = match (self.package, self.advisory, self.entry) {
            (Some(purl), _, _) => Subject::Purl(purl),
            (_, Some(id), _) => Subject::Vulnerability(id),
            (_, _, entry) => Subject::Entry(entry.unwrap_or_default()),
        };
        let tree_size = self.at.tree_size(session).await?;
        let mut client = session.connection().snapshots();
        let hash = match self.snapshot.as_str() {
            "" => current(session, tree_size).await?,
            hash => hash.to_owned(),
        };
        let request = wire::ProveSnapshotRequest {
            hash: hash.clone(),
            with_records: self.with_records,
            subject: Some(subject),
            tree_size,
        };
        let proof = client.prove_snapshot(request).await?.into_inner().proof;
        let verified = verified(&proof, &hash)?;
        std::fs::write(&self.output, &proof)
            .map_err(|problem| Failure::file(&self.output, &problem))?;
        output::document(format, &proof_json(&verified))?;
        Ok(0)
    }
}

/// The hash of the feed snapshot that is current, or was at a tree size.
async fn current(session: &Session, tree_size: Option<u64>) -> Result<String, Failure> {
    let feeds = super::snapshots(session, wire::SnapshotKind::Concelier, tree_size).await?;
    let found = feeds
        .iter()
        .find(|row| row.get("current") == Some(&Value::Bool(true)));
    let hash = found
        .and_then(|row| row.get("hash"))
        .and_then(Value::as_str);
    hash.map(str::to_owned).ok_or_else(|| {
        Failure::of(
            Reason::SnapshotNotFound,
            "no feed snapshot was published yet",
        )
    })
}

impl VerifyProof {
    pub(super) fn run(self, format: Format) -> Result<u8, Failure> {
        let verified = verified(&read(&self.proof)?, &self.snapshot)?;
        output::document(format, &proof_json(&verified))?;
        Ok(0)
    }
}

fn verified(proof: &[u8], snapshot: &str) -> Result<VerifiedSnapshotProof, Failure> {
    let wanted: SnapshotHash = snapshot.parse().map_err(|problem| {
        Failure::usage(
            format!("--snapshot {snapshot}: {problem}"),
            "sha256:<64 hex digits>",
        )
    })?;
    verify_snapshot_proof(proof, &wanted)
        .map_err(|problem| Failure::of(Reason::VerificationFailed, problem.to_string()))
}

fn proof_json(verified: &VerifiedSnapshotProof) -> Value {
    json!({
        "verified": true,
        "snapshot": verified.header().hash().to_string(),
        "kind": verified.header().kind().as_str(),
        "answers": verified.answers().iter().map(answer_json).collect::<Vec<_>>(),
        "records": verified.records().len(),
    })
}

fn answer_json(answer: &Answer) -> Value {
    let rows = answer.rows.iter().map(|row| {
        json!({
            "source": row.key.source,
            "id": row.key.id,
            "package": row.key.package,
            "record": row.record.to_string(),
        })
    });
    json!({
        "columns": answer.question.columns(),
        "startsWith": answer.question.starts_with(),
        "complete": true,
        "count": answer.rows.len(),
        "rows": rows.collect::<Vec<_>>(),
    })
}
