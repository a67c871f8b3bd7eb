//! Unpacking a bundle.

use crate::commands::scan::read;
use crate::failure::Failure;
use crate::output::{self, Format};
use clap::Args;
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;
use stella_proto::reason::Reason;
use stella_verify::hash::{BlobDigest, sha256};

/// Unpack a proof bundle for reading
///
/// Only an archive that is its own one spelling is unpacked; what it says is not verified here.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// Folder to unpack to; it must be new or empty
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
}

impl Inspect {
    pub(super) fn run(self, format: Format) -> Result<u8, Failure> {
        let bytes = read(&self.bundle)?;
        let entries = stella_verify::zip::read(&bytes).map_err(|problem| {
            Failure::of(
                Reason::VerificationFailed,
                format!("{}: {problem}", self.bundle.display()),
            )
        })?;
        if let Some(folder) = &self.output_dir {
            super::export::new_or_empty(folder)?;
        }
        let mut rows = Vec::new();
        for entry in entries {
            rows.push(json!({
                "name": entry.name,
                "bytes": entry.content.len(),
                "digest": BlobDigest::new(sha256(entry.content)).to_string(),
            }));
            self.unpack(entry.name, entry.content)?;
        }
        output::documents(format, &rows, &["name", "bytes", "digest"])?;
        Ok(0)
    }

    /// Writes one entry. The reader has refused every name that is not plain and relative.
    fn unpack(&self, name: &str, content: &[u8]) -> Result<(), Failure> {
        let Some(folder) = &self.output_dir else {
            return Ok(());
        };
        let path = folder.join(name);
        let failed = |problem: std::io::Error| Failure::file(&path, &problem);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        // JSON is unpacked as it is hashed; pretty-printing is left to the reader's tools.
        let mut file = std::fs::File::create_new(&path).map_err(failed)?;
        file.write_all(content).map_err(failed)
    }
}
