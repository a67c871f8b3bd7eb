//! From files to roots: the readers, the matcher and the engine together, on inputs of every format.
//! Golden roots pin all of them for engine 1, in debug and release builds alike.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests report by panicking"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;
use stella_scoring::engine::{CURRENT_ENGINE, Computation, EngineInputs, Threads, compute};
use stella_scoring::inputs::{reachability, sbom};
use stella_scoring::model::{FeedSnapshot as _, VexSnapshot as _};
use stella_scoring::policy::{BUILT_IN, Policy};
use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex, Imported, VexIndex};
use stella_verify::hash::BlobDigest;
use stella_verify::manifest::{ScanManifest, Seed};
use stella_verify::score_proof::ScoreProof;
use stella_verify::snapshot::SnapshotKind;

/// A file: its name and its text.
type File = (&'static str, String);

fn entry(ecosystem: &str, name: &str, fixed: &str) -> Value {
    let kind = if ecosystem == "npm" {
        "SEMVER"
    } else {
        "ECOSYSTEM"
    };
    json!({"package": {"ecosystem": ecosystem, "name": name},
        "ranges": [{"type": kind, "events": [{"introduced": "0"}, {"fixed": fixed}]}]})
}

fn document() -> String {
    let component = |reference: &str, purl: &str, scope: &str| json!({"type": "library", "name": reference, "bom-ref": reference, "purl": purl, "scope": scope});
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": {"component": {"type": "application", "name": "app", "bom-ref": "app",
            "purl": "pkg:npm/app@1.0.0"}},
        "components": [
            component("left", "pkg:npm/left@1.0.0", "required"),
            component("again", "pkg:npm/left@1.0.0", "optional"),
            component("scoped", "pkg:npm/%40org/pad@2.0.0", "optional"),
            component("py", "pkg:pypi/Some_Thing@1.0", "required"),
            component("lib", "pkg:deb/debian/libc6@2.36-9?distro=debian-12&upstream=glibc", "required"),
            component("odd", "not a purl", "required"),
        ],
        "dependencies": [
            {"ref": "app", "dependsOn": ["left", "lib", "gone"]},
            {"ref": "left", "dependsOn": ["scoped"]}, {"ref": "scoped", "dependsOn": ["left", "py"]},
        ],
    })
    .to_string()
}

fn feed_files() -> Vec<File> {
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let severity = json!([{"type": "CVSS_V3", "score": vector}]);
    let record = |id: &str, more: Value, affected: Value| {
        let mut record = json!({"id": id, "summary": format!("Flaw {id}"), "affected": [affected]});
        for (name, value) in more.as_object().unwrap() {
            record[name] = value.clone();
        }
        record.to_string()
    };
    let kev = json!({"vulnerabilities": [{"cveID": "CVE-2026-1", "dateAdded": "2026-01-02",
        "knownRansomwareCampaignUse": "Known"}]});
    vec![
        (
            "1.json",
            record(
                "GHSA-1",
                json!({"aliases": ["CVE-2026-1"], "severity": severity}),
                entry("npm", "left", "1.1.0"),
            ),
        ),
        (
            "2.json",
            record(
                "SNYK-1",
                json!({"aliases": ["CVE-2026-1"]}),
                entry("npm", "left", "1.2.0"),
            ),
        ),
        (
            "3.json",
            record(
                "GHSA-2",
                json!({"aliases": ["CVE-2026-2"]}),
                entry("npm", "@org/pad", "3.0.0"),
            ),
        ),
        (
            "4.json",
            record(
                "PYSEC-1",
                json!({"aliases": ["CVE-2026-3"]}),
                entry("PyPI", "some-thing", "2"),
            ),
        ),
        (
            "5.json",
            record(
                "DSA-1",
                json!({"upstream": ["CVE-2026-4", "CVE-2026-5"]}),
                entry("Debian:12", "glibc", "2.36-9+deb12u4"),
            ),
        ),
        (
            "6.json",
            record(
                "DEBIAN-CVE-2026-4",
                json!({"upstream": ["CVE-2026-4"]}),
                entry("Debian:12", "glibc", "2.36-9+deb12u4"),
            ),
        ),
        (
            "epss.csv",
            "#model_version:v2025.03.14,score_date:2026-01-01T00:00:00+0000\ncve,epss,percentile\n\
            CVE-2026-1,0.94358,0.99\nCVE-2026-3,0.00043,0.09\nCVE-2026-5,0.5,0.9\n"
                .to_owned(),
        ),
        ("kev.json", kev.to_string()),
        (
            "join.tsv",
            format!(
                "cve\tcvss_version\tvector\tpublished_base\tprovider\tssvc_exploitation\t\
            ssvc_automatable\tssvc_technical_impact\tkev_date_added\n\
            CVE-2026-3\t3.1\t{vector}\t9.1\tCNA:x\tpoc\tno\tpartial\t\n\
            CVE-2026-4\t3.1\tCVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N\t2.5\tCISA-ADP\tnone\tno\tpartial\t\n"
            ),
        ),
    ]
}

