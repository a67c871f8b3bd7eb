use super::*;
use crate::model::Table;

const RECORD: &str = r#"{
    "id": "GHSA-1", "aliases": ["CVE-2", "CVE-1", "CVE-2"], "modified": "2024-01-01T00:00:00Z",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "database_specific": {"severity": "MODERATE", "cwe_ids": []},
    "affected": [
        {"ranges": [{"type": "GIT", "repo": "x", "events": [{"introduced": "0"}]}]},
        {"package": {"ecosystem": "PyPI", "name": "Foo_Bar", "purl": "pkg:pypi/foo-bar"},
         "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}]}],
         "versions": ["1.1", "1.0"]},
        {"package": {"ecosystem": "Debian:12", "name": "foo"}, "versions": ["1-1"],
         "ecosystem_specific": {"urgency": "unimportant"}}
    ]
}"#;

#[test]
fn a_record_is_reduced_to_what_scoring_needs() {
    let advisory = read(RECORD.as_bytes()).unwrap();
    assert_eq!(&*advisory.id, "GHSA-1");
    assert_eq!(advisory.aliases, ["CVE-1".into(), "CVE-2".into()]);
    assert_eq!(advisory.kind, AdvisoryKind::Vulnerability);
    let words: Vec<_> = advisory
        .severities
        .iter()
        .map(|fact| (fact.scheme, fact.word))
        .collect();
    assert_eq!(
        words,
        [
            (SeverityScheme::CvssV3, None),
            (SeverityScheme::Word, Some(SeverityWord::Medium))
        ]
    );
    let [python, debian] = advisory.affected.as_slice() else {
        panic!("two packages")
    };
    assert_eq!(
        (python.index, &*python.package.name),
        (AffectedIndex(1), "foo-bar")
    );
    assert_eq!(
        python.versions,
        [Version("1.0".into()), Version("1.1".into())]
    );
    assert_eq!(debian.severities[0].word, Some(SeverityWord::Negligible));
    let entries: Vec<_> = rows(&advisory).iter().map(RowKey::to_entry).collect();
    assert_eq!(
        entries,
        [
            r#"["advisory","Debian:12","foo","osv","GHSA-1"]"#,
            r#"["advisory","PyPI","foo-bar","osv","GHSA-1"]"#
        ]
    );
}

#[test]
fn a_record_without_packages_stands_among_the_aliases() {
    let advisory = read(br#"{"id": "CVE-1", "aliases": ["X-1"], "affected": []}"#).unwrap();
    let rows = rows(&advisory);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].table, Table::Alias);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let affected = |inner: &str| format!(r#"{{"id": "A", "affected": [{inner}]}}"#);
    let range = |inner: &str| {
        affected(&format!(
            r#"{{"package": {{"ecosystem": "npm", "name": "x"}}, "ranges": [{inner}]}}"#
        ))
    };
    let cases = [
        ("[]".to_owned(), ""),
        ("{".to_owned(), ""),
        ("{}".to_owned(), "/id"),
        (r#"{"id": 7}"#.to_owned(), "/id"),
        (r#"{"id": ""}"#.to_owned(), "/id"),
        (r#"{"id": "A", "id": "B"}"#.to_owned(), "/id"),
        (r#"{"id": "A", "aliases": "B"}"#.to_owned(), "/aliases"),
        (
            r#"{"id": "A", "aliases": ["B", 1]}"#.to_owned(),
            "/aliases/1",
        ),
        (r#"{"id": "A", "withdrawn": true}"#.to_owned(), "/withdrawn"),
        (
            r#"{"id": "A", "severity": [{"type": "CVSS_V3"}]}"#.to_owned(),
            "/severity/0/score",
        ),
        (
            r#"{"id": "A", "severity": [{"score": "x"}]}"#.to_owned(),
            "/severity/0/type",
        ),
        (r#"{"id": "A", "affected": {}}"#.to_owned(), "/affected"),
        (affected("7"), "/affected/0"),
        (affected(r#"{"package": "x"}"#), "/affected/0/package"),
        (
            affected(r#"{"package": {"ecosystem": "npm"}}"#),
            "/affected/0/package/name",
        ),
        (
            affected(r#"{"package": {"name": "x"}}"#),
            "/affected/0/package/ecosystem",
        ),
        (range(r#"{"type": "SEM"}"#), "/affected/0/ranges/0/type"),
        (
            range(r#"{"type": "SEMVER"}"#),
            "/affected/0/ranges/0/events",
        ),
        (
            range(r#"{"type": "SEMVER", "events": []}"#),
            "/affected/0/ranges/0/events",
        ),
        (
            range(r#"{"type": "SEMVER", "events": [{}]}"#),
            "/affected/0/ranges/0/events/0",
        ),
        (
            range(r#"{"type": "SEMVER", "events": [{"introduced": "1", "fixed": "2"}]}"#),
            "/affected/0/ranges/0/events/0",
        ),
        (
            range(r#"{"type": "SEMVER", "events": [{"introduced": 1}]}"#),
            "/affected/0/ranges/0/events/0",
        ),
    ];
    for (text, expected) in cases {
        match read(text.as_bytes()).unwrap_err() {
            DocumentError::Json { pointer, .. } | DocumentError::Content { pointer, .. } => {
                assert_eq!(pointer.as_str(), expected, "{text}");
            }
            DocumentError::Compressed(error) => panic!("{error}"),
        }
    }
}

#[test]
fn informational_records_are_told_apart() {
    let record = |word: &str| {
        format!(
            r#"{{"id": "RUSTSEC-1", "affected": [{{"package": {{"ecosystem": "crates.io",
            "name": "x"}}, "database_specific": {{"informational": {word}}}}}]}}"#
        )
    };
    for (word, kind) in [
        ("null", AdvisoryKind::Vulnerability),
        (r#""unmaintained""#, AdvisoryKind::Unmaintained),
        (r#""unsound""#, AdvisoryKind::Unsound),
        (r#""other""#, AdvisoryKind::Notice),
    ] {
        assert_eq!(read(record(word).as_bytes()).unwrap().kind, kind);
    }
    assert_eq!(
        read(br#"{"id": "MAL-1"}"#).unwrap().kind,
        AdvisoryKind::Malicious
    );
}
