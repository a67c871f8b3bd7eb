//! Reading while others write, and logs that hold no events.

use std::sync::Arc;

use stella_ledger::Ledger;
use stella_ledger::ledger::PageSize;
use stella_ledger::log::{AppendRequest, Entries, LeafKind, Principal};
use stella_verify::event::StreamName;
use stella_verify::hash::NodeId;
use stella_verify::hash::sha256;
use stella_verify::merkle::{TreeHead, leaf_hash, verify_inclusion};
use stella_verify::tile::{TileCoord, TileIndex, TileLevel};
use stella_verify::units::{LeafIndex, StreamPosition};

use crate::support::{PATIENCE, append, nodes, options, scan};

#[test]
fn everyone_reads_what_they_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::create(dir.path(), options()).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4u8 {
            let ledger = &ledger;
            scope.spawn(move || {
                for round in 0..20u8 {
                    let stream = format!("writer/{writer}");
                    let payload = vec![writer, round];
                    let receipt = append(ledger, vec![(&stream, "test.written", payload)]);
                    let view = ledger.at(receipt.published.size, PATIENCE).unwrap();
                    let name = StreamName::new(stream.as_str()).unwrap();
                    let page = view.stream(&name, StreamPosition::ZERO, PageSize::of(100));
                    let events = page.unwrap().events;
                    assert_eq!(events.len(), usize::from(round) + 1);
                    let last = events.last().unwrap();
                    assert_eq!(last.index(), receipt.first);
                    assert_eq!(last.payload().unwrap(), [writer, round]);
                }
                let written = scan(ledger, writer);
                let view = ledger.latest(PATIENCE).unwrap();
                let id = NodeId::new(sha256(&nodes(written.manifest)[0]));
                let found = view
                    .node(&id, LeafIndex::ZERO, PageSize::default())
                    .unwrap();
                assert_eq!(found.uses.items.len(), 1);
            });
        }
    });
}

#[test]
fn a_log_of_raw_leaves_has_proofs_and_tiles() {
    let dir = tempfile::tempdir().unwrap();
    let mut raw = options();
    raw.kind = LeafKind::Raw;
    let (ledger, _) = Ledger::create(dir.path(), raw).unwrap();
    let leaves: Vec<Vec<u8>> = (0..300u32)
        .map(|leaf| leaf.to_be_bytes().to_vec())
        .collect();
    let request = AppendRequest {
        principal: Principal::new("tester").unwrap(),
        request_id: None,
        entries: Entries::Raw(leaves.clone()),
        names: Vec::new(),
    };
    let published = Arc::clone(&ledger.append(request).unwrap().published);
    let head = TreeHead {
        size: published.size,
        root: published.root,
    };
    let view = ledger.latest(PATIENCE).unwrap();
    for (index, leaf) in (0..).map(LeafIndex::new).zip(&leaves) {
        let proof = view.prove_inclusion(index).unwrap();
        verify_inclusion(leaf_hash(leaf), index, head, &proof).unwrap();
    }
    let tile = TileCoord::in_tree(TileLevel::LEAVES, TileIndex::new(0), head.size).unwrap();
    let hashes = ledger.hash_tile(tile).unwrap().unwrap();
    assert!(
        hashes
            .chunks(32)
            .zip(&leaves)
            .all(|(hash, leaf)| hash == leaf_hash(leaf).as_bytes())
    );
    let report = ledger
        .fsck(None, &mut |_| std::ops::ControlFlow::Continue(()))
        .unwrap();
    assert!(report.is_good(), "{report:?}");
}
