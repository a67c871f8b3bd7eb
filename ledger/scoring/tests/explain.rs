//! Explanations and diffs: they add up, they reach the inputs, and every rendering says so.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests report by panicking"
)]

mod support;

use proptest::prelude::*;
use stella_scoring::engine::Computation;
use stella_scoring::explain::{
    Change, Outline, OutlineError, ScoreDiff, View, ancestry, diff_dot, diff_json, diff_mermaid,
    diff_table, dot, first_difference, mermaid, outline_json, table, tree,
};
use stella_scoring::policy::{BUILT_IN, Policy};
use stella_verify::hash::NodeId;
use stella_verify::json::canonicalize;
use stella_verify::units::BasisPoints;
use support::{World, epss, kev, policy, world};

fn outline(computation: &Computation) -> Outline {
    Outline::of(&computation.nodes).unwrap()
}

fn sum(points: impl Iterator<Item = BasisPoints>) -> i64 {
    points.map(BasisPoints::get).sum()
}

fn diff(old: &World, new: &World) -> ScoreDiff {
    let diff = ScoreDiff::between(&outline(&old.compute()), &outline(&new.compute()));
    assert_eq!(
        sum(diff.rows.iter().map(|row| row.delta)),
        diff.new.get() - diff.old.get()
    );
    for row in &diff.rows {
        let points = |amount: Option<BasisPoints>| amount.map_or(0, BasisPoints::get);
        let rules: i64 = row
            .rules
            .iter()
            .map(|rule| points(rule.new) - points(rule.old))
            .sum();
        if row.change != Change::ScanRule {
            assert_eq!(
                rules,
                points(row.totals.1) - points(row.totals.0),
                "{row:#?}"
            );
        }
    }
    diff
}

#[test]
fn shares_of_findings_add_up_to_the_score() {
    for built_in in BUILT_IN {
        let computation = world().with_policy(policy(built_in.name)).compute();
        let outline = outline(&computation);
        let shares = sum(outline.findings().map(|finding| finding.share));
        assert_eq!(
            shares + sum(outline.rules.iter().map(|rule| rule.delta)),
            computation.score.get()
        );
        assert_eq!(outline.score, computation.score);
        assert_eq!(outline.passes, computation.passes());
        let counted = computation
            .findings
            .iter()
            .filter(|finding| finding.score.is_some());
        assert_eq!(outline.findings().count(), counted.count());
        for finding in outline.findings() {
            assert_eq!(
                sum(finding.rules.iter().map(|rule| rule.delta)),
                finding.total.get()
            );
        }
    }
}

#[test]
fn an_outline_says_what_the_computation_says() {
    let computation = world().compute();
    let outline = outline(&computation);
    for finding in computation
        .findings
        .iter()
        .filter(|finding| finding.score.is_some())
    {
        let row = outline
            .findings()
            .find(|row| row.id == finding.id.to_string())
            .unwrap();
        assert_eq!((row.node, Some(row.total)), (finding.node, finding.score));
        assert_eq!(row.rules.len(), finding.rules.len());
        assert_eq!(row.flaw, *finding.flaw);
    }
    let informational: Vec<_> = outline
        .uncounted
        .iter()
        .map(|(_, id, _)| id.as_str())
        .collect();
    assert_eq!(informational, ["RUSTSEC-3", "GHSA-aaaa"]);
}

#[test]
fn every_score_can_be_walked_down_to_its_inputs() {
    let computation = world().compute();
    let last = computation.nodes.last().unwrap().id();
    let below = ancestry(&computation.nodes, last);
    assert_eq!(below[0].id(), computation.nodes[0].id());
    let rules: Vec<_> = below
        .iter()
        .map(|node| &*node.node().parts().rule_id)
        .collect();
    for needed in [
        "input.sbom",
        "input.feed",
        "input.vex",
        "input.policy",
        "input.reachability",
        "fact.vex-conflict",
        "match",
        "rule.epss",
    ] {
        assert!(rules.contains(&needed), "{needed}");
    }
    assert!(ancestry(&computation.nodes, NodeId::new([7; 32])).is_empty());
    let finding = outline(&computation).findings().next().unwrap().node;
    let own = ancestry(&computation.nodes, finding);
    assert!(own.len() < below.len());
    let evidence = own.iter().flat_map(|node| &node.node().parts().evidence);
    assert!(evidence.clone().any(|reference| reference.entry.is_some()));
    assert!(
        evidence
            .clone()
            .any(|reference| reference.pointer.as_deref() == Some("/components/0"))
    );
}

