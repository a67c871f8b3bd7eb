//! The OSV schema: evaluation, withdrawal, names of one flaw.

use super::{check, document, entry, feed, matches, package};
use serde_json::{Value, json};
use stella_scoring::model::FeedSnapshot as _;

#[test]
fn ranges_and_lists_are_evaluated_as_the_schema_says() {
    for (events, versions, affected, safe) in [
        ("i:0", &[][..], &["0.0.0-a", "9.9.9"][..], &[][..]),
        (
            "i:1.0.0 l:1.5.0",
            &[],
            &["1.0.0", "1.5.0"],
            &["0.9.0", "1.5.1"],
        ),
        ("l:1.5.0 i:0", &[], &["1.5.0"], &["1.5.1-0"]),
        (
            "i:1.0.0 f:1.2.0 i:2.0.0 f:2.1.0",
            &[],
            &["1.1.0", "2.0.5"],
            &["1.2.0", "2.1.0"],
        ),
        ("i:0 m:2.0.0", &[], &["1.0.0"], &["2.0.0"]),
        ("i:0 m:*", &[], &["9.0.0"], &[]),
        ("", &["1.0.0", "3.0.0"], &["1.0.0", "3.0.0"], &["2.0.0"]),
        (
            "i:5.0.0 f:6.0.0",
            &["1.0.0"],
            &["1.0.0", "5.5.0"],
            &["2.0.0", "6.0.0"],
        ),
    ] {
        let purl = |version: &&str| format!("pkg:npm/x@{version}");
        let mut all: Vec<String> = affected.iter().map(purl).collect();
        all.extend(safe.iter().map(|version| format!("!{}", purl(version))));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        check("npm", "x", events, versions, &all);
    }
}

#[test]
fn some_records_match_nothing() {
    let plain = entry("npm", "x", "SEMVER", "i:0", &[]);
    let git = json!({"package": {"ecosystem": "npm", "name": "x"},
        "ranges": [{"type": "GIT", "repo": "r", "events": [{"introduced": "0"}]}]});
    let feed = feed(&[
        json!({"id": "A-1", "affected": [plain]}),
        json!({"id": "A-2", "affected": [plain], "withdrawn": "2024-01-01T00:00:00Z"}),
        json!({"id": "A-3", "affected": [git]}),
        json!({"id": "A-4", "affected": [entry("Unknown", "x", "ECOSYSTEM", "i:0", &[])]}),
        json!({"id": "A-5", "affected": [entry("npm", "x", "SEMVER", "", &[])]}),
    ]);
    assert_eq!(
        matches(&feed, &document(&[package("pkg:npm/x@1.0.0")])),
        ["A-1"]
    );
}

#[test]
fn names_of_one_flaw_are_linked_and_related_ones_are_not() {
    let record = |id: &str, more: &Value| {
        let mut record = json!({"id": id, "affected": [entry("npm", "x", "SEMVER", "i:0", &[])]});
        for (name, value) in more.as_object().unwrap() {
            record[name] = value.clone();
        }
        record
    };
    let feed = feed(&[
        record("A-1", &json!({"aliases": ["CVE-1"]})),
        record("A-2", &json!({"aliases": ["CVE-1", "GHSA-1"]})),
        record("A-3", &json!({"aliases": ["GHSA-1"]})),
        record("A-4", &json!({"related": ["CVE-1"]})),
        record("A-5", &json!({"upstream": ["CVE-1"]})),
        record("A-6", &json!({"upstream": ["CVE-1", "CVE-9"]})),
    ]);
    let group = |id: &str| {
        let found = feed
            .match_bom(&document(&[package("pkg:npm/x@1.0.0")]))
            .matches;
        let advisory = |index| feed.advisory(index).unwrap();
        let found = found
            .iter()
            .find(|found| &*advisory(found.package.advisory).id == id);
        feed.alias_group(found.unwrap().package.advisory)
            .unwrap()
            .clone()
    };
    let one = group("A-1");
    assert_eq!(&*one.name, "CVE-1");
    for id in ["A-2", "A-3", "A-5"] {
        assert_eq!(group(id), one, "{id}");
    }
    assert_eq!(group("A-4").members.len(), 1);
    assert_eq!(
        (group("A-6").members.len(), group("A-6").upstream.len()),
        (1, 2)
    );
}

#[test]
fn a_record_without_packages_rates_its_flaw() {
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let feed = feed(&[json!({"id": "CVE-1", "affected": [],
        "severity": [{"type": "CVSS_V3", "score": vector}]})]);
    let stated = feed.severities("CVE-1");
    assert_eq!(
        stated.iter().map(|fact| &*fact.vector).collect::<Vec<_>>(),
        [vector]
    );
    assert!(feed.severities("CVE-2").is_empty());
}
