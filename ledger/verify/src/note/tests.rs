//! Notes: the published example of the Go implementation, and every way to break one.

use super::*;
use crate::cosignature::{CosignatureTime, Cosigner};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

/// The example note of golang.org/x/mod/sumdb/note: made by another implementation.
const NEUMANN_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NEUMANN_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn name(text: &str) -> KeyName {
    KeyName::new(text).unwrap()
}

fn signer(text: &str, seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(name(text), &[seed; 32])
}

fn signed(text: &str, signers: &[&dyn NoteSigner]) -> Note {
    let (first, others) = signers.split_first().unwrap();
    Note::sign(NoteText::new(text).unwrap(), *first, others).unwrap()
}

fn key(signer: &dyn NoteSigner) -> VerifierKey {
    signer.verifier_key().clone()
}

#[test]
fn another_implementations_note_opens() {
    let key: VerifierKey = NEUMANN_KEY.parse().unwrap();
    assert_eq!(key.to_string(), NEUMANN_KEY);
    let note = Note::parse(NEUMANN_NOTE.as_bytes()).unwrap();
    assert_eq!(note.to_string(), NEUMANN_NOTE);
    let opened = note.open(&[key]).unwrap();
    assert_eq!(opened.verified().len(), 1);
    assert_eq!(opened.verified()[0].meaning, SignatureMeaning::Text);
    assert!(opened.text().as_str().ends_with("what your problem is.\n"));
}

