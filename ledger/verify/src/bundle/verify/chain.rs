//! `chainValid`: what `chain/` holds is the log's record of this computation and of this scan.
//!
//! The export is held against the very checkpoint that `logInclusion` judges, so it says nothing
//! that the log did not say. Without a log key nothing passes here; contradictions fail.

use super::super::{BundleFiles, BundleMeta, CHAIN_EXPORT_FILE, CHAIN_SEALS_FOLDER, ChainSeal};
use super::log::{log_checkpoint, sealed_event};
use super::{Doubt, Finding, Parts, TrustInput, fail, need};
use crate::checkpoint::Checkpoint;
use crate::event::payload::RootSealed;
use crate::event::{EventType, RuleApplied};
use crate::export::{ExportTrust, ExportVerifier, ExportedEvent, ExportedPayload};
use crate::hash::{ManifestHash, to_hex};
use crate::merkle::{Growth, TreeHead, leaf_hash, verify_consistency, verify_inclusion};
use crate::node::SealedNode;
use crate::score_proof::ScoreProof;
use crate::tlog_proof::TlogProof;
use crate::units::LeafIndex;
use alloc::format;
use alloc::string::{String, ToString as _};

/// Every event of the computation is in the log as `score_proof.json` has it, and the other seals
/// are this scan's.
pub(super) fn chain(files: &BundleFiles<'_>, parts: &Parts, trust: &TrustInput<'_>) -> Finding {
    let mut entries = files.chain().peekable();
    if entries.peek().is_none() {
        return Err(Doubt::Skip("the bundle carries no chain".into()));
    }
    let meta = need(&parts.meta, super::super::META_FILE)?;
    let proof = need(&parts.proof, super::super::SCORE_PROOF_FILE)?;
    let tlog_proof = TlogProof::parse(meta.tlog_proof.as_bytes())
        .map_err(|_| Doubt::Skip("the seal event's proof could not be read".into()))?;
    let sealed = RootSealed::parse(&meta.seal.payload)
        .map_err(|_| Doubt::Skip("the seal event could not be read".into()))?;
    let own = Checkpoint::parse(tlog_proof.checkpoint.unverified_text()).map_err(fail)?;
    let mut seals = 0_u64;
    let mut exported = false;
    for (name, content) in entries {
        if name == CHAIN_EXPORT_FILE {
            let note = tlog_proof.checkpoint.to_string();
            let place = Place {
                first: sealed.first_leaf,
                seal: tlog_proof.index,
            };
            computation(content, &note, place, meta, proof)
                .map_err(|reason| fail(format!("{name}: {reason}")))?;
            exported = true;
        } else {
            other_seal(name, content, meta, own.head, trust)
                .map_err(|reason| fail(format!("{name}: {reason}")))?;
            seals += 1;
        }
    }
    if !exported {
        return Err(fail(format!("the chain has no {CHAIN_EXPORT_FILE}")));
    }
    if trust.log_keys.is_empty() {
        return Err(Doubt::Skip(format!(
            "no verifier key of log {} was given",
            meta.log_origin
        )));
    }
    Ok(format!(
        "the log has every node from leaf {} on, sealed at leaf {}; {seals} other seals of the scan",
        sealed.first_leaf, tlog_proof.index
    ))
}

/// Where the computation stands in the log.
#[derive(Clone, Copy)]
struct Place {
    first: LeafIndex,
    seal: LeafIndex,
}

/// The export is of exactly the leaves from the first node to the seal, and its rule applications
/// are the bundle's nodes.
fn computation(
    export: &[u8],
    checkpoint: &str,
    place: Place,
    meta: &BundleMeta,
    proof: &ScoreProof,
) -> Result<(), String> {
    let mut nodes = Nodes {
        manifest: meta.manifest,
        stream: format!("computation/{}", to_hex(meta.manifest.as_bytes())),
        sealed: proof.nodes(),
        met: 0,
        problem: None,
    };
    let mut last = None;
    let mut verifier = ExportVerifier::new(ExportTrust::Closing(checkpoint));
    let visit = |event: &ExportedEvent<'_>| {
        nodes.take(event);
        last = (event.index == place.seal).then(|| event.leaf == meta.seal.header.as_slice());
    };
    verifier.push(export, visit).map_err(|e| e.to_string())?;
    let verified = verifier.finish().map_err(|e| e.to_string())?;
    if let Some(problem) = nodes.problem {
        return Err(problem);
    }
    if verified.range.start != place.first || last != Some(true) {
        return Err("it does not reach from the first node to the seal".into());
    }
    if nodes.met != proof.nodes().len() {
        let all = proof.nodes().len();
        return Err(format!("it has {} of {all} nodes", nodes.met));
    }
    Ok(())
}

/// The rule applications of one computation, as they are met in the log.
struct Nodes<'a> {
    manifest: ManifestHash,
    stream: String,
    sealed: &'a [SealedNode],
    met: usize,
    problem: Option<String>,
}

impl Nodes<'_> {
    fn take(&mut self, event: &ExportedEvent<'_>) {
        let header = &event.header;
        if self.problem.is_some() || header.stream.as_str() != self.stream {
            return;
        }
        let is_next = header.event_type == EventType::RULE_APPLIED
            && usize::try_from(header.position.get()) == Ok(self.met);
        if !is_next || !self.is_node(&event.payload) {
            let met = self.met;
            self.problem = Some(format!("leaf {} is not node {met}", event.index));
        }
        self.met += 1;
    }

    fn is_node(&self, payload: &ExportedPayload<'_>) -> bool {
        let ExportedPayload::Present { bytes, .. } = payload else {
            return false;
        };
        let expected = self.sealed.get(self.met).map(SealedNode::bytes);
        RuleApplied::decode(bytes).is_ok_and(|rule| {
            rule.computation == self.manifest
                && usize::try_from(rule.sequence.get()) == Ok(self.met)
                && Some(rule.node) == expected
        })
    }
}

/// Another sealed root of the scan, in the same log.
fn other_seal(
    name: &str,
    content: &[u8],
    meta: &BundleMeta,
    own: TreeHead,
    trust: &TrustInput<'_>,
) -> Result<(), String> {
    let other = ChainSeal::parse(content).map_err(|e| e.to_string())?;
    let (header, sealed) = sealed_event(&other.seal)?;
    let of_this_scan = header.log_origin.as_str() == meta.log_origin
        && header.stream.as_str() == format!("scan/{}", meta.scan)
        && sealed.scan == meta.scan;
    if !of_this_scan || sealed.root == meta.root {
        return Err("it is not another root of this scan".into());
    }
    let expected = format!(
        "{CHAIN_SEALS_FOLDER}{}.json",
        to_hex(sealed.root.as_bytes())
    );
    if name != expected {
        return Err("it is not named by its root".into());
    }
    let proof = TlogProof::parse(other.tlog_proof.as_bytes()).map_err(|e| e.to_string())?;
    if proof.extra.is_some() {
        return Err("its tlog-proof carries extra data, which nothing vouches for".into());
    }
    let checkpoint = log_checkpoint(&proof, &meta.log_origin, trust)?;
    let leaf = leaf_hash(&other.seal.header);
    verify_inclusion(leaf, proof.index, checkpoint.head, &proof.inclusion)
        .map_err(|e| e.to_string())?;
    let heads = if checkpoint.head.size <= own.size {
        Growth {
            old: checkpoint.head,
            new: own,
        }
    } else {
        Growth {
            old: own,
            new: checkpoint.head,
        }
    };
    verify_consistency(heads, &other.consistency).map_err(|e| e.to_string())?;
    Ok(())
}
