//! Downloading bundles.

use super::list::proofs;
use crate::at::At;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use stella_proto::proof as wire;
use stella_proto::reason::Reason;
use stella_server::documents;
use stella_verify::hash::ProofRoot;
use tokio_stream::StreamExt as _;

/// Download proof bundles
#[derive(Debug, Args)]
pub(crate) struct Download {
    /// The scan
    #[arg(long, value_name = "ID")]
    scan_id: String,
    /// Root of the bundle; the newest when absent
    #[arg(long, value_name = "HASH", default_value = "", conflicts_with = "all")]
    root_hash: String,
    /// Every bundle of the scan
    #[arg(long, requires = "output_dir")]
    all: bool,
    /// Where to write the bundle
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    output: Option<PathBuf>,
    /// Folder to write bundles to, each named by its root
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Put the inputs in, whole, for `stella score replay --offline`
    #[arg(long)]
    replayable: bool,
    #[command(flatten)]
    at: At,
}

impl Download {
    pub(super) async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let mut written = Vec::new();
        let listed = proofs(session, &self.scan_id, &self.at).await?;
        let wanted: Vec<_> = if self.all {
            listed
        } else if self.root_hash.is_empty() {
            listed.into_iter().next_back().into_iter().collect()
        } else {
            listed
                .into_iter()
                .filter(|proof| proof.root_hash == self.root_hash)
                .collect()
        };
        if wanted.is_empty() {
            let what = if self.root_hash.is_empty() {
                "sealed root"
            } else {
                "such root"
            };
            let message = format!("{} has no {what}", self.scan_id);
            return Err(Failure::of(Reason::ProofNotFound, message));
        }
        for proof in wanted {
            let path = self.path(&proof)?;
            let request = wire::DownloadBundleRequest {
                scan_id: self.scan_id.clone(),
                root_hash: proof.root_hash.clone(),
                include_inputs: self.replayable,
                ..wire::DownloadBundleRequest::default()
            };
            let bundle = fetch_with(session, request).await?;
            save(&path, &bundle)?;
            written.push(row(&proof, &path, bundle.len()));
        }
        output::documents(format, &written, &["bundle", "bytes", "rootHash", "score"])?;
        Ok(0)
    }

    fn path(&self, proof: &wire::ProofSummary) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.output {
            return Ok(path.clone());
        }
        // A name is made of a parsed hash: what a server says never becomes a path.
        let root: ProofRoot = proof.root_hash.parse().map_err(Failure::operational)?;
        let name = format!("proof-{}.zip", stella_verify::hash::to_hex(root.as_bytes()));
        Ok(self.output_dir.clone().unwrap_or_default().join(name))
    }
}

fn row(proof: &wire::ProofSummary, path: &Path, bytes: usize) -> Value {
    let mut row = documents::proof(proof);
    if let Value::Object(members) = &mut row {
        members.insert("bundle".to_owned(), json!(path.display().to_string()));
        members.insert("bytes".to_owned(), json!(bytes));
    }
    row
}

/// Writes a bundle; half of one never stands under its name.
pub(crate) fn save(path: &Path, bundle: &[u8]) -> Result<(), Failure> {
    let failed = |problem: std::io::Error| Failure::file(path, &problem);
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let temporary = path.with_extension("part");
    std::fs::write(&temporary, bundle).map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(failed)
}

/// Downloads one bundle; with a tree size only one that was sealed there.
pub(crate) async fn fetch(
    session: &Session,
    scan_id: &str,
    root_hash: &str,
    tree_size: Option<u64>,
) -> Result<Vec<u8>, Failure> {
    let request = wire::DownloadBundleRequest {
        scan_id: scan_id.to_owned(),
        root_hash: root_hash.to_owned(),
        tree_size,
        ..wire::DownloadBundleRequest::default()
    };
    fetch_with(session, request).await
}

/// Downloads what a request names.
pub(super) async fn fetch_with(
    session: &Session,
    request: wire::DownloadBundleRequest,
) -> Result<Vec<u8>, Failure> {
    let mut chunks = session
        .connection()
        .proofs()
        .download_bundle(request)
        .await?
        .into_inner();
    let mut bundle = Vec::new();
    while let Some(chunk) = chunks.next().await {
        bundle.extend_from_slice(&chunk?.chunk);
    }
    Ok(bundle)
}
