//! Bundles that carry the log's own record of their computation.

use super::super::*;
use super::fixture::*;
use crate::checkpoint::{Checkpoint, Origin};
use crate::event::payload::RootSealed;
use crate::event::{Actor, EventHeader, EventType, LogOrigin, RuleApplied, StreamName};
use crate::export::{ExportHeader, ExportedPayload, bundle_end, write_payload};
use crate::hash::{PayloadCommitment, ProofRoot, Salt, to_hex};
use crate::merkle::{
    ConsistencyProof, Growth, LeafRange, MemoryTree, leaf_hash, prove_consistency, prove_inclusion,
    prove_range,
};
use crate::tile::append_entry;
use crate::tlog_proof::TlogProof;
use crate::units::{LeafIndex, NodeSequence, StreamPosition, TreeSize};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;

/// The log of one computation: a leaf of somebody else, the nodes, another seal of the scan, the
/// seal, and one more leaf.
struct Chained {
    fixture: Fixture,
    leaves: Vec<Vec<u8>>,
    payloads: Vec<Vec<u8>>,
    other: RootSealed,
}

const SALT: [u8; 32] = [3; 32];

fn event(stream: &str, position: usize, kind: EventType<&str>, payload: &[u8]) -> Vec<u8> {
    EventHeader {
        log_origin: LogOrigin::new(ORIGIN).unwrap(),
        stream: StreamName::new(stream).unwrap(),
        position: StreamPosition::new(position.try_into().unwrap()),
        time: SEALED_AT,
        actor: Actor::new("engine").unwrap(),
        event_type: kind,
        payload: PayloadCommitment::of(&Salt::new(SALT), payload),
    }
    .to_bytes()
}

fn chained(findings: usize) -> Chained {
    let fixture = fixture(findings);
    let manifest = fixture.manifest.hash();
    let stream = format!("computation/{}", to_hex(manifest.as_bytes()));
    let mut leaves = vec![event("s", 0, EventType::new("t").unwrap(), b"")];
    let mut payloads = vec![Vec::new()];
    for (place, node) in fixture.proof.nodes().iter().enumerate() {
        let rule = RuleApplied {
            computation: manifest,
            sequence: NodeSequence::new(place.try_into().unwrap()),
            node: node.bytes(),
        };
        payloads.push(rule.to_bytes());
        leaves.push(event(
            &stream,
            place,
            EventType::RULE_APPLIED,
            &rule.to_bytes(),
        ));
    }
    let own = RootSealed::parse(&fixture.seal.payload).unwrap();
    let other = RootSealed {
        root: ProofRoot::new([5; 32]),
        ..own
    };
    let payload = other.to_bytes().unwrap();
    let stream = format!("scan/{}", fixture.scan);
    leaves.push(event(&stream, 1, EventType::ROOT_SEALED, &payload));
    payloads.push(payload);
    leaves.push(fixture.seal.header.clone());
    payloads.push(fixture.seal.payload.clone());
    leaves.push(b"later".to_vec());
    payloads.push(Vec::new());
    let mut chained = Chained {
        fixture,
        leaves,
        payloads,
        other,
    };
    chained.fixture.tlog_proof = chained.proof_of(chained.seal_leaf(), chained.leaves.len());
    chained
}

impl Chained {
    fn seal_leaf(&self) -> usize {
        self.leaves.len() - 2
    }

    fn tree(&self, size: usize) -> MemoryTree {
        let mut tree = MemoryTree::default();
        for leaf in &self.leaves[..size] {
            tree.push(leaf_hash(leaf));
        }
        tree
    }

    fn proof_of(&self, leaf: usize, size: usize) -> String {
        let (tree, index) = (self.tree(size), LeafIndex::new(leaf.try_into().unwrap()));
        let checkpoint = Checkpoint {
            origin: Origin::new(ORIGIN).unwrap(),
            head: tree.head(),
            extensions: vec![],
        };
        let proof = TlogProof {
            extra: None,
            index,
            inclusion: prove_inclusion(index, tree.head().size, &tree).unwrap(),
            checkpoint: checkpoint.sign(&self.fixture.log_signer, &[]).unwrap(),
        };
        proof.to_string()
    }

    /// The export of leaves `from..to`; the payload of `withheld` is not in it.
    fn export(&self, from: usize, to: usize, withheld: usize) -> Vec<u8> {
        let leaf = |index: usize| LeafIndex::new(index.try_into().unwrap());
        let (start, end) = (leaf(from), leaf(to));
        let tree = self.tree(self.leaves.len());
        let proof = TlogProof::parse(self.fixture.tlog_proof.as_bytes()).unwrap();
        let header = ExportHeader {
            range: LeafRange { start, end },
            opening: None,
            closing: proof.checkpoint.to_string(),
            range_proof: prove_range(LeafRange { start, end }, tree.head().size, &tree).unwrap(),
            consistency: ConsistencyProof::new(vec![]),
        };
        let mut out = header.to_bytes().unwrap();
        assert_eq!(
            bundle_end(start, end),
            end,
            "one entry bundle is enough here"
        );
        let mut entries = Vec::new();
        for entry in &self.leaves[from..to] {
            append_entry(&mut entries, entry).unwrap();
        }
        out.extend_from_slice(&u32::try_from(entries.len()).unwrap().to_be_bytes());
        out.extend_from_slice(&entries);
        for index in from..to {
            let seal = index == self.seal_leaf();
            let payload = ExportedPayload::Present {
                salt: if seal {
                    self.fixture.seal.salt
                } else {
                    Salt::new(SALT)
                },
                bytes: &self.payloads[index],
            };
            let withheld = index == withheld;
            write_payload(
                &mut out,
                if withheld {
                    &ExportedPayload::Withheld
                } else {
                    &payload
                },
            );
        }
        out
    }

