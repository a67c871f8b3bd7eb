//! Bundles for auditors, one or those of a period.

use super::download::{fetch_with, save};
use super::list::{MAX_PAGE, proofs};
use crate::at::At;
use crate::commands::period::moment;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use stella_proto::ledger::GetCheckpointRequest;
use stella_proto::proof as wire;
use stella_proto::reason::Reason;
use stella_server::documents;
use stella_verify::hash::{BlobDigest, ProofRoot, sha256, to_hex};
use stella_verify::time::format_time;

/// `schema` of the index of an export.
const INDEX_SCHEMA: &str = "stella.export-index/v1";

/// Name of the index of an export.
const INDEX_FILE: &str = "index.json";

/// What a bundle carries besides its five files.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Extras {
    /// Add the log's events of the computation, and the scan's earlier sealed roots
    #[arg(long)]
    include_chain: bool,
    /// Add the public keys, for information: they are not to be trusted
    #[arg(long)]
    include_anchors: bool,
}

/// Export a proof bundle for an auditor
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The scan
    #[arg(long, value_name = "ID")]
    scan_id: String,
    /// Root of the bundle; the newest when absent
    #[arg(long, value_name = "HASH", default_value = "")]
    root_hash: String,
    #[command(flatten)]
    extras: Extras,
    /// Where to write the bundle
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    at: At,
}

/// Export the bundles of all roots sealed in a period
///
/// Writes each bundle under its root, and index.json, which names them with their digests and the
/// newest checkpoint.
#[derive(Debug, Args)]
pub(crate) struct ExportBatch {
    /// First day (UTC), or a time
    #[arg(long, value_name = "DATE")]
    from: String,
    /// Last day (UTC), included, or a time
    #[arg(long, value_name = "DATE")]
    to: String,
    #[command(flatten)]
    extras: Extras,
    /// Folder to write to; it must be new or empty
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
    #[command(flatten)]
    at: At,
}

impl Extras {
    fn request(self, scan_id: &str, root_hash: &str) -> wire::DownloadBundleRequest {
        wire::DownloadBundleRequest {
            scan_id: scan_id.to_owned(),
            root_hash: root_hash.to_owned(),
            include_chain: self.include_chain,
            include_anchors: self.include_anchors,
            ..wire::DownloadBundleRequest::default()
        }
    }
}

impl Export {
    pub(super) async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let listed = proofs(session, &self.scan_id, &self.at).await?;
        let wanted = listed
            .iter()
            .rfind(|proof| self.root_hash.is_empty() || proof.root_hash == self.root_hash);
        let Some(proof) = wanted else {
            let message = format!("{} has no such sealed root", self.scan_id);
            return Err(Failure::of(Reason::ProofNotFound, message));
        };
        let request = self.extras.request(&self.scan_id, &proof.root_hash);
        let bundle = fetch_with(session, request).await?;
        save(&self.output, &bundle)?;
        let name = self.output.display().to_string();
        output::document(format, &row(proof, &name, &bundle))?;
        Ok(0)
    }
}

impl ExportBatch {
    pub(super) async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let from = moment("--from", &self.from)?.start();
        let to = moment("--to", &self.to)?.end();
        if from >= to {
            return Err(Failure::usage(
                format!("--from {} is after --to {}", self.from, self.to),
                "name the first and the last day of the period",
            ));
        }
        new_or_empty(&self.output_dir)?;
        let mut request = wire::ListSealedProofsRequest {
            from_unix_ms: from.get(),
            to_unix_ms: to.get(),
            page_size: MAX_PAGE,
            page_token: String::new(),
            tree_size: self.at.tree_size(session).await?,
        };
        let mut client = session.connection().proofs();
        let mut rows = Vec::new();
        loop {
            let page = client
                .list_sealed_proofs(request.clone())
                .await?
                .into_inner();
            for proof in page.proofs {
                rows.push(self.one(session, &proof).await?);
            }
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        let index = json!({
            "schema": INDEX_SCHEMA,
            "from": format_time(from).unwrap_or_default(),
            "to": format_time(to).unwrap_or_default(),
            "checkpoint": checkpoint(session).await?,
            "bundles": rows,
        });
        let path = self.output_dir.join(INDEX_FILE);
        save(&path, format!("{index:#}\n").as_bytes())?;
        output::documents(
            format,
            &rows,
            &["bundle", "bytes", "scanId", "score", "sealedAt"],
        )?;
        if format == Format::Table {
            output::text(&format!("{} bundles; {}\n", rows.len(), path.display()))?;
        }
        Ok(0)
    }

    async fn one(&self, session: &Session, proof: &wire::ProofSummary) -> Result<Value, Failure> {
        let request = self.extras.request(&proof.scan_id, &proof.root_hash);
        let bundle = fetch_with(session, request).await?;
        // A name is made of a parsed hash: what a server says never becomes a path.
        let root: ProofRoot = proof.root_hash.parse().map_err(Failure::operational)?;
        let name = format!("proof-{}.zip", to_hex(root.as_bytes()));
        save(&self.output_dir.join(&name), &bundle)?;
        Ok(row(proof, &name, &bundle))
    }
}

/// The newest checkpoint, as text: what the exported bundles can be held against later.
async fn checkpoint(session: &Session) -> Result<Option<String>, Failure> {
    let request = GetCheckpointRequest { at_least: None };
    match session.connection().ledger().get_checkpoint(request).await {
        Ok(answer) => {
            let note = answer.into_inner().checkpoint.to_vec();
            Ok(Some(String::from_utf8(note).map_err(Failure::operational)?))
        }
        // An empty log has none.
        Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
        Err(status) => Err(status.into()),
    }
}

fn row(proof: &wire::ProofSummary, name: &str, bundle: &[u8]) -> Value {
    let mut row = documents::proof(proof);
    if let Value::Object(members) = &mut row {
        members.insert("bundle".into(), json!(name));
        members.insert("bytes".into(), json!(bundle.len()));
        let digest = BlobDigest::new(sha256(bundle)).to_string();
        members.insert("digest".into(), json!(digest));
    }
    row
}

/// Makes a folder, or takes one that is empty: nothing that lies there can redirect a write.
pub(super) fn new_or_empty(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|problem| Failure::file(folder, &problem))?;
    let mut entries = std::fs::read_dir(folder).map_err(|p| Failure::file(folder, &p))?;
    if entries.next().is_none() {
        return Ok(());
    }
    Err(Failure::usage(
        format!("{} is not empty", folder.display()),
        "name a folder that is new or empty",
    ))
}
