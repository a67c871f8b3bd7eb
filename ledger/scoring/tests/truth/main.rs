//! Recorded answers of other tools, reproduced as sets of (purl, advisory).
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests report by panicking, and say what they skip or measure"
)]

mod labels;
#[path = "../shared/mod.rs"]
mod shared;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use stella_scoring::inputs::{reachability, sbom};
use stella_scoring::model::{FeedSnapshot as _, Reachability as _, VexQuery, VexSnapshot as _};
use stella_scoring::policy::{built_in, test};
use stella_scoring::purl::Purl;
use stella_scoring::snapshot::FeedIndex;

type Pairs = BTreeSet<(Purl, String)>;

/// Purl, advisory, VEX status and justification.
type Answer = (Purl, String, Option<String>, Option<String>);

fn json(path: &Path) -> Value {
    serde_json::from_slice(&shared::read(path)).unwrap()
}

fn matches(data: &Path, sbom: &str, feed: &FeedIndex) -> Pairs {
    let bom = sbom::read(&shared::read(&data.join(sbom))).unwrap();
    feed.match_bom(&bom)
        .matches
        .into_iter()
        .map(|found| {
            let advisory = feed.advisory(found.package.advisory).unwrap();
            (found.purl, advisory.id.to_string())
        })
        .collect()
}

fn expected(matches: &Value) -> Pairs {
    let pair = |item: &Value| {
        (
            item["purl"].as_str().unwrap().parse().unwrap(),
            item["id"].as_str().unwrap().to_owned(),
        )
    };
    matches.as_array().unwrap().iter().map(pair).collect()
}

#[track_caller]
fn assert_same(name: &str, found: &Pairs, expected: &Pairs) {
    let extra: Vec<_> = found.difference(expected).collect();
    let missing: Vec<_> = expected.difference(found).collect();
    assert!(
        extra.is_empty() && missing.is_empty(),
        "{name}: extra {extra:?}, missing {missing:?}"
    );
    println!("{name}: {} pairs", found.len());
}

/// `cargo-audit-*` and `reference-*`: one document, several feeds.
fn check_runs(prefix: &str) {
    let Some(data) = shared::data() else { return };
    let mut files = 0;
    for entry in std::fs::read_dir(data.join("truth")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with(prefix) {
            continue;
        }
        files += 1;
        let truth = json(&path);
        for run in truth["runs"].as_array().unwrap() {
            let folder = run["feed"].as_str().unwrap();
            let feed = shared::feed(&[data.join("feeds").join(folder).join("all.zip")]);
            let mut found = matches(&data, truth["sbom"].as_str().unwrap(), &feed);
            if name.starts_with("reference-") {
                found = without_scoped_npm(&found);
            }
            assert_same(
                &format!("{name} {folder}"),
                &found,
                &expected(&run["matches"]),
            );
        }
    }
    assert!(files > 0, "no {prefix}* among the truths");
}

#[test]
fn cargo_audit() {
    check_runs("cargo-audit-");
}

/// The reference matcher did not decode `%40`, so it knows no scoped npm package; every such match
/// here was checked by hand against its record's range when this test was written. Everything else
/// must be equal.
fn without_scoped_npm(pairs: &Pairs) -> Pairs {
    let scoped = |purl: &Purl| {
        purl.kind() == "npm" && purl.namespace().is_some_and(|ns| ns.starts_with('@'))
    };
    pairs
        .iter()
        .filter(|(purl, _)| !scoped(purl))
        .cloned()
        .collect()
}

#[test]
fn reference_matcher() {
    check_runs("reference-");
}

#[test]
fn govulncheck() {
    let Some(data) = shared::data() else { return };
    for day in ["2026-04-08", "2026-06-16"] {
        let name = format!("govulncheck-expense-tracker-{day}.json");
        let truth = json(&data.join("truth").join(&name));
        let feed = shared::feed(&[data.join(format!("feeds/osv/{day}/Go/all.zip"))]);
        let found = matches(&data, truth["sbom"].as_str().unwrap(), &feed);
        assert_same(&name, &found, &expected(&truth["matches"]));
    }
}