    fn other_seal(&self) -> ChainSeal {
        let place = self.seal_leaf() - 1;
        let size = |leaves: usize| TreeSize::new(leaves.try_into().unwrap());
        let sizes = Growth {
            old: size(place + 1),
            new: size(self.leaves.len()),
        };
        ChainSeal {
            seal: SealEvent {
                header: self.leaves[place].clone(),
                payload: self.payloads[place].clone(),
                salt: Salt::new(SALT),
            },
            tlog_proof: self.proof_of(place, place + 1),
            consistency: prove_consistency(sizes, &self.tree(self.leaves.len())).unwrap(),
        }
    }

    fn bundle(&self, entries: &[(&str, &[u8])]) -> Vec<u8> {
        let further: Vec<_> = entries
            .iter()
            .map(|(name, content)| ZipEntry { name, content })
            .collect();
        self.fixture
            .build(&self.fixture.score_statement(), &further)
    }

    fn seal_name(&self) -> String {
        format!(
            "{CHAIN_SEALS_FOLDER}{}.json",
            to_hex(self.other.root.as_bytes())
        )
    }
}

#[test]
fn the_logs_record_of_the_computation_is_checked() {
    let chained = chained(3);
    let end = chained.seal_leaf() + 1;
    let export = chained.export(1, end, usize::MAX);
    let (name, seal) = (chained.seal_name(), chained.other_seal().to_bytes());
    let bundle = chained.bundle(&[(CHAIN_EXPORT_FILE, &export), (&name, &seal)]);
    let report = chained.fixture.verify(&bundle);
    assert_eq!(outcomes(&report), "pppppsp", "{report:#?}");
    assert!(report.verified());

    let (keys, _) = chained.fixture.keys();
    let report = verify(&bundle, &TrustInput::new(&keys, &[]));
    assert_eq!(report.outcome(CheckName::ChainValid), Outcome::Skipped);
    assert!(report.verified());

    // Somebody else's payload may be withheld, a node's may not.
    let other = chained.export(1, end, chained.seal_leaf() - 1);
    let report = chained
        .fixture
        .verify(&chained.bundle(&[(CHAIN_EXPORT_FILE, &other)]));
    assert_eq!(report.outcome(CheckName::ChainValid), Outcome::Pass);
    for (export, message) in [
        (chained.export(1, end, 2), "leaf 2 is not node 1"),
        (
            chained.export(0, end, usize::MAX),
            "from the first node to the seal",
        ),
        (
            chained.export(1, end - 1, usize::MAX),
            "from the first node to the seal",
        ),
        (chained.export(1, end + 1, usize::MAX), "leaf"),
        (chained.export(2, end, usize::MAX), "leaf 2 is not node 0"),
    ] {
        let report = chained
            .fixture
            .verify(&chained.bundle(&[(CHAIN_EXPORT_FILE, &export)]));
        assert_fails(&report, CheckName::ChainValid, message);
    }
}

#[test]
fn other_seals_are_of_this_scan_and_this_log() {
    let chained = chained(3);
    let export = chained.export(1, chained.seal_leaf() + 1, usize::MAX);
    let good = chained.other_seal();
    let judge = |name: &str, seal: &ChainSeal| {
        let seal = seal.to_bytes();
        let bundle = chained.bundle(&[(CHAIN_EXPORT_FILE, &export), (name, &seal)]);
        chained.fixture.verify(&bundle)
    };
    let name = chained.seal_name();
    assert!(judge(&name, &good).verified());
    let elsewhere = format!("{CHAIN_SEALS_FOLDER}{}.json", "0".repeat(64));
    assert_fails(
        &judge(&elsewhere, &good),
        CheckName::ChainValid,
        "named by its root",
    );
    let changed = |change: fn(&mut ChainSeal)| {
        let mut seal = good.clone();
        change(&mut seal);
        judge(&name, &seal)
    };
    for (report, message) in [
        (changed(|seal| seal.seal.payload.push(b' ')), "commits to"),
        (changed(|seal| seal.seal.header.push(0)), "no event"),
        (
            changed(|seal| seal.consistency = ConsistencyProof::new(vec![])),
            "consistency",
        ),
        (
            changed(|seal| seal.tlog_proof = seal.tlog_proof.replace("index 6", "index 5")),
            "",
        ),
    ] {
        assert_fails(&report, CheckName::ChainValid, message);
    }
    let own = ChainSeal {
        seal: chained.fixture.seal.clone(),
        tlog_proof: chained.fixture.tlog_proof.clone(),
        consistency: ConsistencyProof::new(vec![]),
    };
    assert_fails(&judge(&name, &own), CheckName::ChainValid, "another root");
    let report = chained
        .fixture
        .verify(&chained.bundle(&[(&name, &good.to_bytes())]));
    assert_fails(&report, CheckName::ChainValid, CHAIN_EXPORT_FILE);
}

#[test]
fn every_changed_byte_of_the_chain_is_refused() {
    let chained = chained(1);
    let export = chained.export(1, chained.seal_leaf() + 1, usize::MAX);
    let (name, seal) = (chained.seal_name(), chained.other_seal().to_bytes());
    let bundle = chained.bundle(&[(CHAIN_EXPORT_FILE, &export), (&name, &seal)]);
    assert!(chained.fixture.verify(&bundle).verified());
    for (file, content) in [(CHAIN_EXPORT_FILE, &export), (name.as_str(), &seal)] {
        for at in 0..content.len() {
            let mut mutant = content.clone();
            mutant[at] ^= 1 << (at % 7);
            let report = chained.fixture.verify(&replace(&bundle, file, &mutant));
            assert_fails(&report, CheckName::ChainValid, file);
        }
    }
}
