//! Scans: from an SBOM to a sealed score, and finding them again.

use super::App;
use super::engine::{self, Inputs};
use super::pages::{cut, leaf, page_size};
use super::repeats::{Earlier, Repeatable, untold};
use super::writer::{AppendOutcome, Draft};
use crate::auth::Caller;
use crate::refusal::Refusal;
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stella_ledger::index::kv::Direction;
use stella_ledger::ledger::{FootprintRecord, PageSize, ReplayRecord, SealRecord, View};
use stella_ledger::log::{Expected, NameRule, Named};
use stella_proto::reason::Reason;
use stella_proto::scan as wire;
use stella_scoring::purl::Purl;
use stella_scoring::snapshot::package_uses;
use stella_verify::event::payload::{ManifestRegistered, ScanId, ScanRequested};
use stella_verify::event::{EventType, StreamName};
use stella_verify::hash::{BlobDigest, ManifestHash, ProofRoot, SnapshotHash};
use stella_verify::manifest::{ScanManifest, Seed};
use stella_verify::time::format_time;
use stella_verify::units::{LeafIndex, StreamPosition, TreeSize, UnixMillis};

/// Events of a scan's stream that are read at once.
const MAX_STREAM_PAGE: usize = 500;

/// What the stream of one scan says, folded.
#[derive(Debug, Clone)]
pub(super) struct ScanState {
    /// The scan.
    pub(super) id: ScanId,
    /// When it was first requested.
    pub(super) created: UnixMillis,
    /// Its manifests in the order they were registered; never empty.
    pub(super) manifests: Vec<ScanManifest>,
    /// Its sealed roots, oldest first.
    pub(super) seals: Vec<SealRecord>,
    /// Replays that ended in a root that was there, oldest first.
    pub(super) replays: Vec<ReplayRecord>,
    /// What its computations used of their feed snapshots.
    pub(super) footprints: Vec<FootprintRecord>,
}

impl ScanState {
    /// The first manifest: the one that was submitted.
    pub(super) fn original(&self) -> Result<&ScanManifest, Refusal> {
        self.manifests
            .first()
            .ok_or_else(|| Refusal::new(Reason::Internal, format!("{} has no manifest", self.id)))
    }

    /// The sealed root of a manifest.
    pub(super) fn seal_of(&self, manifest: ManifestHash) -> Option<&SealRecord> {
        self.seals
            .iter()
            .find(|seal| seal.sealed.manifest == manifest)
    }

    /// What a computation used of its feed snapshot, where that is recorded.
    pub(super) fn footprint_of(&self, manifest: ManifestHash) -> Option<&FootprintRecord> {
        let mut recorded = self.footprints.iter();
        recorded.find(|footprint| footprint.manifest == manifest)
    }

    /// The feed snapshots against which a computation was seen to be unchanged, newest first.
    pub(super) fn held_against(
        &self,
        manifest: ManifestHash,
    ) -> impl Iterator<Item = SnapshotHash> {
        let replays = self.replays.iter().rev().map(|record| &record.replayed);
        replays
            .filter(move |replayed| replayed.manifest == manifest && replayed.equal)
            .filter_map(|replayed| replayed.snapshots)
            .map(|snapshots| snapshots.concelier)
    }

    /// The sealed root that a request names; the newest when it names none.
    pub(super) fn seal(&self, root: &str) -> Result<&SealRecord, Refusal> {
        if root.is_empty() {
            return self.seals.last().ok_or_else(|| {
                Refusal::new(
                    Reason::ProofNotFound,
                    format!("{} is not sealed yet", self.id),
                )
            });
        }
        let root: ProofRoot = root
            .parse()
            .map_err(|problem| Refusal::field("root_hash", problem))?;
        self.seals
            .iter()
            .find(|seal| seal.sealed.root == root)
            .ok_or_else(|| {
                Refusal::new(
                    Reason::ProofNotFound,
                    format!("{} has no root {root}", self.id),
                )
            })
    }

    fn to_wire(&self, at: TreeSize) -> wire::Scan {
        let newest = self.seals.last();
        let first = self.manifests.first();
        wire::Scan {
            scan_id: self.id.to_string(),
            manifest_hash: first.map(|m| m.hash().to_string()).unwrap_or_default(),
            created_at: format_time(self.created).unwrap_or_default(),
            status: if newest.is_some() {
                "sealed"
            } else {
                "running"
            }
            .to_owned(),
            root_hash: newest
                .map(|seal| seal.sealed.root.to_string())
                .unwrap_or_default(),
            score_bps: newest
                .map(|seal| seal.sealed.score.get())
                .unwrap_or_default(),
            artifact_digest: first
                .map(|m| m.artifact_digest.to_string())
                .unwrap_or_default(),
            node_count: newest
                .map(|seal| u64::from(seal.sealed.nodes.get()))
                .unwrap_or_default(),
            tree_size: at.get(),
        }
    }
}

