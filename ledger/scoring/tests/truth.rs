//! Recorded answers of other tools, reproduced as sets of (purl, advisory).

mod shared;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use stella_scoring::inputs::sbom;
use stella_scoring::model::FeedSnapshot as _;
use stella_scoring::purl::Purl;
use stella_scoring::snapshot::FeedIndex;

type Pairs = BTreeSet<(Purl, String)>;

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
            let found = matches(&data, truth["sbom"].as_str().unwrap(), &feed);
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

#[test]
fn reference_matcher_npm() {
    check_runs("reference-juice-shop");
    check_runs("reference-npm");
}
