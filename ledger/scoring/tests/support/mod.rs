//! A small artifact with every kind of fact, held in memory: what the engine's tests compute.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "each test binary uses its part; a broken fixture is to panic"
)]

use std::collections::BTreeMap;
use stella_scoring::engine::{Computation, EngineInputs, Threads, compute};
use stella_scoring::model::{
    Advisory, AdvisoryIndex, AdvisoryKind, Affected, AffectedIndex, AliasGroup, Bom, BomFormat,
    BomMatches, CallPath, Component, ComponentIndex, DependencyDepth, Ecosystem, EpssFact,
    EpssScore, FeedSnapshot, Gate, JsonPointer, KevFact, Match, MatchedBy, PackageKey,
    PackageMatch, RangeIndex, ReachabilityFact, ReachabilityLevel, ReachabilitySet, RowKey, Scope,
    ScoreTenths, SeverityFact, SeverityScheme, SeverityWord, SsvcFact, Table, Until, Version,
    VexApplication, VexFit, VexJustification, VexQuery, VexSnapshot, VexStatement, VexStatus,
    Warning, WarningCode,
};
use stella_scoring::policy::{Policy, built_in};
use stella_scoring::purl::Purl;
use stella_verify::hash::{BlobDigest, SnapshotHash, sha256};
use stella_verify::manifest::{EngineVersion, ScanManifest, Seed};
use stella_verify::units::UnixMillis;

/// A feed snapshot whose matches are stated, not found.
#[derive(Clone, Default)]
pub struct Feed {
    pub name: String,
    pub advisories: Vec<Advisory>,
    pub groups: Vec<AliasGroup>,
    pub matches: BomMatches,
    pub epss: BTreeMap<String, EpssFact>,
    pub kev: BTreeMap<String, KevFact>,
    pub severities: BTreeMap<String, Vec<SeverityFact>>,
    pub ssvc: BTreeMap<String, SsvcFact>,
}

impl FeedSnapshot for Feed {
    fn hash(&self) -> SnapshotHash {
        SnapshotHash::new(sha256(self.name.as_bytes()))
    }

    fn advisory(&self, index: AdvisoryIndex) -> Option<&Advisory> {
        self.advisories.get(index.0 as usize)
    }

    fn alias_group(&self, index: AdvisoryIndex) -> Option<&AliasGroup> {
        self.groups
            .iter()
            .find(|group| group.members.contains(&index))
    }

    fn match_bom(&self, _: &Bom) -> BomMatches {
        self.matches.clone()
    }

    fn epss(&self, id: &str) -> Option<EpssFact> {
        self.epss.get(id).cloned()
    }

    fn kev(&self, id: &str) -> Option<KevFact> {
        self.kev.get(id).cloned()
    }

    fn severities(&self, id: &str) -> Vec<SeverityFact> {
        self.severities.get(id).cloned().unwrap_or_default()
    }

    fn ssvc(&self, id: &str) -> Option<SsvcFact> {
        self.ssvc.get(id).cloned()
    }
}

/// A VEX snapshot: statements by vulnerability.
#[derive(Clone, Default)]
pub struct Vex {
    pub name: String,
    pub statements: Vec<(VexStatement, VexFit)>,
}

impl VexSnapshot for Vex {
    fn hash(&self) -> SnapshotHash {
        SnapshotHash::new(sha256(self.name.as_bytes()))
    }

    fn applications(&self, query: VexQuery<'_>) -> Vec<VexApplication<'_>> {
        (self.statements.iter())
            .filter(|(statement, _)| {
                statement
                    .vulnerabilities
                    .iter()
                    .any(|id| query.names.contains(id))
            })
            .map(|(statement, fit)| VexApplication {
                statement,
                fit: *fit,
            })
            .collect()
    }
}

/// Everything of one computation, owned.
#[derive(Clone)]
pub struct World {
    pub manifest: ScanManifest,
    pub bom: Bom,
    pub feed: Feed,
    pub vex: Vex,
    pub reachability: Option<ReachabilitySet>,
    pub policy: Policy,
}

impl World {
    pub fn inputs(&self) -> EngineInputs<'_> {
        EngineInputs {
            manifest: &self.manifest,
            bom: &self.bom,
            feed: &self.feed,
            vex: &self.vex,
            reachability: self.reachability.as_ref(),
            policy: &self.policy,
        }
    }

    pub fn compute(&self) -> Computation {
        compute(&self.inputs(), Threads::ONE).unwrap()
    }

    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.manifest.lattice_policy = policy.hash();
        self.policy = policy;
        self
    }

    /// The manifest again names the inputs, after a test changed them.
    pub fn renamed(mut self, feed: &str, vex: &str) -> Self {
        self.feed.name = feed.into();
        self.vex.name = vex.into();
        self.manifest.concelier_snapshot = self.feed.hash();
        self.manifest.excititor_snapshot = self.vex.hash();
        self
    }
}

pub fn policy(name: &str) -> Policy {
    built_in(name).unwrap().policy().unwrap()
}

