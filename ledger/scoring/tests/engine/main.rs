//! Engine 1: invariants, every kind of fact, refusals, golden roots.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests report by panicking"
)]

mod golden;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use stella_scoring::engine::{Computation, EngineError, Finding, Threads, compute};
use stella_scoring::model::{VexFit, VexStatus};
use stella_scoring::policy::{Applied, BUILT_IN, MAX_TOTAL, Policy};
use stella_verify::json::Value;
use stella_verify::manifest::EngineVersion;
use stella_verify::node::SealedNode;
use stella_verify::score_proof::ScoreProof;
use stella_verify::units::BasisPoints;
use support::{World, policy, statement, world};

fn finding<'a>(computation: &'a Computation, advisory: &str) -> &'a Finding {
    let found = computation
        .findings
        .iter()
        .find(|f| &*f.advisory_id == advisory);
    found.unwrap_or_else(|| panic!("no finding of {advisory}"))
}

fn node<'a>(computation: &'a Computation, rule: &str, advisory: &str) -> &'a SealedNode {
    let found = computation.nodes.iter().find(|node| {
        let parts = node.node().parts();
        parts.rule_id == rule && parts.subject.advisory_id.as_deref().unwrap_or("") == advisory
    });
    found.unwrap_or_else(|| panic!("no node {rule} of {advisory}"))
}

fn out(node: &SealedNode, member: &str) -> Option<Value> {
    node.node().parts().outputs.get(member).cloned()
}

/// What must hold of every computation.
fn check(computation: &Computation) {
    let proof = ScoreProof::new(computation.nodes.clone()).unwrap();
    proof.check_order(computation.manifest).unwrap();
    assert_eq!(proof.root(), computation.root);
    assert_eq!(proof.score(), computation.score);
    assert_eq!(ScoreProof::parse(&proof.to_bytes()).unwrap(), proof);
    let sum =
        |deltas: &mut dyn Iterator<Item = BasisPoints>| deltas.map(BasisPoints::get).sum::<i64>();
    for finding in &computation.findings {
        let total = finding.score.map_or(0, BasisPoints::get);
        assert_eq!(sum(&mut finding.rules.iter().map(|rule| rule.delta)), total);
        assert_eq!(
            finding.score.is_some(),
            finding.duplicate_of.is_none() && !finding.rules.is_empty()
        );
    }
    for component in &computation.components {
        let contributed = sum(&mut component.findings.iter().map(|part| part.delta));
        let ruled = sum(&mut component.rules.iter().map(|rule| rule.delta));
        assert_eq!(contributed + ruled, component.total.get());
    }
    let components = sum(&mut computation
        .components
        .iter()
        .map(|component| component.contribution));
    let rules = (computation.nodes.iter())
        .map(|node| node.node().parts())
        .filter(|parts| {
            parts.rule_id.starts_with("rule.") && parts.scope == stella_verify::node::Scope::Scan
        });
    assert_eq!(
        components + sum(&mut rules.map(|parts| parts.delta)),
        computation.score.get()
    );
    for node in &computation.nodes {
        let parts = node.node().parts();
        assert!(
            (0..=MAX_TOTAL.get()).contains(&parts.total.get()),
            "{parts:?}"
        );
        assert!(
            node.bytes().len() < 4096,
            "{} bytes: {parts:?}",
            node.bytes().len()
        );
    }
}

