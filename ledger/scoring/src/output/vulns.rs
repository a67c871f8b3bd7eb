//! The in-toto vulnerability predicate (in-toto/attestation, `spec/predicates/vulns_02.md`).

use super::{RunContext, epss_text, text, version};
use crate::cvss::CvssVersion;
use crate::engine::{Computation, Finding};
use crate::explain::score_text;
use crate::model::SeverityWord;
use stella_verify::json::{Object, Value};
use stella_verify::manifest::ScanManifest;

/// `_type` of an in-toto statement.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// `predicateType` of the statement that carries [`vulns_predicate`].
pub const VULNS_PREDICATE_TYPE: &str = "https://in-toto.io/attestation/vulns/v0.2";

/// The whole statement (in-toto Statement v1), ready to be signed: the artifact is its subject.
#[must_use]
pub fn vulns_statement(
    computation: &Computation,
    manifest: &ScanManifest,
    context: &RunContext,
) -> Value {
    let name = manifest.artifact_purl.as_deref();
    let digest = manifest.artifact_digest.to_string();
    let digest = digest.trim_start_matches("sha256:").to_owned();
    let subject = Object::new()
        .with("digest", Object::new().with("sha256", digest))
        .with("name", text(name.unwrap_or(&context.sbom_name)));
    Value::Object(
        Object::new()
            .with("_type", STATEMENT_TYPE)
            .with("predicate", vulns_predicate(computation, manifest, context))
            .with("predicateType", VULNS_PREDICATE_TYPE)
            .with("subject", Value::Array(vec![Value::Object(subject)])),
    )
}

/// The computation as a predicate: one result for each finding that counts, with every severity as
/// text. The subject of the statement is the artifact's digest.
#[must_use]
pub fn vulns_predicate(
    computation: &Computation,
    manifest: &ScanManifest,
    context: &RunContext,
) -> Value {
    let counted = (computation.findings.iter()).filter(|finding| finding.score.is_some());
    let database = Object::new()
        .with("lastUpdate", text(&context.feed_updated))
        .with("uri", "stella:feed-snapshot")
        .with("version", manifest.concelier_snapshot.to_string());
    let scanner = Object::new()
        .with("db", database)
        .with("result", Value::Array(counted.map(result).collect()))
        .with("uri", "pkg:generic/stella")
        .with("version", text(&context.tool_version));
    let metadata = Object::new()
        .with("scanFinishedOn", text(&context.times.1))
        .with("scanStartedOn", text(&context.times.0));
    Value::Object(
        Object::new()
            .with("metadata", metadata)
            .with("scanner", scanner),
    )
}

fn result(finding: &Finding) -> Value {
    let mut severities = Vec::new();
    let mut add = |method: &'static str, score: &str| {
        let severity = Object::new()
            .with("method", method)
            .with("score", text(score));
        severities.push(Value::Object(severity));
    };
    if let Some(severity) = &finding.severity {
        if let Some(score) = severity.score {
            add(cvss_method(version(severity)), &score.to_string());
        }
        add("word", severity.word.map_or("unknown", SeverityWord::name));
    } else {
        add("word", "unknown");
    }
    if let Some(probability) = finding.epss {
        add("epss", &epss_text(probability));
    }
    if let Some(score) = finding.score {
        add("stella", &score_text(score));
    }
    let mut annotations = vec![
        annotation("purl", finding.purl.as_str()),
        annotation("finding", &finding.id.to_string()),
        annotation("aliases", &finding.aliases.join(" ")),
    ];
    if let Some(vex) = &finding.vex {
        annotations.push(annotation("vex", vex.status.name()));
    }
    Value::Object(
        Object::new()
            .with("annotations", Value::Array(annotations))
            .with("id", text(&finding.advisory_id))
            .with("severity", Value::Array(severities)),
    )
}

fn annotation(name: &'static str, value: &str) -> Value {
    Value::Object(Object::new().with(name, text(value)))
}

const fn cvss_method(version: Option<CvssVersion>) -> &'static str {
    match version {
        Some(CvssVersion::V2) => "cvss_v2",
        Some(CvssVersion::V3_0) => "cvss_v3.0",
        Some(CvssVersion::V3_1) => "cvss_v3.1",
        Some(CvssVersion::V4_0) => "cvss_v4.0",
        None => "cvss",
    }
}
