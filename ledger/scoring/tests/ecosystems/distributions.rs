//! Distributions: releases, source packages, epochs.

use super::{check, document, entry, feed, matches, package};
use serde_json::json;
use stella_scoring::inputs::sbom;

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