#[test]
fn every_built_in_policy_gives_a_well_formed_proof() {
    for built_in in BUILT_IN {
        let computation = world().with_policy(policy(built_in.name)).compute();
        check(&computation);
        assert!(computation.score.get() > 0, "{}", built_in.name);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let world = many_packages(300);
    let one = compute(&world.inputs(), Threads::new(1)).unwrap();
    check(&one);
    for threads in [2, 4, 16] {
        let other = compute(&world.inputs(), Threads::new(threads)).unwrap();
        assert_eq!(other, one, "{threads} threads");
    }
}

/// The fixture's packages many times over, under other names.
fn many_packages(times: u32) -> World {
    let mut build = support::Builder::new();
    for place in 0..times {
        let purl = format!("pkg:npm/p{place}@1.0.{place}");
        let at = build.component(&purl, stella_scoring::model::Scope::Required, place % 5);
        let id = format!("GHSA-{place}");
        let kind = stella_scoring::model::AdvisoryKind::Vulnerability;
        let advisory = build.advisory(&id, kind, &[at], &["2.0.0"]);
        build.group(&[advisory], &[&id]);
        let vector = format!(
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:{}/I:L/A:N",
            ["H", "L", "N"][place as usize % 3]
        );
        let stated = support::cvss(&vector, None, "nvd", &id);
        build.feed.severities.insert(id.clone(), vec![stated]);
        build
            .feed
            .epss
            .insert(id.clone(), support::epss(&id, place * 300));
    }
    let (feed, components) = build.finish();
    let mut world = world();
    world.feed = feed;
    world.bom.components = components;
    world.renamed("many", "vex")
}

#[test]
fn one_flaw_under_two_ids_counts_once() {
    let computation = world().compute();
    let counted = finding(&computation, "CVE-2024-1");
    let duplicate = finding(&computation, "GHSA-aaaa");
    assert_eq!(duplicate.duplicate_of, Some(counted.id));
    assert_eq!(duplicate.score, None);
    assert!(duplicate.rules.is_empty());
    assert_eq!(counted.aliases, [Box::from("GHSA-aaaa")]);
    assert_eq!(counted.components.len(), 2);
    let group = node(&computation, "alias-group", "CVE-2024-1");
    assert_eq!(group.node().parts().parents.len(), 2);
}

#[test]
fn unknown_severity_is_not_zero() {
    let computation = world().compute();
    let unrated = finding(&computation, "GHSA-cccc");
    assert_eq!(unrated.severity, None);
    let rules: BTreeMap<_, _> = unrated
        .rules
        .iter()
        .map(|rule| (&*rule.rule, rule))
        .collect();
    let missing = |names: &[&str]| Applied::Unknown(names.iter().map(|&n| n.into()).collect());
    assert_eq!(
        rules["severity"].applied,
        missing(&["severity.score", "severity.word"])
    );
    assert_eq!(rules["severity-unknown"].delta.get(), 5000);
    assert_eq!(rules["epss"].applied, missing(&["epss.probability"]));
    // Optional dependency: x 0.7.
    assert_eq!(unrated.score.unwrap().get(), 3500);
    let silent = node(&computation, "rule.epss", "GHSA-cccc");
    assert_eq!(out(silent, "applied"), Some(Value::Bool(false)));
    assert_eq!(silent.node().parts().delta.get(), 0);
}

#[test]
fn published_and_recomputed_scores_are_both_recorded() {
    let computation = world().compute();
    let severity = node(&computation, "fact.severity", "GHSA-bbbb")
        .node()
        .parts();
    let stated = severity.inputs.get("stated").unwrap().as_array().unwrap()[0]
        .as_object()
        .unwrap();
    let number = |name: &str| stated.get(name).unwrap().as_integer().unwrap().get();
    assert_eq!((number("published"), number("recomputed")), (64, 61));
    let counts = finding(&computation, "GHSA-bbbb")
        .severity
        .as_ref()
        .unwrap();
    assert_eq!(counts.score.unwrap().get(), 61);
    let broken = node(&computation, "fact.severity", "GO-2024-5")
        .node()
        .parts();
    let broken = broken.inputs.get("stated").unwrap().as_array().unwrap();
    let refused = broken
        .iter()
        .filter_map(|s| s.as_object()?.get("refused")?.as_str().map(str::to_owned));
    assert_eq!(
        refused.collect::<Vec<_>>(),
        ["mandatory metric A is missing"]
    );
}

#[test]
fn an_exploited_flaw_keeps_its_floor() {
    let computation = world().compute();
    let exploited = finding(&computation, "CVE-2024-1");
    // CVSS 4.0 prevails: 9.3; EPSS above 0.5 adds 12.5; held to 100.
    assert_eq!(
        exploited.severity.as_ref().unwrap().score.unwrap().get(),
        93
    );
    assert_eq!(exploited.kev, Some(true));
    assert_eq!(exploited.score.unwrap().get(), 10_000);
    assert!(!computation.passes());
}

#[test]
fn vex_clears_and_a_conflict_is_a_node() {
    let computation = world().compute();
    let cleared = finding(&computation, "RUSTSEC-1");
    assert_eq!(cleared.score, Some(BasisPoints::ZERO));
    assert!(!cleared.vex.as_ref().unwrap().conflict);
    node(&computation, "fact.vex", "RUSTSEC-1");
    let contested = finding(&computation, "RUSTSEC-2");
    let vex = contested.vex.as_ref().unwrap();
    assert!(vex.conflict);
    assert_eq!(vex.status, VexStatus::NotAffected);
    let conflict = node(&computation, "fact.vex-conflict", "RUSTSEC-2");
    assert_eq!(out(conflict, "decidedBy"), Some("fit".into()));
    assert_eq!(conflict.node().parts().evidence.len(), 2);
    // 8000 x 0.25, no fix.
    assert_eq!(contested.score.unwrap().get(), 2000);
}

#[test]
fn the_order_of_vex_documents_does_not_matter() {
    let mut world = world();
    let extra = statement("CVE-2024-4", "lab", VexStatus::Fixed, 9_000);
    world
        .vex
        .statements
        .push((extra, VexFit::ComponentInArtifact));
    let straight = world.compute();
    world.vex.statements.reverse();
    let reversed = world.compute();
    assert_eq!(
        finding(&straight, "RUSTSEC-2").vex.as_ref().unwrap().status,
        finding(&reversed, "RUSTSEC-2").vex.as_ref().unwrap().status,
    );
}

#[test]
fn reachability_moves_the_score_both_ways() {
    let computation = world().compute();
    // 9800 x 0.2 + 200.
    assert_eq!(
        finding(&computation, "GO-2024-5").score.unwrap().get(),
        2160
    );
    // 6100 x 1 x 0.8 + 200.
    assert_eq!(
        finding(&computation, "GO-2024-6").score.unwrap().get(),
        5080
    );
}

#[test]
fn informational_advisories_are_found_and_not_scored() {
    let computation = world().compute();
    let info = finding(&computation, "RUSTSEC-3");
    assert_eq!((info.score, info.duplicate_of), (None, None));
    assert!(
        computation
            .components
            .iter()
            .all(|component| component.purl != info.purl)
    );
    let text = BUILT_IN[0].text.replace(
        "scored: [vulnerability, malicious]",
        "scored: [vulnerability, unmaintained]",
    );
    let scored = world().with_policy(Policy::parse(&text).unwrap()).compute();
    check(&scored);
    assert_eq!(finding(&scored, "RUSTSEC-3").score.unwrap().get(), 5000);
}

#[test]
fn a_component_takes_the_strongest_of_its_places() {
    let computation = world().compute();
    let scope = node(&computation, "rule.dependency-scope", "CVE-2024-1");
    let read = scope.node().parts().inputs.get("component.scope").unwrap();
    assert_eq!(read.as_str(), Some("required"));
}

#[test]
fn an_artifact_without_findings_scores_zero_and_passes() {
    let mut world = world();
    world.feed.matches.matches.clear();
    let computation = world.compute();
    check(&computation);
    assert_eq!(computation.score, BasisPoints::ZERO);
    assert!(computation.passes());
}

#[test]
fn inputs_that_the_manifest_does_not_name_are_refused() {
    let check = |change: &dyn Fn(&mut World), member: &str| {
        let mut world = world();
        change(&mut world);
        match compute(&world.inputs(), Threads::ONE) {
            Err(EngineError::Input { member: found, .. }) => assert_eq!(found, member),
            other => panic!("{member}: {other:?}"),
        }
    };
    check(&|world| world.feed.name.push('x'), "concelierSnapshotHash");
    check(&|world| world.vex.name.push('x'), "excititorSnapshotHash");
    check(
        &|world| world.policy = policy("risk-v1"),
        "latticePolicyHash",
    );
    check(&|world| world.reachability = None, "reachabilityDigest");
    check(
        &|world| world.manifest.reachability_digest = None,
        "reachabilityDigest",
    );
    check(
        &|world| world.bom.digest = world.manifest.artifact_digest,
        "sbomDigest",
    );
}

#[test]
fn unknown_engines_and_knobs_are_refused() {
    let mut changed = world();
    changed.manifest.engine_version = EngineVersion::new(2);
    let error = compute(&changed.inputs(), Threads::ONE).unwrap_err();
    assert_eq!(error, EngineError::Version(EngineVersion::new(2)));
    let mut changed = world();
    changed
        .manifest
        .knobs
        .insert("provenance".into(), "signed".into());
    let error = compute(&changed.inputs(), Threads::ONE).unwrap_err();
    assert_eq!(error, EngineError::Knob("provenance".into()));
    let mut changed = changed.with_policy(policy("risk-v1"));
    let signed = changed.compute().score;
    changed
        .manifest
        .knobs
        .insert("provenance".into(), "guessed".into());
    let error = compute(&changed.inputs(), Threads::ONE).unwrap_err();
    assert!(matches!(error, EngineError::KnobValue { .. }), "{error}");
    changed.manifest.knobs.clear();
    // Unsigned instead of signed: 0.3 x 15 % of the scale.
    assert_eq!(changed.compute().score.get() - signed.get(), 450);
}

#[test]
fn the_decision_table_decides_and_says_what_it_could_not() {
    let computation = world().with_policy(policy("ssvc-coordinator")).compute();
    let decided = node(&computation, "rule.coordinator", "CVE-2024-1");
    assert_eq!(out(decided, "decision"), Some("act".into()));
    let undecided = node(&computation, "rule.coordinator", "GHSA-bbbb");
    assert_eq!(out(undecided, "because"), Some("unknown".into()));
    assert_eq!(
        finding(&computation, "GHSA-bbbb").score.unwrap().get(),
        7500
    );
}

#[test]
fn warnings_stand_in_the_proof() {
    let computation = world().compute();
    let warning = computation.nodes.iter().map(|node| node.node().parts());
    let warning: Vec<_> = warning.filter(|parts| parts.rule_id == "warning").collect();
    assert_eq!(warning.len(), 1);
    assert_eq!(
        warning[0].inputs.get("code").unwrap().as_str(),
        Some("purl-invalid")
    );
    assert_eq!(
        warning[0].evidence[0].pointer.as_deref(),
        Some("/components/9")
    );
}
