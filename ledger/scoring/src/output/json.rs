//! The whole result as JSON: `stella score compute --format json`.

use super::{count, epss_text, points, text};
use crate::engine::{ComponentScore, Computation, Finding, RuleStep};
use crate::model::ScoreTenths;
use crate::policy::Applied;
use stella_verify::json::{Object, Value};
use stella_verify::manifest::ScanManifest;

/// `{score, scoreBps, verdict, manifest, manifestHash, rootHash, nodeCount, engineVersion,
/// findings, components, gates, warnings, nodes?}`.
///
/// `score` is text, `NN.NN`; amounts in basis points are integers. `nodes` are the proof nodes in
/// emission order, each with its `id`, as in `score_proof.json`.
#[must_use]
pub fn json(computation: &Computation, manifest: &ScanManifest, with_nodes: bool) -> Value {
    let warnings = computation.warnings.iter().map(|warning| {
        Object::new()
            .with("code", warning.code.name())
            .with("detail", text(&warning.detail))
            .with("pointer", text(warning.pointer.as_str()))
    });
    let gates = computation.gates.iter().map(|gate| {
        Object::new()
            .with("fails", gate.fails)
            .with("id", text(&gate.id))
            .with("node", gate.node.to_string())
    });
    let mut object = Object::new()
        .with(
            "components",
            list(computation.components.iter().map(component)),
        )
        .with("engineVersion", computation.engine.get())
        .with("findings", list(computation.findings.iter().map(finding)))
        .with("gates", list(gates))
        .with("manifest", parsed(&manifest.to_bytes()))
        .with("manifestHash", computation.manifest.to_string())
        .with("nodeCount", count(computation.nodes.len()))
        .with("rootHash", computation.root.to_string())
        .with("score", super::score(computation.score))
        .with("scoreBps", points(computation.score))
        .with(
            "verdict",
            if computation.passes() { "pass" } else { "fail" },
        )
        .with("warnings", list(warnings));
    if with_nodes {
        let nodes = computation.nodes.iter().map(|node| {
            let mut value = parsed(node.bytes());
            if let Value::Object(members) = &mut value {
                members.insert("id", node.id().to_string());
            }
            value
        });
        object.insert("nodes", Value::Array(nodes.collect()));
    }
    Value::Object(object)
}

fn list(items: impl Iterator<Item = Object>) -> Value {
    Value::Array(items.map(Value::Object).collect())
}

/// Bytes that this library wrote, as a value.
fn parsed(bytes: &[u8]) -> Value {
    stella_verify::json::parse_strict(bytes).unwrap_or(Value::Null)
}

fn texts(values: &[Box<str>]) -> Value {
    Value::Array(values.iter().map(|value| text(value)).collect())
}

fn finding(finding: &Finding) -> Object {
    let places = finding.components.iter().map(|place| text(place.as_str()));
    let mut object = Object::new()
        .with("advisoryId", text(&finding.advisory_id))
        .with("aliases", texts(&finding.aliases))
        .with("components", Value::Array(places.collect()))
        .with("fixAvailable", !finding.fixed.is_empty())
        .with("fixed", texts(&finding.fixed))
        .with("flaw", text(&finding.flaw))
        .with("id", finding.id.to_string())
        .with("kind", finding.kind.name())
        .with("node", finding.node.to_string())
        .with("purl", text(finding.purl.as_str()))
        .with("rules", list(finding.rules.iter().map(rule)))
        .with("scope", finding.scope.name())
        .with("source", text(&finding.source))
        .with("summary", text(&finding.summary));
    if !finding.upstream.is_empty() {
        object.insert("upstream", texts(&finding.upstream));
    }
    if let Some(depth) = finding.depth {
        object.insert("depth", depth);
    }
    let mut ssvc = finding.ssvc.stated().peekable();
    if ssvc.peek().is_some() {
        let points = ssvc.map(|(name, word)| (name, text(word)));
        object.insert("ssvc", points.collect::<Object>());
    }
    if let Some(other) = finding.duplicate_of {
        object.insert("duplicateOf", other.to_string());
    }
    if let Some(total) = finding.score {
        object.insert("score", super::score(total));
        object.insert("scoreBps", points(total));
        object.insert("severity", severity(finding));
        object.insert("knownExploited", finding.kev.is_some());
    }
    if let Some(ransomware) = finding.kev {
        object.insert("ransomware", ransomware);
    }
    if let Some(probability) = finding.epss {
        object.insert("epss", epss_text(probability));
    }
    if let Some(level) = finding.reachability {
        object.insert("reachability", level.name());
    }
    if let Some(vex) = &finding.vex {
        let mut stated = Object::new()
            .with("conflict", vex.conflict)
            .with("status", vex.status.name());
        if let Some(why) = &vex.justification {
            stated.insert("justification", text(why));
        }
        object.insert("vex", stated);
    }
    object
}

/// `{word: "unknown"}` when nobody states one: unknown is not zero and not absent.
fn severity(finding: &Finding) -> Object {
    let Some(severity) = &finding.severity else {
        return Object::new().with("word", "unknown");
    };
    let word = severity
        .word
        .map_or("unknown", crate::model::SeverityWord::name);
    let mut object = Object::new()
        .with("provider", text(&severity.provider))
        .with("word", word);
    if let Some(score) = severity.score {
        object.insert("cvss", ScoreTenths::to_string(&score));
    }
    if !severity.vector.is_empty() {
        object.insert("vector", text(&severity.vector));
    }
    object
}

fn rule(step: &RuleStep) -> Object {
    let object = Object::new()
        .with("applied", step.applied == Applied::Yes)
        .with("deltaBps", points(step.delta))
        .with("node", step.node.to_string())
        .with("rule", text(&step.rule))
        .with("totalBps", points(step.total));
    match &step.applied {
        Applied::Unknown(missing) => {
            let names = missing.iter().map(|name| text(name)).collect();
            object.with("missing", Value::Array(names))
        }
        _ => object,
    }
}

fn component(component: &ComponentScore) -> Object {
    let findings = component.findings.iter().map(|part| {
        Object::new()
            .with("deltaBps", points(part.delta))
            .with("finding", part.of.to_string())
            .with("totalBps", points(part.total))
    });
    Object::new()
        .with("contributionBps", points(component.contribution))
        .with("findings", list(findings))
        .with("node", component.node.to_string())
        .with("purl", text(component.purl.as_str()))
        .with("rules", list(component.rules.iter().map(rule)))
        .with("score", super::score(component.total))
        .with("scoreBps", points(component.total))
}
