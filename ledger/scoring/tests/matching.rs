//! The index against a matcher that is as simple as the specification: every advisory is looked at,
//! and evaluated as the OSV schema's pseudo-code does it.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests report by panicking, and say what they skip or measure"
)]

mod shared;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;
use stella_scoring::inputs::sbom;
use stella_scoring::matching::package_name;
use stella_scoring::model::{Bom, Ecosystem, EcosystemKind, FeedSnapshot as _};
use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex};
use stella_scoring::version::compare;
use stella_verify::snapshot::SnapshotKind;

type Pairs = BTreeSet<(String, String)>;

/// OSV schema, "Evaluation": the three functions of the pseudo-code.
mod naive {
    use super::*;

    pub(super) fn is_vulnerable(version: &str, kind: EcosystemKind, affected: &Value) -> bool {
        let listed = affected["versions"].as_array().is_some_and(|versions| {
            versions.iter().any(|item| {
                let item = item.as_str().unwrap();
                item == version || compare(kind, item, version).is_some_and(Ordering::is_eq)
            })
        });
        listed || in_ranges(version, kind, affected)
    }

    fn in_ranges(version: &str, kind: EcosystemKind, affected: &Value) -> bool {
        let ranges = affected["ranges"]
            .as_array()
            .map_or(&[][..], |ranges| ranges);
        ranges
            .iter()
            .filter(|range| range["type"] != "GIT")
            .any(|range| {
                let mut events: Vec<(&str, &str)> = range["events"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .flat_map(|event| event.as_object().unwrap())
                    .map(|(name, version)| (name.as_str(), version.as_str().unwrap()))
                    .collect();
                let at = |a: &str, b: &str| compare(kind, a, b).unwrap();
                // A last affected version ends a stretch that begins at it.
                events.sort_by(|a, b| {
                    let zero = |event: &(&str, &str)| event.1 == "0";
                    zero(b)
                        .cmp(&zero(a))
                        .then_with(|| at(a.1, b.1))
                        .then_with(|| (a.0 == "last_affected").cmp(&(b.0 == "last_affected")))
                });
                let mut vulnerable = false;
                for (name, bound) in events {
                    match name {
                        "introduced" if bound == "0" || at(version, bound).is_ge() => {
                            vulnerable = true;
                        }
                        "fixed" if at(version, bound).is_ge() => vulnerable = false,
                        "last_affected" if at(version, bound).is_gt() => vulnerable = false,
                        _ => {}
                    }
                }
                vulnerable
            })
    }
}

/// Ecosystem, normalised name and version of a purl of the language ecosystems.
fn package(purl: &stella_scoring::purl::Purl) -> Option<(&'static str, String, String)> {
    let join = |separator: &str| match purl.namespace() {
        Some(namespace) => format!("{namespace}{separator}{}", purl.name()),
        None => purl.name().to_owned(),
    };
    let (ecosystem, name) = match purl.kind() {
        "npm" => ("npm", join("/")),
        "golang" => ("Go", join("/").to_lowercase()),
        "pypi" => ("PyPI", join("")),
        "maven" => ("Maven", join(":")),
        "composer" => ("Packagist", join("/").to_lowercase()),
        _ => return None,
    };
    Some((ecosystem, name, purl.version()?.to_owned()))
}

fn naive_match(bom: &Bom, records: &[Value]) -> Pairs {
    let mut found = Pairs::new();
    let purls: BTreeSet<_> = bom
        .components
        .iter()
        .filter_map(|c| c.purl.clone())
        .collect();
    for purl in &purls {
        let Some((ecosystem, name, version)) = package(purl) else {
            continue;
        };
        let kind = Ecosystem::parse(ecosystem).kind();
        let name = package_name(kind, &name);
        for record in records {
            if record.get("withdrawn").is_some_and(|time| !time.is_null()) {
                continue;
            }
            let affected = record["affected"].as_array().unwrap().iter();
            let mut about = affected.filter(|entry| {
                entry["package"]["ecosystem"] == ecosystem
                    && package_name(kind, entry["package"]["name"].as_str().unwrap()) == name
            });
            if about.any(|entry| naive::is_vulnerable(&version, kind, entry)) {
                found.insert((purl.to_string(), record["id"].as_str().unwrap().to_owned()));
            }
        }
    }
    found
}

fn index_match(bom: &Bom, feed: &FeedIndex) -> Pairs {
    let matches = feed.match_bom(bom).matches.into_iter();
    matches
        .map(|found| {
            let advisory = feed.advisory(found.package.advisory).unwrap();
            (found.purl.to_string(), advisory.id.to_string())
        })
        .collect()
}

#[test]
fn the_index_finds_what_a_linear_scan_finds() {
    let Some(data) = shared::data() else { return };
    for (document, feed) in [
        (
            "sbom/cyclonedx/syft-vault.cdx14.json",
            "feeds/osv/2026-07-23/Go/all.zip",
        ),
        (
            "sbom/spdx/kubectl-amd64.spdx23.json.gz",
            "feeds/osv/2026-04-08/Go/all.zip",
        ),
        (
            "sbom/cyclonedx/laravel-7.12.0.cdx14.json",
            "feeds/osv/ghsa-slice/all.zip",
        ),
        (
            "sbom/cyclonedx/dtrack-apiserver-4.5.0.cdx14.json",
            "feeds/osv/ghsa-slice/all.zip",
        ),
        (
            "sbom/derived/osvdev-python-image-2026-08.cdx15.json",
            "feeds/osv/2026-07-23/PyPI/all.zip",
        ),
        (
            "sbom/cyclonedx/juice-shop-flat.cdx14.json.gz",
            "feeds/osv-derived/2024-08-09/npm/all.zip",
        ),
    ] {
        let bytes = shared::read(&data.join(feed));
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
        let records: Vec<Value> = (0..archive.len())
            .map(|index| serde_json::from_reader(archive.by_index(index).unwrap()).unwrap())
            .collect();
        let bom = sbom::read(&shared::read(&data.join(document))).unwrap();
        let expected = naive_match(&bom, &records);
        assert_eq!(
            index_match(&bom, &shared::feed(&[data.join(feed)])),
            expected,
            "{document}"
        );
        println!("{document}: {} pairs", expected.len());
    }
}

fn version() -> impl Strategy<Value = String> {
    (
        0..3u8,
        0..3u8,
        prop_oneof![3 => Just(""), 1 => Just("-rc.1")],
    )
        .prop_map(|(major, minor, pre)| format!("{major}.{minor}.0{pre}"))
}

fn event() -> impl Strategy<Value = Value> {
    let name = prop_oneof![Just("introduced"), Just("fixed"), Just("last_affected")];
    prop_oneof![
        1 => Just(serde_json::json!({"introduced": "0"})),
        5 => (name, version()).prop_map(|(name, version)| serde_json::json!({name: version})),
    ]
}

fn affected() -> impl Strategy<Value = Value> {
    let range = prop::collection::vec(event(), 1..5)
        .prop_map(|events| serde_json::json!({"type": "SEMVER", "events": events}));
    (
        0..3u8,
        prop::collection::vec(range, 0..3),
        prop::collection::vec(version(), 0..3),
    )
        .prop_map(|(name, ranges, versions)| {
            serde_json::json!({
                "package": {"ecosystem": "npm", "name": format!("p{name}")},
                "ranges": ranges, "versions": versions,
            })
        })
}

fn records() -> impl Strategy<Value = Vec<Value>> {
    let record = (
        prop::collection::vec(affected(), 0..4),
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(record, 0..12).prop_map(|records| {
        let record = |(index, (affected, withdrawn)): (usize, (Vec<Value>, bool))| {
            let mut record = serde_json::json!({"id": format!("A-{index}"), "affected": affected});
            if withdrawn {
                record["withdrawn"] = "2024-01-01T00:00:00Z".into();
            }
            record
        };
        records.into_iter().enumerate().map(record).collect()
    })
}

fn document(components: &[(u8, String)]) -> Bom {
    let components: Vec<Value> = components
        .iter()
        .map(|(name, version)| {
            serde_json::json!({"type": "library", "name": "x", "purl": format!("pkg:npm/p{name}@{version}")})
        })
        .collect();
    let document = serde_json::json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components});
    sbom::read(document.to_string().as_bytes()).unwrap()
}

