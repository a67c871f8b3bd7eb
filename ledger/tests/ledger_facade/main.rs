//! The ledger as a whole, through its public face.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod reading;
mod support;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stella_ledger::Ledger;
use stella_ledger::index::Found;
use stella_ledger::index::kv::Direction;
use stella_ledger::ledger::{IndexReport, LedgerError, Missing, PageSize};
use stella_ledger::log::{EraseRequest, OpenError, Principal};
use stella_testkit::fixture;
use stella_verify::event::Actor;
use stella_verify::event::payload::{PolicyRegistered, SnapshotImported, SnapshotPublished};
use stella_verify::hash::{BlobDigest, LeafHash, NodeId, PolicyHash, SnapshotRoot, sha256, to_hex};
use stella_verify::merkle::{Growth, TreeHead, root_of, verify_consistency, verify_inclusion};
use stella_verify::snapshot::{SnapshotHeader, SnapshotKind};
use stella_verify::tile::{BundleCoord, EntryBundle, TileCoord, TileIndex, TileLevel};
use stella_verify::tlog_proof::TlogProof;
use stella_verify::units::{LeafIndex, StreamPosition, TreeSize, UnixMillis};

use support::*;

#[test]
fn a_scan_is_found_by_everything_it_is_known_by() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::create(dir.path(), options()).unwrap();
    let first = scan(&ledger, 1);
    let before = ledger.published().size;
    let second = scan(&ledger, 2);
    let view = ledger.latest(PATIENCE).unwrap();
    let record = view
        .scan(&first.name, StreamPosition::ZERO, PageSize::default())
        .unwrap();
    assert_eq!(
        record.manifests[0].registered.manifest.hash(),
        first.manifest
    );
    assert_eq!(record.seals[0].sealed.root, first.root);
    assert_eq!(record.next, None);
    assert_eq!(view.root(&second.root).unwrap().leaf, second.seal);
    assert_eq!(
        view.seal_of(&first.manifest).unwrap().unwrap().leaf,
        first.seal
    );
    let found = view.manifest(&second.manifest).unwrap();
    assert_eq!(found.registered.scan, second.name);
    let artifact = BlobDigest::new([9; 32]);
    let page = view.manifests_of(&artifact, None, PageSize::of(1)).unwrap();
    assert_eq!(page.items[0].registered.scan, second.name, "newest first");
    let page = view
        .manifests_of(&artifact, page.next, PageSize::of(1))
        .unwrap();
    assert_eq!(page.items[0].registered.scan, first.name);
    assert_eq!(page.next, None);

    let oldest = view
        .scans(UnixMillis::ZERO, None, PageSize::of(1), Direction::Forward)
        .unwrap();
    assert_eq!(oldest.items[0].scan, first.name.as_str());
    let next = view.scans(
        UnixMillis::ZERO,
        oldest.next,
        PageSize::of(5),
        Direction::Forward,
    );
    assert_eq!(next.unwrap().items[0].scan, second.name.as_str());
    let newest = view
        .scans(UnixMillis::ZERO, None, PageSize::of(1), Direction::Backward)
        .unwrap();
    assert_eq!(newest.items[0].scan, second.name.as_str());

    // As of the tree before the second scan there is no second scan.
    let view = ledger.at(before, PATIENCE).unwrap();
    let all = view
        .scans(
            UnixMillis::ZERO,
            None,
            PageSize::default(),
            Direction::Forward,
        )
        .unwrap();
    assert_eq!(all.items.len(), 1);
    assert!(matches!(
        view.root(&second.root),
        Err(LedgerError::Missing(Missing::Root(_)))
    ));
    assert!(matches!(
        view.scan(&second.name, StreamPosition::ZERO, PageSize::default()),
        Err(LedgerError::Missing(Missing::Scan(_)))
    ));
}

