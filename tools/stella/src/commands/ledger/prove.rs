//! Checkpoints and proofs, verified before they are printed.

use super::TrustedLog;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use stella_client::ProvedLeaf;
use stella_proto::reason::Reason;
use stella_verify::hash::RootHash;
use stella_verify::merkle::{Growth, TreeHead};
use stella_verify::tlog_proof::TlogProof;
use stella_verify::units::{LeafIndex, TreeSize};

/// Print the newest checkpoint, verified: a C2SP signed note
#[derive(Debug, Args)]
pub(crate) struct Checkpoint {
    #[command(flatten)]
    trust: TrustedLog,
    /// Write the note here instead of printing it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prove that a leaf is in the log: a C2SP tlog-proof
#[derive(Debug, Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    trust: TrustedLog,
    /// Index of the leaf, from 0
    #[arg(long, value_name = "N")]
    index: u64,
    /// Write the proof here instead of printing it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prove that the log of one size continues into that of another
#[derive(Debug, Args)]
pub(crate) struct Consistency {
    #[command(flatten)]
    trust: TrustedLog,
    /// The earlier size
    #[arg(long, value_name = "SIZE")]
    from: u64,
    /// Root of the earlier size (sha256:...); what the server says when absent
    #[arg(long, value_name = "HASH")]
    from_root: Option<String>,
    /// The later size; the newest when absent
    #[arg(long, value_name = "SIZE")]
    to: Option<u64>,
}

impl Checkpoint {
    pub(super) async fn run(self, global: &Global, session: &Session) -> Result<u8, Failure> {
        let mut log = self.trust.open(session).await?;
        let checkpoint = log.checkpoint().await?;
        let note = checkpoint.note().note().to_string();
        if let Some(path) = &self.output {
            std::fs::write(path, &note).map_err(|problem| Failure::file(path, &problem))?;
        }
        match (global.format, &self.output) {
            (Format::Table, None) => output::text(&note)?,
            (format, _) => output::document(
                format,
                &json!({
                    "origin": checkpoint.checkpoint().origin.as_str(),
                    "treeSize": checkpoint.head().size.get(),
                    "rootHash": checkpoint.head().root.to_string(),
                    "note": note,
                }),
            )?,
        }
        Ok(0)
    }
}

impl Prove {
    pub(super) async fn run(self, global: &Global, session: &Session) -> Result<u8, Failure> {
        let mut log = self.trust.open(session).await?;
        let proved = log.prove(LeafIndex::new(self.index)).await?;
        let text = tlog_proof(&proved);
        if let Some(path) = &self.output {
            std::fs::write(path, &text).map_err(|problem| Failure::file(path, &problem))?;
        }
        match (global.format, &self.output) {
            (Format::Table, None) => output::text(&text)?,
            (format, _) => output::document(
                format,
                &json!({
                    "leafIndex": self.index,
                    "leafHash": proved.included.leaf().to_string(),
                    "treeSize": proved.checkpoint.head().size.get(),
                    "rootHash": proved.checkpoint.head().root.to_string(),
                    "proof": text,
                }),
            )?,
        }
        Ok(0)
    }
}

/// The proof of a leaf as a C2SP tlog-proof file.
pub(crate) fn tlog_proof(proved: &ProvedLeaf) -> String {
    let proof = TlogProof {
        extra: None,
        index: proved.included.index(),
        inclusion: proved.proof.clone(),
        checkpoint: proved.checkpoint.note().note().clone(),
    };
    proof.to_string()
}

impl Consistency {
    pub(super) async fn run(self, global: &Global, session: &Session) -> Result<u8, Failure> {
        let mut log = self.trust.open(session).await?;
        let request = stella_proto::ledger::GetConsistencyProofRequest {
            old_size: self.from,
            new_size: self.to,
        };
        let answer = session
            .connection()
            .ledger()
            .get_consistency_proof(request)
            .await?
            .into_inner();
        let root = |bytes: &[u8]| RootHash::try_from(bytes).map_err(Failure::operational);
        let old_root = match &self.from_root {
            Some(text) => text.parse().map_err(|problem| {
                Failure::usage(
                    format!("--from-root {text}: {problem}"),
                    "sha256:<64 hex digits>",
                )
            })?,
            None => root(&answer.old_root)?,
        };
        let heads = Growth {
            old: TreeHead {
                size: TreeSize::new(self.from),
                root: old_root,
            },
            new: TreeHead {
                size: TreeSize::new(answer.new_size),
                root: root(&answer.new_root)?,
            },
        };
        // The later root must be one the log signed, or follow into one that it signed.
        let signed = log.checkpoint().await?;
        if signed.head().size < heads.new.size {
            return Err(Failure::of(
                Reason::BeyondTreeSize,
                "the size is not signed yet",
            ));
        }
        log.consistent(Growth {
            old: heads.new,
            new: signed.head(),
        })
        .await?;
        let (_, proof) = log.consistent(heads).await?;
        let hashes: Vec<String> = proof.hashes().iter().map(ToString::to_string).collect();
        output::document(
            global.format,
            &json!({
                "consistent": true,
                "size1": heads.old.size.get(),
                "size2": heads.new.size.get(),
                "root1": heads.old.root.to_string(),
                "root2": heads.new.root.to_string(),
                "proof": hashes,
            }),
        )?;
        Ok(0)
    }
}
