//! What the OSV schema and the ecosystems' own rules say of corners, one table: records in, package
//! URLs in, pairs out. Each record is imported as a file and each package read from a document.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests report by panicking"
)]

use serde_json::{Value, json};
use stella_scoring::inputs::sbom;
use stella_scoring::model::{Bom, FeedSnapshot as _};
use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex};
use stella_verify::snapshot::SnapshotKind;

fn feed(records: &[Value]) -> FeedIndex {
    let mut builder = Builder::new(SnapshotKind::Concelier);
    for (place, record) in records.iter().enumerate() {
        let bytes = record.to_string();
        builder.add(&place.to_string(), bytes.as_bytes()).unwrap();
    }
    FeedIndex::load(&builder.finish(BadRecords::Refuse).unwrap().records).unwrap()
}

fn document(components: &[Value]) -> Bom {
    let document =
        json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components});
    sbom::read(document.to_string().as_bytes()).unwrap()
}

fn package(purl: &str) -> Value {
    json!({"type": "library", "name": "x", "purl": purl})
}

/// Ids that match, sorted.
fn matches(feed: &FeedIndex, bom: &Bom) -> Vec<String> {
    let found = feed.match_bom(bom).matches.into_iter();
    let mut ids: Vec<String> = found
        .map(|found| {
            let advisory = feed.advisory(found.package.advisory).unwrap();
            advisory.id.to_string()
        })
        .collect();
    ids.sort();
    ids
}

