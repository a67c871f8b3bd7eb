//! Listing sealed roots.

use crate::at::At;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::Args;
use serde_json::Value;
use stella_proto::proof as wire;
use stella_server::documents;

/// List the sealed roots of a scan
#[derive(Debug, Args)]
pub(crate) struct List {
    /// The scan
    #[arg(long, value_name = "ID")]
    scan_id: String,
    #[command(flatten)]
    at: At,
}

impl List {
    pub(super) async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let proofs = proofs(session, &self.scan_id, &self.at).await?;
        let rows: Vec<Value> = proofs.iter().map(documents::proof).collect();
        let columns = [
            "rootHash",
            "score",
            "nodeCount",
            "sealedAt",
            "leafIndex",
            "manifestHash",
        ];
        output::documents(format, &rows, &columns)?;
        Ok(0)
    }
}

/// Items on a page, at most.
pub(super) const MAX_PAGE: u32 = 500;

/// The sealed roots of a scan, oldest first.
pub(crate) async fn proofs(
    session: &Session,
    scan_id: &str,
    at: &At,
) -> Result<Vec<wire::ProofSummary>, Failure> {
    let mut request = wire::ListProofsRequest {
        scan_id: scan_id.to_owned(),
        tree_size: at.tree_size(session).await?,
        page_size: MAX_PAGE,
        page_token: String::new(),
    };
    let mut client = session.connection().proofs();
    let mut proofs = Vec::new();
    loop {
        let page = client.list_proofs(request.clone()).await?.into_inner();
        proofs.extend(page.proofs);
        if page.next_page_token.is_empty() {
            return Ok(proofs);
        }
        request.page_token = page.next_page_token;
    }
}
