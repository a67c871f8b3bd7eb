//! The policy language: documents accepted and refused, worked examples, published tables.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests report by panicking, and say what they skipped"
)]

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use stella_scoring::policy::{
    Applied, BUILT_IN, Fact, FactValue, Facts, Policy, Situation, apply, built_in, check, show,
    test,
};
use stella_verify::hash::{PolicyHash, sha256};
use stella_verify::json::{Text, parse_canonical};
use stella_verify::node::Scope;
use stella_verify::units::BasisPoints;

fn vectors(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/policy");
    std::fs::read_to_string(path.join(file)).unwrap()
}

#[test]
fn documents_are_accepted_or_refused_where_they_are_wrong() {
    let cases = vectors("documents.jsonl");
    assert!(cases.lines().count() > 60);
    for line in cases.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = &case["name"];
        let parsed = Policy::parse(case["policy"].as_str().unwrap());
        if case["ok"] == true {
            parsed.unwrap_or_else(|error| panic!("{name}: {error}"));
            continue;
        }
        let error = parsed.err().unwrap_or_else(|| panic!("{name}: accepted"));
        let expected = case["error"].as_str().unwrap();
        assert!(error.to_string().contains(expected), "{name}: {error}");
        if let Some(line) = case["line"].as_u64() {
            assert_eq!(u64::from(error.place.line), line, "{name}: {error}");
        }
        if let Some(pointer) = case["pointer"].as_str() {
            assert_eq!(error.place.pointer, pointer, "{name}: {error}");
        }
    }
}

#[test]
fn worked_examples_come_out_as_documented() {
    for built_in in BUILT_IN {
        let report = test(
            &built_in.policy().unwrap(),
            &vectors(&format!("{}.yaml", built_in.name)),
        );
        let report = report.unwrap_or_else(|error| panic!("{}: {error}", built_in.name));
        assert!(report.cases.len() >= 7);
        for case in &report.cases {
            assert!(case.passed(), "{}: {case:#?}", built_in.name);
        }
    }
}

#[test]
fn a_test_file_that_expects_something_else_fails() {
    let policy = built_in("stella-default").unwrap().policy().unwrap();
    let text = vectors("stella-default.yaml").replace("expect: 4120", "expect: 4121");
    let report = test(&policy, &text).unwrap();
    assert!(!report.passed());
    let text = vectors("stella-default.yaml").replace("exploited: 5400", "exploited: 1");
    let report = test(&policy, &text).unwrap();
    let failed: Vec<_> = report.cases.iter().filter(|case| !case.passed()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].differing[0].0, "exploited");
    let error = test(
        &policy,
        "schema: stella.policy-test/v1\ncases: [{name: x, facts: {no.fact: 1}, expect: 0}]",
    );
    assert!(error.unwrap_err().to_string().contains("line 2"));
}

#[test]
fn yaml_and_json_of_one_policy_have_one_hash() {
    for built_in in BUILT_IN {
        let policy = built_in.policy().unwrap();
        assert_eq!(policy.hash(), PolicyHash::new(sha256(policy.canonical())));
        parse_canonical(policy.canonical()).unwrap();
        let json: serde_json::Value = serde_json::from_slice(policy.canonical()).unwrap();
        let pretty = serde_json::to_string_pretty(&json).unwrap();
        assert_eq!(Policy::parse(&pretty).unwrap(), policy);
        let spaced = [b" ", policy.canonical()].concat();
        assert!(Policy::from_canonical(&spaced).is_err());
    }
}

#[test]
fn check_finds_what_has_no_effect() {
    let (_, remarks) = check(BUILT_IN[3].text).unwrap();
    assert!(remarks.is_empty(), "{remarks:?}");
    let text = BUILT_IN[3]
        .text
        .replace("        - [active, \"yes\", total, high, act]\n", "");
    let (_, remarks) = check(&text).unwrap();
    assert_eq!(remarks, ["rule coordinator: 1 of 36 cases have no row"]);
    let idle =
        "schema: stella.policy/v1\nname: t\nknobs: {k: {values: [a], default: a}}\nrules: []\n";
    assert_eq!(check(idle).unwrap().1, ["knob k is read by no rule"]);
}

#[test]
fn show_names_every_rule_and_gate() {
    for built_in in BUILT_IN {
        let policy = built_in.policy().unwrap();
        let text = show(&policy);
        assert!(policy.rules.iter().all(|rule| text.contains(&rule.id)));
        assert!(policy.gates.iter().all(|gate| text.contains(&gate.id)));
        assert!(text.contains(&policy.hash().to_string()));
    }
}

/// The decision table against the published one, case by case.
#[test]
fn the_coordinators_table_is_the_published_one() {
    let root = std::env::var_os("STELLA_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join("data/policy-examples/cisa_coordinator_2_0_3.csv");
    let Ok(table) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is absent", path.display());
        return;
    };
    let policy = built_in("ssvc-coordinator").unwrap().policy().unwrap();
    let (_, rule) = policy.rules_of(Scope::Finding).next().unwrap();
    let mut count = 0;
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let exploitation = cells[1].trim_start_matches("public ");
        let mut facts = Facts::new();
        for (fact, word) in [
            (Fact::SsvcExploitation, exploitation),
            (Fact::SsvcAutomatable, cells[2]),
            (Fact::SsvcTechnicalImpact, cells[3]),
        ] {
            facts.set(fact, FactValue::Word(Text::Owned(word.to_owned())));
        }
        let outcome = apply(
            rule,
            &Situation {
                facts: &facts,
                knobs: &BTreeMap::from([("mission-wellbeing".into(), cells[4].to_owned())]),
                decisions: BTreeMap::new(),
                total: BasisPoints::ZERO,
            },
        );
        assert_eq!(
            outcome.unwrap().decision.as_deref(),
            Some(cells[5]),
            "{line}"
        );
        count += 1;
    }
    assert_eq!(count, 36);
}

