use super::*;
use crate::model::{Reachability as _, ReachabilityLevel};

#[test]
fn govulncheck_findings_are_reduced_to_the_nearest() {
    let text = br#"
        {"config": {"protocol_version": "v1.0.0"}}
        {"progress": {"message": "x"}}
        {"osv": {"id": "GO-1", "aliases": ["CVE-1"]}}
        {"finding": {"osv": "GO-1", "trace": [{"module": "a.b/c", "version": "v1.0.0+incompatible"}]}}
        {"finding": {"osv": "GO-1", "trace": [{"module": "a.b/c", "version": "v1.0.0+incompatible", "package": "a.b/c/d"}]}}
        {"finding": {"osv": "GO-1", "trace": [{"module": "a.b/c", "version": "v1.0.0+incompatible", "package": "a.b/c/d", "function": "F", "receiver": "*T"}, {"module": "m"}, {"module": "m"}]}}
        {"finding": {"osv": "GO-1", "trace": [{"module": "a.b/c", "version": "v1.0.0+incompatible", "package": "a.b/c/d", "function": "G"}, {"module": "m"}]}}
        {"finding": {"osv": "GO-2", "trace": [{"module": "stdlib", "version": "v1.24.4", "package": "os"}]}}
    "#;
    let set = read(text).unwrap();
    assert_eq!(set.facts.len(), 2);
    let purl = "pkg:golang/a.b/c@v1.0.0%2Bincompatible".parse().unwrap();
    let fact = set.fact(&purl, &["CVE-1", "GO-1"]).unwrap();
    assert_eq!(
        (fact.level, fact.hops(), &*fact.symbol),
        (ReachabilityLevel::Symbol, 1, "a.b/c/d.G")
    );
    assert_eq!(fact.pointer.as_str(), "/6/finding");
    assert!(set.fact(&purl, &["CVE-1"]).is_none());
    let stdlib = "pkg:golang/stdlib@v1.24.4".parse().unwrap();
    assert_eq!(
        set.fact(&stdlib, &["GO-2"]).unwrap().level,
        ReachabilityLevel::Package
    );
}

#[test]
fn simple_facts_are_read() {
    let text = br#"{"schema": "stella.reachability/v1", "facts": [
        {"purl": "pkg:npm/x@1.0.0", "vulnerability": "CVE-1", "level": "symbol", "hops": 3, "gates": ["b", "a"]},
        {"purl": "pkg:npm/x", "vulnerability": "CVE-2", "level": "unreachable"}]}"#;
    let set = read(text).unwrap();
    let purl = "pkg:npm/x@1.0.0".parse().unwrap();
    let path = set.fact(&purl, &["CVE-1"]).unwrap().path.clone().unwrap();
    assert_eq!(
        (path.hops, path.gates.len(), &*path.gates[0].0),
        (3, 2, "a")
    );
    assert_eq!(
        set.fact(&purl, &["CVE-2"]).unwrap().level,
        ReachabilityLevel::Unreachable
    );
    assert!(
        set.fact(&"pkg:npm/x@2.0.0".parse().unwrap(), &["CVE-1"])
            .is_none()
    );
}

#[test]
fn what_is_wrong_is_named() {
    let simple =
        |fact: &str| format!(r#"{{"schema": "stella.reachability/v1", "facts": [{fact}]}}"#);
    let cases = [
        ("", ""),
        ("[]", ""),
        ("{}", ""),
        (r#"{"schema": "other/v1"}"#, "/schema"),
        (r#"{"schema": "stella.reachability/v1"}"#, "/facts"),
        (&simple("1"), "/facts/0"),
        (&simple("{}"), "/facts/0/purl"),
        (&simple(r#"{"purl": "x"}"#), "/facts/0/purl"),
        (
            &simple(r#"{"purl": "pkg:npm/x"}"#),
            "/facts/0/vulnerability",
        ),
        (
            &simple(r#"{"purl": "pkg:npm/x", "vulnerability": "C", "level": "far"}"#),
            "/facts/0/level",
        ),
        (
            &simple(
                r#"{"purl": "pkg:npm/x", "vulnerability": "C", "level": "symbol", "hops": -1}"#,
            ),
            "/facts/0/hops",
        ),
        (
            &simple(
                r#"{"purl": "pkg:npm/x", "vulnerability": "C", "level": "symbol", "gates": ["a"]}"#,
            ),
            "/facts/0/gates",
        ),
        (r#"{"config": {}} {"finding": {}}"#, "/1/finding/osv"),
        (r#"{"config": {}} {"finding": 7}"#, "/1/finding"),
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
