//! The artifact that the tests score.

use super::*;

/// An artifact of five packages: an exploited flaw under two ids, an unrated one, one that VEX
/// clears, one that VEX contests, one that cannot be reached, one that is only informational.
pub fn world() -> World {
    let mut build = Builder::new();
    let web = build.component("pkg:npm/web@1.0.0", Scope::Required, 1);
    let web_again = build.component("pkg:npm/web@1.0.0", Scope::Optional, 3);
    let log = build.component("pkg:npm/log@2.0.0", Scope::Optional, 2);
    let zip = build.component("pkg:cargo/zip@0.5.0", Scope::Unspecified, 1);
    let old = build.component("pkg:cargo/old@0.1.0", Scope::Required, 4);
    let tls = build.component("pkg:golang/tls@v1.2.3", Scope::Required, 1);
    build.component("pkg:npm/clean@3.0.0", Scope::Required, 1);

    let ghsa = build.advisory(
        "GHSA-aaaa",
        AdvisoryKind::Vulnerability,
        &[web, web_again],
        &["1.0.1"],
    );
    let cve = build.advisory(
        "CVE-2024-1",
        AdvisoryKind::Vulnerability,
        &[web, web_again],
        &["1.0.1"],
    );
    build.group(&[ghsa, cve], &["CVE-2024-1", "GHSA-aaaa"]);
    let second = build.advisory(
        "GHSA-bbbb",
        AdvisoryKind::Vulnerability,
        &[web, web_again],
        &[],
    );
    build.group(&[second], &["CVE-2024-2", "GHSA-bbbb"]);
    let unrated = build.advisory("GHSA-cccc", AdvisoryKind::Vulnerability, &[log], &[]);
    build.group(&[unrated], &["GHSA-cccc"]);
    let cleared = build.advisory("RUSTSEC-1", AdvisoryKind::Vulnerability, &[zip], &["0.6.0"]);
    build.group(&[cleared], &["CVE-2024-3", "RUSTSEC-1"]);
    let contested = build.advisory("RUSTSEC-2", AdvisoryKind::Vulnerability, &[zip], &[]);
    build.group(&[contested], &["CVE-2024-4", "RUSTSEC-2"]);
    let info = build.advisory("RUSTSEC-3", AdvisoryKind::Unmaintained, &[old], &[]);
    build.group(&[info], &["RUSTSEC-3"]);
    let far = build.advisory(
        "GO-2024-5",
        AdvisoryKind::Vulnerability,
        &[tls],
        &["v1.2.4"],
    );
    build.group(&[far], &["CVE-2024-5", "GO-2024-5"]);
    let near = build.advisory(
        "GO-2024-6",
        AdvisoryKind::Vulnerability,
        &[tls],
        &["v1.2.4"],
    );
    build.group(&[near], &["CVE-2024-6", "GO-2024-6"]);

    facts(&mut build);
    let (feed, components) = build.finish();
    assemble(feed, components)
}

/// What feeds say of the fixture's flaws.
fn facts(build: &mut Builder) {
    let v3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    let medium = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N";
    for (name, facts) in [
        (
            "CVE-2024-1",
            vec![
                cvss(v3, Some(98), "nvd", "CVE-2024-1"),
                cvss(v4, Some(93), "cna", "CVE-2024-1"),
            ],
        ),
        // Published differs from what the vector says: 6.1.
        (
            "CVE-2024-2",
            vec![cvss(medium, Some(64), "nvd", "CVE-2024-2")],
        ),
        ("CVE-2024-3", vec![cvss(v3, None, "nvd", "CVE-2024-3")]),
        (
            "CVE-2024-4",
            vec![rating(SeverityWord::High, "cna", "CVE-2024-4")],
        ),
        (
            "CVE-2024-5",
            vec![
                cvss(v3, None, "nvd", "CVE-2024-5"),
                cvss("AV:N/AC:L/Au:N/C:P/I:P", None, "old", "CVE-2024-5"),
            ],
        ),
        ("CVE-2024-6", vec![cvss(medium, None, "nvd", "CVE-2024-6")]),
    ] {
        build.feed.severities.insert(name.into(), facts);
    }
    build
        .feed
        .epss
        .insert("CVE-2024-1".into(), epss("CVE-2024-1", 97_123));
    build
        .feed
        .epss
        .insert("CVE-2024-2".into(), epss("CVE-2024-2", 50));
    build
        .feed
        .kev
        .insert("CVE-2024-1".into(), kev("CVE-2024-1", true));
    build.feed.ssvc.insert(
        "CVE-2024-1".into(),
        SsvcFact {
            exploitation: Some("active".into()),
            automatable: Some("yes".into()),
            technical_impact: Some("total".into()),
            row: row(Table::Severity, "cisa-adp", "CVE-2024-1"),
        },
    );
}

fn assemble(feed: Feed, components: Vec<Component>) -> World {
    let vex = Vex {
        name: "vex".into(),
        statements: vec![
            (
                statement("CVE-2024-3", "vendor", VexStatus::NotAffected, 5_000),
                VexFit::ComponentInArtifact,
            ),
            (
                statement("CVE-2024-4", "distro", VexStatus::Affected, 9_000),
                VexFit::Component,
            ),
            (
                statement("CVE-2024-4", "vendor", VexStatus::NotAffected, 4_000),
                VexFit::ComponentInArtifact,
            ),
        ],
    };
    let reach = |id: &str, level, path| ReachabilityFact {
        purl: "pkg:golang/tls@v1.2.3".parse().unwrap(),
        vulnerability: id.into(),
        level,
        path,
        symbol: "".into(),
        pointer: JsonPointer::root().member("facts").element(0),
    };
    let reachability = ReachabilitySet {
        digest: BlobDigest::new(sha256(b"reachability")),
        facts: vec![
            reach("GO-2024-5", ReachabilityLevel::Unreachable, None),
            reach(
                "GO-2024-6",
                ReachabilityLevel::Symbol,
                Some(CallPath {
                    hops: 4,
                    gates: vec![Gate("auth-required".into())],
                }),
            ),
        ],
        warnings: Vec::new(),
    };
    let bom = Bom {
        digest: BlobDigest::new(sha256(b"sbom")),
        format: BomFormat::CycloneDx("1.5".into()),
        subject: None,
        distro: None,
        components,
        warnings: vec![Warning {
            pointer: JsonPointer::root().member("components").element(9),
            code: WarningCode::PurlInvalid,
            detail: "not a purl".into(),
        }],
    };
    let policy = policy("stella-default");
    World {
        manifest: ScanManifest {
            artifact_digest: BlobDigest::new(sha256(b"artifact")),
            artifact_purl: Some("pkg:oci/app@1".into()),
            sbom_digest: bom.digest,
            reachability_digest: Some(reachability.digest),
            concelier_snapshot: feed.hash(),
            excititor_snapshot: vex.hash(),
            lattice_policy: policy.hash(),
            engine_version: EngineVersion::new(1),
            scanner_version: "1.0.0".into(),
            worker_version: "1.0.0".into(),
            seed: Seed::default(),
            knobs: BTreeMap::new(),
        },
        bom,
        feed,
        vex,
        reachability: Some(reachability),
        policy,
    }
}
