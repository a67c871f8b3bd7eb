//! The verifier's formats.

use stella_verify::check;
use stella_verify::checkpoint::Checkpoint;
use stella_verify::event::payload::{
    AccessDenied, AdminAct, JobCancelled, JobEnded, JobProgress, JobStarted, ManifestRegistered,
    PayloadErased, PolicyPublished, PolicyRegistered, ProofSigned, RootSealed, ScanFootprint,
    ScanRequested, ScoreReplayed, SnapshotImported, SnapshotPublished, SnapshotRemoved,
};
use stella_verify::event::{EventHeader, RuleApplied};
use stella_verify::json::{canonicalize, parse_canonical, parse_strict};
use stella_verify::manifest::ScanManifest;
use stella_verify::node::ProofNode;
use stella_verify::note::{Note, VerifierKey};
use stella_verify::score_proof::ScoreProof;
use stella_verify::snapshot::{Row, SnapshotHeader, verify_snapshot_proof, write_snapshot_proof};
use stella_verify::tile::{EntryBundle, TilePath, TileWidth};
use stella_verify::tlog_proof::TlogProof;

pub(super) fn strict_json(data: &[u8]) {
    if let Ok(value) = parse_strict(data) {
        let canonical = canonicalize(&value);
        // A large float is written as an integer that a strict reader refuses: then there is no
        // value to compare.
        if let Ok(again) = parse_strict(&canonical) {
            assert_eq!(
                canonicalize(&again),
                canonical,
                "canonical JSON is a fixed point"
            );
        }
    }
}

pub(super) fn canonical_json(data: &[u8]) {
    if let Ok(value) = parse_canonical(data) {
        assert_eq!(canonicalize(&value), data);
    }
}

pub(super) fn event_header(data: &[u8]) {
    if let Ok(header) = EventHeader::decode(data) {
        assert_eq!(header.to_bytes(), data);
    }
}

pub(super) fn rule_applied(data: &[u8]) {
    if let Ok(rule) = RuleApplied::decode(data) {
        assert_eq!(rule.to_bytes(), data);
    }
}

pub(super) fn payloads(data: &[u8]) {
    if let Ok(payload) = AccessDenied::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = AdminAct::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = SnapshotImported::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = SnapshotPublished::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = SnapshotRemoved::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = PolicyRegistered::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = PolicyPublished::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = ScanFootprint::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = JobStarted::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = JobProgress::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = JobCancelled::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = JobEnded::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = ScanRequested::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = ManifestRegistered::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = RootSealed::parse(data) {
        assert_eq!(payload.to_bytes().as_deref(), Ok(data));
    }
    if let Ok(payload) = ProofSigned::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = ScoreReplayed::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
    if let Ok(payload) = PayloadErased::parse(data) {
        assert_eq!(payload.to_bytes(), data);
    }
}

pub(super) fn manifest(data: &[u8]) {
    if let Ok(manifest) = ScanManifest::parse(data) {
        assert_eq!(manifest.to_bytes(), data);
    }
}

pub(super) fn proof_node(data: &[u8]) {
    if let Ok(node) = ProofNode::parse(data) {
        assert_eq!(node.seal().bytes(), data);
    }
}

pub(super) fn score_proof(data: &[u8]) {
    if let Ok(proof) = ScoreProof::parse(data) {
        assert_eq!(proof.to_bytes(), data);
    }
}

pub(super) fn snapshot_header(data: &[u8]) {
    if let Ok(header) = SnapshotHeader::parse(data) {
        assert_eq!(header.to_bytes(), data);
    }
}

pub(super) fn snapshot_row(data: &[u8]) {
    if let Ok(row) = Row::parse(data) {
        assert_eq!(row.to_bytes(), data);
    }
}

pub(super) fn snapshot_proof(data: &[u8]) {
    let header = parse_canonical(data).ok();
    let header = header
        .as_ref()
        .and_then(|value| value.as_object()?.get("header"));
    let Some(Ok(header)) = header.map(SnapshotHeader::from_value) else {
        return;
    };
    if let Ok(proof) = verify_snapshot_proof(data, &header.hash()) {
        let records = proof.records().iter();
        let records = records
            .map(|(digest, bytes)| (*digest, bytes.as_slice()))
            .collect();
        let again = write_snapshot_proof(proof.header(), proof.answers(), &records);
        assert_eq!(again, data, "a proof has one spelling");
    }
}

pub(super) fn note(data: &[u8]) {
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.to_string().as_bytes(), data);
    }
}

pub(super) fn checkpoint(data: &[u8]) {
    if let Ok(note) = Note::parse(data)
        && let Ok(checkpoint) = Checkpoint::parse(note.unverified_text())
    {
        assert_eq!(checkpoint.to_string(), note.unverified_text().as_str());
    }
}

pub(super) fn verifier_key(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(key) = text.parse::<VerifierKey>()
    {
        assert_eq!(key.to_string(), text);
    }
}

pub(super) fn tlog_proof(data: &[u8]) {
    if let Ok(proof) = TlogProof::parse(data) {
        assert_eq!(proof.to_string().as_bytes(), data);
    }
}

pub(super) fn tile_path(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(path) = text.parse::<TilePath>()
    {
        assert_eq!(path.to_string(), text);
    }
}

pub(super) fn entry_bundle(data: &[u8]) {
    let Some((width, bytes)) = data.split_first() else {
        return;
    };
    let Some(width) = TileWidth::new(u16::from(*width) + 1) else {
        return;
    };
    if let Ok(bundle) = EntryBundle::decode(bytes, width) {
        let mut again = Vec::new();
        for entry in bundle.entries() {
            let appended = stella_verify::tile::append_entry(&mut again, entry);
            assert!(appended.is_ok(), "what was read can be written");
        }
        assert_eq!(again, bytes);
    }
}

/// Whatever a line is, every kind answers with one line of JSON that says how it came out.
pub(super) fn check_line(data: &[u8]) {
    for kind in check::KINDS {
        let line = check::run(kind, data, &|_| Err("no files".into()));
        let line = line.map(|line| serde_json::from_str::<serde_json::Value>(&line.json));
        let told = line.and_then(Result::ok);
        assert!(
            told.is_some_and(|told| told.get("ok").is_some_and(serde_json::Value::is_boolean)),
            "{kind}"
        );
    }
}
