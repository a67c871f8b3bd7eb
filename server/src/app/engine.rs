//! The engine as the use cases see it: inputs loaded by hash, nodes out.

use super::App;
use crate::refusal::Refusal;
use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Display;
use std::sync::{Arc, PoisonError};
use stella_proto::reason::Reason;
use stella_scoring::engine::{self, Computation, EngineError, EngineInputs, Threads};
use stella_scoring::inputs::{check_members, reachability, sbom};
use stella_scoring::model::{Bom, FeedSnapshot as _, ReachabilitySet, Warning, told};
use stella_scoring::policy::{BUILT_IN, Policy};
use stella_scoring::snapshot::{FeedIndex, VexIndex, footprint, uncovered_lines};
use stella_verify::hash::{ProofRoot, SnapshotHash};
use stella_verify::manifest::{EngineVersion, ScanManifest};
use stella_verify::node::SealedNode;
use stella_verify::snapshot::Footprint;
use stella_verify::units::BasisPoints;

/// The engine that computes what is submitted now. Replays use the manifest's.
pub(super) const CURRENT: EngineVersion = EngineVersion::new(1);

/// Loaded snapshots that are kept: a replay compares two of each kind.
const KEPT: usize = 4;

/// The inputs of one computation, parsed.
pub(super) struct Inputs {
    bom: Bom,
    feed: Arc<FeedIndex>,
    vex: Arc<VexIndex>,
    reachability: Option<ReachabilitySet>,
    policy: Policy,
}

impl Inputs {
    /// What reading and looking up noticed, one sentence for each kind, and what the feed cannot speak of:
    /// the same whether it was computed now or before.
    pub(super) fn warnings(&self, computed: Option<&Computed>) -> Vec<String> {
        let looked_up = match computed {
            Some(Computed(computation)) => Cow::Borrowed(&computation.warnings),
            None => Cow::Owned(self.feed.match_bom(&self.bom).warnings),
        };
        let of_facts = self.reachability.iter().flat_map(|facts| &facts.warnings);
        // What was computed has the document's among its own: each is told once.
        let all: BTreeSet<&Warning> = (self.bom.warnings.iter())
            .chain(looked_up.iter())
            .chain(of_facts)
            .collect();
        let mut lines: Vec<String> = told(all).into_values().collect();
        lines.extend(uncovered_lines(&self.bom, &self.feed));
        lines
    }
}

/// Snapshots in memory, most recently used last.
#[derive(Debug, Default)]
pub(super) struct FeedCache {
    feeds: VecDeque<(SnapshotHash, Arc<FeedIndex>)>,
    vexes: VecDeque<(SnapshotHash, Arc<VexIndex>)>,
}

/// A finished computation.
pub(super) struct Computed(Computation);

impl Computed {
    /// The nodes in emission order.
    pub(super) fn nodes(&self) -> &[SealedNode] {
        &self.0.nodes
    }

    /// Root over them.
    pub(super) fn root(&self) -> ProofRoot {
        self.0.root
    }

    /// Gives the nodes away.
    pub(super) fn into_nodes(self) -> Vec<SealedNode> {
        self.0.nodes
    }

    /// What was looked up in the feed snapshot.
    pub(super) fn footprint(&self, inputs: &Inputs) -> Footprint {
        footprint(&inputs.bom, &self.0.findings)
    }

    /// The score.
    pub(super) fn score(&self) -> BasisPoints {
        self.0.score
    }
}

/// Runs the engine that the manifest names, on every core.
pub(super) fn compute(manifest: &ScanManifest, inputs: &Inputs) -> Result<Computed, Refusal> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    engine::compute(&given(manifest, inputs), Threads::new(cores))
        .map(Computed)
        .map_err(|problem| refused(&problem))
}

/// Refuses what the engine would, before a manifest is registered that nothing can compute.
pub(super) fn check(manifest: &ScanManifest, inputs: &Inputs) -> Result<(), Refusal> {
    engine::check(&given(manifest, inputs)).map_err(|problem| refused(&problem))
}

fn given<'a>(manifest: &'a ScanManifest, inputs: &'a Inputs) -> EngineInputs<'a> {
    EngineInputs {
        manifest,
        bom: &inputs.bom,
        feed: &*inputs.feed,
        vex: &*inputs.vex,
        reachability: inputs.reachability.as_ref(),
        policy: &inputs.policy,
    }
}

fn refused(problem: &EngineError) -> Refusal {
    let reason = match problem {
        EngineError::Version(_) | EngineError::Knob(_) | EngineError::KnobValue { .. } => {
            Reason::BadManifest
        }
        _ => Reason::Internal,
    };
    Refusal::new(reason, problem.to_string())
}