fn vex_files() -> Vec<File> {
    let open = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:vex:1", "author": "us",
        "timestamp": "2026-01-01T00:00:00Z", "version": 1,
        "statements": [{"vulnerability": {"name": "CVE-2026-2"},
            "products": [{"@id": "pkg:npm/%40org/pad@2.0.0"}], "status": "not_affected",
            "justification": "vulnerable_code_not_present"}],
    });
    let csaf = json!({
        "document": {"csaf_version": "2.0", "category": "csaf_vex", "title": "t",
            "publisher": {"name": "them", "category": "vendor", "namespace": "https://example.org"},
            "tracking": {"id": "T-1", "version": "1", "current_release_date": "2026-02-01T00:00:00Z"}},
        "product_tree": {"full_product_names": [{"product_id": "P", "name": "pad",
            "product_identification_helper": {"purl": "pkg:npm/%40org/pad@2.0.0"}}]},
        "vulnerabilities": [{"cve": "CVE-2026-2", "product_status": {"known_affected": ["P"]}}],
    });
    let cyclonedx = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5",
        "components": [{"type": "library", "name": "some-thing", "bom-ref": "p", "purl": "pkg:pypi/some-thing@1.0"}],
        "vulnerabilities": [{"id": "CVE-2026-3", "analysis": {"state": "in_triage"},
            "affects": [{"ref": "p"}]}],
    });
    vec![
        ("open.json", open.to_string()),
        ("csaf.json", csaf.to_string()),
        ("cdx.json", cyclonedx.to_string()),
    ]
}

fn reach() -> String {
    json!({"schema": "stella.reachability/v1", "facts": [
        {"purl": "pkg:pypi/some-thing@1.0", "vulnerability": "CVE-2026-3", "level": "symbol",
            "hops": 4, "gates": ["auth-required"]},
        {"purl": "pkg:npm/left@1.0.0", "vulnerability": "GHSA-1", "level": "module"}]})
    .to_string()
}

fn import(kind: SnapshotKind, files: &[File]) -> Imported {
    let mut builder = Builder::new(kind);
    for (name, text) in files {
        builder.add(name, text.as_bytes()).unwrap();
    }
    builder.finish(BadRecords::Refuse).unwrap()
}

fn score(feed: &[File], vex: &[File], policy: &Policy, threads: usize) -> Computation {
    let bom = sbom::read(document().as_bytes()).unwrap();
    let feed = FeedIndex::load(&import(SnapshotKind::Concelier, feed).records).unwrap();
    let vex = VexIndex::load(&import(SnapshotKind::Excititor, vex).records).unwrap();
    let facts = reachability::read(reach().as_bytes()).unwrap();
    let manifest = ScanManifest {
        artifact_digest: BlobDigest::new([7; 32]),
        artifact_purl: Some("pkg:npm/app@1.0.0".into()),
        sbom_digest: bom.digest,
        reachability_digest: Some(facts.digest),
        concelier_snapshot: feed.hash(),
        excititor_snapshot: vex.hash(),
        lattice_policy: policy.hash(),
        engine_version: CURRENT_ENGINE,
        scanner_version: "test".into(),
        worker_version: "test".into(),
        seed: Seed::default(),
        knobs: std::collections::BTreeMap::new(),
    };
    let inputs = EngineInputs {
        manifest: &manifest,
        bom: &bom,
        feed: &feed,
        vex: &vex,
        reachability: Some(&facts),
        policy,
    };
    compute(&inputs, Threads::new(threads)).unwrap()
}

/// Roots of engine 1 from files. One that moves is another engine, or another reader: see
/// `engine/mod.rs`.
#[test]
fn golden_roots_from_files_never_move() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/engine/v1-files.jsonl");
    let mut lines = String::new();
    for built_in in BUILT_IN {
        let computed = score(&feed_files(), &vex_files(), &built_in.policy().unwrap(), 1);
        let line = json!({
            "name": built_in.name, "manifestHash": computed.manifest.to_string(),
            "nodes": computed.nodes.len(), "root": computed.root.to_string(),
            "scoreBps": computed.score.get(), "findings": computed.findings.len(),
        });
        writeln!(lines, "{line}").unwrap();
    }
    if std::env::var_os("STELLA_BLESS").is_some() {
        std::fs::write(&path, &lines).unwrap();
    }
    assert_eq!(lines, std::fs::read_to_string(&path).unwrap());
}

