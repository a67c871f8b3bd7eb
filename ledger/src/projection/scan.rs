//! `manifest.registered`, `root.sealed`, and what the streams of scans say: the life of a scan.

use stella_verify::event::EventHeader;
use stella_verify::event::payload::{ManifestRegistered, RootSealed, ScanFootprint};
use stella_verify::units::LeafIndex;

use super::Row;
use crate::index::keys::Table;
use crate::index::postings::{Postings, Prefix};

/// The streams of scans begin with this (FORMATS.md section 4).
const SCAN_PREFIX: &str = "scan/";

/// The stream that holds a scan's events.
#[must_use]
pub fn scan_stream(scan: &str) -> String {
    format!("{SCAN_PREFIX}{scan}")
}

/// The scan that an event creates: the first of a scan's stream does, whatever its type. That
/// stands in the header, so erasing payloads does not make a scan unknown.
pub(super) fn created<'a>(header: &'a EventHeader<'_>) -> Option<&'a str> {
    let scan = header.stream.as_str().strip_prefix(SCAN_PREFIX)?;
    (header.position.get() == 0).then_some(scan)
}

/// Rows of a `manifest.registered` payload.
pub(super) fn registered_rows(leaf: LeafIndex, payload: &[u8]) -> Option<Vec<Row>> {
    let manifest = ManifestRegistered::parse(payload).ok()?.manifest;
    let (feed, vex) = (manifest.concelier_snapshot, manifest.excititor_snapshot);
    Some(vec![
        Row::pointer(Table::Artifacts, manifest.artifact_digest.as_bytes(), leaf),
        Row::pointer(Table::Manifests, manifest.hash().as_bytes(), leaf),
        Row::pointer(Table::SnapshotUsers, feed.as_bytes(), leaf),
        Row::pointer(Table::SnapshotUsers, vex.as_bytes(), leaf),
    ])
}

/// Rows of a `root.sealed` payload.
pub(super) fn sealed_rows(leaf: LeafIndex, payload: &[u8]) -> Option<Vec<Row>> {
    let sealed = RootSealed::parse(payload).ok()?;
    Some(vec![
        Row::pointer(Table::SealsByManifest, sealed.manifest.as_bytes(), leaf),
        Row::pointer(Table::Roots, sealed.root.as_bytes(), leaf),
    ])
}

/// Posts a `scan.footprint` under each of its keys: from a package to the scans that looked it up.
pub(super) fn footprint(leaf: LeafIndex, payload: &[u8], uses: &mut Postings) {
    let Ok(footprint) = ScanFootprint::parse(payload) else {
        return;
    };
    for key in footprint.uses.keys() {
        uses.push(Prefix::of_use(*key), leaf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_verify::hash::ManifestHash;
    use stella_verify::snapshot::UseKey;

    #[test]
    fn a_footprint_is_posted_under_each_of_its_keys() {
        let keys = [
            UseKey::package("crates.io", "h2"),
            UseKey::name("CVE-2026-1"),
        ];
        let payload = ScanFootprint {
            scan: "scan-0123456789abcdef0123".parse().unwrap(),
            manifest: ManifestHash::new([7; 32]),
            uses: keys.into_iter().collect(),
        };
        let mut uses = Postings::starting_at(LeafIndex::ZERO);
        let leaf = LeafIndex::new(9);
        footprint(leaf, &payload.to_bytes(), &mut uses);
        let mut expected = keys.map(|key| (Prefix::of_use(key), leaf));
        expected.sort_unstable();
        assert!(uses.iter().eq(expected));
        footprint(leaf, b"{}", &mut uses);
        assert_eq!(
            uses.iter().count(),
            2,
            "what is no footprint contributes nothing"
        );
    }
}
