use super::*;
use crate::model::{AffectedIndex, Ecosystem, PackageKey, RangeIndex};

/// Events written `i:1.0 f:2.0 l:3.0 m:4.0`.
fn entry(ranges: &[&str], versions: &[&str]) -> Affected {
    let event = |text: &str| {
        let (kind, version) = text.split_once(':').unwrap();
        let version = Version(version.into());
        match kind {
            "i" => RangeEvent::Introduced(version),
            "f" => RangeEvent::Fixed(version),
            "l" => RangeEvent::LastAffected(version),
            "m" => RangeEvent::Limit(version),
            other => panic!("{other}"),
        }
    };
    let mut versions: Vec<_> = versions
        .iter()
        .map(|text| Version((*text).into()))
        .collect();
    versions.sort_unstable();
    Affected {
        index: AffectedIndex(0),
        package: PackageKey {
            ecosystem: Ecosystem::parse("npm"),
            name: "x".into(),
        },
        ranges: ranges
            .iter()
            .zip(0..)
            .map(|(events, index)| Range {
                index: RangeIndex(index),
                kind: RangeKind::SemVer,
                events: events.split(' ').map(event).collect(),
            })
            .collect(),
        versions,
        severities: Vec::new(),
    }
}

#[track_caller]
fn check(ranges: &[&str], affected: &[&str], safe: &[&str]) {
    let entry = entry(ranges, &[]);
    for (versions, expected) in [(affected, true), (safe, false)] {
        for version in versions {
            let found = evaluate(&entry, &Evaluation::new(EcosystemKind::Npm, version));
            assert_eq!(
                found.is_some(),
                expected,
                "{version} in {ranges:?}: {found:?}"
            );
        }
    }
}

#[test]
fn ranges_are_half_open() {
    check(
        &["i:1.0.0 f:2.0.0"],
        &["1.0.0", "1.9.9", "2.0.0-rc.1"],
        &["0.9.9", "1.0.0-rc.1", "2.0.0"],
    );
    check(
        &["i:0 f:2.0.0"],
        &["0.0.0", "0.0.0-alpha", "1.0.0"],
        &["2.0.0"],
    );
    check(&["i:1.0.0"], &["1.0.0", "99.0.0"], &["0.9.0"]);
}

#[test]
fn a_last_affected_version_is_affected() {
    check(
        &["i:1.0.0 l:1.5.0"],
        &["1.0.0", "1.5.0"],
        &["1.5.1", "0.1.0"],
    );
    check(&["l:1.5.0 i:1.5.0"], &["1.5.0"], &["1.5.1", "1.4.0"]);
}

#[test]
fn several_stretches_and_ranges_in_any_order() {
    let stretches = ["f:2.1.0 i:2.0.0 f:1.1.0 i:1.0.0"];
    check(
        &stretches,
        &["1.0.5", "2.0.0"],
        &["1.1.0", "1.5.0", "2.1.0", "3.0.0"],
    );
    check(
        &["i:1.0.0 f:1.1.0", "i:2.0.0"],
        &["1.0.0", "2.0.0", "9.0.0"],
        &["1.1.0"],
    );
    check(
        &["i:1.0.0 f:2.0.0 i:2.0.0 f:3.0.0"],
        &["1.0.0", "2.0.0", "2.9.0"],
        &["3.0.0"],
    );
    check(&["i:2.0.0 f:2.0.0"], &[], &["1.0.0", "2.0.0", "3.0.0"]);
}

#[test]
fn limits_bound_a_range() {
    check(&["i:0 m:2.0.0"], &["1.0.0"], &["2.0.0", "3.0.0"]);
    check(&["i:0 m:*"], &["1.0.0", "3.0.0"], &[]);
}

#[test]
fn listed_versions_match_without_an_order() {
    let entry = entry(&["i:1.x f:2.0.0"], &["1.2.3", "weird"]);
    let by = |version| evaluate(&entry, &Evaluation::new(EcosystemKind::Npm, version));
    assert_eq!(by("weird"), Some(MatchedBy::Listed));
    assert_eq!(
        by("v1.2.3"),
        Some(MatchedBy::Listed),
        "another spelling of a listed version"
    );
    assert_eq!(
        by("1.2.4"),
        None,
        "a range with an unreadable bound affects nothing"
    );
}

#[test]
fn the_stretch_and_the_fixes_are_named() {
    let entry = entry(&["i:1.0.0 f:1.1.0 i:2.0.0 f:2.1.0"], &[]);
    let version = Evaluation::new(EcosystemKind::Npm, "1.0.5");
    let Some(MatchedBy::InRange {
        introduced, until, ..
    }) = evaluate(&entry, &version)
    else {
        panic!("affected");
    };
    assert_eq!(introduced.as_str(), "1.0.0");
    assert_eq!(until, Until::Fixed(Version("1.1.0".into())));
    let fixed: Vec<_> = fixed_versions(&entry, &version)
        .map(|(_, fixed)| fixed.as_str())
        .collect();
    assert_eq!(fixed, ["1.1.0", "2.1.0"]);
}
