//! Retrieval from cold storage, which is to come: nothing is cold yet.

use crate::failure::Failure;
use clap::Args;
use stella_proto::reason::Reason;

/// Ask for the retrieval of a proof from cold storage
#[derive(Debug, Args)]
pub(crate) struct Retrieve {
    /// The scan
    #[arg(long, value_name = "ID")]
    scan_id: String,
    /// Root of the proof
    #[arg(long, value_name = "HASH")]
    root_hash: Option<String>,
}

/// Show how far a retrieval is
#[derive(Debug, Args)]
pub(crate) struct RetrieveStatus {
    /// The retrieval
    #[arg(long, value_name = "ID")]
    request_id: String,
}

impl Retrieve {
    pub(super) fn run(&self) -> Failure {
        let root = self.root_hash.as_deref();
        let root = root.map(|root| format!(" --root-hash {root}"));
        let command = format!(
            "stella proof download --scan-id {}{} --output proof.zip",
            self.scan_id,
            root.unwrap_or_default()
        );
        Failure::of(
            Reason::NotFound,
            "there is nothing to retrieve: this version keeps every proof where it can be \
             downloaded, whatever its tier",
        )
        .hint(command)
    }
}

impl RetrieveStatus {
    pub(super) fn run(&self) -> Failure {
        Failure::of(
            Reason::NotFound,
            format!("no retrieval {}: this version has none", self.request_id),
        )
        .hint("download the proof: stella proof download --scan-id ID --output proof.zip")
    }
}
