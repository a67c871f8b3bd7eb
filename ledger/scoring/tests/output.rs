//! Output formats: what their consumers rely on.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests report by panicking"
)]

mod schema;
mod support;

use serde_json::Value;
use stella_scoring::output::{
    RunContext, VULNS_PREDICATE_TYPE, csv, cyclonedx, json, sarif, vulns_predicate, vulns_statement,
};
use stella_verify::json::canonicalize;
use support::world;

fn context() -> RunContext {
    RunContext {
        tool_version: "0.1.0".into(),
        sbom_name: "my app/bom.json".into(),
        times: (
            "2026-01-01T00:00:00.000Z".into(),
            "2026-01-01T00:00:01.000Z".into(),
        ),
        feed_updated: "2025-12-31T00:00:00.000Z".into(),
    }
}

fn parsed(value: &stella_verify::json::Value) -> Value {
    serde_json::from_slice(&canonicalize(value)).unwrap()
}

fn by<'a>(items: &'a Value, member: &str, value: &str) -> &'a Value {
    let items = items.as_array().unwrap();
    let found = items.iter().find(|item| item[member] == value);
    found.unwrap_or_else(|| panic!("no {member} {value}"))
}

#[test]
fn json_has_the_score_the_manifest_and_every_finding() {
    let world = world();
    let computation = world.compute();
    let got = parsed(&json(&computation, &world.manifest, true));
    assert_eq!(got["score"], 100);
    assert_eq!(got["verdict"], "fail");
    assert_eq!(got["manifest"]["schema"], "stella.scan-manifest/v1");
    assert_eq!(got["rootHash"], computation.root.to_string());
    assert_eq!(
        got["nodes"].as_array().unwrap().len(),
        computation.nodes.len()
    );
    assert_eq!(got["nodes"][0]["id"], computation.nodes[0].id().to_string());
    assert_eq!(got["warnings"][0]["code"], "purl-invalid");
    let findings = &got["findings"];
    assert_eq!(
        findings.as_array().unwrap().len(),
        computation.findings.len()
    );
    let exploited = by(findings, "advisoryId", "CVE-2024-1");
    assert_eq!(exploited["aliases"][0], "GHSA-aaaa");
    assert_eq!(exploited["severity"]["cvss"], "9.3");
    assert_eq!(exploited["epss"], "0.97123");
    assert_eq!(exploited["ransomware"], true);
    assert_eq!(
        by(findings, "advisoryId", "GHSA-aaaa")["duplicateOf"],
        exploited["id"]
    );
    assert_eq!(
        by(findings, "advisoryId", "GHSA-cccc")["severity"]["word"],
        "unknown"
    );
    assert!(
        by(findings, "advisoryId", "RUSTSEC-3")
            .get("score")
            .is_none()
    );
    let without = parsed(&json(&computation, &world.manifest, false));
    assert!(without.get("nodes").is_none());
}

#[test]
fn csv_has_a_line_for_each_finding_and_as_many_cells_as_its_header() {
    let computation = world().compute();
    let text = csv(&computation);
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), computation.findings.len() + 1);
    let cells = lines[0].split(',').count();
    assert!(
        lines.iter().all(|line| line.split(',').count() == cells),
        "{text}"
    );
    assert!(lines.iter().any(|line| line.contains(",unknown,")));
}

#[test]
fn sarif_results_refer_to_their_rules() {
    let got = parsed(&sarif(&world().compute(), &context()));
    assert_eq!(got["version"], "2.1.0");
    let run = &got["runs"][0];
    let rules = &run["tool"]["driver"]["rules"];
    let results = run["results"].as_array().unwrap();
    // Nine matches, one of them a duplicate.
    assert_eq!(results.len(), 8);
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(result["message"]["text"].as_str().unwrap().contains("pkg:"));
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(uri, "my%20app/bom.json");
        assert!(
            result["partialFingerprints"]["stellaFinding/v1"]
                .as_str()
                .unwrap()
                .starts_with("sha256:")
        );
    }
    let cleared = by(&run["results"], "ruleId", "RUSTSEC-1");
    assert_eq!(
        cleared["suppressions"][0]["justification"],
        "vulnerable_code_not_in_execute_path"
    );
    assert!(
        by(&run["results"], "ruleId", "RUSTSEC-2")
            .get("suppressions")
            .is_none()
    );
    assert_eq!(
        by(&run["results"], "ruleId", "CVE-2024-1")["level"],
        "error"
    );
    assert_eq!(by(&run["results"], "ruleId", "RUSTSEC-3")["level"], "none");
    assert_eq!(
        by(rules, "id", "CVE-2024-1")["properties"]["security-severity"],
        "10.0"
    );
}

