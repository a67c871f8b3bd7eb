//! The index against the footprints, over worlds drawn from seeds.

use super::*;
use crate::app::replays::Wanted;
use crate::app::{AppOptions, Source};
use crate::auth::Caller;
use serde_json::json;
use stella_proto::{scan, score, snapshot as wire};
use stella_verify::hash::SnapshotHash;

const PACKAGES: u64 = 14;
const FEEDS: u64 = 4;
const SCANS: u64 = 10;

/// xorshift64*: which worlds there are is printed with every failure as the seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }
}

fn caller() -> Caller {
    Caller::local()
}

/// A feed in which a few packages have advisories, and some of their flaws an EPSS row.
fn feed(app: &App, draw: &mut Draw) -> SnapshotHash {
    let mut sources = Vec::new();
    let mut epss =
        String::from("#model_version:v2026.01,score_date:2026-01-01\ncve,epss,percentile\n");
    for package in 0..PACKAGES {
        // Most packages are told the same by most feeds, so that few keys differ.
        let fixed = if draw.below(6) == 0 { "3.0.0" } else { "2.0.0" };
        if draw.below(10) == 0 {
            continue;
        }
        let advisory = json!({
            "id": format!("RUSTSEC-2026-{package:04}"),
            "modified": "2026-01-01T00:00:00Z",
            "aliases": [format!("CVE-2026-{package:04}")],
            "summary": "drawn",
            "affected": [{
                "package": {"ecosystem": "crates.io", "name": format!("p{package}")},
                "ranges": [{
                    "type": "SEMVER",
                    "events": [{"introduced": "0"}, {"fixed": fixed}],
                }],
            }],
        });
        sources.push(Source {
            name: format!("{package}.json"),
            bytes: advisory.to_string().into_bytes(),
        });
        let probability = if draw.below(8) == 0 {
            "0.90000"
        } else {
            "0.10000"
        };
        let row = format!("CVE-2026-{package:04},{probability},0.50000\n");
        epss.push_str(&row);
    }
    sources.push(Source {
        name: "epss.csv".to_owned(),
        bytes: epss.into_bytes(),
    });
    let header = wire::ImportHeader {
        kind: wire::SnapshotKind::Concelier.into(),
        publish: true,
        ..wire::ImportHeader::default()
    };
    let imported = app.import_snapshot(&caller(), &header, sources).unwrap();
    imported.snapshot.unwrap().hash.parse().unwrap()
}

fn submit(app: &App, number: u64, feed: SnapshotHash, draw: &mut Draw) -> String {
    let count = 1 + draw.below(4);
    let names: BTreeSet<u64> = (0..count).map(|_| draw.below(PACKAGES)).collect();
    let components: Vec<_> = (names.iter())
        .map(|name| {
            json!({
                "type": "library",
                "name": format!("p{name}"),
                "version": "1.0.0",
                "purl": format!("pkg:cargo/p{name}@1.0.0"),
            })
        })
        .collect();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": format!("app{number}")}},
        "components": components,
    });
    let request = scan::SubmitScanRequest {
        sbom: bill.to_string().into_bytes().into(),
        concelier_snapshot_hash: feed.to_string(),
        ..scan::SubmitScanRequest::default()
    };
    let answer = app.submit_scan(&caller(), request).unwrap();
    answer.scan.unwrap().scan_id
}

/// How many scans were judged without their footprints, and how many a difference touches.
#[derive(Debug, Default)]
struct Seen {
    spared: u32,
    touched: u32,
}

/// Judges every scan twice, with and without the index, against a feed.
fn compare(app: &App, scans: &[String], reach: &Reach, feed: SnapshotHash, seen: &mut Seen) {
    let wanted = Wanted {
        feed: Some(feed),
        ..Wanted::default()
    };
    for scan in scans {
        let (state, _) = app.scan_state(&scan.parse().unwrap()).unwrap();
        let asked = wanted.applied_to(state.original().unwrap());
        let spared = std::cell::Cell::new(false);
        let by_index = app.unchanged(&state, &asked, |difference, leaf| {
            let known = reach.spares(app, difference, leaf)?;
            spared.set(known);
            Ok(known)
        });
        let by_footprint = app.unchanged(&state, &asked, |_, _| Ok(false));
        let told = |judged: Result<Option<crate::app::replays::Unchanged>, Refusal>| {
            let judged = judged.unwrap();
            judged.map(|same| (same.manifest.hash(), same.seal.leaf, same.touched))
        };
        let (by_index, by_footprint) = (told(by_index), told(by_footprint));
        assert_eq!(by_index, by_footprint, "{scan} against {feed}");
        seen.spared += u32::from(spared.get());
        seen.touched += u32::from(by_footprint.is_none());
    }
}

#[test]
fn the_index_judges_as_the_footprints_do() {
    let mut seen = Seen::default();
    for seed in [1, 29, 404, 9_001] {
        let mut draw = Draw(seed);
        let directory = tempfile::tempdir().unwrap();
        let app = App::open(AppOptions::new(directory.path()), &|_, _| ()).unwrap();
        let feeds: Vec<_> = (0..FEEDS).map(|_| feed(&app, &mut draw)).collect();
        let pick = |draw: &mut Draw| feeds[usize::try_from(draw.below(FEEDS)).unwrap()];
        // Scans were submitted against different feeds.
        let scans: Vec<_> = (0..SCANS)
            .map(|number| {
                let feed = pick(&mut draw);
                submit(&app, number, feed, &mut draw)
            })
            .collect();
        let early = Reach::for_scans(1_000);
        for feed in &feeds {
            compare(&app, &scans, &early, *feed, &mut seen);
        }
        // Some get further roots, some are seen to hold against another feed.
        for scan in &scans {
            for _ in 0..draw.below(3) {
                let request = score::ReplayScoreRequest {
                    scan_id: scan.clone(),
                    concelier_snapshot_hash: pick(&mut draw).to_string(),
                    skip_unchanged: draw.below(2) == 0,
                    ..score::ReplayScoreRequest::default()
                };
                app.replay(&caller(), &request).unwrap();
            }
        }
        // What was looked up before they did must not be believed of what was sealed since.
        let (late, none) = (Reach::for_scans(1_000), Reach::for_scans(0));
        for feed in &feeds {
            for reach in [&early, &late, &none] {
                compare(&app, &scans, reach, *feed, &mut seen);
            }
        }
        app.close().unwrap();
    }
    assert!(seen.spared > 50 && seen.touched > 50, "{seen:?}");
}