impl App {
    /// Scores an SBOM.
    ///
    /// A crash before `manifest.registered` is durable leaves blobs that nothing names; after it,
    /// an unsealed scan that the next open, or the next submission of the same, completes.
    pub(crate) fn submit_scan(
        &self,
        caller: &Caller,
        request: wire::SubmitScanRequest,
    ) -> Result<wire::SubmitScanResponse, Refusal> {
        let asked = repeatable(caller, &request)?;
        let _turn = self.turn(asked.as_ref());
        if let Some(earlier) = self.earlier(asked.as_ref())? {
            return self.submitted_then(&earlier);
        }
        let (manifest, inputs) = self.resolve(caller, request)?;
        let (scan, existing) = self.register(caller, &manifest, asked.as_ref())?;
        let computed = self.complete(&scan, &manifest, &inputs)?;
        let (state, at) = self.scan_state(&scan)?;
        Ok(wire::SubmitScanResponse {
            scan: Some(state.to_wire(at)),
            existing,
            warnings: inputs.warnings(computed.as_ref()),
        })
    }

    /// The answer of an earlier submission, completed if a crash cut it short.
    fn submitted_then(&self, earlier: &Earlier) -> Result<wire::SubmitScanResponse, Refusal> {
        let requested = earlier.find(EventType::SCAN_REQUESTED)?;
        let requested = requested.ok_or_else(|| untold("SubmitScan"))?;
        let requested = requested.read(ScanRequested::parse)?;
        let manifest = (self.newest()?.manifest(&requested.manifest)?.registered).manifest;
        let inputs = self.load(&manifest)?;
        let computed = self.complete(&requested.scan, &manifest, &inputs)?;
        // As of the seal with its signature, or of the request when that came later.
        let seal = self.newest()?.seal_of(&requested.manifest)?;
        let sealed = seal.map_or(0, |seal| seal.leaf.get().saturating_add(SEAL_EVENTS));
        let view = self.view_at(earlier.size.max(TreeSize::new(sealed)))?;
        let state = scan_state(&view, &requested.scan)?;
        Ok(wire::SubmitScanResponse {
            scan: Some(state.to_wire(view.size())),
            existing: requested.existing,
            warnings: inputs.warnings(computed.as_ref()),
        })
    }

    /// Reads the inputs, stores them, and names them in a manifest.
    fn resolve(
        &self,
        caller: &Caller,
        request: wire::SubmitScanRequest,
    ) -> Result<(ScanManifest, Inputs), Refusal> {
        // What can be refused is looked at before the defaults are recorded.
        let document = engine::sbom(&request.sbom)?;
        let facts = engine::reachability(&request.reachability)?;
        let concelier = match request.concelier_snapshot_hash.as_str() {
            "" => self.current_feed()?,
            text => self.known_snapshot(snapshot_hash("concelier_snapshot_hash", text)?)?,
        };
        let excititor = match request.excititor_snapshot_hash.as_str() {
            "" => self.current_vex()?,
            text => self.known_snapshot(snapshot_hash("excititor_snapshot_hash", text)?)?,
        };
        let policy = self.policy_or_default(caller, &request.lattice_policy_hash)?;
        let sbom = self.put(&document)?;
        let reachability = facts.map(|facts| self.put(&facts)).transpose()?;
        let manifest = ScanManifest {
            artifact_digest: match request.artifact_digest.as_str() {
                "" => sbom,
                text => text
                    .parse()
                    .map_err(|problem| Refusal::field("artifact_digest", problem))?,
            },
            artifact_purl: Some(request.artifact_purl).filter(|purl| !purl.is_empty()),
            sbom_digest: sbom,
            reachability_digest: reachability,
            concelier_snapshot: concelier,
            excititor_snapshot: excititor,
            lattice_policy: policy,
            engine_version: engine::CURRENT,
            scanner_version: request.scanner_version,
            worker_version: request.worker_version,
            seed: seed(&request.seed)?,
            knobs: request.knobs.into_iter().collect(),
        };
        let inputs = self.load(&manifest)?;
        engine::check(&manifest, &inputs)?;
        Ok((manifest, inputs))
    }

