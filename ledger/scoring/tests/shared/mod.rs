//! Shared data: real documents and recorded answers, beside the repository when present.
#![allow(
    dead_code,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "each test binary uses some of it, and reports by panicking"
)]

use std::io::Read as _;
use std::path::{Path, PathBuf};

use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex, VexIndex};
use stella_verify::snapshot::SnapshotKind;

/// The data folder, or `None` with a printed note. `STELLA_SHARED` names the folder above it.
pub(crate) fn data() -> Option<PathBuf> {
    let root = std::env::var_os("STELLA_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let data = root.join("data");
    if data.is_dir() {
        return Some(data);
    }
    eprintln!(
        "skipped: no shared data at {} (set STELLA_SHARED)",
        data.display()
    );
    None
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    bytes
}

/// A VEX snapshot of the given files, loaded.
pub(crate) fn vex(files: &[PathBuf]) -> VexIndex {
    let mut builder = Builder::new(SnapshotKind::Excititor);
    for file in files {
        builder
            .add(&file.display().to_string(), &read(file))
            .unwrap();
    }
    let imported = builder.finish(BadRecords::Refuse).unwrap();
    VexIndex::load(&imported.records).unwrap()
}

/// A feed snapshot of the given files, loaded.
pub(crate) fn feed(files: &[PathBuf]) -> FeedIndex {
    let mut builder = Builder::new(SnapshotKind::Concelier);
    for file in files {
        builder
            .add(&file.display().to_string(), &read(file))
            .unwrap();
    }
    let imported = builder.finish(BadRecords::Refuse).unwrap();
    FeedIndex::load(&imported.records).unwrap()
}