fn load(records: &[Value]) -> FeedIndex {
    let mut builder = Builder::new(SnapshotKind::Concelier);
    for record in records {
        builder
            .add("record", record.to_string().as_bytes())
            .unwrap();
    }
    FeedIndex::load(&builder.finish(BadRecords::Refuse).unwrap().records).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_feed_is_matched_as_the_schema_says(
        records in records(),
        components in prop::collection::vec((0..3u8, version()), 0..8),
    ) {
        let bom = document(&components);
        let feed = load(&records);
        prop_assert_eq!(index_match(&bom, &feed), naive_match(&bom, &records));
    }

    #[test]
    fn order_changes_nothing(
        records in records(),
        components in prop::collection::vec((0..3u8, version()), 0..8),
        seed in any::<u64>(),
    ) {
        let feed = load(&records);
        let found = feed.match_bom(&document(&components));
        let mut shuffled = records.clone();
        let mut other = components.clone();
        let by = |index: usize| {
            u64::try_from(index).unwrap().wrapping_mul(seed | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        };
        let mut place = 0;
        shuffled.sort_by_cached_key(|_| { place += 1; by(place) });
        other.sort_by_cached_key(|_| { place += 1; by(place) });
        let again = load(&shuffled);
        prop_assert_eq!(feed.hash(), again.hash());
        let other = again.match_bom(&document(&other));
        let packages = |matches: &stella_scoring::model::BomMatches| -> Vec<_> {
            matches.matches.iter().map(|m| (m.purl.clone(), m.package.clone(), m.components.len())).collect()
        };
        prop_assert_eq!(packages(&found), packages(&other));
    }
}
