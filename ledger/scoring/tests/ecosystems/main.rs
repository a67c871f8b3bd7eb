//! What the OSV schema and the ecosystems' own rules say of corners, one table: records in, package
//! URLs in, pairs out. Each record is imported as a file and each package read from a document.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests report by panicking"
)]

mod distributions;
mod languages;
mod records;

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
