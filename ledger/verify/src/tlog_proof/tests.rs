//! Proof files: what is read is written again, and every broken line is named.

use super::*;
use crate::checkpoint::Checkpoint;
use crate::hash::LeafHash;
use crate::merkle::{MemoryTree, leaf_hash, prove_inclusion};
use crate::note::{Ed25519Signer, KeyName, NoteSigner as _, OpenError};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use alloc::{format, vec};

const ORIGIN: &str = "example.com/log";

fn signer() -> Ed25519Signer {
    Ed25519Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[3; 32])
}

fn trusted() -> Vec<VerifierKey> {
    vec![signer().verifier_key().clone()]
}

fn leaf(index: u64) -> LeafHash {
    leaf_hash(&index.to_be_bytes())
}

fn proof(index: u64, size: u64) -> TlogProof {
    let tree: MemoryTree = (0..size).map(leaf).collect();
    let origin = Origin::new(ORIGIN).unwrap();
    let checkpoint = Checkpoint {
        origin,
        head: tree.head(),
        extensions: Vec::new(),
    };
    let index = LeafIndex::new(index);
    TlogProof {
        extra: None,
        index,
        inclusion: prove_inclusion(index, tree.size(), &tree).unwrap(),
        checkpoint: checkpoint.sign(&signer(), &[]).unwrap(),
    }
}

#[test]
fn every_leaf_of_small_trees_is_proved() {
    let origin = Origin::new(ORIGIN).unwrap();
    for size in 1..20 {
        for index in 0..size {
            let text = proof(index, size).to_string();
            let read = TlogProof::parse(text.as_bytes()).unwrap();
            assert_eq!(read.to_string(), text);
            let verified = read.verify(leaf(index), &trusted(), Some(&origin)).unwrap();
            assert_eq!(verified.included().index(), LeafIndex::new(index));
            assert_eq!(verified.checkpoint().head(), verified.included().head());
            let other = read.verify(leaf(index + 1), &trusted(), None);
            assert_eq!(other, Err(InclusionError::RootMismatch.into()));
        }
    }
}

#[test]
fn extra_data_is_carried() {
    let mut with = proof(2, 5);
    with.extra = Some(b"opaque".to_vec());
    let text = with.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra b3BhcXVl\nindex 2\n"));
    assert_eq!(TlogProof::parse(text.as_bytes()), Ok(with));
    let mut empty = proof(2, 5);
    empty.extra = Some(Vec::new());
    assert_eq!(empty.to_string(), proof(2, 5).to_string());
}

#[test]
fn malformed_files_are_told_apart() {
    use TlogProofError::{Extra, Hash, Header, Index, NoCheckpoint, TooManyHashes};
    let good = proof(2, 5).to_string();
    let check = |text: String, expected| {
        assert_eq!(TlogProof::parse(text.as_bytes()), Err(expected), "{text}");
    };
    check(String::new(), Header);
    check(good.replace("@v1", "@v2"), Header);
    check(format!("\n{good}"), Header);
    check(good.replacen('\n', "\r\n", 1), Header);
    let extra = |data: &str| good.replace("index", &format!("extra {data}\nindex"));
    assert!(TlogProof::parse(extra("AA==").as_bytes()).is_ok());
    for data in ["", "AA", "AB==", "A-==", "AA== "] {
        check(extra(data), Extra);
    }
    check(
        good.replace("index", "extra AA==\nextra AA==\nindex"),
        Index,
    );
    for index in [
        "index", "index ", "index 02", "index -2", "index  2", "index 2 ", "Index 2",
    ] {
        check(good.replace("index 2", index), Index);
    }
    check(good.replace("index 2", "index 18446744073709551616"), Index);
    check(good.replace("index 2\n", ""), Index);
    check(good.replace("index 2", "index 2\nAAAA"), Hash { hash: 1 });
    let hash = base64::encode(&[0; 32]);
    check(
        good.replace(
            "index 2",
            &format!("index 2\n{}", hash.trim_end_matches('=')),
        ),
        Hash { hash: 1 },
    );
    check(good.replace("\n\nexample", "\nexample"), Hash { hash: 4 });
    check("c2sp.org/tlog-proof@v1\nindex 2\n".into(), NoCheckpoint);
    let many = |count| {
        good.replace(
            "index 2",
            &format!("index 2{}", format!("\n{hash}").repeat(count)),
        )
    };
    assert!(TlogProof::parse(many(60).as_bytes()).is_ok());
    check(many(61), TooManyHashes);
    let (lines, _) = good.split_once("\n\n").unwrap();
    check(format!("{lines}\n\n"), NoteError::NoSeparator.into());
    check(format!("{good}\n"), NoteError::NoSignature.into());
    check("x".repeat(2_000_001), TlogProofError::TooLarge);
    assert_eq!(TlogProof::parse(b"\xff"), Err(TlogProofError::Utf8));
}

#[test]
fn no_bit_of_a_proof_file_may_change() {
    let good = proof(4, 7).to_string();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let verified = TlogProof::parse(&bytes).map(|p| p.verify(leaf(4), &trusted(), None));
            assert!(!matches!(verified, Ok(Ok(_))), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_proof_under_another_key_or_log_is_refused() {
    let proof = proof(1, 3);
    let unsigned = proof.verify(leaf(1), &[], None);
    let error = OpenCheckpointError::Signature(OpenError::NoTrustedSignature);
    assert_eq!(unsigned, Err(error.into()));
    let other = Origin::new("example.com/other").unwrap();
    assert!(matches!(
        proof.verify(leaf(1), &trusted(), Some(&other)),
        Err(TlogVerifyError::Checkpoint(
            OpenCheckpointError::OriginMismatch { .. }
        ))
    ));
}
