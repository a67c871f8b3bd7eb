//! The main job on SBOMs and advisories as they are in the world.

use crate::support::{files, run_in, shared};
use std::path::{Path, PathBuf};

fn sboms(folder: &Path) -> Vec<PathBuf> {
    let all = files(folder).into_iter();
    all.filter(|path| !path.components().any(|part| part.as_os_str() == "edge"))
        .filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".json") || name.ends_with(".json.gz")
        })
        .collect()
}

#[test]
fn every_real_sbom_is_scored_proved_and_verified() {
    let Some(data) = shared("data") else { return };
    let folder = tempfile::tempdir().unwrap();
    let stella = |arguments: &[&str]| {
        let all = [&["--data-dir", "ledger", "--format", "json"], arguments].concat();
        run_in(folder.path(), &all)
    };
    let feeds: Vec<PathBuf> = files(&data.join("feeds/osv/2026-07-23"))
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(".zip"))
        .collect();
    assert!(!feeds.is_empty());
    let mut import = vec!["snapshot", "import"];
    import.extend(feeds.iter().map(|path| path.to_str().unwrap()));
    stella(&import).json();
    let mut scored = 0;
    for sbom in sboms(&data.join("sbom")) {
        let name = sbom.to_str().unwrap();
        let scan = stella(&["scan", "submit", "--sbom", name]).json();
        let id = scan["scanId"].as_str().unwrap();
        let bundle = format!("{id}.zip");
        stella(&["proof", "download", "--scan-id", id, "--output", &bundle]).good();
        let verify = ["proof", "verify", "--bundle", &bundle, "--offline"];
        let key = ["--public-key", "ledger/keys/signing.pub.pem"];
        let log = ["--log-key", "ledger/keys/log.vkey"];
        let report = stella(&[&verify[..], &key[..], &log[..]].concat()).json();
        assert_eq!(report["verified"], true, "{name}");
        scored += 1;
    }
    assert!(scored > 0, "no SBOM was found");
    stella(&["ledger", "fsck"]).good();
}
