//! Putting bundles together.

use super::chain::Further;
use super::{App, internal, manifest_of, sealed};
use crate::app::WAIT;
use crate::app::scans::{parse_scan_id, scan_state};
use crate::refusal::Refusal;
use stella_ledger::ledger::SealRecord;
use stella_proto::proof as wire;
use stella_proto::reason::Reason;
use stella_verify::bundle::{BuildError, BundleParts, SealEvent, build};
use stella_verify::zip::ZipError;

impl App {
    /// A proof bundle. All its parts are durable, the signatures too, so it is the same bytes at
    /// every download, whatever became of the keys since, and whatever was replayed.
    pub(crate) fn bundle(&self, request: &wire::DownloadBundleRequest) -> Result<Vec<u8>, Refusal> {
        let built = self.build_bundle(request);
        self.metrics.generated(&built);
        if let Ok(bundle) = &built {
            self.metrics.bundled(bundle);
        }
        built
    }

    fn build_bundle(&self, request: &wire::DownloadBundleRequest) -> Result<Vec<u8>, Refusal> {
        let view = self.view_of(request.tree_size)?;
        let (state, seal) = if request.scan_id.is_empty() {
            sealed(&view, &request.root_hash)?
        } else {
            let state = scan_state(&view, &parse_scan_id(&request.scan_id)?)?;
            let seal = state.seal(&request.root_hash)?.clone();
            (state, seal)
        };
        let manifest = manifest_of(&state, &seal)?;
        let proof = self.score_proof(&seal)?;
        let envelopes = self.envelopes(manifest, &seal)?;
        let mut further = Vec::new();
        if request.include_chain {
            further.extend(self.chain(&state, &seal)?);
        }
        if request.include_anchors {
            further.extend(self.anchors(&seal)?);
        }
        if request.include_inputs {
            further.extend(self.inputs(manifest)?);
        }
        let further: Vec<_> = further.iter().map(Further::entry).collect();
        let parts = BundleParts {
            manifest,
            manifest_envelope: &envelopes.manifest,
            proof: &proof,
            root_envelope: &envelopes.root,
            scan: &state.id,
            seal: &self.seal_event(&seal)?,
            tlog_proof: &self.seal_proof(&seal)?,
            further: &further,
        };
        build(&parts).map_err(|problem| match problem {
            BuildError::Zip(ZipError::TooLarge | ZipError::TooManyEntries) => {
                Refusal::new(Reason::TooLarge, problem.to_string())
            }
            problem => internal(problem),
        })
    }

    /// The `root.sealed` event as the log has it.
    pub(super) fn seal_event(&self, seal: &SealRecord) -> Result<SealEvent, Refusal> {
        let event = self.newest()?.event(seal.leaf)?;
        let erased = || {
            let message = format!("the seal at leaf {} was erased", seal.leaf);
            Refusal::new(Reason::PayloadErased, message)
        };
        Ok(SealEvent {
            header: event.leaf().to_vec(),
            payload: event.payload()?.to_vec(),
            salt: *event.salt().ok_or_else(erased)?,
        })
    }

    /// A tlog-proof of the seal against the checkpoint of the commit that sealed it: a later one
    /// would make the bundle's bytes depend on when it is downloaded.
    pub(super) fn seal_proof(&self, seal: &SealRecord) -> Result<String, Refusal> {
        Ok(self.ledger.commit_proof(seal.leaf, WAIT)?.to_string())
    }
}
