//! Engine 1. Frozen: its golden roots (tests/vectors/engine) never change.

mod aggregate;
mod component;
mod facts;
mod finding;
mod finding_id;
mod matched;
mod node;
mod order;
mod parallel;
mod rules;
mod scan;
mod severity;
mod sources;

use super::{Computation, EngineError, EngineInputs, Threads};
use std::collections::BTreeMap;
use stella_verify::hash::{ManifestHash, NodeId, sha256};
use stella_verify::limits::MAX_NODES_PER_COMPUTATION;
use stella_verify::merkle::{leaf_hash, root_of};

/// What every step reads.
struct Context<'a> {
    inputs: &'a EngineInputs<'a>,
    /// Settings in force.
    knobs: BTreeMap<String, String>,
    /// What was scanned, as VEX statements may name it.
    artifacts: Vec<crate::purl::Purl>,
    /// The node that stands for "all inputs read and matched".
    matching: NodeId,
}

/// Computes a score.
pub(super) fn compute(
    inputs: &EngineInputs<'_>,
    threads: Threads,
) -> Result<Computation, EngineError> {
    let knobs = inputs.knobs()?;
    let manifest = ManifestHash::new(sha256(&inputs.manifest.to_bytes()));
    let matches = inputs.feed.match_bom(inputs.bom);
    let sources = sources::nodes(inputs, manifest, &matches)?;
    let context = Context {
        inputs,
        knobs,
        artifacts: artifacts(inputs),
        matching: sources.matching,
    };
    let work = matched::by_purl(&matches.matches);
    let scored = parallel::map(&work, threads, |matched| {
        component::score(&context, matched)
    })?;
    let mut nodes = sources.nodes;
    let mut components = Vec::new();
    let mut findings = Vec::new();
    for mut part in scored {
        nodes.append(&mut part.nodes);
        findings.append(&mut part.findings);
        components.extend(part.component);
    }
    let scan = scan::score(&context, &mut components, &findings)?;
    nodes.extend(scan.nodes);
    if nodes.len() > MAX_NODES_PER_COMPUTATION {
        return Err(EngineError::TooManyNodes {
            limit: MAX_NODES_PER_COMPUTATION,
        });
    }
    let nodes = order::emission(nodes)?;
    Ok(Computation {
        manifest,
        engine: inputs.manifest.engine_version,
        root: root_of(nodes.iter().map(|node| leaf_hash(node.bytes()))),
        nodes,
        score: scan.total,
        findings,
        components,
        gates: scan.gates,
        warnings: sources.warnings,
    })
}

/// Names of the artifact: the manifest's purl and the document's subject.
fn artifacts(inputs: &EngineInputs<'_>) -> Vec<crate::purl::Purl> {
    let stated = inputs.manifest.artifact_purl.as_deref();
    let subject = inputs.bom.subject.as_ref();
    let mut purls: Vec<_> = (stated.and_then(|text| text.parse().ok()).into_iter())
        .chain(subject.and_then(|component| component.purl.clone()))
        .collect();
    purls.dedup();
    purls
}
