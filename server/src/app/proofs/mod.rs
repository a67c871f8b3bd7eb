//! Proofs of scores: roots, nodes, bundles.

mod bundle;
mod chain;
mod inputs;
mod retention;
mod sealed;
mod signing;
mod verify;

pub use verify::{OWN_ANCHOR, VerifyProofDocument};

use super::App;
use super::pages::{cut, page_size};
use super::scans::{ScanState, parse_scan_id, scan_state};
use crate::refusal::Refusal;
use std::ops::ControlFlow;
use stella_ledger::ledger::{PageSize, SealRecord, View};
use stella_proto::proof as wire;
use stella_proto::reason::Reason;
use stella_verify::hash::{NodeId, ProofRoot};
use stella_verify::manifest::ScanManifest;
use stella_verify::node::ProofNode;
use stella_verify::score_proof::ScoreProof;
use stella_verify::time::format_time;
use stella_verify::units::LeafIndex;

/// Occurrences of a node that one answer names.
const MAX_OCCURRENCES: usize = 1000;

impl App {
    /// The sealed roots of a scan, oldest first.
    pub(crate) fn list_proofs(
        &self,
        request: &wire::ListProofsRequest,
    ) -> Result<wire::ListProofsResponse, Refusal> {
        let listing = self.tokens.listing("ListProofs", &[&request.scan_id]);
        let (view, from) = self.paged_at(listing, &request.page_token, request.tree_size)?;
        let state = scan_state(&view, &parse_scan_id(&request.scan_id)?)?;
        let (seals, next) = cut(state.seals, from, page_size(request.page_size));
        Ok(wire::ListProofsResponse {
            proofs: seals.iter().map(summary).collect(),
            next_page_token: self.page_token(listing, view.size(), next),
        })
    }

    /// One sealed root with its envelope.
    pub(crate) fn proof_root(
        &self,
        request: &wire::GetProofRootRequest,
    ) -> Result<wire::GetProofRootResponse, Refusal> {
        let view = self.view_of(request.tree_size)?;
        let (state, seal) = sealed(&view, &request.root_hash)?;
        let manifest = manifest_of(&state, &seal)?;
        let envelopes = self.envelopes(manifest, &seal)?;
        Ok(wire::GetProofRootResponse {
            proof: Some(summary(&seal)),
            envelope: envelopes.root.to_bytes().into(),
        })
    }

    /// One node, with the leaves that carry it.
    pub(crate) fn node(
        &self,
        request: &wire::GetNodeRequest,
    ) -> Result<wire::GetNodeResponse, Refusal> {
        let id: NodeId =
            (request.node_id.parse()).map_err(|problem| Refusal::field("node_id", problem))?;
        let view = self.view_of(request.tree_size)?;
        let found = view.node(&id, LeafIndex::ZERO, PageSize::of(MAX_OCCURRENCES))?;
        let mut occurrences = Vec::new();
        for usage in &found.uses.items {
            let size = PageSize::of(MAX_OCCURRENCES);
            let children = view.children(&id, &usage.computation, LeafIndex::ZERO, size)?;
            occurrences.push(wire::NodeOccurrence {
                leaf_index: usage.leaf.get(),
                computation: usage.computation.to_string(),
                sequence: usage.sequence.get(),
                child_ids: children
                    .items
                    .iter()
                    .map(|child| child.id.to_string())
                    .collect(),
            });
        }
        Ok(wire::GetNodeResponse {
            node_id: id.to_string(),
            node: found.bytes.into(),
            occurrences,
            more: found.uses.next.is_some(),
        })
    }

    /// The recorded nodes of a computation; they must be those that were sealed.
    pub(super) fn score_proof(&self, seal: &SealRecord) -> Result<ScoreProof, Refusal> {
        let mut nodes = Vec::new();
        let mut bad = None;
        let view = self.newest()?;
        view.visit_computation(&seal.sealed.manifest, |sequence, bytes| {
            match ProofNode::parse(bytes) {
                Ok(node) => nodes.push(node.seal()),
                Err(problem) => {
                    let manifest = seal.sealed.manifest;
                    bad = Some(format!(
                        "node {sequence} of computation {manifest}: {problem}"
                    ));
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        if let Some(problem) = bad {
            return Err(Refusal::new(Reason::LogDamaged, problem));
        }
        let proof = ScoreProof::new(nodes).map_err(internal)?;
        if proof.root() != seal.sealed.root {
            let message = format!(
                "the recorded nodes of {} have root {}, sealed was {}",
                seal.sealed.manifest,
                proof.root(),
                seal.sealed.root
            );
            return Err(Refusal::new(Reason::ReplayDiffers, message));
        }
        Ok(proof)
    }
}

/// The scan and the seal of a root, as a tree has them.
fn sealed(view: &View<'_>, root: &str) -> Result<(ScanState, SealRecord), Refusal> {
    let hash: ProofRoot = root
        .parse()
        .map_err(|problem| Refusal::field("root_hash", problem))?;
    let seal = view.root(&hash)?;
    let state = scan_state(view, &seal.sealed.scan)?;
    Ok((state, seal))
}

/// The manifest that a seal belongs to.
pub(super) fn manifest_of<'a>(
    state: &'a ScanState,
    seal: &SealRecord,
) -> Result<&'a ScanManifest, Refusal> {
    let wanted = seal.sealed.manifest;
    state
        .manifests
        .iter()
        .find(|manifest| manifest.hash() == wanted)
        .ok_or_else(|| {
            Refusal::new(
                Reason::PayloadErased,
                format!("the manifest {wanted} was erased"),
            )
        })
}

fn summary(seal: &SealRecord) -> wire::ProofSummary {
    let sealed = &seal.sealed;
    wire::ProofSummary {
        root_hash: sealed.root.to_string(),
        manifest_hash: sealed.manifest.to_string(),
        scan_id: sealed.scan.to_string(),
        score_bps: sealed.score.get(),
        node_count: u64::from(sealed.nodes.get()),
        sealed_at: format_time(seal.time).unwrap_or_default(),
        leaf_index: seal.leaf.get(),
        engine_version: sealed.engine_version.get(),
    }
}

fn internal(problem: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Internal, problem.to_string())
}
