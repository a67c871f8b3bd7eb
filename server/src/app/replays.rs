//! Computing a score again, against chosen inputs.

use super::App;
use super::engine;
use super::scans::{ScanState, parse_scan_id, stream_of};
use super::writer::{AppendOutcome, Draft};
use crate::auth::Caller;
use crate::refusal::Refusal;
use stella_ledger::ledger::SealRecord;
use stella_ledger::log::Expected;
use stella_proto::reason::Reason;
use stella_proto::score as wire;
use stella_verify::event::EventType;
use stella_verify::event::payload::{ScanId, ScoreReplayed};
use stella_verify::hash::{PolicyHash, SnapshotHash};
use stella_verify::manifest::ScanManifest;
use stella_verify::time::format_time;
use stella_verify::units::NodeSequence;

impl App {
    /// The manifest of a scan, or of one of its computations.
    pub(crate) fn manifest(
        &self,
        request: &wire::GetManifestRequest,
    ) -> Result<wire::GetManifestResponse, Refusal> {
        let (state, _) = self.scan_state(&parse_scan_id(&request.scan_id)?)?;
        let manifest = if request.root_hash.is_empty() {
            state.original()?
        } else {
            super::proofs::manifest_of(&state, state.seal(&request.root_hash)?)?
        };
        Ok(wire::GetManifestResponse {
            manifest: manifest.to_bytes().into(),
            manifest_hash: manifest.hash().to_string(),
            created_at: format_time(state.created).unwrap_or_default(),
        })
    }

    /// Replays a scan's score.
    pub(crate) fn replay(
        &self,
        caller: &Caller,
        request: &wire::ReplayScoreRequest,
    ) -> Result<wire::ReplayScoreResponse, Refusal> {
        let scan = parse_scan_id(&request.scan_id)?;
        let (state, _) = self.scan_state(&scan)?;
        let manifest = self.resolve_replay(state.original()?, request)?;
        let known = self.newest()?.seal_of(&manifest.hash())?;
        match &known {
            Some(seal) => self.recompute(caller, &scan, &manifest, seal)?,
            None => self.compute_new(caller, &scan, &manifest)?,
        }
        self.replayed(&scan, &manifest, known.is_some())
    }

    /// The manifest with its inputs replaced: by what the request names, else by what is current.
    fn resolve_replay(
        &self,
        original: &ScanManifest,
        request: &wire::ReplayScoreRequest,
    ) -> Result<ScanManifest, Refusal> {
        let mut manifest = original.clone();
        if request.use_original_snapshots {
            return Ok(manifest);
        }
        manifest.concelier_snapshot = match request.concelier_snapshot_hash.as_str() {
            "" => self.current_feed()?,
            text => self.known_snapshot("concelier_snapshot_hash", text)?,
        };
        manifest.excititor_snapshot = match request.excititor_snapshot_hash.as_str() {
            "" => self.current_vex()?,
            text => self.known_snapshot("excititor_snapshot_hash", text)?,
        };
        if !request.lattice_policy_hash.is_empty() {
            let policy: PolicyHash = request
                .lattice_policy_hash
                .parse()
                .map_err(|problem| Refusal::field("lattice_policy_hash", problem))?;
            manifest.lattice_policy = policy;
        }
        Ok(manifest)
    }

    fn known_snapshot(&self, field: &str, text: &str) -> Result<SnapshotHash, Refusal> {
        let hash = text
            .parse()
            .map_err(|problem| Refusal::field(field, problem))?;
        self.newest()?.snapshot(&hash)?;
        Ok(hash)
    }

    /// Computes what was never computed, under the scan that is replayed.
    fn compute_new(
        &self,
        caller: &Caller,
        scan: &ScanId,
        manifest: &ScanManifest,
    ) -> Result<(), Refusal> {
        let inputs = self.load(manifest)?;
        match self.append(Self::registration(caller, scan, manifest, Expected::Any)?) {
            // Registered before and not sealed: a crash, or another caller at this moment.
            Ok(_) | Err(AppendOutcome::AlreadyKnown) => (),
            Err(other) => return Err(other.into()),
        }
        let owner = self.newest()?.manifest(&manifest.hash())?.registered.scan;
        self.complete(&owner, manifest, &inputs)
    }

    /// Computes again what is sealed, compares node by node, and records what came of it.
    fn recompute(
        &self,
        caller: &Caller,
        scan: &ScanId,
        manifest: &ScanManifest,
        seal: &SealRecord,
    ) -> Result<(), Refusal> {
        let computed = engine::compute(manifest, &self.load(manifest)?)?;
        let recorded = self.score_proof(seal)?;
        let same = |(a, b): (&_, &_)| a == b;
        let pairs = computed.nodes().iter().zip(recorded.nodes());
        let equal = computed.nodes().len() == recorded.nodes().len() && pairs.clone().all(same);
        let differs = if equal {
            None
        } else {
            Some(pairs.take_while(|pair| same(*pair)).count())
        };
        let difference =
            differs.map(|place| NodeSequence::new(u32::try_from(place).unwrap_or(u32::MAX)));
        let replayed = ScoreReplayed {
            scan: scan.clone(),
            manifest: manifest.hash(),
            root: computed.root(),
            equal,
            first_difference: difference,
            snapshots: None,
        };
        let draft = Draft::by(caller).event(
            &stream_of(scan),
            EventType::SCORE_REPLAYED,
            replayed.to_bytes(),
        )?;
        self.append(draft)?;
        let Some(sequence) = difference else {
            return Ok(());
        };
        let message = format!(
            "recomputing {} gave another node at place {sequence}: root {} instead of {}",
            manifest.hash(),
            computed.root(),
            seal.sealed.root
        );
        Err(Refusal::new(Reason::ReplayDiffers, message))
    }

    fn replayed(
        &self,
        scan: &ScanId,
        manifest: &ScanManifest,
        verified_equal: bool,
    ) -> Result<wire::ReplayScoreResponse, Refusal> {
        let (state, at) = self.scan_state(scan)?;
        let original = seal_of_original(&state)?;
        let replayed = self.newest()?.seal_of(&manifest.hash())?.ok_or_else(|| {
            Refusal::new(
                Reason::Internal,
                format!("{} is not sealed", manifest.hash()),
            )
        })?;
        Ok(wire::ReplayScoreResponse {
            scan_id: scan.to_string(),
            original_manifest_hash: original.sealed.manifest.to_string(),
            replayed_manifest_hash: replayed.sealed.manifest.to_string(),
            original_root_hash: original.sealed.root.to_string(),
            replayed_root_hash: replayed.sealed.root.to_string(),
            original_score_bps: original.sealed.score.get(),
            replayed_score_bps: replayed.sealed.score.get(),
            verified_equal,
            tree_size: at.get(),
        })
    }
}

fn seal_of_original(state: &ScanState) -> Result<&SealRecord, Refusal> {
    let original = state.original()?.hash();
    state.seal_of(original).ok_or_else(|| {
        Refusal::new(
            Reason::ProofNotFound,
            format!("{} is not sealed yet", state.id),
        )
    })
}
