//! How long proofs are kept.

use crate::at::At;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::Args;
use serde_json::{Value, json};
use stella_proto::proof as wire;
use stella_server::documents;

/// Show how long the proofs of a scan are kept, and where they are
///
/// Prints a line for each sealed root, oldest first: tier=hot, expires=2025-01-17, retrievable=true.
/// `expires` is the day on which the tier ends.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The scan
    #[arg(long, value_name = "ID")]
    scan_id: String,
    #[command(flatten)]
    at: At,
}

impl Status {
    pub(super) async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let request = wire::GetProofStatusRequest {
            tree_size: self.at.tree_size(session).await?,
            scan_id: self.scan_id,
        };
        let mut client = session.connection().proofs();
        let status = client.get_proof_status(request).await?.into_inner();
        if format != Format::Table {
            let proofs: Vec<Value> = status.proofs.iter().map(row).collect();
            let value = json!({
                "scanId": status.scan_id,
                "status": status.status,
                "proofs": proofs,
            });
            output::document(format, &value)?;
            return Ok(0);
        }
        if status.proofs.is_empty() {
            output::text(&format!("status={}, retrievable=false\n", status.status))?;
        }
        for proof in &status.proofs {
            output::text(&line(proof))?;
        }
        Ok(0)
    }
}

fn line(proof: &wire::ProofRetention) -> String {
    format!(
        "tier={}, expires={}, retrievable={}\n",
        proof.tier, proof.expires, proof.retrievable
    )
}

fn row(proof: &wire::ProofRetention) -> Value {
    let mut row = proof
        .proof
        .as_ref()
        .map(documents::proof)
        .unwrap_or_default();
    if let Value::Object(members) = &mut row {
        members.insert("tier".into(), json!(proof.tier));
        members.insert("expires".into(), json!(proof.expires));
        members.insert("retrievable".into(), json!(proof.retrievable));
        members.insert("keptUntil".into(), json!(proof.kept_until));
    }
    row
}