#[test]
fn nodes_lead_to_their_uses_parents_and_children() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::create(dir.path(), options()).unwrap();
    let scans = [1, 2, 3].map(|number| scan(&ledger, number));
    let view = ledger.latest(PATIENCE).unwrap();
    for scan in &scans {
        let ids: Vec<NodeId> = nodes(scan.manifest)
            .iter()
            .map(|node| NodeId::new(sha256(node)))
            .collect();
        let last = view
            .node(&ids[2], LeafIndex::ZERO, PageSize::default())
            .unwrap();
        assert_eq!(last.parents, [ids[0]]);
        assert_eq!(last.bytes, nodes(scan.manifest)[2]);
        let children = view
            .children(
                &ids[0],
                &scan.manifest,
                LeafIndex::ZERO,
                PageSize::default(),
            )
            .unwrap();
        let found: Vec<_> = children.items.iter().map(|child| child.id).collect();
        assert_eq!(found, [ids[2]]);
        let other = view
            .children(
                &ids[0],
                &scans[0].manifest,
                LeafIndex::ZERO,
                PageSize::default(),
            )
            .unwrap();
        assert_eq!(other.items.is_empty(), scan.manifest != scans[0].manifest);

        let shared = view
            .node(&ids[1], LeafIndex::ZERO, PageSize::of(2))
            .unwrap();
        assert_eq!(shared.uses.items.len(), 2);
        let rest = view
            .node(&ids[1], shared.uses.next.unwrap(), PageSize::of(2))
            .unwrap();
        assert_eq!(rest.uses.items[0].computation, scans[2].manifest);
        assert_eq!(rest.uses.next, None);

        let mut visited = Vec::new();
        view.visit_computation(&scan.manifest, |sequence, node| {
            visited.push((sequence.get(), node.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
        let expected: Vec<_> = (0..).zip(nodes(scan.manifest)).collect();
        assert_eq!(visited, expected);
    }
    let absent = view.node(&NodeId::new([0; 32]), LeafIndex::ZERO, PageSize::default());
    assert_eq!(absent.unwrap_err().reason(), "NODE_NOT_FOUND");
}

#[test]
fn snapshots_and_policies_are_found_and_the_last_published_is_current() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::create(dir.path(), options()).unwrap();
    let kind = SnapshotKind::Concelier;
    let headers = [1, 2].map(|rows| {
        let root = SnapshotRoot::new([4; 32]);
        SnapshotHeader::new(kind, vec!["osv".into()], TreeSize::new(rows), root).unwrap()
    });
    let none = ledger.latest(PATIENCE).unwrap().current_snapshot(kind);
    assert_eq!(none.unwrap_err().reason(), "SNAPSHOT_NOT_FOUND");
    for header in &headers {
        let imported = SnapshotImported {
            header: header.clone(),
            records: ledger.blobs().put(b"records").unwrap(),
        };
        let stream = format!("snapshot/{}", header.hash());
        append(
            &ledger,
            vec![(&stream, "snapshot.imported", imported.to_bytes())],
        );
        let published = SnapshotPublished {
            snapshot: header.hash(),
            kind,
        };
        append(
            &ledger,
            vec![("snapshots", "snapshot.published", published.to_bytes())],
        );
    }
    let policy = PolicyRegistered {
        policy: PolicyHash::new([5; 32]),
        blob: ledger.blobs().put(b"policy").unwrap(),
    };
    append(
        &ledger,
        vec![("policy/5", "policy.registered", policy.to_bytes())],
    );
    let view = ledger.latest(PATIENCE).unwrap();
    let current = view.current_snapshot(kind).unwrap();
    assert_eq!(current.imported.header, headers[1]);
    let listed = view.snapshots(kind, None, PageSize::default()).unwrap();
    assert_eq!(listed.items.len(), 2);
    assert_eq!(
        view.snapshot(&headers[0].hash()).unwrap().imported.header,
        headers[0]
    );
    assert_eq!(view.policy(&policy.policy).unwrap().registered, policy);
    assert_eq!(
        view.policies(None, PageSize::default())
            .unwrap()
            .items
            .len(),
        1
    );
    let other = view
        .snapshots(SnapshotKind::Excititor, None, PageSize::default())
        .unwrap();
    assert!(other.items.is_empty());
}

#[test]
fn proofs_and_tiles_verify_against_the_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::create(dir.path(), options()).unwrap();
    for number in 0..60 {
        scan(&ledger, number);
    }
    let published = ledger.published();
    let hashes = leaf_hashes(&ledger, published.size);
    let view = ledger.latest(PATIENCE).unwrap();
    let head = TreeHead {
        size: published.size,
        root: published.root,
    };
    let keys = [fixture::verifier_key().unwrap()];
    for (index, leaf) in (0..).map(LeafIndex::new).zip(&hashes) {
        let proof = view.prove_inclusion(index).unwrap();
        verify_inclusion(*leaf, index, head, &proof).unwrap();
        let file = ledger.commit_proof(index, PATIENCE).unwrap().to_string();
        TlogProof::parse(file.as_bytes())
            .unwrap()
            .verify(*leaf, &keys, None)
            .unwrap();
    }
    for old in 1..hashes.len() {
        let size = TreeSize::new(old as u64);
        let old = TreeHead {
            size,
            root: root_of(hashes[..old].iter().copied()),
        };
        let proof = view.prove_consistency(size).unwrap();
        verify_consistency(Growth { old, new: head }, &proof).unwrap();
    }
    assert_eq!(view.tree_root().unwrap(), head.root);
    let before = TreeSize::new(100);
    let known: stella_verify::hash::RootHash = root_of(hashes[..100].iter().copied());
    assert_eq!(
        ledger.at(before, PATIENCE).unwrap().tree_root().unwrap(),
        known
    );
    let beyond = view.prove_inclusion(published.size.next_index());
    assert_eq!(beyond.unwrap_err().reason(), "BEYOND_TREE_SIZE");
    check_tiles(&ledger, published.size, &hashes);
}

fn check_tiles(ledger: &Ledger, size: TreeSize, hashes: &[LeafHash]) {
    for index in (0..2).map(TileIndex::new) {
        let coord = TileCoord::in_tree(TileLevel::LEAVES, index, size).unwrap();
        let bytes = ledger.hash_tile(coord).unwrap().unwrap();
        let first = usize::try_from(index.get()).unwrap() * 256;
        let expected: Vec<u8> = hashes[first..]
            .iter()
            .take(256)
            .flat_map(|hash| *hash.as_bytes())
            .collect();
        assert_eq!(bytes, expected);
        let bundle = BundleCoord::in_tree(index, size).unwrap();
        let bytes = ledger.entry_bundle(bundle).unwrap().unwrap();
        let bundle = EntryBundle::decode(&bytes, bundle.width).unwrap();
        assert!(
            bundle
                .leaf_hashes()
                .eq(hashes[first..].iter().take(256).copied())
        );
    }
    let full = TileCoord::in_tree(TileLevel::LEAVES, TileIndex::new(0), size).unwrap();
    let beyond = TileCoord {
        index: TileIndex::new(2),
        ..full
    };
    assert_eq!(ledger.hash_tile(beyond).unwrap(), None);
}

#[test]
fn erased_payloads_are_gone_from_every_answer_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::create(dir.path(), options()).unwrap();
    let kept = scan(&ledger, 1);
    let gone = scan(&ledger, 2);
    let node = NodeId::new(sha256(&nodes(gone.manifest)[2]));
    let view = ledger.latest(PATIENCE).unwrap();
    let used = view
        .node(&node, LeafIndex::ZERO, PageSize::default())
        .unwrap()
        .uses
        .items[0]
        .leaf;
    ledger
        .erase(EraseRequest {
            principal: Principal::new("tester").unwrap(),
            request_id: None,
            actor: Actor::new(Arc::from("tester")).unwrap(),
            leaves: vec![used, gone.seal],
            reason: "test".into(),
        })
        .unwrap();
    let check = |ledger: &Ledger| {
        let view = ledger.latest(PATIENCE).unwrap();
        let lookup = view.node(&node, LeafIndex::ZERO, PageSize::default());
        assert_eq!(lookup.unwrap_err().reason(), "NODE_NOT_FOUND");
        assert_eq!(
            view.root(&gone.root).unwrap_err().reason(),
            "PROOF_NOT_FOUND"
        );
        assert_eq!(view.root(&kept.root).unwrap().leaf, kept.seal);
        let record = view
            .scan(&gone.name, StreamPosition::ZERO, PageSize::default())
            .unwrap();
        assert_eq!(record.erased, [gone.seal]);
        let event = view.event(gone.seal).unwrap();
        assert_eq!(event.payload().unwrap_err().reason(), "PAYLOAD_ERASED");
        assert!(view.prove_inclusion(gone.seal).is_ok());
        let report = ledger
            .fsck(None, &mut |_| ControlFlow::Continue(()))
            .unwrap();
        assert!(report.is_good(), "{report:?}");
    };
    check(&ledger);
    ledger.close().unwrap();
    let (ledger, found) = open(dir.path());
    assert_eq!(found, Found::Sound);
    check(&ledger);
    ledger.close().unwrap();
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let (ledger, found) = open(dir.path());
    assert_eq!(found, Found::Nothing);
    check(&ledger);
    ledger.rebuild();
    check(&ledger);
}

