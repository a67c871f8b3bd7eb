//! `stella proof`: bundles.

mod anchor;
mod download;
mod export;
mod inspect;
mod list;
mod report;
mod retrieve;
mod status;
pub(crate) mod verify;

pub(crate) use download::fetch;
pub(crate) use list::proofs;

use crate::cli::Global;
use crate::failure::Failure;
use crate::session::Session;
use clap::Subcommand;

/// List, download, verify and inspect proof bundles
#[derive(Debug, Subcommand)]
pub(crate) enum Proof {
    /// List the sealed roots of a scan
    List(list::List),
    /// Download proof bundles
    Download(download::Download),
    /// Verify a proof bundle
    Verify(verify::Verify),
    /// Unpack a proof bundle for reading
    Inspect(inspect::Inspect),
    /// Show how long the proofs of a scan are kept, and where they are
    Status(status::Status),
    /// Export a proof bundle for an auditor
    Export(export::Export),
    /// Export the bundles of all roots sealed in a period
    ExportBatch(export::ExportBatch),
    /// Ask for the retrieval of a proof from cold storage
    Retrieve(retrieve::Retrieve),
    /// Show how far a retrieval is
    RetrieveStatus(retrieve::RetrieveStatus),
}

impl Proof {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        match self {
            Self::Inspect(verb) => return verb.run(global.format),
            // Offline means offline: no ledger is opened, no socket either.
            Self::Verify(verb) => return verb.run(global).await,
            Self::Retrieve(verb) => return Err(verb.run()),
            Self::RetrieveStatus(verb) => return Err(verb.run()),
            _ => (),
        }
        let session = Session::open(global).await?;
        let outcome = match self {
            Self::List(verb) => verb.run(global.format, &session).await,
            Self::Download(verb) => verb.run(global.format, &session).await,
            Self::Status(verb) => verb.run(global.format, &session).await,
            Self::Export(verb) => verb.run(global.format, &session).await,
            Self::ExportBatch(verb) => verb.run(global.format, &session).await,
            Self::Verify(_) | Self::Inspect(_) | Self::Retrieve(_) | Self::RetrieveStatus(_) => {
                Ok(0)
            }
        };
        session.close().await?;
        outcome
    }
}
