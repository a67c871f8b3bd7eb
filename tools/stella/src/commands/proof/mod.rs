//! `stella proof`: bundles.

mod download;
mod inspect;
mod list;
pub(crate) mod verify;

pub(crate) use download::fetch;

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
}

impl Proof {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        match self {
            Self::Inspect(verb) => return verb.run(global.format),
            // Offline means offline: no ledger is opened, no socket either.
            Self::Verify(verb) => return verb.run(global).await,
            _ => (),
        }
        let session = Session::open(global).await?;
        let outcome = match self {
            Self::List(verb) => verb.run(global.format, &session).await,
            Self::Download(verb) => verb.run(global.format, &session).await,
            Self::Verify(_) | Self::Inspect(_) => Ok(0),
        };
        session.close().await?;
        outcome
    }
}