#[test]
fn equal_computations_do_not_differ() {
    let world = world();
    let diff = diff(&world, &world);
    assert!(diff.rows.is_empty() && diff.inputs.is_empty() && diff.gates.is_empty());
    assert_eq!(diff.unchanged, 7);
    let ids: Vec<NodeId> = world
        .compute()
        .nodes
        .iter()
        .map(stella_verify::node::SealedNode::id)
        .collect();
    assert_eq!(first_difference(&ids, &ids), None);
    let shorter = first_difference(&ids, &ids[..3]).unwrap();
    assert_eq!((shorter.sequence.get(), shorter.right), (3, None));
}

#[test]
fn a_diff_names_what_changed_and_adds_up() {
    let old = world();
    let mut new = world();
    new.feed.kev.clear();
    new.feed
        .epss
        .insert("CVE-2024-2".into(), epss("CVE-2024-2", 60_000));
    new.feed
        .matches
        .matches
        .retain(|found| found.purl.name() != "log");
    let new = new.renamed("feed 2", "vex");
    let diff = diff(&old, &new);
    assert_eq!(diff.inputs.len(), 1);
    assert_eq!(diff.inputs[0].name, "feed");
    let change = |id: &str| diff.rows.iter().find(|row| row.advisory == id).unwrap();
    assert_eq!(change("GHSA-cccc").change, Change::Vanished);
    assert_eq!(
        change("CVE-2024-1")
            .facts
            .iter()
            .map(|f| f.name.as_str())
            .collect::<Vec<_>>(),
        ["fact.kev dateAdded", "fact.kev ransomware"]
    );
    let rescored = change("GHSA-bbbb");
    assert_eq!(rescored.change, Change::Rescored);
    assert_eq!(rescored.rules.len(), 1);
    assert_eq!(rescored.rules[0].rule, "epss");
    assert_eq!(
        (
            rescored.rules[0].old.unwrap().get(),
            rescored.rules[0].new.unwrap().get()
        ),
        (-500, 1250)
    );
    assert_eq!(
        diff.gates,
        [("known-exploited".to_owned(), Some(true), Some(false))]
    );
}

#[test]
fn a_diff_over_a_policy_change_adds_up() {
    let old = world();
    let new = world().with_policy(policy("risk-v1"));
    let diff = diff(&old, &new);
    assert_eq!(diff.inputs[0].name, "policy");
    assert!(diff.rows.iter().all(|row| row.change == Change::Rescored));
    let text = BUILT_IN[0].text.replace("aggregate:\n", "  - {id: house, scope: scan, multiply: 9000}\n  - {id: box, scope: component, add: 100}\n\naggregate:\n");
    let text = text.replace(
        "gates:\n",
        "gates:\n  - {id: never, fail-when: {fact: total, above: 99999}}\n",
    );
    let ruled = world().with_policy(Policy::parse(&text).unwrap());
    let diff = super_diff(&old, &ruled);
    assert!(diff.rows.iter().any(|row| row.change == Change::ScanRule));
}

/// As [`diff`]; a component's own rules move its findings' shares, not their totals.
fn super_diff(old: &World, new: &World) -> ScoreDiff {
    let diff = ScoreDiff::between(&outline(&old.compute()), &outline(&new.compute()));
    assert_eq!(
        sum(diff.rows.iter().map(|row| row.delta)),
        diff.new.get() - diff.old.get()
    );
    diff
}