/// A policy from YAML or JSON.
pub(super) fn parse_policy(text: &[u8]) -> Result<Policy, Refusal> {
    let bad = |problem: String| Refusal::new(Reason::BadPolicy, problem).of_field("policy");
    let text = std::str::from_utf8(text).map_err(|problem| bad(problem.to_string()))?;
    Policy::parse(text).map_err(|problem| bad(problem.to_string()))
}

/// A registered policy from its canonical JSON.
pub(super) fn read_policy(canonical: &[u8]) -> Result<Policy, Refusal> {
    Policy::from_canonical(canonical)
        .map_err(|problem| Refusal::new(Reason::BadPolicy, problem.to_string()))
}

/// The text of the built-in default.
pub(super) fn default_policy() -> Result<&'static str, Refusal> {
    let first = BUILT_IN.first();
    first
        .map(|policy| policy.text)
        .ok_or_else(|| internal("no built-in policy"))
}

/// An SBOM as it is hashed, decompressed; refused when it is not one.
pub(super) fn sbom(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let bytes = decompress(bytes)?;
    read_sbom(&bytes)?;
    check_members(&bytes).map_err(|problem| bad_sbom(&problem))?;
    Ok(bytes)
}

/// Reachability facts as they are hashed, decompressed; refused when they are none.
pub(super) fn reachability(bytes: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let bytes = decompress(bytes)?;
    read_reachability(&bytes)?;
    check_members(&bytes).map_err(|problem| bad_reachability(&problem))?;
    Ok(Some(bytes))
}

fn read_sbom(bytes: &[u8]) -> Result<Bom, Refusal> {
    sbom::read(bytes).map_err(|problem| bad_sbom(&problem))
}

fn bad_sbom(problem: &dyn Display) -> Refusal {
    Refusal::new(Reason::BadSbom, problem.to_string()).of_field("sbom")
}

fn read_reachability(bytes: &[u8]) -> Result<ReachabilitySet, Refusal> {
    reachability::read(bytes).map_err(|problem| bad_reachability(&problem))
}

fn bad_reachability(problem: &dyn Display) -> Refusal {
    Refusal::new(Reason::BadSbom, format!("reachability: {problem}")).of_field("reachability")
}

fn decompress(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    stella_scoring::inputs::decompress(bytes)
        .map(std::borrow::Cow::into_owned)
        .map_err(|problem| Refusal::new(Reason::BadSbom, problem.to_string()))
}

impl App {
    /// Loads what a manifest names. Every input is verified against its hash.
    pub(super) fn load(&self, manifest: &ScanManifest) -> Result<Inputs, Refusal> {
        let bom = read_sbom(&self.get(manifest.sbom_digest)?)?;
        let reachability = match manifest.reachability_digest {
            None => None,
            Some(digest) => Some(read_reachability(&self.get(digest)?)?),
        };
        let policy = read_policy(&self.policy(manifest.lattice_policy)?)?;
        Ok(Inputs {
            bom,
            feed: self.feed(manifest.concelier_snapshot)?,
            vex: self.vex(manifest.excititor_snapshot)?,
            reachability,
            policy,
        })
    }

    fn feed(&self, hash: SnapshotHash) -> Result<Arc<FeedIndex>, Refusal> {
        let mut cache = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = recent(&mut cache.feeds, hash) {
            return Ok(found);
        }
        let loaded = FeedIndex::load(&self.records(hash)?);
        let loaded = Arc::new(loaded.map_err(|problem| damaged(hash, &problem))?);
        keep(&mut cache.feeds, hash, &loaded);
        Ok(loaded)
    }

    fn vex(&self, hash: SnapshotHash) -> Result<Arc<VexIndex>, Refusal> {
        let mut cache = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = recent(&mut cache.vexes, hash) {
            return Ok(found);
        }
        let loaded = VexIndex::load(&self.records(hash)?);
        let loaded = Arc::new(loaded.map_err(|problem| damaged(hash, &problem))?);
        keep(&mut cache.vexes, hash, &loaded);
        Ok(loaded)
    }
}

fn recent<T>(kept: &mut VecDeque<(SnapshotHash, Arc<T>)>, hash: SnapshotHash) -> Option<Arc<T>> {
    let place = kept.iter().position(|(known, _)| *known == hash)?;
    let entry = kept.remove(place)?;
    let found = Arc::clone(&entry.1);
    kept.push_back(entry);
    Some(found)
}

fn keep<T>(kept: &mut VecDeque<(SnapshotHash, Arc<T>)>, hash: SnapshotHash, loaded: &Arc<T>) {
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back((hash, Arc::clone(loaded)));
}

fn damaged(hash: SnapshotHash, problem: &dyn std::error::Error) -> Refusal {
    Refusal::new(
        Reason::BlobDamaged,
        format!("the records of snapshot {hash}: {problem}"),
    )
}

fn internal(problem: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Internal, problem.to_string())
}
