use super::*;
use crate::model::SourcePackage;

#[track_caller]
fn check(purl: &str, ecosystems: &[&str], others: &[&str], names: &[&str], version: &str) {
    check_from(purl, Origin::default(), ecosystems, others, names, version);
}

#[track_caller]
fn check_from(
    purl: &str,
    origin: Origin<'_>,
    ecosystems: &[&str],
    others: &[&str],
    names: &[&str],
    version: &str,
) {
    let found = super::super::lookup(&purl.parse().unwrap(), origin).unwrap();
    let EcosystemChoice::Release(release) = &found.ecosystems else {
        panic!("{purl}")
    };
    for ecosystem in ecosystems {
        assert!(
            release.includes(&Ecosystem::parse(ecosystem)),
            "{purl} in {ecosystem}"
        );
    }
    for ecosystem in others {
        assert!(
            !release.includes(&Ecosystem::parse(ecosystem)),
            "{purl} not in {ecosystem}"
        );
    }
    assert_eq!(
        found.names.iter().map(|name| &**name).collect::<Vec<_>>(),
        names
    );
    assert_eq!(&*found.version, version);
}

#[test]
fn releases_are_found_however_they_are_written() {
    for distro in [
        "debian-12",
        "debian-12.5",
        "bookworm",
        "debian-bookworm",
        "12",
    ] {
        let purl = format!("pkg:deb/debian/openssl@3.0-1?distro={distro}");
        check(
            &purl,
            &["Debian:12"],
            &["Debian:11", "Debian:1", "Debian"],
            &["openssl"],
            "3.0-1",
        );
    }
    check(
        "pkg:deb/ubuntu/openssl@3.0-1?distro=ubuntu-22.04",
        &["Ubuntu:22.04", "Ubuntu:22.04:LTS"],
        &["Ubuntu:Pro:22.04:LTS", "Ubuntu:22.10"],
        &["openssl"],
        "3.0-1",
    );
    check(
        "pkg:apk/alpine/busybox@1.36.1-r29?arch=source&distro=alpine-3.20",
        &["Alpine:v3.20"],
        &["Alpine:v3.2", "Alpine:edge"],
        &["busybox"],
        "1.36.1-r29",
    );
    check(
        "pkg:apk/wolfi/curl@8-r0",
        &["Wolfi"],
        &["Chainguard"],
        &["curl"],
        "8-r0",
    );
    check(
        "pkg:rpm/redhat/openssl@3.0.7-18.el9_2?epoch=1&distro=rhel-9.2&upstream=openssl-3.0.7-18.el9_2.src.rpm",
        &[
            "Red Hat:enterprise_linux:9",
            "Red Hat:enterprise_linux:9::baseos",
        ],
        &["Red Hat:enterprise_linux:8::baseos"],
        &["openssl"],
        "1:3.0.7-18.el9_2",
    );
    check(
        "pkg:rpm/suse/curl@8?distro=sles-15.5",
        &[
            "SUSE:Linux Enterprise Server 15 SP5",
            "SUSE:Linux Enterprise Module for Basesystem 15 SP5",
        ],
        &[
            "SUSE:Linux Enterprise Server 15 SP4",
            "SUSE:Linux Enterprise Server 15",
        ],
        &["curl"],
        "8",
    );
}

#[test]
fn source_packages_are_looked_up() {
    check(
        "pkg:deb/debian/libc6@2.36-9?distro=debian-12&upstream=glibc",
        &["Debian:12"],
        &[],
        &["glibc"],
        "2.36-9",
    );
    check(
        "pkg:deb/debian/libgcc-s1@12.2.0-14?distro=debian-12&upstream=gcc-12%4012.2.0-9",
        &["Debian:12"],
        &[],
        &["gcc-12"],
        "12.2.0-9",
    );
    check(
        "pkg:rpm/rocky/openssl-libs@3.0?distro=rocky-9.3&upstream=openssl-3.0-1.el9.src.rpm",
        &["Rocky Linux:9"],
        &[],
        &["openssl-libs", "openssl"],
        "3.0",
    );
}

#[test]
fn the_document_names_what_the_purl_does_not() {
    let source = SourcePackage {
        name: "glibc".into(),
        version: Some("2.36-9+deb12u4".into()),
    };
    let origin = Origin {
        distro: None,
        source: Some(&source),
    };
    let debian = "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?distro=debian-12";
    check_from(
        debian,
        origin,
        &["Debian:12"],
        &[],
        &["glibc"],
        "2.36-9+deb12u4",
    );
    let rpm = "pkg:rpm/rocky/glibc-common@2.34?distro=rocky-9.3";
    check_from(
        rpm,
        origin,
        &["Rocky Linux:9"],
        &[],
        &["glibc-common", "glibc"],
        "2.34",
    );
    // What the purl says of itself stands above.
    let named = format!("{debian}&upstream=other");
    check_from(
        &named,
        origin,
        &["Debian:12"],
        &[],
        &["other"],
        "2.36-9+deb12u4",
    );
}

#[test]
fn an_rpm_names_its_vendors_release() {
    for (purl, ecosystem) in [
        (
            "pkg:rpm/redhat/a@3.0.7-18.el9_2",
            "Red Hat:enterprise_linux:9::baseos",
        ),
        (
            "pkg:rpm/redhat/a@1-2.module%2Bel8.5.0%2B1",
            "Red Hat:enterprise_linux:8",
        ),
        ("pkg:rpm/almalinux/a@1-2.el10", "AlmaLinux:10"),
    ] {
        let version = purl.rsplit_once('@').unwrap().1.replace("%2B", "+");
        check(
            purl,
            &[ecosystem],
            &["Red Hat:enterprise_linux:7"],
            &["a"],
            &version,
        );
    }
    for purl in [
        "pkg:rpm/centos/a@1-2.el9",
        "pkg:rpm/redhat/a@1-2.fc39",
        "pkg:rpm/a@1.el9",
    ] {
        let refused = super::super::lookup(&purl.parse().unwrap(), Origin::default());
        assert_eq!(
            refused.unwrap_err().code,
            WarningCode::DistroMissing,
            "{purl}"
        );
    }
}
