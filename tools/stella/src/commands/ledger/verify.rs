//! Verifying a tlog-proof offline.

use super::log_key;
use crate::commands::scan::read;
use crate::failure::Failure;
use crate::output::{self, Format};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use stella_proto::reason::Reason;
use stella_verify::checkpoint::Origin;
use stella_verify::hash::LeafHash;
use stella_verify::merkle::leaf_hash;
use stella_verify::tlog_proof::TlogProof;

/// Verify a tlog-proof offline
///
/// Opens no socket and no ledger: the proof, the leaf and the key are all it takes.
#[derive(Debug, Args)]
pub(crate) struct VerifyProof {
    /// The proof
    #[arg(long, value_name = "FILE")]
    proof: PathBuf,
    /// The leaf's bytes
    #[arg(long, value_name = "FILE", conflicts_with = "leaf_hash")]
    leaf: Option<PathBuf>,
    /// The leaf's hash (sha256:...)
    #[arg(long, value_name = "HASH")]
    leaf_hash: Option<String>,
    /// The log's verifier key, or a file with it
    #[arg(long, value_name = "VKEY|FILE")]
    log_key: String,
    /// The log that the proof must be of
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
}

impl VerifyProof {
    pub(super) fn run(self, format: Format) -> Result<u8, Failure> {
        let refused = |problem: String| Failure::of(Reason::VerificationFailed, problem);
        let leaf = self.leaf()?;
        let key = log_key(&self.log_key)?;
        let origin = match &self.origin {
            Some(text) => Some(Origin::new(text).map_err(|problem| {
                Failure::usage(format!("--origin {text}: {problem}"), "one line, not empty")
            })?),
            None => None,
        };
        let proof = TlogProof::parse(&read(&self.proof)?)
            .map_err(|problem| refused(format!("{}: {problem}", self.proof.display())))?;
        let verified = proof
            .verify(leaf, &[key], origin.as_ref())
            .map_err(|problem| refused(format!("{}: {problem}", self.proof.display())))?;
        let checkpoint = verified.checkpoint();
        output::document(
            format,
            &json!({
                "verified": true,
                "leafIndex": verified.included().index().get(),
                "leafHash": leaf.to_string(),
                "origin": checkpoint.checkpoint().origin.as_str(),
                "treeSize": checkpoint.head().size.get(),
                "rootHash": checkpoint.head().root.to_string(),
            }),
        )?;
        Ok(0)
    }

    fn leaf(&self) -> Result<LeafHash, Failure> {
        match (&self.leaf, &self.leaf_hash) {
            (Some(path), _) => Ok(leaf_hash(&read(path)?)),
            (None, Some(text)) => text.parse().map_err(|problem| {
                Failure::usage(
                    format!("--leaf-hash {text}: {problem}"),
                    "sha256:<64 hex digits>",
                )
            }),
            (None, None) => Err(Failure::usage(
                "no leaf named",
                "say --leaf FILE or --leaf-hash HASH",
            )),
        }
    }
}