/// Answers of api.osv.dev: per ecosystem, ids of one prefix that are in a feed here.
#[test]
fn osv_dev() {
    let Some(data) = shared::data() else { return };
    let mut files = 0;
    for entry in std::fs::read_dir(data.join("truth")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("osvdev-") {
            continue;
        }
        files += 1;
        let truth = json(&path);
        for (ecosystem, compare) in truth["compare_with"].as_object().unwrap() {
            let feed = match compare["feed"].as_str().unwrap() {
                "ghsa" => "feeds/osv/ghsa-slice/all.zip".to_owned(),
                day => format!("feeds/osv/{day}/{ecosystem}/all.zip"),
            };
            let feed = shared::feed(&[data.join(feed)]);
            let known: BTreeSet<&str> = feed
                .advisories()
                .iter()
                .map(|advisory| &*advisory.id)
                .collect();
            let prefix = compare["id_prefix"].as_str().unwrap();
            let mut expected = Pairs::new();
            for package in truth["matches"].as_array().unwrap() {
                if package["ecosystem"].as_str() != Some(ecosystem) {
                    continue;
                }
                let purl: Purl = package["purl"].as_str().unwrap().parse().unwrap();
                let ids = package["ids"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|id| id.as_str().unwrap());
                expected.extend(
                    ids.filter(|id| id.starts_with(prefix) && known.contains(id))
                        .map(|id| (purl.clone(), id.to_owned())),
                );
            }
            let found: Pairs = matches(&data, truth["sbom"].as_str().unwrap(), &feed)
                .into_iter()
                .filter(|(_, id)| id.starts_with(prefix))
                .collect();
            assert_same(&format!("{name} {ecosystem}"), &found, &expected);
            assert_eq!(
                u64::try_from(found.len()).ok(),
                compare["expected"].as_u64()
            );
        }
    }
    assert!(files > 0, "no osvdev-* among the truths");
}

#[test]
fn govulncheck_reachability() {
    let Some(data) = shared::data() else { return };
    for (day, output) in [
        ("2026-04-08", "govulncheck-issue_14642.json"),
        ("2026-06-16", "govulncheck-issue_15033.json"),
    ] {
        let set = reachability::read(&shared::read(&data.join("peers").join(output))).unwrap();
        let truth = json(&data.join(format!("truth/govulncheck-expense-tracker-{day}.json")));
        let expected = truth["matches"].as_array().unwrap();
        for item in expected {
            let purl: Purl = item["purl"].as_str().unwrap().parse().unwrap();
            let id = item["id"].as_str().unwrap();
            let fact = set
                .fact(&purl, &[id])
                .unwrap_or_else(|| panic!("{purl} {id}"));
            assert_eq!(
                Some(fact.level.name()),
                item["reachability"].as_str(),
                "{purl} {id}"
            );
        }
        assert_eq!(set.facts.len(), expected.len(), "{day}");
    }
}

