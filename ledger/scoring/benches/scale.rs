//! How costs grow: `cargo bench -p stella-scoring --bench scale`.
//!
//! Import of 10,000 advisories; scoring as the feed grows tenfold; memory of scoring alone. Prints one
//! line a measurement; the figures are medians of five runs, CPU time of the main thread. Without the
//! shared data it says so and ends.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops when its data is not what it expects"
)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use stella_scoring::engine::{CURRENT_ENGINE, EngineInputs, Threads, compute};
use stella_scoring::inputs::sbom;
use stella_scoring::model::{Bom, FeedSnapshot as _, VexSnapshot as _};
use stella_scoring::policy::BUILT_IN;
use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex, Imported, VexIndex};
use stella_verify::hash::{BlobDigest, sha256};
use stella_verify::manifest::{ScanManifest, Seed};
use stella_verify::snapshot::SnapshotKind;

fn main() {
    let root = std::env::var_os("STELLA_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let data = root.join("data");
    if !data.is_dir() {
        println!("no shared data at {}", data.display());
        return;
    }
    let zip = |place: &str| archive(&data.join("feeds").join(place));
    import_ten_thousand(
        &[
            zip("osv/2026-07-23/PyPI/all.zip"),
            zip("osv/2026-07-23/Go/all.zip"),
        ]
        .concat(),
    );
    let document = data.join("sbom/cyclonedx/npm-aggregate-10k.cdx16.json.gz");
    let bom = sbom::read(&std::fs::read(document).unwrap()).unwrap();
    let npm = zip("osv-derived/2024-11-25/npm/all.zip");
    for times in [1, 3, 10] {
        score(&bom, &grown(&npm, times));
    }
}

/// Every record of an export.
fn archive(path: &Path) -> Vec<Vec<u8>> {
    let file = std::fs::File::open(path).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let mut records = Vec::new();
    for place in 0..archive.len() {
        let mut bytes = Vec::new();
        archive
            .by_index(place)
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        records.push(bytes);
    }
    records
}

fn import(records: &[Vec<u8>]) -> Imported {
    let mut builder = Builder::new(SnapshotKind::Concelier);
    for (place, record) in records.iter().enumerate() {
        builder.add(&place.to_string(), record).unwrap();
    }
    builder.finish(BadRecords::Refuse).unwrap()
}

fn import_ten_thousand(records: &[Vec<u8>]) {
    let records = &records[..10_000];
    let bytes: usize = records.iter().map(Vec::len).sum();
    let (wall, cpu, imported) = median(|| import(records));
    println!(
        "import {} advisories, {bytes} bytes, {} rows: {cpu:?} CPU, {wall:?}",
        records.len(),
        imported.header.rows()
    );
}

/// The feed, and as many copies under other ids and packages: as a feed grows, by packages.
fn grown(records: &[Vec<u8>], times: usize) -> Vec<Vec<u8>> {
    let mut all = records.to_vec();
    for copy in 1..times {
        for record in records {
            let mut record: Value = serde_json::from_slice(record).unwrap();
            let id = format!("{}-{copy}", record["id"].as_str().unwrap());
            record["id"] = id.into();
            record["aliases"] = Value::Array(Vec::new());
            for affected in record["affected"].as_array_mut().unwrap() {
                let name = format!("{}-{copy}", affected["package"]["name"].as_str().unwrap());
                affected["package"]["name"] = name.into();
            }
            all.push(record.to_string().into_bytes());
        }
    }
    all
}

fn score(bom: &Bom, records: &[Vec<u8>]) {
    let imported = import(records);
    let feed = FeedIndex::load(&imported.records).unwrap();
    drop(imported);
    let empty = Builder::new(SnapshotKind::Excititor);
    let vex = VexIndex::load(&empty.finish(BadRecords::Refuse).unwrap().records).unwrap();
    let policy = BUILT_IN[0].policy().unwrap();
    let manifest = ScanManifest {
        artifact_digest: BlobDigest::new(sha256(b"artifact")),
        artifact_purl: None,
        sbom_digest: bom.digest,
        reachability_digest: None,
        concelier_snapshot: feed.hash(),
        excititor_snapshot: vex.hash(),
        lattice_policy: policy.hash(),
        engine_version: CURRENT_ENGINE,
        scanner_version: "bench".into(),
        worker_version: "bench".into(),
        seed: Seed::default(),
        knobs: BTreeMap::new(),
    };
    let inputs = EngineInputs {
        manifest: &manifest,
        bom,
        feed: &feed,
        vex: &vex,
        reachability: None,
        policy: &policy,
    };
    let (_, matching, _) = median(|| feed.match_bom(bom));
    let resident = status("VmRSS:");
    // The peak counts from here on (proc(5), clear_refs).
    let reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let (_, whole, computation) = median(|| compute(&inputs, Threads::ONE).unwrap());
    let thousands = u32::try_from(bom.components.len()).unwrap() / 1_000;
    println!(
        "score {} components against {} advisories: {whole:?} CPU, {} findings, {} nodes; \
         for 1,000 components {:?}, of which matching {:?}",
        bom.components.len(),
        feed.advisories().len(),
        computation.findings.len(),
        computation.nodes.len(),
        whole / thousands,
        matching / thousands,
    );
    if reset {
        println!(
            "  resident before {resident} KiB, peak while scoring {} KiB",
            status("VmHWM:")
        );
    }
}

/// Medians of wall and CPU time.
fn median<T>(mut run: impl FnMut() -> T) -> (Duration, Duration, T) {
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    let mut last = None;
    for _ in 0..5 {
        drop(last.take());
        let (start, cpu) = (Instant::now(), cpu_time());
        last = Some(std::hint::black_box(run()));
        walls.push(start.elapsed());
        cpus.push(cpu_time().saturating_sub(cpu));
    }
    walls.sort();
    cpus.sort();
    (walls[2], cpus[2], last.unwrap())
}

/// CPU time of the main thread from `/proc`; zero elsewhere.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// A line of `/proc/self/status` in KiB; 0 elsewhere.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0)
}
