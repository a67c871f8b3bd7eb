//! SARIF 2.1.0 (OASIS): a rule for each advisory, a result for each finding.

use super::{RunContext, count, text};
use crate::engine::{Computation, Finding};
use crate::explain::score_text;
use crate::model::{AdvisoryKind, VexStatus};
use std::collections::BTreeMap;
use stella_verify::json::{Object, Value};

/// The computation as a SARIF log with one run.
///
/// `level` follows the score (70 and above: error; 40: warning; above 0: note; else none);
/// `security-severity` is the score on SARIF consumers' scale of 0.0-10.0. A finding that VEX
/// clears without contradiction is suppressed, not left out. Findings that do not count are left
/// out: the finding they duplicate stands for them, informational advisories are `none`. A result of
/// level `none` is of kind `informational`: SARIF's level says nothing of a `fail` then (3.27.10).
#[must_use]
pub fn sarif(computation: &Computation, context: &RunContext) -> Value {
    let shown: Vec<&Finding> = (computation.findings.iter())
        .filter(|finding| finding.duplicate_of.is_none_or(|other| other == finding.id))
        .collect();
    let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
    for finding in &shown {
        let slot = rules.entry(&finding.advisory_id).or_insert(finding);
        if finding.score > slot.score {
            *slot = finding;
        }
    }
    let places: BTreeMap<&str, usize> = rules
        .keys()
        .enumerate()
        .map(|(place, id)| (*id, place))
        .collect();
    let results = shown.iter().map(|finding| {
        let place = places.get(&*finding.advisory_id).copied().unwrap_or(0);
        Value::Object(result(finding, place, context))
    });
    let driver = Object::new()
        .with("name", "stella")
        .with(
            "rules",
            Value::Array(rules.values().map(|finding| rule(finding)).collect()),
        )
        .with("version", text(&context.tool_version));
    let properties = Object::new()
        .with("manifestHash", computation.manifest.to_string())
        .with("rootHash", computation.root.to_string())
        .with("score", score_text(computation.score));
    let run = Object::new()
        .with("columnKind", "unicodeCodePoints")
        .with("properties", properties)
        .with("results", Value::Array(results.collect()))
        .with("tool", Object::new().with("driver", driver));
    Value::Object(
        Object::new()
            .with("$schema", "https://json.schemastore.org/sarif-2.1.0.json")
            .with("runs", Value::Array(vec![Value::Object(run)]))
            .with("version", "2.1.0"),
    )
}

fn message(value: &str) -> Object {
    Object::new().with("text", text(value))
}

fn rule(finding: &Finding) -> Value {
    let summary = if finding.summary.is_empty() {
        &finding.advisory_id
    } else {
        &finding.summary
    };
    let mut properties = Object::new().with(
        "tags",
        Value::Array(vec!["security".into(), "vulnerability".into()]),
    );
    if let Some(score) = finding.score {
        let tenths = score.get().clamp(0, 10_000) / 100;
        let severity = format!("{}.{}", tenths / 10, tenths % 10);
        properties.insert("security-severity", severity);
    }
    Value::Object(
        Object::new()
            .with(
                "helpUri",
                format!(
                    "https://osv.dev/vulnerability/{}",
                    uri_part(&finding.advisory_id)
                ),
            )
            .with("id", text(&finding.advisory_id))
            .with("properties", properties)
            .with("shortDescription", message(summary)),
    )
}

fn result(finding: &Finding, rule: usize, context: &RunContext) -> Object {
    let level = level(finding);
    let kind = if level == "none" {
        "informational"
    } else {
        "fail"
    };
    let mut object = Object::new()
        .with("kind", kind)
        .with("level", level)
        .with("locations", Value::Array(locations(finding, context)))
        .with("message", message(&sentence(finding)))
        .with(
            "partialFingerprints",
            Object::new().with("stellaFinding/v1", finding.id.to_string()),
        )
        .with("ruleId", text(&finding.advisory_id))
        .with("ruleIndex", count(rule));
    let cleared = |status| matches!(status, VexStatus::NotAffected | VexStatus::Fixed);
    if let Some(vex) = finding
        .vex
        .as_ref()
        .filter(|vex| cleared(vex.status) && !vex.conflict)
    {
        let why = vex.justification.as_deref().unwrap_or(vex.status.name());
        let suppression = Object::new()
            .with("justification", text(why))
            .with("kind", "external")
            .with("status", "accepted");
        object.insert(
            "suppressions",
            Value::Array(vec![Value::Object(suppression)]),
        );
    }
    object
}

fn level(finding: &Finding) -> &'static str {
    match finding.score.map(stella_verify::units::BasisPoints::get) {
        Some(7000..) => "error",
        Some(4000..) => "warning",
        Some(1..) => "note",
        _ => "none",
    }
}

fn sentence(finding: &Finding) -> String {
    let kind = match finding.kind {
        AdvisoryKind::Vulnerability => "is affected by",
        AdvisoryKind::Malicious => "is reported as malicious by",
        _ => "is the subject of",
    };
    let score = finding
        .score
        .map(|score| format!(", score {}", score_text(score)));
    let fixed = finding
        .fixed
        .first()
        .map(|version| format!("; fixed in {version}"));
    format!(
        "{} {kind} {}{}{}",
        finding.purl,
        finding.advisory_id,
        score.unwrap_or_default(),
        fixed.unwrap_or_default()
    )
}

/// One location for each place of the package in the bill of materials.
fn locations(finding: &Finding, context: &RunContext) -> Vec<Value> {
    let places = finding.components.iter().map(|place| {
        let logical = Object::new()
            .with("fullyQualifiedName", text(place.as_str()))
            .with("kind", "package")
            .with("name", text(finding.purl.as_str()));
        let physical = Object::new()
            .with(
                "artifactLocation",
                Object::new().with("uri", uri_path(&context.sbom_name)),
            )
            .with("region", Object::new().with("startLine", 1u32));
        Value::Object(
            Object::new()
                .with(
                    "logicalLocations",
                    Value::Array(vec![Value::Object(logical)]),
                )
                .with("physicalLocation", physical),
        )
    });
    places.collect()
}

/// Percent-encodes what a URI path segment may not hold (RFC 3986 3.3).
fn uri_part(text: &str) -> String {
    encode(text, "-._~:@!$&'()*+,;=")
}

/// Likewise, slashes kept.
fn uri_path(text: &str) -> String {
    encode(text, "-._~:@!$&'()*+,;=/")
}

fn encode(text: &str, kept: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