#[test]
fn vex_statements() {
    let Some(data) = shared::data() else { return };
    let truth = json(&data.join("truth/vex-trivy-gomod-2024-07.json"));
    let path = |name: &str| data.join(truth[name].as_str().unwrap());
    let vex = shared::vex(&[path("vex")]);
    let feed = shared::feed(&[data
        .join("feeds")
        .join(truth["feed"].as_str().unwrap())
        .join("all.zip")]);
    let bom = sbom::read(&shared::read(&path("sbom"))).unwrap();
    let artifacts: Vec<Purl> = bom
        .subject
        .iter()
        .filter_map(|subject| subject.purl.clone())
        .collect();
    let mut found = BTreeSet::new();
    for item in feed.match_bom(&bom).matches {
        let advisory = item.package.advisory;
        let names = &feed.alias_group(advisory).unwrap().names;
        let query = VexQuery {
            artifacts: &artifacts,
            component: &item.purl,
            names,
        };
        let applications = vex.applications(query);
        let status = applications.first().map(|found| found.statement);
        found.insert((
            item.purl,
            feed.advisory(advisory).unwrap().id.to_string(),
            status.map(|statement| statement.status.name().to_owned()),
            status.and_then(|statement| Some(statement.justification.as_ref()?.0.to_string())),
        ));
    }
    let text = |item: &Value| item.as_str().map(str::to_owned);
    let expected: BTreeSet<_> = truth["matches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let purl: Purl = item["purl"].as_str().unwrap().parse().unwrap();
            (
                purl,
                text(&item["id"]).unwrap(),
                text(&item["vex"]),
                text(&item["justification"]),
            )
        })
        .collect();
    // The document writes `stdlib@1.22.0`, the answer `stdlib@v1.22.0`.
    let comparable = |answers: BTreeSet<Answer>| -> BTreeSet<Answer> {
        let plain = |purl: Purl| {
            let version = purl
                .version()
                .unwrap_or_default()
                .trim_start_matches('v')
                .to_owned();
            purl.with_version(&version)
        };
        answers
            .into_iter()
            .map(|(purl, id, status, why)| (plain(purl), id, status, why))
            .collect()
    };
    assert_eq!(comparable(found), comparable(expected));
    assert_eq!(
        u64::try_from(vex.statements().len()).ok(),
        truth["vex_statements"].as_u64()
    );
}

/// Every recorded answer is reproduced by some test: a new one may not lie there unread.
#[test]
fn every_truth_is_read() {
    let Some(data) = shared::data() else { return };
    let here = [
        "cargo-audit-",
        "reference-",
        "govulncheck-",
        "osvdev-",
        "vex-",
        "match-labels-",
    ];
    // The verifier's tests read it.
    let elsewhere = ["dsse-signatures.json"];
    for entry in std::fs::read_dir(data.join("truth")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let read = here.iter().any(|prefix| name.starts_with(prefix));
        assert!(read || elsewhere.contains(&&*name), "no test reads {name}");
    }
}

/// The risk scores that the most used scanner recorded, from the facts that it recorded beside them.
#[test]
fn recorded_risk_scores() {
    let Some(data) = shared::data() else { return };
    let recorded = json(&data.join("peers/anchore_grype-many_vulns_with_epss_values.json"));
    let policy = built_in("severity-epss-kev").unwrap().policy().unwrap();
    // Numbers of a JSON document, as exact integers of a unit.
    let scaled = |value: &Value, digits: i32| -> i64 {
        let text = format!(
            "{:.*}",
            usize::try_from(digits).unwrap(),
            value.as_f64().unwrap()
        );
        text.replace('.', "").parse().unwrap()
    };
    let mut cases = Vec::new();
    for found in recorded["matches"].as_array().unwrap() {
        let flaw = &found["vulnerability"];
        let scores: Vec<i64> = (flaw["cvss"].as_array().unwrap().iter())
            .map(|cvss| scaled(&cvss["metrics"]["baseScore"], 1))
            .collect();
        let mean = format!("{}/{}", scores.iter().sum::<i64>(), scores.len());
        let probability = scaled(&flaw["epss"][0]["epss"], 5);
        let expected = scaled(&flaw["risk"], 2);
        let word = flaw["severity"].as_str().unwrap().to_lowercase();
        let id = &flaw["id"];
        cases.push(
            serde_json::json!({"name": id, "expect": expected, "facts": {
            "severity.word": word, "cvss.mean": mean, "epss.probability": probability,
            "kev.listed": false, "kev.ransomware": false}}),
        );
    }
    assert!(cases.len() > 10);
    let cases = serde_json::json!({"schema": "stella.policy-test/v1", "cases": cases});
    for case in test(&policy, &cases.to_string()).unwrap().cases {
        assert_eq!(case.total, case.expected, "{}", case.name);
    }
}