/// One affected entry; `events` written `i:0 f:1.2 l:3 m:4`.
fn entry(ecosystem: &str, name: &str, kind: &str, events: &str, versions: &[&str]) -> Value {
    let event = |text: &str| {
        let (kind, version) = text.split_once(':').unwrap();
        let kind = match kind {
            "i" => "introduced",
            "f" => "fixed",
            "l" => "last_affected",
            "m" => "limit",
            other => panic!("{other}"),
        };
        json!({kind: version})
    };
    let events: Vec<Value> = events.split_whitespace().map(event).collect();
    let ranges = if events.is_empty() {
        json!([])
    } else {
        json!([{"type": kind, "events": events}])
    };
    json!({"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges, "versions": versions})
}

/// `purls` beginning with `!` must not match.
#[track_caller]
fn check(ecosystem: &str, name: &str, events: &str, versions: &[&str], purls: &[&str]) {
    let kind = match ecosystem {
        "npm" | "crates.io" | "Go" => "SEMVER",
        _ => "ECOSYSTEM",
    };
    let affected = entry(ecosystem, name, kind, events, versions);
    let feed = feed(&[json!({"id": "A-1", "affected": [affected]})]);
    for purl in purls {
        let (purl, expected) = match purl.strip_prefix('!') {
            Some(purl) => (purl, false),
            None => (*purl, true),
        };
        let found = matches(&feed, &document(&[package(purl)]));
        assert_eq!(!found.is_empty(), expected, "{purl} in {affected}");
    }
}

#[test]
fn npm_and_pypi() {
    check(
        "npm",
        "@babel/traverse",
        "i:0 f:7.23.2",
        &[],
        &[
            "pkg:npm/%40babel/traverse@7.23.1",
            "pkg:npm/@babel/traverse@7.0.0-beta.1",
            "!pkg:npm/%40babel/traverse@7.23.2",
            "!pkg:npm/traverse@7.0.0",
            "!pkg:npm/%40Babel/traverse@7.0.0",
        ],
    );
    check(
        "PyPI",
        "Zope.Interface_x",
        "i:0 f:5.1",
        &[],
        &[
            "pkg:pypi/zope-interface-x@5.0.post1",
            "pkg:pypi/Zope__interface.X@5.1rc1",
            "pkg:pypi/zope.interface.x@5.1.dev0",
            "!pkg:pypi/zope-interface-x@5.1.0",
            "!pkg:pypi/zope-interface-x@1!0.1",
        ],
    );
    check(
        "PyPI",
        "a",
        "",
        &["1.0", "1.0.0rc1"],
        &[
            "pkg:pypi/a@1.0.0",
            "pkg:pypi/a@1.0rc1",
            "pkg:pypi/A@v1.0",
            "!pkg:pypi/a@1.0.1",
        ],
    );
}

#[test]
fn go() {
    check(
        "Go",
        "github.com/Masterminds/goutils",
        "i:0 f:1.1.1",
        &[],
        &[
            "pkg:golang/github.com/Masterminds/goutils@v1.1.0",
            "pkg:golang/github.com/masterminds/goutils@1.1.0",
            "pkg:golang/github.com/Masterminds/goutils@v0.0.0-20210101000000-abcdefabcdef",
            "!pkg:golang/github.com/Masterminds/goutils@v1.1.1",
            "!pkg:golang/github.com/Masterminds/goutils@v1.1.2-0.20210101000000-abcdefabcdef",
            "!pkg:golang/github.com/Masterminds/goutils/v2@v1.1.0",
        ],
    );
    check(
        "Go",
        "github.com/docker/docker",
        "i:0 f:27.1.1+incompatible",
        &[],
        &[
            "pkg:golang/github.com/docker/docker@v27.0.3%2Bincompatible",
            "!pkg:golang/github.com/docker/docker@v27.1.1%2Bincompatible",
        ],
    );
    check(
        "Go",
        "stdlib",
        "i:0 f:1.21.11 i:1.22.0-0 f:1.22.4",
        &[],
        &[
            "pkg:golang/stdlib@1.21.10",
            "pkg:golang/stdlib@go1.22.3",
            "pkg:golang/std@v1.22.0",
            "pkg:golang/stdlib@1.22rc1",
            "!pkg:golang/stdlib@1.21.11",
            "!pkg:golang/stdlib@1.22.4",
            "!pkg:golang/toolchain@1.22.3",
        ],
    );
    check(
        "Go",
        "toolchain",
        "i:0 f:1.21.11",
        &[],
        &["pkg:golang/toolchain@1.21.10", "!pkg:golang/stdlib@1.21.10"],
    );
}

#[test]
fn maven_nuget_gems_composer_and_cargo() {
    check(
        "Maven",
        "org.Acme:Lib",
        "i:0 f:2.0",
        &[],
        &[
            "pkg:maven/org.Acme/Lib@2.0-rc1?type=jar",
            "pkg:maven/org.Acme/Lib@2.0-SNAPSHOT",
            "!pkg:maven/org.Acme/Lib@2.0.0",
            "!pkg:maven/org.Acme/Lib@2.0.Final",
            "!pkg:maven/org.acme/lib@1.0",
        ],
    );
    check(
        "Maven:https://repo.example.org",
        "a:b",
        "i:0 f:2",
        &[],
        &["pkg:maven/a/b@1", "!pkg:maven/a/b@2"],
    );
    check(
        "NuGet",
        "Newtonsoft.Json",
        "i:0 f:13.0.1",
        &["9.0.1"],
        &[
            "pkg:nuget/newtonsoft.json@13.0.0.5",
            "pkg:nuget/NewtonSoft.Json@13.0.1-Beta",
            "pkg:nuget/Newtonsoft.Json@9.0.1.0",
            "!pkg:nuget/Newtonsoft.Json@13.0.1.0",
            "!pkg:nuget/Newtonsoft.Json@13.0.1%2Bbuild",
        ],
    );
    check(
        "RubyGems",
        "rack",
        "i:0 f:2.2.3.1 i:3.0.0.beta1 f:3.0.4.1",
        &[],
        &[
            "pkg:gem/rack@2.2.3",
            "pkg:gem/rack@2.2.3.1.pre",
            "pkg:gem/rack@3.0.0.rc1",
            "!pkg:gem/rack@2.2.3.1",
            "!pkg:gem/rack@2.9",
            "!pkg:gem/rack@3.0.4.1",
        ],
    );
    check(
        "Packagist",
        "Laravel/Framework",
        "i:7.0.0 f:7.22.4",
        &[],
        &[
            "pkg:composer/laravel/framework@v7.12.0",
            "pkg:composer/Laravel/framework@7.22.4-RC1",
            "!pkg:composer/laravel/framework@v7.22.4.0",
            "!pkg:composer/laravel/framework@dev-master",
        ],
    );
    check(
        "crates.io",
        "time",
        "i:0.1.0 f:0.2.0-a.0 i:0.2.1 f:0.2.23",
        &[],
        &[
            "pkg:cargo/time@0.1.43",
            "pkg:cargo/time@0.2.22",
            "!pkg:cargo/time@0.2.0",
            "!pkg:cargo/time@0.2.23",
            "!pkg:cargo/time@0.1.43?vcs_url=git%2Bhttps://example.org/time",
        ],
    );
}

#[test]
fn dpkg_and_apk() {
    check(
        "Debian:12",
        "openssl",
        "i:0 f:3.0.11-1~deb12u2",
        &[],
        &[
            "pkg:deb/debian/openssl@3.0.11-1~deb12u1?distro=debian-12",
            "pkg:deb/debian/libssl3@3.0.9-1?distro=bookworm&upstream=openssl",
            "pkg:deb/debian/libssl3@99?distro=debian-12.5&upstream=openssl%403.0.9-1",
            "!pkg:deb/debian/openssl@3.0.11-1~deb12u2?distro=debian-12",
            "!pkg:deb/debian/openssl@3.0.11-1?distro=debian-12",
            "!pkg:deb/debian/openssl@3.0.9-1?distro=debian-11",
            "!pkg:deb/debian/libssl3@3.0.9-1?distro=debian-12",
            "!pkg:deb/ubuntu/openssl@3.0.9-1?distro=ubuntu-22.04",
            "!pkg:deb/debian/openssl@3.0.9-1",
        ],
    );
    check(
        "Debian:11",
        "vim",
        "i:0 f:2:8.2.2434-3+deb11u1",
        &[],
        &[
            "pkg:deb/debian/vim@2%3A8.2.2434-3?distro=debian-11",
            "pkg:deb/debian/vim@8.2.2434-3?distro=debian-11&epoch=2",
            "!pkg:deb/debian/vim@2%3A9.0?distro=debian-11",
        ],
    );
    check(
        "Ubuntu:22.04:LTS",
        "curl",
        "i:0 f:7.81.0-1ubuntu1.15",
        &[],
        &[
            "pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.14?distro=ubuntu-22.04",
            "pkg:deb/ubuntu/curl@7.81.0?distro=jammy",
            "!pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.15?distro=ubuntu-22.04",
            "!pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.14?distro=ubuntu-22.10",
        ],
    );
    check(
        "Ubuntu:Pro:18.04:LTS",
        "curl",
        "i:0 f:8",
        &[],
        &["!pkg:deb/ubuntu/curl@7?distro=ubuntu-18.04"],
    );
    check(
        "Alpine:v3.18",
        "openssl",
        "i:0 f:3.1.4-r1",
        &[],
        &[
            "pkg:apk/alpine/openssl@3.1.4-r0?distro=alpine-3.18.4",
            "pkg:apk/alpine/libcrypto3@3.1.4_rc1-r9?distro=3.18.4&upstream=openssl",
            "!pkg:apk/alpine/openssl@3.1.4-r1?distro=alpine-3.18",
            "!pkg:apk/alpine/openssl@3.1.4-r0?distro=alpine-3.19",
            "!pkg:apk/alpine/libcrypto3@3.1.4-r0?distro=alpine-3.18",
        ],
    );
    check(
        "Wolfi",
        "curl",
        "i:0 f:8.4.0-r0",
        &[],
        &[
            "pkg:apk/wolfi/curl@8.3.0-r0",
            "pkg:apk/wolfi/curl@8.3.0-r0?distro=wolfi-20230201",
            "!pkg:apk/wolfi/curl@8.4.0-r0",
            "!pkg:apk/chainguard/curl@8.3.0-r0",
        ],
    );
}

#[test]
fn rpm() {
    check(
        "Red Hat:enterprise_linux:9::baseos",
        "openssl",
        "i:0 f:1:3.0.7-25.el9_3",
        &[],
        &[
            "pkg:rpm/redhat/openssl@3.0.7-18.el9_2?epoch=1&distro=rhel-9.2",
            "pkg:rpm/redhat/openssl@1%3A3.0.7-18.el9_2",
            "pkg:rpm/redhat/openssl-libs@3.0.7-18.el9_2?epoch=1&upstream=openssl-3.0.7-18.el9_2.src.rpm",
            "!pkg:rpm/redhat/openssl@3.0.7-25.el9_3?epoch=1&distro=rhel-9.2",
            "!pkg:rpm/redhat/openssl@1%3A3.0.7-18.el8",
        ],
    );
    check(
        "Rocky Linux:8",
        "kernel",
        "i:0 f:4.18.0-513.9.1.el8_9",
        &[],
        &[
            "pkg:rpm/rocky/kernel@4.18.0-477.el8?distro=rocky-8.9",
            "pkg:rpm/rocky/kernel@4.18.0-513.5.1.el8_9",
            "!pkg:rpm/rocky/kernel@4.18.0-513.9.1.el8_9",
        ],
    );
    check(
        "AlmaLinux:9",
        "curl",
        "i:0 f:7.76.1-26.el9_3.2",
        &[],
        &[
            "pkg:rpm/almalinux/curl@7.76.1-23.el9?distro=almalinux-9.2",
            "!pkg:rpm/almalinux/curl@7.76.1-26.el9_3.2",
        ],
    );
    check(
        "SUSE:Linux Enterprise Server 15 SP5",
        "curl",
        "i:0 f:8.0.1-150400.5.32.1",
        &[],
        &[
            "pkg:rpm/suse/curl@8.0.1-150400.5.29.1?distro=sles-15.5",
            "!pkg:rpm/suse/curl@8.0.1-150400.5.29.1?distro=sles-15.4",
        ],
    );
}

#[test]
fn other_ways_to_write_a_release_or_a_repository() {
    for (ecosystem, name, purls) in [
        (
            "Packagist:https://packages.drupal.org/8",
            "drupal/core",
            [
                "pkg:composer/drupal/core@1.0.0",
                "!pkg:composer/drupal/core@2.0.0",
            ],
        ),
        (
            "Debian:12",
            "apt",
            [
                "pkg:deb/debian/apt@1.0?os_distro=bookworm&os_name=debian&os_version=12",
                "!pkg:deb/debian/apt@1.0?os_distro=bullseye&os_name=debian&os_version=11",
            ],
        ),
        (
            "Ubuntu:22.04:LTS",
            "apt",
            [
                "pkg:deb/ubuntu/apt@1.0?distro=ubuntu-22.04.3",
                "!pkg:deb/ubuntu/apt@1.0?distro=ubuntu-22",
            ],
        ),
        (
            "Chainguard",
            "libcrypto3",
            [
                "pkg:apk/chainguard/libcrypto3@1.0-r0?upstream=openssl",
                "!pkg:apk/chainguard/openssl@1.0-r0",
            ],
        ),
        (
            "Chainguard",
            "openssl",
            [
                "pkg:apk/chainguard/libcrypto3@1.0-r0?upstream=openssl",
                "!pkg:apk/chainguard/libcrypto3@1.0-r0",
            ],
        ),
    ] {
        check(ecosystem, name, "i:0 f:2.0", &[], &purls);
    }
}

#[test]
fn source_packages_that_trivy_writes_beside_the_purl() {
    let affected = entry(
        "Debian:12",
        "glibc",
        "ECOSYSTEM",
        "i:0 f:2.36-9+deb12u4",
        &[],
    );
    let feed =
        feed(&[json!({"id": "DEBIAN-CVE-1", "upstream": ["CVE-1"], "affected": [affected]})]);
    let property = |name: &str, value: &str| json!({"name": format!("aquasecurity:trivy:{name}"), "value": value});
    let mut component = package("pkg:deb/debian/libc6@99?distro=debian-12.5");
    assert!(
        matches(&feed, &document(&[component.clone()])).is_empty(),
        "no source package is named"
    );
    component["properties"] = json!([
        property("SrcName", "glibc"),
        property("SrcVersion", "2.36"),
        property("SrcRelease", "9+deb12u3")
    ]);
    assert_eq!(
        matches(&feed, &document(&[component.clone()])),
        ["DEBIAN-CVE-1"]
    );
    component["properties"][2] = property("SrcRelease", "9+deb12u4");
    assert!(
        matches(&feed, &document(&[component.clone()])).is_empty(),
        "fixed"
    );
    component["properties"] = json!([
        property("SrcName", "glibc"),
        property("SrcVersion", "2.36"),
        property("SrcEpoch", "1")
    ]);
    assert!(
        matches(&feed, &document(&[component])).is_empty(),
        "an epoch is greater"
    );

    let spdx = |sentence: &str| {
        let document = json!({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": [{
            "SPDXID": "SPDXRef-1", "name": "libc6", "versionInfo": "99", "sourceInfo": sentence,
            "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:deb/debian/libc6@99?distro=debian-12"}]}]});
        sbom::read(document.to_string().as_bytes()).unwrap()
    };
    assert_eq!(
        matches(&feed, &spdx("built package from: glibc 2.36-9")),
        ["DEBIAN-CVE-1"]
    );
    for other in [
        "built package from: glibc 2.36-9 and more",
        "glibc 2.36-9",
        "built package from: ",
    ] {
        assert!(matches(&feed, &spdx(other)).is_empty(), "{other}");
    }
}

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
