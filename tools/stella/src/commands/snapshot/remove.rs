//! Removing a snapshot.

use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::Args;
use stella_proto::snapshot as wire;
use stella_server::documents;

/// Remove a snapshot that nothing needs any more, with the records that only it has
///
/// Refused while it is current, or while a manifest names it whose proofs are kept. Its hash, and
/// that it was there, stay in the log; importing the same files brings it back.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The snapshot
    #[arg(value_name = "HASH")]
    hash: String,
}

impl Remove {
    pub(super) async fn run(self, session: &Session, format: Format) -> Result<u8, Failure> {
        let mut client = session.connection().snapshots();
        let request = wire::RemoveSnapshotRequest { hash: self.hash };
        let removed = client.remove_snapshot(request).await?.into_inner();
        output::document(format, &documents::removed_snapshot(&removed))?;
        Ok(0)
    }
}
