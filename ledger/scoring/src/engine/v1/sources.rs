//! The first nodes: the manifest, its inputs, what was odd about them, and that they were matched.

use super::node::{Built, Draft, at_pointer, count, text, whole};
use super::{EngineError, EngineInputs};
use crate::limits::MAX_NODE_ITEMS;
use crate::model::{BomMatches, Warning, WarningCode};
use std::collections::BTreeMap;
use stella_verify::hash::{BlobDigest, ManifestHash, NodeId, sha256, to_hex};
use stella_verify::json::{Object, Value, canonicalize};
use stella_verify::node::{NodeKind, ProofNode, Scope, Subject};

/// The nodes that every finding stands on.
pub(super) struct Sources {
    pub(super) nodes: Vec<Built>,
    /// The last of them: all inputs are read and matched.
    pub(super) matching: NodeId,
    pub(super) warnings: Vec<Warning>,
}

pub(super) fn nodes(
    inputs: &EngineInputs<'_>,
    manifest: ManifestHash,
    matches: &BomMatches,
) -> Result<Sources, EngineError> {
    let root = Built {
        node: ProofNode::manifest(manifest).seal(),
        rule: None,
    };
    let mut nodes = input_nodes(inputs, root.id())?;
    nodes.push(root);
    let mut warnings = inputs.bom.warnings.clone();
    warnings.extend(matches.warnings.iter().cloned());
    warnings.sort_unstable();
    warnings.dedup();
    let digest = inputs.bom.digest;
    let sbom = input("input.sbom", &nodes);
    let mut odd = warning_nodes(sbom, digest, &warnings)?;
    if let Some(facts) = inputs.reachability {
        let node = input("input.reachability", &nodes);
        odd.extend(warning_nodes(node, facts.digest, &facts.warnings)?);
    }
    nodes.append(&mut odd);
    let matching = Draft::new(
        NodeKind::Transform,
        "matching",
        Scope::Scan,
        Subject::default(),
    )
    .parents(nodes.iter().map(Built::id))
    .input("components", count(inputs.bom.components.len()))
    .output("matches", count(matches.matches.len()))
    .seal()?;
    let matching_id = matching.id();
    nodes.push(matching);
    Ok(Sources {
        nodes,
        matching: matching_id,
        warnings,
    })
}

/// One node for each input, under the manifest's node.
fn input_nodes(inputs: &EngineInputs<'_>, root: NodeId) -> Result<Vec<Built>, EngineError> {
    let manifest = inputs.manifest;
    let snapshot = |hash: &[u8; 32]| BlobDigest::new(*hash);
    let mut named = vec![
        ("input.sbom", inputs.bom.digest),
        (
            "input.feed",
            snapshot(manifest.concelier_snapshot.as_bytes()),
        ),
        (
            "input.vex",
            snapshot(manifest.excititor_snapshot.as_bytes()),
        ),
        ("input.policy", snapshot(manifest.lattice_policy.as_bytes())),
    ];
    named.extend(
        inputs
            .reachability
            .map(|facts| ("input.reachability", facts.digest)),
    );
    (named.into_iter())
        .map(|(rule, digest)| {
            let node = Draft::new(NodeKind::Input, rule, Scope::Scan, Subject::default())
                .parent(root)
                .evidence([whole(digest)])
                .outputs(described(inputs, rule));
            node.seal()
        })
        .collect()
}

/// What a reader wants to know of an input without opening it.
fn described(inputs: &EngineInputs<'_>, rule: &str) -> Object {
    match rule {
        "input.sbom" => Object::new().with("format", text(&inputs.bom.format.to_string())),
        "input.policy" => {
            let knobs = (inputs.manifest.knobs.iter())
                .map(|(name, value)| (name.clone(), text(value)))
                .collect::<Object>();
            (Object::new())
                .with("knobs", knobs)
                .with("name", text(&inputs.policy.name))
        }
        _ => Object::new(),
    }
}

/// Id of the input node of that rule; `nodes` has it, because [`input_nodes`] made it.
fn input(rule: &str, nodes: &[Built]) -> NodeId {
    let found = (nodes.iter()).find(|built| built.node.node().parts().rule_id == rule);
    found.map_or(NodeId::new([0; 32]), Built::id)
}

/// One node for each kind of warning: how many, the first places, and the hash of them all (the
/// canonical JSON of sorted `[pointer, detail]` pairs).
fn warning_nodes(
    parent: NodeId,
    document: BlobDigest,
    warnings: &[Warning],
) -> Result<Vec<Built>, EngineError> {
    let mut kinds: BTreeMap<WarningCode, Vec<&Warning>> = BTreeMap::new();
    for warning in warnings {
        kinds.entry(warning.code).or_default().push(warning);
    }
    (kinds.into_iter())
        .map(|(code, warnings)| {
            let pairs = warnings.iter().map(|warning| {
                Value::Array(vec![text(warning.pointer.as_str()), text(&warning.detail)])
            });
            let all = canonicalize(&Value::Array(pairs.collect()));
            let places = warnings.iter().take(MAX_NODE_ITEMS);
            Draft::new(
                NodeKind::Transform,
                "warning",
                Scope::Scan,
                Subject::default(),
            )
            .parent(parent)
            .evidence(places.map(|warning| at_pointer(document, &warning.pointer)))
            .input("code", code.name())
            .output("count", count(warnings.len()))
            .output("digest", format!("sha256:{}", to_hex(&sha256(&all))))
            .seal()
        })
        .collect()
}
