//! CycloneDX 1.6: affected components and vulnerabilities with ratings, annotated by VEX.

use super::{RunContext, decimal, text, version};
use crate::cvss::CvssVersion;
use crate::engine::{Computation, Finding, VexOutcome};
use crate::explain::score_text;
use crate::model::{SeverityWord, VexStatus};
use std::collections::BTreeMap;
use stella_verify::json::{Object, Value};
use stella_verify::manifest::ScanManifest;

/// The computation as a CycloneDX document. It has no serial number and no time of its own, so the
/// same computation gives the same bytes.
#[must_use]
pub fn cyclonedx(
    computation: &Computation,
    manifest: &ScanManifest,
    context: &RunContext,
) -> Value {
    let mut purls: BTreeMap<&str, &Finding> = BTreeMap::new();
    for finding in &computation.findings {
        purls.entry(finding.purl.as_str()).or_insert(finding);
    }
    let components = purls.values().map(|finding| component(finding));
    let counted = (computation.findings.iter()).filter(|finding| finding.score.is_some());
    let tool = Object::new()
        .with("name", "stella")
        .with("type", "application")
        .with("version", text(&context.tool_version));
    let tools = Object::new().with("components", Value::Array(vec![Value::Object(tool)]));
    let artifact = manifest.artifact_purl.as_deref().unwrap_or("artifact");
    let digest = manifest.artifact_digest.to_string();
    let hash = Object::new()
        .with("alg", "SHA-256")
        .with("content", digest.trim_start_matches("sha256:").to_owned());
    let mut subject = Object::new()
        .with("hashes", Value::Array(vec![Value::Object(hash)]))
        .with("name", text(artifact))
        .with("type", "application");
    if manifest.artifact_purl.is_some() {
        subject.insert("purl", text(artifact));
    }
    let properties = [
        ("stella:manifestHash", computation.manifest.to_string()),
        ("stella:rootHash", computation.root.to_string()),
        ("stella:score", score_text(computation.score)),
    ];
    let metadata = Object::new()
        .with("component", subject)
        .with(
            "properties",
            Value::Array(
                properties
                    .map(|(name, value)| property(name, &value))
                    .into(),
            ),
        )
        .with("tools", tools);
    Value::Object(
        Object::new()
            .with("bomFormat", "CycloneDX")
            .with("components", Value::Array(components.collect()))
            .with("metadata", metadata)
            .with("specVersion", "1.6")
            .with("version", 1u32)
            .with(
                "vulnerabilities",
                Value::Array(counted.map(vulnerability).collect()),
            ),
    )
}

fn property(name: &'static str, value: &str) -> Value {
    Value::Object(Object::new().with("name", name).with("value", text(value)))
}

fn component(finding: &Finding) -> Value {
    let purl = &finding.purl;
    let mut object = Object::new()
        .with("bom-ref", text(purl.as_str()))
        .with("name", text(purl.name()))
        .with("purl", text(purl.as_str()))
        .with("type", "library");
    if let Some(group) = purl.namespace() {
        object.insert("group", text(group));
    }
    if let Some(version) = purl.version() {
        object.insert("version", text(version));
    }
    Value::Object(object)
}

fn vulnerability(finding: &Finding) -> Value {
    let affects = Object::new().with("ref", text(finding.purl.as_str()));
    let aliases = finding.aliases.iter().map(|alias| {
        let source = Object::new().with("name", text(prefix(alias)));
        Value::Object(Object::new().with("id", text(alias)).with("source", source))
    });
    let mut object = Object::new()
        .with("affects", Value::Array(vec![Value::Object(affects)]))
        .with("bom-ref", finding.id.to_string())
        .with("id", text(&finding.advisory_id))
        .with("ratings", Value::Array(ratings(finding)))
        .with("references", Value::Array(aliases.collect()))
        .with("source", Object::new().with("name", text(&finding.source)));
    if !finding.summary.is_empty() {
        object.insert("description", text(&finding.summary));
    }
    if !finding.fixed.is_empty() {
        object.insert(
            "recommendation",
            format!("Update to {}", finding.fixed.join(" or ")),
        );
    }
    if let Some(vex) = &finding.vex {
        object.insert("analysis", analysis(vex));
    }
    Value::Object(object)
}

/// Who assigns ids of this form: the part before the first hyphen.
fn prefix(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// The prevailing severity, and the policy's total as a rating of its own method.
fn ratings(finding: &Finding) -> Vec<Value> {
    let mut ratings = Vec::new();
    if let Some(severity) = &finding.severity {
        let mut rating = Object::new()
            .with("method", method(version(severity)))
            .with("severity", severity.word.map_or("unknown", word))
            .with(
                "source",
                Object::new().with("name", text(&severity.provider)),
            );
        if let Some(score) = severity.score {
            rating.insert("score", decimal(&score.to_string()));
        }
        if version(severity).is_some() {
            rating.insert("vector", text(&severity.vector));
        }
        ratings.push(Value::Object(rating));
    } else {
        ratings.push(Value::Object(Object::new().with("severity", "unknown")));
    }
    if let Some(score) = finding.score {
        let rating = Object::new()
            .with("method", "other")
            .with("score", super::score(score))
            .with("source", Object::new().with("name", "stella"));
        ratings.push(Value::Object(rating));
    }
    ratings
}

const fn method(version: Option<CvssVersion>) -> &'static str {
    match version {
        Some(CvssVersion::V2) => "CVSSv2",
        Some(CvssVersion::V3_0) => "CVSSv3",
        Some(CvssVersion::V3_1) => "CVSSv31",
        Some(CvssVersion::V4_0) => "CVSSv4",
        None => "other",
    }
}

/// CycloneDX has no "negligible".
const fn word(word: SeverityWord) -> &'static str {
    match word {
        SeverityWord::Negligible => "info",
        other => other.name(),
    }
}

fn analysis(vex: &VexOutcome) -> Object {
    let state = match vex.status {
        VexStatus::NotAffected => "not_affected",
        VexStatus::Affected => "exploitable",
        VexStatus::Fixed => "resolved",
        VexStatus::UnderInvestigation => "in_triage",
    };
    let mut object = Object::new().with("state", state);
    if let Some(why) = vex.justification.as_deref() {
        match justification(why) {
            Some(known) => object.insert("justification", known),
            None => object.insert("detail", text(why)),
        };
    }
    object
}

/// CISA's status justifications in CycloneDX's words; CycloneDX's own pass.
fn justification(word: &str) -> Option<&'static str> {
    Some(match word {
        "component_not_present" | "vulnerable_code_not_present" | "code_not_present" => {
            "code_not_present"
        }
        "vulnerable_code_not_in_execute_path" | "code_not_reachable" => "code_not_reachable",
        "vulnerable_code_cannot_be_controlled_by_adversary" | "requires_environment" => {
            "requires_environment"
        }
        "inline_mitigations_already_exist" | "protected_by_mitigating_control" => {
            "protected_by_mitigating_control"
        }
        "requires_configuration" => "requires_configuration",
        "requires_dependency" => "requires_dependency",
        "protected_by_compiler" => "protected_by_compiler",
        "protected_at_runtime" => "protected_at_runtime",
        "protected_at_perimeter" => "protected_at_perimeter",
        _ => return None,
    })
}