#[test]
fn cyclonedx_rates_and_annotates() {
    let world = world();
    let computation = world.compute();
    let got = parsed(&cyclonedx(&computation, &world.manifest, &context()));
    assert_eq!(got["bomFormat"], "CycloneDX");
    let refs: Vec<_> = got["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["bom-ref"].clone())
        .collect();
    for vulnerability in got["vulnerabilities"].as_array().unwrap() {
        assert!(refs.contains(&vulnerability["affects"][0]["ref"]));
    }
    let exploited = by(&got["vulnerabilities"], "id", "CVE-2024-1");
    assert_eq!(exploited["ratings"][0]["method"], "CVSSv4");
    assert_eq!(exploited["ratings"][0]["score"], 9.3);
    assert_eq!(exploited["ratings"][1]["source"]["name"], "stella");
    assert_eq!(
        by(&got["vulnerabilities"], "id", "GHSA-cccc")["ratings"][0]["severity"],
        "unknown"
    );
    let cleared = by(&got["vulnerabilities"], "id", "RUSTSEC-1");
    assert_eq!(cleared["analysis"]["state"], "not_affected");
    assert_eq!(cleared["analysis"]["justification"], "code_not_reachable");
}

#[test]
fn the_vulns_predicate_lists_every_severity_as_text() {
    let world = world();
    let got = parsed(&vulns_predicate(
        &world.compute(),
        &world.manifest,
        &context(),
    ));
    assert_eq!(got["metadata"]["scanStartedOn"], "2026-01-01T00:00:00.000Z");
    assert_eq!(
        got["scanner"]["db"]["version"],
        world.manifest.concelier_snapshot.to_string()
    );
    let exploited = by(&got["scanner"]["result"], "id", "CVE-2024-1");
    let severity = &exploited["severity"];
    assert_eq!(by(severity, "method", "cvss_v4.0")["score"], "9.3");
    assert_eq!(by(severity, "method", "epss")["score"], "0.97123");
    assert_eq!(by(severity, "method", "stella")["score"], "100.00");
}

#[test]
fn the_statement_names_the_artifact() {
    let world = world();
    let computation = world.compute();
    let got = parsed(&vulns_statement(&computation, &world.manifest, &context()));
    assert_eq!(got["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(got["predicateType"], VULNS_PREDICATE_TYPE);
    let digest = world.manifest.artifact_digest.to_string();
    let digest = digest.strip_prefix("sha256:").unwrap();
    assert_eq!(got["subject"][0]["digest"]["sha256"], digest);
    let predicate = parsed(&vulns_predicate(&computation, &world.manifest, &context()));
    assert_eq!(got["predicate"], predicate);
}

#[test]
fn sarif_follows_its_schema_in_what_it_uses() {
    let mut computation = world().compute();
    schema::check(&schema::SARIF, &parsed(&sarif(&computation, &context())));
    computation.findings.clear();
    schema::check(&schema::SARIF, &parsed(&sarif(&computation, &context())));
}

#[test]
fn cyclonedx_follows_its_schema_in_what_it_uses() {
    let world = world();
    let mut computation = world.compute();
    let of = |computation: &_| parsed(&cyclonedx(computation, &world.manifest, &context()));
    let full = of(&computation);
    schema::check(&schema::CYCLONEDX, &full);
    // `bom-ref` is unique over the whole document.
    let items = |name: &str| full[name].as_array().unwrap().clone();
    let mut refs: Vec<String> = (items("components").iter())
        .chain(&items("vulnerabilities"))
        .map(|item| item["bom-ref"].as_str().unwrap().to_owned())
        .collect();
    let count = refs.len();
    refs.sort();
    refs.dedup();
    assert_eq!(refs.len(), count);
    computation.findings.clear();
    schema::check(&schema::CYCLONEDX, &of(&computation));
}
