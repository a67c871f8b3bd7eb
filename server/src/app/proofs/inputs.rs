//! The inputs of a replayable bundle.

use super::chain::Further;
use crate::app::App;
use crate::refusal::Refusal;
use stella_verify::bundle::INPUTS_FOLDER;
use stella_verify::hash::{sha256, to_hex};
use stella_verify::manifest::ScanManifest;

impl App {
    /// Everything that a manifest names, whole, so that the score can be computed again from the
    /// bundle alone: SBOM, reachability facts, policy, and the records files of both snapshots.
    pub(super) fn inputs(&self, manifest: &ScanManifest) -> Result<Vec<Further>, Refusal> {
        let mut contents = vec![
            self.get(manifest.sbom_digest)?,
            self.policy(manifest.lattice_policy)?,
            self.records(manifest.concelier_snapshot)?,
            self.records(manifest.excititor_snapshot)?,
        ];
        if let Some(digest) = manifest.reachability_digest {
            contents.push(self.get(digest)?);
        }
        let named = contents.into_iter().map(|content| Further {
            name: format!("{INPUTS_FOLDER}{}", to_hex(&sha256(&content))),
            content,
        });
        let mut further: Vec<Further> = named.collect();
        // Two inputs may be the same bytes.
        further.sort_by(|a, b| a.name.cmp(&b.name));
        further.dedup_by(|a, b| a.name == b.name);
        Ok(further)
    }
}