#[test]
fn every_rendering_shows_the_score_and_its_causes() {
    let computation = world().compute();
    let outline = outline(&computation);
    let view = View {
        unchanged_rules: true,
        ..View::default()
    };
    let text = tree(&outline, &view);
    assert!(text.starts_with("score 100.00\n"));
    assert!(text.contains("unknown: epss.probability"));
    assert!(text.contains("/rules/0"));
    assert!(
        text.contains("[\"epss\",\"\",\"\",\"epss\",\"CVE-2024-1\"]"),
        "{text}"
    );
    assert!(text.contains("warning purl-invalid: 1"));
    let rows = table(&outline, &view);
    assert!(rows.contains("gate known-exploited: FAIL"));
    assert!(rows.trim_end().ends_with("score 100.00"));
    for graph in [mermaid(&outline, &view), dot(&outline, &view)] {
        assert!(
            graph.contains("score 100.00") && graph.contains("fact.kev") && graph.contains("sbom")
        );
    }
    let json: serde_json::Value =
        serde_json::from_slice(&canonicalize(&outline_json(&outline, &view))).unwrap();
    assert_eq!(json["scoreBps"], 10_000);
    assert_eq!(json["inputs"].as_array().unwrap().len(), 5);
}

#[test]
fn a_view_filters_and_counts_what_it_hides() {
    let outline = outline(&world().compute());
    let view = View {
        filter: Some("RUSTSEC".into()),
        ..View::default()
    };
    let rows = table(&outline, &view);
    assert!(rows.contains("RUSTSEC-2") && !rows.contains("GHSA"));
    let view = View {
        findings: 2,
        ..View::default()
    };
    assert!(table(&outline, &view).contains("(5 more findings)"));
    assert!(tree(&outline, &view).contains("5 more findings"));
}

#[test]
fn every_rendering_of_a_diff_shows_the_change() {
    let mut new = world();
    new.feed
        .kev
        .insert("CVE-2024-2".into(), kev("CVE-2024-2", false));
    let new = new.renamed("feed 2", "vex");
    let diff = diff(&world(), &new);
    let text = diff_table(&diff);
    assert!(
        text.contains("input feed: sha256:")
            && text.contains("exploited")
            && text.contains("findings unchanged")
    );
    assert!(diff_mermaid(&diff).contains("rescored GHSA-bbbb"));
    assert!(diff_dot(&diff).contains("feed changed"));
    let json: serde_json::Value = serde_json::from_slice(&canonicalize(&diff_json(&diff))).unwrap();
    let rows: i64 = json["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["deltaBps"].as_i64().unwrap())
        .sum();
    assert_eq!(json["deltaBps"].as_i64().unwrap(), rows);
}

#[test]
fn nodes_that_are_cut_off_are_refused() {
    let computation = world().compute();
    let (_, most) = computation.nodes.split_last().unwrap();
    assert_eq!(Outline::of(most), Err(OutlineError::Absent("score.scan")));
    assert_eq!(Outline::of(&[]), Err(OutlineError::Absent("manifest")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Whatever changes in the feed, the rows add up to the change of the score.
    #[test]
    fn rows_always_add_up(dropped in proptest::collection::vec(any::<bool>(), 9), scores in proptest::collection::vec(0u32..100_000, 6), listed in proptest::collection::vec(any::<bool>(), 6), which in 0usize..4) {
        let old = world().with_policy(policy(BUILT_IN[which].name));
        let mut new = old.clone();
        let mut keep = dropped.iter();
        new.feed.matches.matches.retain(|_| *keep.next().unwrap_or(&true));
        for (place, (score, listed)) in scores.iter().zip(&listed).enumerate() {
            let id = format!("CVE-2024-{}", place + 1);
            new.feed.epss.insert(id.clone(), epss(&id, *score));
            if *listed {
                new.feed.kev.insert(id.clone(), kev(&id, place % 2 == 0));
            }
        }
        let new = new.renamed("other", "vex");
        diff(&old, &new);
        diff(&new, &old);
    }
}