#[test]
fn no_bit_of_a_signed_note_may_change() {
    let key: VerifierKey = NEUMANN_KEY.parse().unwrap();
    for at in 0..NEUMANN_NOTE.len() {
        for bit in 0..8 {
            let mut bytes = NEUMANN_NOTE.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let opened = Note::parse(&bytes).map(|note| note.open(core::slice::from_ref(&key)));
            assert!(!matches!(opened, Ok(Ok(_))), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn malformed_notes_are_told_apart() {
    let line = "— a/b AAAAAAA=\n";
    let check = |note: String, expected: NoteError| {
        assert_eq!(Note::parse(note.as_bytes()), Err(expected), "{note:?}");
    };
    assert!(Note::parse(format!("x\n\n{line}").as_bytes()).is_ok());
    assert!(Note::parse(format!("\n\n{line}").as_bytes()).is_ok());
    check(String::new(), NoteError::NoSeparator);
    check(format!("x\n{line}"), NoteError::NoSeparator);
    check(format!("x{line}"), NoteError::NoSeparator);
    check(format!("\n{line}"), NoteError::NoSeparator);
    check("x\n\n".into(), NoteError::NoSignature);
    check(format!("x\n\n{}", line.trim_end()), NoteError::NoSignature);
    check(format!("x\n\n{line}\n"), NoteError::NoSignature);
    check(
        format!("x\n\n{line}x\n"),
        NoteError::SignatureLine { line: 2 },
    );
    check(format!("x\r\n\n{line}"), NoteError::ControlCharacter);
    check(format!("x\t\n\n{line}"), NoteError::ControlCharacter);
    check(
        format!("x\n\n{}", line.repeat(101)),
        NoteError::TooManySignatures,
    );
    assert!(Note::parse(format!("x\n\n{}", line.repeat(100)).as_bytes()).is_ok());
    check(
        format!("{}\n\n{line}", "x".repeat(1_000_000)),
        NoteError::TooLarge,
    );
    assert_eq!(
        Note::parse(b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n"),
        Err(NoteError::Utf8)
    );
    for malformed in [
        "- a/b AAAAAAA=",  // hyphen for em dash
        "—a/b AAAAAAA=",   // no space
        "— a/b  AAAAAAA=", // two spaces
        "— a/b AAAAAAA= ", // trailing space
        "— a/b AAAAAAA",   // padding missing
        "— a/b AAAAAAB=",  // bits after the last byte
        "— a/b AAA_AAA=",  // other alphabet
        "— a/b AAAAAA==",  // four bytes: an id and no signature
        "— a/b ",
        "— a/b",
        "—  AAAAAAA=", // no name
        "— a+b AAAAAAA=",
        "— a\u{a0}b AAAAAAA=", // a Unicode space
    ] {
        check(
            format!("x\n\n{malformed}\n"),
            NoteError::SignatureLine { line: 1 },
        );
    }
}

#[test]
fn the_last_empty_line_ends_the_text() {
    let signer = signer("example.com/log", 1);
    let note = signed("one\n\n— looks like a signature\n\n\n", &[&signer]);
    let read = Note::parse(note.to_string().as_bytes()).unwrap();
    assert_eq!(read, note);
    assert!(read.open(&[key(&signer)]).is_ok());
}

#[test]
fn texts_that_cannot_be_signed_are_refused() {
    assert_eq!(NoteText::new("no newline"), Err(NoteError::TextUnfinished));
    assert_eq!(NoteText::new(""), Err(NoteError::TextUnfinished));
    assert_eq!(
        NoteText::new("bell\u{7}\n"),
        Err(NoteError::ControlCharacter)
    );
}

#[test]
fn signatures_of_unknown_keys_are_ignored() {
    let (ours, other) = (signer("example.com/log", 1), signer("example.com/log", 2));
    let (renamed, stranger) = (signer("example.com/old", 1), signer("example.com/new", 3));
    let note = signed("text\n", &[&other, &renamed, &ours]);
    let opened = note.clone().open(&[key(&ours)]).unwrap();
    assert_eq!(opened.verified().len(), 1);
    assert_eq!(opened.verified()[0].id, key(&ours).id());
    assert_eq!(opened.note().signatures().len(), 3);
    assert_eq!(
        note.clone().open(&[key(&stranger)]),
        Err(OpenError::NoTrustedSignature)
    );
    assert_eq!(note.open(&[]), Err(OpenError::NoTrustedSignature));
}

#[test]
fn a_trusted_key_that_fails_refuses_the_note() {
    let (good, bad) = (signer("example.com/log", 1), signer("example.com/two", 2));
    let mut note = signed("text\n", &[&good]);
    let mut forged = signed("other\n", &[&bad]).signatures()[0].clone();
    note.add(forged.clone()).unwrap();
    let refused = OpenError::BadSignature {
        name: name("example.com/two"),
        id: key(&bad).id(),
    };
    let trusted = [key(&good), key(&bad)];
    assert_eq!(note.clone().open(&trusted), Err(refused.clone()));
    assert!(note.clone().open(&[key(&good)]).is_ok());
    for signature in [
        Vec::new(),
        [0; 63].to_vec(),
        [0; 64].to_vec(),
        [0; 65].to_vec(),
    ] {
        let mut note = signed("text\n", &[&good]);
        forged.signature = signature;
        note.add(forged.clone()).unwrap();
        assert_eq!(note.open(&trusted), Err(refused.clone()));
    }
}

#[test]
fn a_repeated_line_must_verify_and_counts_once() {
    let ours = signer("example.com/log", 1);
    let line = signed("text\n", &[&ours]).signatures()[0].clone();
    let mut note = signed("text\n", &[&ours]);
    note.add(line).unwrap();
    assert_eq!(
        note.clone()
            .open(&[key(&ours), key(&ours)])
            .unwrap()
            .verified()
            .len(),
        1
    );
    note.add(signed("other\n", &[&ours]).signatures()[0].clone())
        .unwrap();
    assert!(matches!(
        note.open(&[key(&ours)]),
        Err(OpenError::BadSignature { .. })
    ));
}

#[test]
fn one_key_for_two_types_is_two_keys() {
    let log = signer("example.com/log", 1);
    let cosigner = Cosigner::from_seed(name("example.com/log"), &[1; 32]);
    assert_ne!(key(&log).id(), cosigner.verifier_key().id());
    let time = CosignatureTime::new(1_679_315_147).unwrap();
    let mut note = signed("example.com/log\n0\n", &[&log]);
    note.add(cosigner.cosign(note.unverified_text(), time))
        .unwrap();
    let trusted = [key(&log), cosigner.verifier_key().clone()];
    let opened = note.clone().open(&trusted).unwrap();
    let meanings: Vec<_> = opened.verified().iter().map(|v| v.meaning).collect();
    assert_eq!(
        meanings,
        [SignatureMeaning::Text, SignatureMeaning::Cosignature(time)]
    );
    // The signatures do not pass for each other.
    let mut crossed = note.signatures()[1].clone();
    crossed.id = key(&log).id();
    crossed.signature.drain(..8);
    let forged = Note::new(note.unverified_text().clone(), crossed);
    assert!(matches!(
        forged.open(&trusted),
        Err(OpenError::BadSignature { .. })
    ));
}

#[test]
fn keys_of_other_types_are_kept_and_verify_nothing() {
    // Type 0x06 with 3 bytes of key; the id is whatever the text says.
    let text = "example.com/pq+01020304+BgECAw==";
    let unknown: VerifierKey = text.parse().unwrap();
    assert_eq!(unknown.to_string(), text);
    assert_eq!(unknown.signature_type(), SignatureType::new(6));
    assert_eq!(unknown.public_key(), [1, 2, 3]);
    let ours = signer("example.com/log", 1);
    let mut note = signed("text\n", &[&ours]);
    let signature = [9; 2420].to_vec();
    note.add(NoteSignature {
        name: unknown.name().clone(),
        id: unknown.id(),
        signature,
    })
    .unwrap();
    assert!(note.clone().open(&[key(&ours), unknown.clone()]).is_ok());
    assert_eq!(note.open(&[unknown]), Err(OpenError::NoTrustedSignature));
}

#[test]
fn malformed_verifier_keys_are_told_apart() {
    let check = |text: &str| text.parse::<VerifierKey>().unwrap_err();
    let ours = key(&signer("example.com/log", 1));
    let text = ours.to_string();
    assert_eq!(text.parse::<VerifierKey>(), Ok(ours));
    assert_eq!(check(""), VerifierKeyError::Format);
    assert_eq!(check("example.com/log+01020304"), VerifierKeyError::Format);
    assert_eq!(check(&format!("{text}\n")), VerifierKeyError::Format);
    assert_eq!(
        check(&format!(" {text}")),
        VerifierKeyError::Name(KeyNameError)
    );
    assert_eq!(
        check("+01020304+AQ=="),
        VerifierKeyError::Name(KeyNameError)
    );
    assert_eq!(check("a+1020304+AQ=="), VerifierKeyError::Format);
    assert_eq!(check("a+ABCDEF01+AQ=="), VerifierKeyError::Format);
    assert_eq!(check("a++1020304+AQ=="), VerifierKeyError::Format);
    assert_eq!(check("a+01020304+"), VerifierKeyError::Format);
    assert_eq!(check("a+01020304+AQ=="), VerifierKeyError::PublicKey);
    let renamed = text.replace("log", "gol");
    assert!(matches!(
        check(&renamed),
        VerifierKeyError::IdMismatch { .. }
    ));
    // The neutral element of the curve: everything verifies under it.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(
        VerifierKey::ed25519(name("a"), &neutral),
        Err(VerifierKeyError::PublicKey)
    );
}

#[test]
fn names_keep_lines_unambiguous() {
    for refused in ["", "a b", "a+b", "a\nb", "a\u{2003}b", "a\u{0}"] {
        assert_eq!(KeyName::new(refused), Err(KeyNameError), "{refused:?}");
    }
    assert!(KeyName::new("quasimodo.example/salvatore-è").is_ok());
}