#[test]
fn a_log_that_is_shorter_than_its_index_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::create(dir.path(), options()).unwrap();
    scan(&ledger, 1);
    ledger.close().unwrap();
    let backup = dir.path().join("backup");
    copy(&dir.path().join("log"), &backup);
    let (ledger, _) = open(dir.path());
    scan(&ledger, 2);
    ledger.close().unwrap();
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    copy(&backup, &dir.path().join("log"));
    let opened = Ledger::open(dir.path(), options(), &());
    let error = opened.err().unwrap();
    assert!(
        matches!(error, LedgerError::Open(OpenError::Truncated { .. })),
        "{error}"
    );
    assert_eq!(error.reason(), "LOG_TRUNCATED");
    // Whoever knows better deletes the index; it is not the log's only witness.
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    open(dir.path());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn fsck_names_a_damaged_blob_and_a_rebuild_keeps_every_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::create(dir.path(), options()).unwrap();
    let found = scan(&ledger, 1);
    let digest = ledger.blobs().put(b"an SBOM").unwrap();
    let report = ledger
        .fsck(None, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    assert!(report.is_good());
    assert_eq!(report.index, IndexReport::Equal(ledger.published().size));
    let hex = to_hex(digest.as_bytes());
    let path = dir
        .path()
        .join("blobs/sha256")
        .join(&hex[..2])
        .join(&hex[2..]);
    fs::write(&path, b"something else").unwrap();
    let report = ledger
        .fsck(None, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(report.damaged_blobs[0].0, digest);
    ledger.rebuild();
    let size = ledger.published().size;
    while ledger.stats().index.refolds == 0 || !ledger.wait_applied(size, PATIENCE) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let view = ledger.latest(PATIENCE).unwrap();
    assert_eq!(view.root(&found.root).unwrap().leaf, found.seal);
}
