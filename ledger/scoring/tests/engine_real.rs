//! Engine 1 over the real bills of materials and feeds of the shared data, when it is there.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests report by panicking, and say what they skipped and measured"
)]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;
use stella_scoring::engine::{CURRENT_ENGINE, Computation, EngineInputs, Threads, compute};
use stella_scoring::explain::{Outline, ScoreDiff};
use stella_scoring::inputs::sbom;
use stella_scoring::model::{Bom, FeedSnapshot as _, VexSnapshot as _};
use stella_scoring::policy::{BUILT_IN, Policy};
use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex, VexIndex};
use stella_verify::hash::{BlobDigest, sha256};
use stella_verify::manifest::{ScanManifest, Seed};
use stella_verify::score_proof::ScoreProof;
use stella_verify::snapshot::SnapshotKind;

fn shared() -> Option<PathBuf> {
    let root = std::env::var_os("STELLA_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let data = root.join("data");
    if !data.is_dir() {
        println!("skipped: {} is absent", data.display());
        return None;
    }
    Some(data)
}

fn feed(data: &Path, files: &[&str]) -> FeedIndex {
    let mut builder = Builder::new(SnapshotKind::Concelier);
    for file in files {
        builder
            .add(file, &std::fs::read(data.join(file)).unwrap())
            .unwrap();
    }
    FeedIndex::load(&builder.finish(BadRecords::LeaveOut).unwrap().records).unwrap()
}

fn vex(data: &Path, files: &[&str]) -> VexIndex {
    let mut builder = Builder::new(SnapshotKind::Excititor);
    for file in files {
        builder
            .add(file, &std::fs::read(data.join(file)).unwrap())
            .unwrap();
    }
    VexIndex::load(&builder.finish(BadRecords::LeaveOut).unwrap().records).unwrap()
}

fn bom(path: &Path) -> Option<Bom> {
    let mut bytes = std::fs::read(path).unwrap();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&*bytes)
            .read_to_end(&mut plain)
            .unwrap();
        bytes = plain;
    }
    sbom::read(&bytes).ok()
}

struct World<'a> {
    feed: &'a FeedIndex,
    vex: &'a VexIndex,
    policy: &'a Policy,
}

fn manifest(bom: &Bom, world: &World<'_>) -> ScanManifest {
    ScanManifest {
        artifact_digest: BlobDigest::new(sha256(b"artifact")),
        artifact_purl: None,
        sbom_digest: bom.digest,
        reachability_digest: None,
        concelier_snapshot: world.feed.hash(),
        excititor_snapshot: world.vex.hash(),
        lattice_policy: world.policy.hash(),
        engine_version: CURRENT_ENGINE,
        scanner_version: "test".into(),
        worker_version: "test".into(),
        seed: Seed::default(),
        knobs: BTreeMap::new(),
    }
}

fn score(bom: &Bom, world: &World<'_>, threads: usize) -> Computation {
    let manifest = manifest(bom, world);
    let inputs = EngineInputs {
        manifest: &manifest,
        bom,
        feed: world.feed,
        vex: world.vex,
        reachability: None,
        policy: world.policy,
    };
    compute(&inputs, Threads::new(threads)).unwrap()
}

