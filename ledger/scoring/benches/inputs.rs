//! Import, load and matching on the shared data: `cargo bench -p stella-scoring --bench inputs`.
//!
//! Prints one line a measurement; the figures are medians of five runs. Without the shared data it
//! says so and ends.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement that cannot be made is to say why"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use stella_scoring::inputs::sbom;
use stella_scoring::model::FeedSnapshot as _;
use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex};
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
    let day = "feeds/osv/2026-07-23";
    let files: Vec<Vec<u8>> = ["crates.io", "Go", "PyPI"]
        .iter()
        .map(|ecosystem| read(&data.join(format!("{day}/{ecosystem}/all.zip"))))
        .collect();
    let npm = read(&data.join("feeds/osv-derived/2024-11-25/npm/all.zip"));
    let large = read(&data.join("sbom/cyclonedx/npm-aggregate-10k.cdx16.json.gz"));

    let (time, imported) = median(|| import(&files));
    let count = imported.header.rows();
    println!("import {count} rows: {time:?}");
    let (time, feed) = median(|| FeedIndex::load(&imported.records).unwrap());
    println!(
        "load {} advisories from {} bytes: {time:?}",
        feed.advisories().len(),
        imported.records.len()
    );
    println!("resident after load: {} KiB", resident());
    let (time, bom) = median(|| sbom::read(&large).unwrap());
    println!("read {} components: {time:?}", bom.components.len());
    let (time, _) = median(|| feed.match_bom(&bom));
    println!(
        "match {} components, no npm records: {time:?}",
        bom.components.len()
    );

    // Time per component as the feed grows: npm alone, then with the other ecosystems.
    for more in [&files[..0], &files[..]] {
        let mut all = more.to_vec();
        all.push(npm.clone());
        let feed = FeedIndex::load(&import(&all).records).unwrap();
        let (time, found) = median(|| feed.match_bom(&bom));
        println!(
            "match {} components with {} advisories: {time:?}, {} matches",
            bom.components.len(),
            feed.advisories().len(),
            found.matches.len()
        );
    }
}

fn import(files: &[Vec<u8>]) -> stella_scoring::snapshot::Imported {
    let mut builder = Builder::new(SnapshotKind::Concelier);
    for (index, file) in files.iter().enumerate() {
        builder.add(&index.to_string(), file).unwrap();
    }
    builder.finish(BadRecords::Refuse).unwrap()
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn median<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..5 {
        drop(last.take());
        let start = Instant::now();
        last = Some(black_box(run()));
        times.push(start.elapsed());
    }
    times.sort();
    (times[2], last.unwrap())
}

/// Resident memory in KiB, from `/proc`; 0 elsewhere.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix("kB")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or(0)
}
