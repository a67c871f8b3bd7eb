//! Cosignatures over a log's checkpoint.

use super::*;
use crate::note::{Ed25519Signer, Note, NoteSigner as _, OpenError, SignatureMeaning};
use alloc::string::ToString as _;

const CHECKPOINT: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

fn witness() -> Cosigner {
    Cosigner::from_seed(KeyName::new("witness.example.com/w1").unwrap(), &[5; 32])
}

fn cosigned(time: u64) -> Note {
    let log = KeyName::new("example.com/behind-the-sofa").unwrap();
    let log = Ed25519Signer::from_seed(log, &[4; 32]);
    let mut note = Note::sign(NoteText::new(CHECKPOINT).unwrap(), &log, &[]).unwrap();
    let time = CosignatureTime::new(time).unwrap();
    note.add(witness().cosign(note.unverified_text(), time))
        .unwrap();
    note
}

#[test]
fn the_message_is_the_specifications() {
    let text = NoteText::new(CHECKPOINT).unwrap();
    let time = CosignatureTime::new(1_679_315_147).unwrap();
    let expected = format!("cosignature/v1\ntime 1679315147\n{CHECKPOINT}");
    assert_eq!(message(&text, time), expected);
    let line = witness().cosign(&text, time);
    assert_eq!(line.signature.len(), 8 + 64);
    assert_eq!(line.signature[..8], 1_679_315_147u64.to_be_bytes());
}

#[test]
fn a_cosignature_states_its_time() {
    for seconds in [0, 1_679_315_147, i64::MAX.unsigned_abs()] {
        let opened = cosigned(seconds)
            .open(&[witness().verifier_key().clone()])
            .unwrap();
        let time = CosignatureTime::new(seconds).unwrap();
        assert_eq!(opened.verified().len(), 1);
        assert_eq!(
            opened.verified()[0].meaning,
            SignatureMeaning::Cosignature(time)
        );
    }
    assert_eq!(CosignatureTime::new(1 << 63), None);
}

#[test]
fn changed_cosignatures_are_refused() {
    let note = cosigned(1_679_315_147);
    let trusted = [witness().verifier_key().clone()];
    let line = note.signatures()[1].clone();
    for at in 0..line.signature.len() {
        let mut changed = line.clone();
        changed.signature[at] ^= 1;
        let forged = Note::new(note.unverified_text().clone(), changed);
        assert!(
            matches!(forged.open(&trusted), Err(OpenError::BadSignature { .. })),
            "byte {at}"
        );
    }
    for length in [0, 8, 64, 71] {
        let mut cut = line.clone();
        cut.signature.truncate(length);
        let forged = Note::new(note.unverified_text().clone(), cut);
        assert!(matches!(
            forged.open(&trusted),
            Err(OpenError::BadSignature { .. })
        ));
    }
    let text = CHECKPOINT.replace("20852163", "20852164");
    let moved = Note::new(NoteText::new(text).unwrap(), line);
    assert!(matches!(
        moved.open(&trusted),
        Err(OpenError::BadSignature { .. })
    ));
}

#[test]
fn the_log_does_not_vouch_for_a_cosigner() {
    let note = cosigned(1);
    let log = KeyName::new("example.com/behind-the-sofa").unwrap();
    let log = Ed25519Signer::from_seed(log, &[4; 32]);
    let opened = note.clone().open(&[log.verifier_key().clone()]).unwrap();
    assert_eq!(opened.verified().len(), 1);
    assert_eq!(opened.verified()[0].meaning, SignatureMeaning::Text);
    // Read back from text, with both keys.
    let note = Note::parse(note.to_string().as_bytes()).unwrap();
    let trusted = [log.verifier_key().clone(), witness().verifier_key().clone()];
    assert_eq!(note.open(&trusted).unwrap().verified().len(), 2);
}