#[test]
fn every_kind_of_fact_reaches_its_finding() {
    let policy = BUILT_IN[0].policy().unwrap();
    let computed = score(&feed_files(), &vex_files(), &policy, 1);
    let finding = |id: &str| {
        let found = computed
            .findings
            .iter()
            .find(|finding| &*finding.advisory_id == id);
        found.unwrap_or_else(|| panic!("no finding {id}"))
    };
    assert_eq!(computed.findings.len(), 6);
    let exploited = finding("GHSA-1");
    assert_eq!((exploited.kev, exploited.epss), (Some(true), Some(94_358)));
    assert_eq!((exploited.components.len(), exploited.depth), (2, Some(1)));
    assert_eq!(finding("SNYK-1").duplicate_of, Some(exploited.id));
    let contested = finding("GHSA-2").vex.as_ref().unwrap();
    assert!(contested.conflict, "one author clears it, another does not");
    let python = finding("PYSEC-1");
    assert_eq!(python.ssvc.exploitation.as_deref(), Some("poc"));
    assert_eq!(
        python.severity.as_ref().unwrap().score.unwrap().to_string(),
        "9.8",
        "recomputed"
    );
    // The advisory of two flaws has the facts of both; that of one is one of them.
    assert_eq!(finding("DSA-1").epss, Some(50_000));
    assert_eq!(&*finding("DEBIAN-CVE-2026-4").flaw, "CVE-2026-4");
    assert!(finding("DEBIAN-CVE-2026-4").epss.is_none());
    let rules: Vec<_> = computed
        .nodes
        .iter()
        .map(|node| node.node().parts().rule_id.to_string())
        .collect();
    assert!(rules.iter().any(|rule| rule == "fact.vex-conflict"));
    let warnings: Vec<_> = computed
        .warnings
        .iter()
        .map(|warning| warning.code.name())
        .collect();
    assert_eq!(
        warnings,
        ["purl-invalid", "reference-broken", "dependency-loop"]
    );
}

/// A rule of a policy is told from the engine's own nodes by its id, whatever it is called.
#[test]
fn a_policy_rule_never_has_the_id_of_an_engine_node() {
    let policy = "schema: stella.policy/v1\nname: x\nrules:\n\
        \x20 - {id: match, set: 1}\n  - {id: alias-group, add: 1}\n  - {id: score, add: 1}\n\
        \x20 - {id: matching, scope: scan, add: 1}\n  - {id: warning, scope: scan, add: 1}\n\
        gates:\n  - {id: match, fail-when: {fact: total, above: 1}}\n";
    let computed = score(
        &feed_files(),
        &vex_files(),
        &Policy::parse(policy).unwrap(),
        1,
    );
    for node in &computed.nodes {
        let parts = node.node().parts();
        let by_policy = parts.evidence.iter().any(|at| {
            at.pointer
                .as_deref()
                .is_some_and(|p| p.starts_with("/rules/"))
        });
        assert_eq!(
            parts.rule_id.starts_with("rule."),
            by_policy,
            "{}",
            parts.rule_id
        );
    }
    // No name of a rule can make one: a name has no point.
    for id in ["score.finding", "fact.severity", "rule.x"] {
        let text = policy.replacen("id: match,", &format!("id: {id},"), 1);
        assert!(Policy::parse(&text).is_err(), "{id}");
    }
}

/// A notice about two flaws that are both found by themselves adds nothing to them.
#[test]
fn a_notice_counts_only_for_what_is_not_found_otherwise() {
    let mut files = feed_files();
    let affected = entry("Debian:12", "glibc", "2.36-9+deb12u4");
    let other =
        json!({"id": "DEBIAN-CVE-2026-5", "upstream": ["CVE-2026-5"], "affected": [affected]});
    files.push(("7.json", other.to_string()));
    let computed = score(&files, &vex_files(), &BUILT_IN[0].policy().unwrap(), 1);
    ScoreProof::new(computed.nodes.clone())
        .unwrap()
        .check_order(computed.manifest)
        .unwrap();
    let finding = |id: &str| {
        (computed.findings.iter())
            .find(|f| &*f.advisory_id == id)
            .unwrap()
    };
    let notice = finding("DSA-1");
    assert_eq!(notice.duplicate_of, Some(finding("DEBIAN-CVE-2026-4").id));
    assert_eq!(notice.score, None);
    assert!(finding("DEBIAN-CVE-2026-5").score.is_some());
    let group = computed
        .nodes
        .iter()
        .map(|node| node.node().parts())
        .find(|parts| {
            parts.rule_id == "alias-group" && parts.subject.advisory_id.as_deref() == Some("DSA-1")
        });
    assert_eq!(
        group.unwrap().outputs.get("counts").cloned(),
        Some("DEBIAN-CVE-2026-4".into())
    );
    let outline = stella_scoring::explain::Outline::of(&computed.nodes).unwrap();
    let shares: i64 = outline.findings().map(|finding| finding.share.get()).sum();
    assert_eq!(shares, computed.score.get());
}

static ONCE: LazyLock<Computation> = LazyLock::new(|| {
    score(
        &feed_files(),
        &vex_files(),
        &BUILT_IN[0].policy().unwrap(),
        1,
    )
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_files_and_no_number_of_threads_changes_a_byte(
        feed in Just(feed_files()).prop_shuffle(),
        vex in Just(vex_files()).prop_shuffle(),
        threads in prop::sample::select(vec![1_usize, 4, 16]),
    ) {
        let other = score(&feed, &vex, &BUILT_IN[0].policy().unwrap(), threads);
        let bytes = |computed: &Computation| ScoreProof::new(computed.nodes.clone()).unwrap().to_bytes();
        prop_assert_eq!(bytes(&other), bytes(&ONCE));
        prop_assert_eq!(&other, &*ONCE);
    }
}