pub fn row(table: Table, source: &str, id: &str) -> RowKey {
    RowKey {
        table,
        ecosystem: "".into(),
        package: "".into(),
        source: source.to_owned().into(),
        id: id.to_owned().into(),
    }
}

pub fn cvss(vector: &str, published: Option<u8>, provider: &str, id: &str) -> SeverityFact {
    SeverityFact {
        scheme: match vector.get(5..6) {
            Some("4") => SeverityScheme::CvssV4,
            Some("3") => SeverityScheme::CvssV3,
            _ => SeverityScheme::CvssV2,
        },
        vector: vector.into(),
        published: published.and_then(ScoreTenths::new),
        word: None,
        provider: provider.into(),
        row: row(Table::Severity, provider, id),
    }
}

pub fn rating(word: SeverityWord, provider: &str, id: &str) -> SeverityFact {
    SeverityFact {
        scheme: SeverityScheme::Word,
        vector: "".into(),
        published: None,
        word: Some(word),
        provider: provider.into(),
        row: row(Table::Severity, provider, id),
    }
}

pub fn epss(id: &str, score: u32) -> EpssFact {
    EpssFact {
        score: EpssScore::new(score).unwrap(),
        percentile: EpssScore::new(99_000).unwrap(),
        row: row(Table::Epss, "epss", id),
    }
}

pub fn kev(id: &str, ransomware: bool) -> KevFact {
    KevFact {
        ransomware,
        date_added: "2024-02-03".into(),
        due_date: "".into(),
        row: row(Table::Kev, "kev", id),
    }
}

pub fn statement(id: &str, author: &str, status: VexStatus, millis: u64) -> VexStatement {
    VexStatement {
        author: author.into(),
        time: Some(UnixMillis::new(millis)),
        revision: "1".into(),
        vulnerabilities: vec![id.into()],
        status,
        justification: (status == VexStatus::NotAffected)
            .then(|| VexJustification("vulnerable_code_not_in_execute_path".into())),
        products: Vec::new(),
        row: row(Table::Vex, author, &format!("{id}#{millis}")),
    }
}

/// Builds a feed: advisories with their places in the document.
pub struct Builder {
    pub feed: Feed,
    pub components: Vec<Component>,
}

impl Builder {
    pub fn new() -> Self {
        Self {
            feed: Feed {
                name: "feed".into(),
                ..Feed::default()
            },
            components: Vec::new(),
        }
    }

    /// A component; its place is the order of calls.
    pub fn component(&mut self, purl: &str, scope: Scope, depth: u32) -> ComponentIndex {
        let place = self.components.len();
        let purl: Purl = purl.parse().unwrap();
        self.components.push(Component {
            pointer: JsonPointer::root().member("components").element(place),
            name: purl.name().into(),
            version: purl.version().map(Into::into),
            purl: Some(purl),
            depth: DependencyDepth::Steps(depth),
            scope,
            source: None,
        });
        ComponentIndex(place as u32)
    }

    /// An advisory that matches components, all of one purl.
    pub fn advisory(
        &mut self,
        id: &str,
        kind: AdvisoryKind,
        at: &[ComponentIndex],
        fixed: &[&str],
    ) -> AdvisoryIndex {
        let index = AdvisoryIndex(self.feed.advisories.len() as u32);
        let purl = self.components[at[0].0 as usize].purl.clone().unwrap();
        let package = PackageKey {
            ecosystem: Ecosystem::parse(purl.kind()),
            name: purl.name().into(),
        };
        self.feed.advisories.push(Advisory {
            id: id.into(),
            aliases: Vec::new(),
            upstream: Vec::new(),
            summary: format!("Flaw {id}").into(),
            withdrawn: None,
            kind,
            severities: Vec::new(),
            affected: vec![Affected {
                index: AffectedIndex(0),
                package: package.clone(),
                ranges: Vec::new(),
                versions: Vec::new(),
                severities: Vec::new(),
            }],
            source: "osv".into(),
        });
        self.feed.matches.matches.push(Match {
            purl,
            components: at.to_vec(),
            package: PackageMatch {
                advisory: index,
                package,
                affected: AffectedIndex(0),
                by: MatchedBy::InRange {
                    range: RangeIndex(0),
                    introduced: Version("0".into()),
                    until: match fixed.first() {
                        Some(version) => Until::Fixed(Version((*version).into())),
                        None => Until::Open,
                    },
                },
                fixed: fixed
                    .iter()
                    .map(|version| Version((*version).into()))
                    .collect(),
            },
        });
        index
    }

    /// Says that advisories speak of one flaw.
    pub fn group(&mut self, members: &[AdvisoryIndex], names: &[&str]) {
        self.feed.groups.push(AliasGroup {
            upstream: Vec::new(),
            name: names[0].into(),
            members: members.to_vec(),
            names: names.iter().map(|name| (*name).into()).collect(),
        });
    }

    pub fn finish(mut self) -> (Feed, Vec<Component>) {
        self.feed
            .matches
            .matches
            .sort_by(|a, b| (&a.purl, a.package.advisory).cmp(&(&b.purl, b.package.advisory)));
        (self.feed, self.components)
    }
}

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