fn documents(data: &Path) -> Vec<(String, Bom)> {
    let mut all = Vec::new();
    for folder in ["cyclonedx", "derived", "edge", "spdx"] {
        let mut paths: Vec<_> = std::fs::read_dir(data.join("sbom").join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        for path in paths {
            if let Some(bom) = bom(&path) {
                all.push((
                    path.file_name().unwrap().to_string_lossy().into_owned(),
                    bom,
                ));
            }
        }
    }
    all
}

const FEED: [&str; 7] = [
    "feeds/osv/2026-07-23/crates.io/all.zip",
    "feeds/osv/2026-07-23/Go/all.zip",
    "feeds/osv/2026-07-23/PyPI/all.zip",
    "feeds/osv-derived/2024-11-25/npm/all.zip",
    "feeds/epss/epss_scores-2026-07-31.slice.csv",
    "feeds/kev/2025-08-25/known_exploited_vulnerabilities.json",
    "feeds/cve-join/vulnrichment-2024-10-24.tsv",
];

#[test]
fn every_document_scores_alike_on_any_number_of_threads_and_explains_itself() {
    let Some(data) = shared() else { return };
    let feed = feed(&data, &FEED);
    let vex = vex(&data, &["vex/openvex/trivy.openvex.json"]);
    let policies: Vec<_> = BUILT_IN
        .iter()
        .map(|policy| policy.policy().unwrap())
        .collect();
    let documents = documents(&data);
    assert!(documents.len() > 25, "{}", documents.len());
    for (name, bom) in &documents {
        for policy in &policies {
            let world = World {
                feed: &feed,
                vex: &vex,
                policy,
            };
            let one = score(bom, &world, 1);
            // One policy for each number of threads: the whole product takes minutes unoptimised.
            let threads = [4, 16][policy.name.len() % 2];
            assert_eq!(score(bom, &world, threads), one, "{name}");
            let proof = ScoreProof::new(one.nodes.clone()).unwrap();
            proof.check_order(one.manifest).unwrap();
            assert_eq!(
                (proof.score(), proof.root()),
                (one.score, one.root),
                "{name}"
            );
            let outline = Outline::of(&one.nodes).unwrap();
            let shares: i64 = outline.findings().map(|finding| finding.share.get()).sum();
            assert_eq!(shares, one.score.get(), "{name}");
            let largest = one
                .nodes
                .iter()
                .map(|node| node.bytes().len())
                .max()
                .unwrap();
            assert!(largest < 16 * 1024, "{name}: a node of {largest} bytes");
        }
    }
}

#[test]
fn a_feed_update_is_explained_to_the_last_point() {
    let Some(data) = shared() else { return };
    let older = feed(
        &data,
        &[
            "feeds/osv/2024-10-10/crates.io/all.zip",
            "feeds/osv/2024-10-10/Go/all.zip",
        ],
    );
    let newer = feed(
        &data,
        &[
            "feeds/osv/2026-07-23/crates.io/all.zip",
            "feeds/osv/2026-07-23/Go/all.zip",
        ],
    );
    let vex = vex(&data, &[]);
    let policy = BUILT_IN.first().unwrap().policy().unwrap();
    let mut moved = 0;
    for (name, bom) in &documents(&data) {
        let old = score(
            bom,
            &World {
                feed: &older,
                vex: &vex,
                policy: &policy,
            },
            1,
        );
        let new = score(
            bom,
            &World {
                feed: &newer,
                vex: &vex,
                policy: &policy,
            },
            1,
        );
        let diff = ScoreDiff::between(
            &Outline::of(&old.nodes).unwrap(),
            &Outline::of(&new.nodes).unwrap(),
        );
        let rows: i64 = diff.rows.iter().map(|row| row.delta.get()).sum();
        assert_eq!(rows, new.score.get() - old.score.get(), "{name}");
        moved += usize::from(rows != 0);
    }
    assert!(moved > 3, "{moved} documents moved");
}

/// Prints what scoring costs; the bound itself is kept by the benchmarks.
#[test]
fn the_largest_document_is_scored_within_the_memory_of_its_inputs() {
    let Some(data) = shared() else { return };
    let feed = feed(&data, &FEED);
    let vex = vex(&data, &[]);
    let policy = BUILT_IN.first().unwrap().policy().unwrap();
    let bom = bom(&data.join("sbom/cyclonedx/npm-aggregate-10k.cdx16.json.gz")).unwrap();
    let world = World {
        feed: &feed,
        vex: &vex,
        policy: &policy,
    };
    let started = Instant::now();
    let computation = score(&bom, &world, 1);
    println!(
        "{} components, {} advisories: {} findings, {} nodes, score {} in {:?}",
        bom.components.len(),
        feed.advisories().len(),
        computation.findings.len(),
        computation.nodes.len(),
        computation.score,
        started.elapsed()
    );
    assert!(computation.findings.len() > 50);
}