    /// Registers a manifest under a scan of its own; if it is registered, names its scan.
    fn register(
        &self,
        caller: &Caller,
        manifest: &ScanManifest,
        asked: Option<&Repeatable>,
    ) -> Result<(ScanId, bool), Refusal> {
        let hash = manifest.hash();
        let mut digits = ScanId::MIN_DIGITS;
        let named = [manifest.concelier_snapshot, manifest.excititor_snapshot];
        let _kept = self.keep_snapshots(named)?;
        loop {
            let scan = ScanId::of(hash, digits);
            let new = Expected::At(StreamPosition::ZERO);
            let draft = Self::registration(caller, &scan, manifest, new)?.asked(asked);
            match self.append(draft) {
                Ok(_) => return Ok((scan, false)),
                Err(AppendOutcome::AlreadyKnown) => {
                    let scan = self.newest()?.manifest(&hash)?.registered.scan;
                    let requested = ScanRequested {
                        scan: scan.clone(),
                        manifest: hash,
                        existing: true,
                    };
                    let draft = Draft::by(caller).asked(asked).event(
                        &stream_of(&scan),
                        EventType::SCAN_REQUESTED,
                        requested.to_bytes(),
                    )?;
                    self.append(draft)?;
                    return Ok((scan, true));
                }
                // Another manifest has these first digits: take more.
                Err(AppendOutcome::WrongPosition) if digits < 64 => digits += 4,
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// The request that registers a manifest under a scan.
    pub(super) fn registration(
        caller: &Caller,
        scan: &ScanId,
        manifest: &ScanManifest,
        expected: Expected,
    ) -> Result<Draft, Refusal> {
        let hash = manifest.hash();
        let stream = StreamName::new(Arc::from(stream_of(scan).as_str()))
            .map_err(|problem| Refusal::new(Reason::Internal, problem.to_string()))?;
        let requested = ScanRequested {
            scan: scan.clone(),
            manifest: hash,
            existing: false,
        };
        let registered = ManifestRegistered {
            scan: scan.clone(),
            manifest: manifest.clone(),
        };
        let mut draft = Draft::by(caller)
            .name(NameRule::Introduce(Named::Manifest(hash)))
            .name(NameRule::Record(Named::Blob(manifest.sbom_digest)))
            .name(NameRule::Require(Named::Policy(manifest.lattice_policy)));
        if let Some(reachability) = manifest.reachability_digest {
            draft = draft.name(NameRule::Record(Named::Blob(reachability)));
        }
        for snapshot in [manifest.concelier_snapshot, manifest.excititor_snapshot] {
            draft = draft.name(NameRule::Require(Named::Snapshot(snapshot)));
        }
        draft
            .push(
                stream,
                EventType::MANIFEST_REGISTERED,
                registered.to_bytes(),
                expected,
            )?
            .event(
                &stream_of(scan),
                EventType::SCAN_REQUESTED,
                requested.to_bytes(),
            )
    }

    /// One scan.
    pub(crate) fn scan(&self, request: &wire::GetScanRequest) -> Result<wire::Scan, Refusal> {
        let view = self.view_of(request.tree_size)?;
        let state = scan_state(&view, &parse_scan_id(&request.scan_id)?)?;
        Ok(state.to_wire(view.size()))
    }

    /// Scans, newest first.
    pub(crate) fn list_scans(
        &self,
        request: &wire::ListScansRequest,
    ) -> Result<wire::ListScansResponse, Refusal> {
        let artifact: Option<BlobDigest> = match request.artifact_digest.as_str() {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|problem| Refusal::field("artifact_digest", problem))?,
            ),
        };
        let since = request.since_unix_ms.to_string();
        let filters = [&since, &request.artifact_digest, &request.package];
        let listing = self
            .tokens
            .listing("ListScans", &filters.map(String::as_str));
        let (view, from) = self.paged_at(listing, &request.page_token, request.tree_size)?;
        if !request.package.is_empty() {
            let found = scans_with(&view, request, artifact)?;
            let (page, next) = cut(found, from, page_size(request.page_size));
            return Ok(wire::ListScansResponse {
                scans: page
                    .iter()
                    .map(|state| state.to_wire(view.size()))
                    .collect(),
                next_page_token: self.page_token(listing, view.size(), next),
            });
        }
        let since = UnixMillis::new(request.since_unix_ms);
        let page = view.scans(
            since,
            leaf(from),
            page_size(request.page_size),
            Direction::Backward,
        )?;
        let mut scans = Vec::new();
        for summary in page.items {
            let state = scan_state(&view, &parse_scan_id(&summary.scan)?)?;
            let wanted = artifact.is_none_or(|wanted| {
                state
                    .manifests
                    .iter()
                    .any(|manifest| manifest.artifact_digest == wanted)
            });
            if wanted {
                scans.push(state.to_wire(view.size()));
            }
        }
        let next = page.next.map(LeafIndex::get);
        let next_page_token = self.page_token(listing, view.size(), next);
        Ok(wire::ListScansResponse {
            scans,
            next_page_token,
        })
    }

    /// Folds the stream of a scan at the newest size.
    pub(super) fn scan_state(&self, scan: &ScanId) -> Result<(ScanState, TreeSize), Refusal> {
        let view = self.newest()?;
        Ok((scan_state(&view, scan)?, view.size()))
    }
}

/// Events that a seal's commit ends with: `root.sealed` and `proof.signed`.
const SEAL_EVENTS: u64 = 2;

/// A submission as its caller sent it. A map has no one encoding: its settings are sorted.
fn repeatable(
    caller: &Caller,
    request: &wire::SubmitScanRequest,
) -> Result<Option<Repeatable>, Refusal> {
    if request.request_id.is_empty() {
        return Ok(None);
    }
    let mut plain = request.clone();
    let knobs: BTreeMap<String, String> = std::mem::take(&mut plain.knobs).into_iter().collect();
    let plain = plain.encode_to_vec();
    let mut parts: Vec<&[u8]> = vec![&plain];
    for (name, value) in &knobs {
        parts.extend([name.as_bytes(), value.as_bytes()]);
    }
    Repeatable::of_bytes(caller, "SubmitScan", &request.request_id, &parts)
}

/// Scans that looked a package up, newest first: by the index, not by looking at every scan.
fn scans_with(
    view: &View<'_>,
    request: &wire::ListScansRequest,
    artifact: Option<BlobDigest>,
) -> Result<Vec<ScanState>, Refusal> {
    let bad = |problem: &dyn std::fmt::Display| Refusal::field("package", problem);
    let purl: Purl = (request.package.parse()).map_err(|problem| bad(&problem))?;
    let keys = package_uses(&purl).map_err(|problem| bad(&problem))?;
    let mut found: BTreeSet<String> = BTreeSet::new();
    for key in keys {
        let mut from = Some(LeafIndex::ZERO);
        while let Some(leaf) = from {
            let page = view.computations_using(key, leaf, PageSize::of(usize::MAX))?;
            found.extend(page.items.iter().map(|uses| uses.scan.to_string()));
            from = page.next;
        }
    }
    let since = UnixMillis::new(request.since_unix_ms);
    let mut states = Vec::new();
    for scan in found {
        let state = scan_state(view, &parse_scan_id(&scan)?)?;
        let mut digests = state
            .manifests
            .iter()
            .map(|manifest| manifest.artifact_digest);
        let wanted = artifact.is_none_or(|wanted| digests.any(|digest| digest == wanted));
        if wanted && state.created >= since {
            states.push(state);
        }
    }
    states.sort_by(|a, b| (b.created, &a.id.to_string()).cmp(&(a.created, &b.id.to_string())));
    Ok(states)
}

/// Folds the whole stream of a scan.
pub(super) fn scan_state(view: &View<'_>, scan: &ScanId) -> Result<ScanState, Refusal> {
    let mut state = ScanState {
        id: scan.clone(),
        created: UnixMillis::ZERO,
        manifests: Vec::new(),
        seals: Vec::new(),
        replays: Vec::new(),
        footprints: Vec::new(),
    };
    let mut from = Some(StreamPosition::ZERO);
    while let Some(position) = from {
        let page = view.scan(scan, position, PageSize::of(MAX_STREAM_PAGE))?;
        state.created = page.created;
        let manifests = page
            .manifests
            .into_iter()
            .map(|record| record.registered.manifest);
        state.manifests.extend(manifests);
        state.seals.extend(page.seals);
        state.replays.extend(page.replays);
        state.footprints.extend(page.footprints);
        from = page.next;
    }
    Ok(state)
}

/// The stream of a scan.
pub(super) fn stream_of(scan: &ScanId) -> String {
    format!("scan/{scan}")
}

/// A scan's name from a request.
pub(super) fn parse_scan_id(text: &str) -> Result<ScanId, Refusal> {
    text.parse()
        .map_err(|problem| Refusal::new(Reason::ScanNotFound, format!("{text}: {problem}")))
}

fn snapshot_hash(field: &str, text: &str) -> Result<SnapshotHash, Refusal> {
    text.parse()
        .map_err(|problem| Refusal::field(field, problem))
}

fn seed(text: &str) -> Result<Seed, Refusal> {
    if text.is_empty() {
        return Ok(Seed::new([0; 32]));
    }
    stella_verify::hash::from_hex(text)
        .map(Seed::new)
        .map_err(|problem| Refusal::field("seed", problem))
}
