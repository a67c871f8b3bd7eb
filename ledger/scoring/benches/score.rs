//! Scoring the largest shared document: `cargo bench -p stella-scoring --bench score`.
//!
//! Prints one line a measurement; the figures are medians of five runs, CPU time of the main thread
//! (all of it with one thread). Without the shared data it says so and ends.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops when its data is not what it expects"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use stella_scoring::engine::{CURRENT_ENGINE, EngineInputs, Threads, compute};
use stella_scoring::explain::Outline;
use stella_scoring::inputs::sbom;
use stella_scoring::model::{FeedSnapshot as _, VexSnapshot as _};
use stella_scoring::policy::BUILT_IN;
use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex, VexIndex};
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
    let mut files = vec!["feeds/osv-derived/2024-11-25/npm/all.zip"];
    for more in [
        &[][..],
        &[
            "feeds/osv/2026-07-23/crates.io/all.zip",
            "feeds/osv/2026-07-23/Go/all.zip",
            "feeds/osv/2026-07-23/PyPI/all.zip",
        ],
    ] {
        files.extend(more);
        measure(&data, &files);
    }
}

fn measure(data: &Path, files: &[&str]) {
    let mut builder = Builder::new(SnapshotKind::Concelier);
    for file in files {
        builder
            .add(file, &std::fs::read(data.join(file)).unwrap())
            .unwrap();
    }
    let feed = FeedIndex::load(&builder.finish(BadRecords::LeaveOut).unwrap().records).unwrap();
    let empty = Builder::new(SnapshotKind::Excititor);
    let vex = VexIndex::load(&empty.finish(BadRecords::Refuse).unwrap().records).unwrap();
    let document =
        std::fs::read(data.join("sbom/cyclonedx/npm-aggregate-10k.cdx16.json.gz")).unwrap();
    let bom = sbom::read(&stella_scoring::inputs::decompress(&document).unwrap()).unwrap();
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
        bom: &bom,
        feed: &feed,
        vex: &vex,
        reachability: None,
        policy: &policy,
    };
    let (components, advisories) = (bom.components.len(), feed.advisories().len());
    for threads in [1, 4, 16] {
        let (wall, cpu, computation) = median(|| compute(&inputs, Threads::new(threads)).unwrap());
        println!(
            "score {components} components against {advisories} advisories, {threads} threads: {cpu:?} CPU, {wall:?}; {} findings, {} nodes",
            computation.findings.len(),
            computation.nodes.len(),
        );
    }
    let computation = compute(&inputs, Threads::ONE).unwrap();
    let (_, cpu, _) = median(|| Outline::of(&computation.nodes).unwrap());
    println!("explain {} nodes: {cpu:?} CPU", computation.nodes.len());
    println!("peak memory: {} KiB", status("VmHWM:"));
}

/// Medians of wall and CPU time.
fn median<T>(mut run: impl FnMut() -> T) -> (Duration, Duration, T) {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..5 {
        let (start, cpu) = (Instant::now(), cpu_time());
        last = Some(run());
        times.push((start.elapsed(), cpu_time().saturating_sub(cpu)));
    }
    times.sort();
    let cpu = {
        let mut cpu: Vec<_> = times.iter().map(|(_, cpu)| *cpu).collect();
        cpu.sort();
        cpu[2]
    };
    (times[2].0, cpu, last.unwrap())
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