/// Kleene's tables for conditions over one known and one unknown fact.
#[test]
fn an_unknown_fact_decides_nothing_unless_it_cannot_matter() {
    let applied = |condition: &str| {
        let text = format!(
            "schema: stella.policy/v1\nname: t\nrules: [{{id: a, when: {condition}, set: 1}}]"
        );
        let policy = Policy::parse(&text).unwrap_or_else(|error| panic!("{condition}: {error}"));
        let mut facts = Facts::new();
        facts.set(Fact::KevListed, FactValue::Flag(true));
        let outcome = apply(
            &policy.rules[0],
            &Situation {
                facts: &facts,
                knobs: &BTreeMap::new(),
                decisions: BTreeMap::new(),
                total: BasisPoints::ZERO,
            },
        );
        outcome.unwrap().result
    };
    let unknown = Applied::Unknown(vec!["fix.available".into()]);
    let (yes, no, what) = (
        "{fact: kev.listed, is: true}",
        "{fact: kev.listed, is: false}",
        "{fact: fix.available, is: true}",
    );
    for (condition, expected) in [
        (format!("{{all: [{yes}, {what}]}}"), &unknown),
        (format!("{{all: [{what}, {no}]}}"), &Applied::Condition),
        (format!("{{any: [{what}, {yes}]}}"), &Applied::Yes),
        (format!("{{any: [{no}, {what}]}}"), &unknown),
        (format!("{{not: {what}}}"), &unknown),
        (format!("{{not: {no}}}"), &Applied::Yes),
        ("{unknown: fix.available}".into(), &Applied::Yes),
        ("{known: fix.available}".into(), &Applied::Condition),
        ("{all: []}".into(), &Applied::Yes),
        ("{any: []}".into(), &Applied::Condition),
    ] {
        assert_eq!(&applied(&condition), expected, "{condition}");
    }
}

fn facts_from(picks: &[u32]) -> Facts {
    use stella_scoring::policy::{FactKind, Ratio};
    let mut facts = Facts::new();
    for (fact, pick) in Fact::ALL.iter().zip(picks) {
        if pick % 3 == 0 {
            continue;
        }
        let value = match fact.kind() {
            FactKind::Number(_) => FactValue::Number(
                Ratio::new(i128::from(*pick % 100_000), 1 + i128::from(pick % 7)).unwrap(),
            ),
            FactKind::Flag => FactValue::Flag(pick % 2 == 0),
            FactKind::Word([]) => FactValue::Word("x".into()),
            FactKind::Word(words) => FactValue::Word(words[*pick as usize % words.len()].into()),
            FactKind::Words => FactValue::Words(vec!["auth-required".into(), "x".into()]),
        };
        facts.set(*fact, value);
    }
    facts
}

proptest! {
    /// Any facts: totals stay in range, and the rules' deltas add up to the total.
    #[test]
    fn any_facts_give_a_total_in_range(picks in proptest::collection::vec(any::<u32>(), Fact::ALL.len())) {
        let facts = facts_from(&picks);
        for built_in in BUILT_IN {
            let policy = built_in.policy().unwrap();
            let knobs = policy.knobs.iter().map(|(name, knob)| (name.clone(), knob.default.clone())).collect();
            let mut situation = Situation { facts: &facts, knobs: &knobs, decisions: BTreeMap::new(), total: BasisPoints::ZERO };
            for (_, rule) in policy.rules_of(Scope::Finding) {
                let before = situation.total;
                let outcome = apply(rule, &situation).unwrap();
                prop_assert!((0..=10_000).contains(&outcome.after.get()));
                if outcome.result != Applied::Yes {
                    prop_assert_eq!(outcome.after, before);
                }
                situation.total = outcome.after;
            }
        }
    }

    /// Any text is a policy or is refused; nothing panics or hangs.
    #[test]
    fn any_text_is_parsed_or_refused(text in "(?s).{0,200}") {
        let _ = Policy::parse(&text);
    }

    /// A built-in policy with a piece cut out or doubled is a policy or is refused, with a place.
    #[test]
    fn mutated_policies_are_parsed_or_refused(which in 0usize..4, at in 0usize..4000, len in 0usize..60, double in any::<bool>()) {
        let text = BUILT_IN[which].text;
        let start = (0..=at % text.len()).rev().find(|i| text.is_char_boundary(*i)).unwrap();
        let end = (start + len).min(text.len());
        let piece = if double { text[start..end].repeat(2) } else { String::new() };
        let mutated = format!("{}{piece}{}", &text[..start], &text[end..]);
        match Policy::parse(&mutated) {
            Ok(policy) => prop_assert!(Policy::from_canonical(policy.canonical()).is_ok()),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
