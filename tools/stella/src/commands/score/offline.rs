//! Computing a score again from a bundle alone: no ledger, no network.

use crate::commands::scan::read;
use crate::failure::Failure;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use stella_proto::reason::Reason;
use stella_proto::score as wire;
use stella_scoring::engine::{self, EngineError, EngineInputs, Threads};
use stella_scoring::explain::{Outline, first_difference};
use stella_scoring::inputs::{reachability, sbom};
use stella_scoring::policy::Policy;
use stella_scoring::snapshot::{FeedIndex, Snapshot, VexIndex};
use stella_verify::bundle::{BundleFiles, BundleMeta};
use stella_verify::hash::{SnapshotHash, sha256, to_hex};
use stella_verify::manifest::ScanManifest;
use stella_verify::node::SealedNode;
use stella_verify::score_proof::ScoreProof;

/// The inputs of a replayable bundle, by the SHA-256 of their content.
struct Carried<'a>(BTreeMap<[u8; 32], &'a [u8]>);

/// Recomputes a replayable bundle's score from the inputs in it.
///
/// The nodes must be those of the bundle, byte for byte. That says nothing about who signed it:
/// `stella proof verify` does.
pub(super) fn replay(
    path: &Path,
    scan_id: Option<&str>,
) -> Result<wire::ReplayScoreResponse, Failure> {
    let begun = std::time::Instant::now();
    let bytes = read(path)?;
    let bad = |problem: String| {
        Failure::of(
            Reason::VerificationFailed,
            format!("{}: {problem}", path.display()),
        )
    };
    let files = BundleFiles::open(&bytes).map_err(|problem| bad(problem.to_string()))?;
    let meta = BundleMeta::parse(files.meta).map_err(|problem| bad(problem.to_string()))?;
    if let Some(wanted) = scan_id
        && wanted != meta.scan.as_str()
    {
        return Err(bad(format!(
            "this is a bundle of {}, not of {wanted}",
            meta.scan
        )));
    }
    let manifest =
        ScanManifest::parse(files.manifest).map_err(|problem| bad(problem.to_string()))?;
    let recorded =
        ScoreProof::parse(files.score_proof).map_err(|problem| bad(problem.to_string()))?;
    let carried = Carried::of(&files).map_err(&bad)?;
    let computed = carried.compute(&manifest, &bad)?;
    if let Some(difference) = first_difference(&ids(recorded.nodes()), &ids(&computed.nodes)) {
        let named = |id: Option<_>| {
            id.map_or_else(
                || "no node".to_owned(),
                |id: stella_verify::hash::NodeId| id.to_string(),
            )
        };
        let message = format!(
            "recomputing the bundle gave root {} instead of {}: the first node that differs is at \
             place {}: {} was recorded, {} came out",
            computed.root,
            recorded.root(),
            difference.sequence,
            named(difference.left),
            named(difference.right)
        );
        return Err(Failure::of(Reason::ReplayDiffers, message));
    }
    let findings = Outline::of(recorded.nodes()).map_err(|problem| bad(problem.to_string()))?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Ok(wire::ReplayScoreResponse {
        scan_id: meta.scan.to_string(),
        original_manifest_hash: manifest.hash().to_string(),
        replayed_manifest_hash: manifest.hash().to_string(),
        original_root_hash: recorded.root().to_string(),
        replayed_root_hash: computed.root.to_string(),
        original_score_bps: recorded.score().get(),
        replayed_score_bps: computed.score.get(),
        verified_equal: true,
        status: "verified".to_owned(),
        concelier_snapshot_hash: manifest.concelier_snapshot.to_string(),
        excititor_snapshot_hash: manifest.excititor_snapshot.to_string(),
        lattice_policy_hash: manifest.lattice_policy.to_string(),
        engine_version: manifest.engine_version.get(),
        findings: Some(wire::FindingsDelta {
            unchanged: count(findings.findings().count()),
            ..wire::FindingsDelta::default()
        }),
        duration_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        node_count: count(computed.nodes.len()),
        ..wire::ReplayScoreResponse::default()
    })
}

fn ids(nodes: &[SealedNode]) -> Vec<stella_verify::hash::NodeId> {
    nodes.iter().map(SealedNode::id).collect()
}

impl<'a> Carried<'a> {
    /// Every input must be what its name says.
    fn of(files: &BundleFiles<'a>) -> Result<Self, String> {
        let mut carried = BTreeMap::new();
        for (name, content) in files.inputs() {
            let digest = sha256(content);
            if name != to_hex(&digest) {
                return Err(format!("inputs/{name} is not what its name says"));
            }
            carried.insert(digest, content);
        }
        if carried.is_empty() {
            return Err(
                "it carries no inputs: download it with `stella proof download --replayable`"
                    .to_owned(),
            );
        }
        Ok(Self(carried))
    }

    fn get(&self, what: &str, digest: &[u8; 32]) -> Result<&'a [u8], String> {
        let found = self.0.get(digest).copied();
        found.ok_or_else(|| format!("it does not carry the {what} sha256:{}", to_hex(digest)))
    }

    /// The records file of a snapshot: the one whose header has this hash.
    fn records(&self, wanted: SnapshotHash) -> Result<&'a [u8], String> {
        let is_it = |bytes: &&&[u8]| Snapshot::open(bytes).is_ok_and(|file| file.hash() == wanted);
        let found = self.0.values().find(is_it).copied();
        found.ok_or_else(|| format!("it does not carry the records of snapshot {wanted}"))
    }

    fn compute(
        &self,
        manifest: &ScanManifest,
        bad: &dyn Fn(String) -> Failure,
    ) -> Result<engine::Computation, Failure> {
        let told = |problem: &dyn std::fmt::Display| bad(problem.to_string());
        let bytes = self
            .get("SBOM", manifest.sbom_digest.as_bytes())
            .map_err(bad)?;
        let bom = sbom::read(bytes).map_err(|problem| told(&problem))?;
        let feed = self.records(manifest.concelier_snapshot).map_err(bad)?;
        let feed = FeedIndex::load(feed).map_err(|problem| told(&problem))?;
        let vex = self.records(manifest.excititor_snapshot).map_err(bad)?;
        let vex = VexIndex::load(vex).map_err(|problem| told(&problem))?;
        let policy = self
            .get("policy", manifest.lattice_policy.as_bytes())
            .map_err(bad)?;
        let policy = Policy::from_canonical(policy).map_err(|problem| told(&problem))?;
        let facts = match &manifest.reachability_digest {
            None => None,
            Some(digest) => {
                let bytes = self
                    .get("reachability facts", digest.as_bytes())
                    .map_err(bad)?;
                Some(reachability::read(bytes).map_err(|problem| told(&problem))?)
            }
        };
        let given = EngineInputs {
            manifest,
            bom: &bom,
            feed: &feed,
            vex: &vex,
            reachability: facts.as_ref(),
            policy: &policy,
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        engine::compute(&given, Threads::new(cores)).map_err(|problem| match problem {
            EngineError::Version(_) => Failure::of(Reason::BadManifest, problem.to_string()),
            other => told(&other),
        })
    }
}
