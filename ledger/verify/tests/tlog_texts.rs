//! Whatever text of the log is accepted is written again byte for byte, and no bytes panic.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;
use stella_verify::checkpoint::{Checkpoint, Origin};
use stella_verify::cosignature::{CosignatureTime, Cosigner};
use stella_verify::merkle::{MemoryTree, leaf_hash, prove_inclusion};
use stella_verify::note::{Ed25519Signer, KeyName, Note, NoteSigner as _, VerifierKey};
use stella_verify::tlog_proof::TlogProof;
use stella_verify::units::LeafIndex;

fn note() -> Note {
    let tree: MemoryTree = (0..7u8).map(|leaf| leaf_hash(&[leaf])).collect();
    let checkpoint = Checkpoint {
        origin: Origin::new("example.com/log").unwrap(),
        head: tree.head(),
        extensions: vec!["extension".into()],
    };
    let signer = Ed25519Signer::from_seed(KeyName::new("example.com/log").unwrap(), &[1; 32]);
    let witness = Cosigner::from_seed(KeyName::new("witness.example/w").unwrap(), &[2; 32]);
    let mut note = checkpoint.sign(&signer, &[]).unwrap();
    let time = CosignatureTime::new(1_679_315_147).unwrap();
    note.add(witness.cosign(note.unverified_text(), time))
        .unwrap();
    note
}

fn proof_file() -> String {
    let tree: MemoryTree = (0..7u8).map(|leaf| leaf_hash(&[leaf])).collect();
    let index = LeafIndex::new(3);
    let proof = TlogProof {
        extra: Some(b"extra".to_vec()),
        index,
        inclusion: prove_inclusion(index, tree.size(), &tree).unwrap(),
        checkpoint: note(),
    };
    proof.to_string()
}

fn verifier_key() -> String {
    let name = KeyName::new("example.com/log").unwrap();
    Ed25519Signer::from_seed(name, &[1; 32])
        .verifier_key()
        .to_string()
}

/// A change of one place: bytes cut out, bytes put in.
#[derive(Debug, Clone)]
struct Edit {
    at: prop::sample::Index,
    cut: usize,
    put: Vec<u8>,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let telling = prop::sample::select(b"\n\n\n  +=-0123AZaz_/\t\r\0\xe2\x80\x94\xff".to_vec());
    let put = prop::collection::vec(telling, 0..4);
    let edit = (any::<prop::sample::Index>(), 0usize..4, put);
    prop::collection::vec(edit.prop_map(|(at, cut, put)| Edit { at, cut, put }), 0..3)
}

fn edited(text: &str, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits {
        let at = edit.at.index(bytes.len() + 1);
        let end = (at + edit.cut).min(bytes.len());
        bytes.splice(at..end, edit.put.iter().copied());
    }
    bytes
}

/// Reads `bytes` as every text format there is.
fn check(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        if let Ok(checkpoint) = Checkpoint::parse(note.unverified_text()) {
            assert_eq!(checkpoint.to_string(), note.unverified_text().as_str());
        }
        let _ = note.open(&[verifier_key().parse().unwrap()]);
    }
    if let Ok(proof) = TlogProof::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
}

#[test]
fn the_unedited_texts_are_accepted() {
    assert!(Note::parse(note().to_string().as_bytes()).is_ok());
    assert!(TlogProof::parse(proof_file().as_bytes()).is_ok());
    assert!(verifier_key().parse::<VerifierKey>().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn edited_texts(edits in edits()) {
        for text in [note().to_string(), proof_file(), verifier_key()] {
            check(&edited(&text, &edits));
        }
    }

    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        check(&bytes);
    }
}
