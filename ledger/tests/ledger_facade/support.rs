//! A ledger with scans in it, as the server writes them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stella_ledger::index::{Found, Workers};
use stella_ledger::ledger::PageSize;
use stella_ledger::log::{AppendRequest, Entries, Expected, NewEvent, Principal, Receipt};
use stella_ledger::{Ledger, LedgerOptions};
use stella_testkit::fixture;
use stella_verify::event::payload::{ManifestRegistered, RootSealed, ScanId};
use stella_verify::event::{Actor, EventType, RuleApplied, StreamName};
use stella_verify::hash::{
    BlobDigest, LeafHash, ManifestHash, NodeId, PolicyHash, ProofRoot, SnapshotHash, sha256, to_hex,
};
use stella_verify::manifest::{EngineVersion, ScanManifest};
use stella_verify::merkle::{leaf_hash, root_of};
use stella_verify::units::{BasisPoints, LeafIndex, NodeSequence, TreeSize};

pub const PATIENCE: Duration = Duration::from_mins(1);

pub fn options() -> LedgerOptions {
    let signer = Arc::new(fixture::signer().unwrap());
    let mut options = LedgerOptions::new(fixture::origin().unwrap(), signer);
    options.index_workers = Workers(2);
    options
}

pub fn open(folder: &Path) -> (Ledger, Found) {
    let (ledger, opened) = Ledger::open(folder, options(), &()).unwrap();
    (ledger, opened.index)
}

pub fn append(ledger: &Ledger, events: Vec<(&str, &str, Vec<u8>)>) -> Receipt {
    let events = events
        .into_iter()
        .map(|(stream, event_type, payload)| NewEvent {
            stream: StreamName::new(Arc::from(stream)).unwrap(),
            event_type: EventType::new(Arc::from(event_type)).unwrap(),
            actor: Actor::new(Arc::from("tester")).unwrap(),
            payload: payload.into(),
            expected: Expected::Any,
        });
    let request = AppendRequest {
        principal: Principal::new("tester").unwrap(),
        request_id: None,
        entries: Entries::Events(events.collect()),
        names: Vec::new(),
    };
    ledger.append(request).unwrap()
}

pub fn manifest(number: u8) -> ScanManifest {
    ScanManifest {
        artifact_digest: BlobDigest::new([9; 32]),
        artifact_purl: None,
        sbom_digest: BlobDigest::new(sha256(&[number])),
        reachability_digest: None,
        concelier_snapshot: SnapshotHash::new([1; 32]),
        excititor_snapshot: SnapshotHash::new([2; 32]),
        lattice_policy: PolicyHash::new([3; 32]),
        engine_version: EngineVersion::new(1),
        scanner_version: "1".into(),
        worker_version: "1".into(),
        seed: to_hex(&[0; 32]).parse().unwrap(),
        knobs: std::collections::BTreeMap::new(),
    }
}

/// A computation of three nodes: one first, two that follow from it. The second occurs in every
/// computation.
pub fn nodes(manifest: ManifestHash) -> Vec<Vec<u8>> {
    let first = format!(r#"{{"in":{{"manifestHash":"{manifest}"}},"parentIds":[]}}"#);
    let id = NodeId::new(sha256(first.as_bytes()));
    let shared = r#"{"parentIds":[]}"#.to_owned();
    let last = format!(r#"{{"kind":"score","parentIds":["{id}"]}}"#);
    [first, shared, last].map(String::into_bytes).to_vec()
}

pub struct Scan {
    pub name: ScanId,
    pub manifest: ManifestHash,
    pub root: ProofRoot,
    pub seal: LeafIndex,
}

/// Appends a scan the way the server does: registered, computed, sealed.
pub fn scan(ledger: &Ledger, number: u8) -> Scan {
    let manifest = manifest(number);
    // What the manifest names is there before the event that names it.
    ledger.blobs().put(&[number]).unwrap();
    let hash = manifest.hash();
    let scan = ScanId::of(hash, 20);
    let stream = format!("scan/{scan}");
    let registered = ManifestRegistered {
        scan: scan.clone(),
        manifest,
    };
    append(
        ledger,
        vec![(&stream, "manifest.registered", registered.to_bytes())],
    );
    let computation = format!("computation/{}", to_hex(hash.as_bytes()));
    let applied = nodes(hash).into_iter().zip(0..).map(|(node, sequence)| {
        let rule = RuleApplied {
            computation: hash,
            sequence: NodeSequence::new(sequence),
            node: &node,
        };
        (computation.as_str(), "rule.applied", rule.to_bytes())
    });
    let first_leaf = append(ledger, applied.collect()).first;
    let root: ProofRoot = root_of(nodes(hash).iter().map(|node| leaf_hash(node)));
    let sealed = RootSealed {
        scan: scan.clone(),
        manifest: hash,
        root,
        nodes: NodeSequence::new(3),
        score: BasisPoints::new(4_200),
        engine_version: EngineVersion::new(1),
        artifact: BlobDigest::new([9; 32]),
        first_leaf,
        engine_build: "test".into(),
    };
    let seal = append(
        ledger,
        vec![(&stream, "root.sealed", sealed.to_bytes().unwrap())],
    )
    .first;
    Scan {
        name: scan,
        manifest: hash,
        root,
        seal,
    }
}

pub fn leaf_hashes(ledger: &Ledger, size: TreeSize) -> Vec<LeafHash> {
    let view = ledger.at(size, PATIENCE).unwrap();
    let mut hashes = Vec::new();
    let mut from = LeafIndex::ZERO;
    loop {
        let page = view.events(from, PageSize::of(7)).unwrap();
        hashes.extend(
            page.items
                .iter()
                .map(stella_ledger::ledger::Event::leaf_hash),
        );
        match page.next {
            Some(next) => from = next,
            None => return hashes,
        }
    }
}
