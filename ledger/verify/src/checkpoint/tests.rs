//! Checkpoints: what is read is written again, and every broken line is named.

use super::*;
use crate::merkle::empty_root;
use crate::note::{Ed25519Signer, KeyName};
use alloc::format;
use alloc::vec;

const ORIGIN: &str = "example.com/behind-the-sofa";
const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

fn signer() -> Ed25519Signer {
    Ed25519Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[7; 32])
}

fn parse(text: &str) -> Result<Checkpoint, CheckpointError> {
    Checkpoint::parse(&NoteText::new(text).unwrap())
}

#[test]
fn what_is_read_is_written_again() {
    for text in [
        format!("{ORIGIN}\n20852163\n{ROOT}\n"),
        format!("an origin with spaces + plus\n0\n{ROOT}\n"),
        format!("{ORIGIN}\n18446744073709551615\n{ROOT}\nextension\nanother one\n"),
    ] {
        assert_eq!(parse(&text).unwrap().to_string(), text);
    }
}

#[test]
fn malformed_checkpoints_are_told_apart() {
    use CheckpointError::{Extension, Origin, Root, Size, TooFewLines};
    let check = |text: String, expected| assert_eq!(parse(&text), Err(expected), "{text:?}");
    check("\n".into(), TooFewLines);
    check(format!("{ORIGIN}\n1\n"), TooFewLines);
    check(format!("\n1\n{ROOT}\n"), Origin);
    for size in [
        "",
        "01",
        "-1",
        "+1",
        "1 ",
        "0x1",
        "18446744073709551616",
        "1.0",
    ] {
        check(format!("{ORIGIN}\n{size}\n{ROOT}\n"), Size);
    }
    let short = base64::encode(&[0; 31]);
    let long = base64::encode(&[0; 33]);
    let unpadded = ROOT.trim_end_matches('=');
    let trailing_bits = ROOT.replace("I=", "J=");
    for root in [
        "",
        &short,
        &long,
        unpadded,
        &trailing_bits,
        &format!("{ROOT} "),
    ] {
        check(format!("{ORIGIN}\n1\n{root}\n"), Root);
    }
    check(format!("{ORIGIN}\n1\n{ROOT}\n\n"), Extension);
    check(format!("{ORIGIN}\n1\n{ROOT}\na\n\nb\n"), Extension);
}

#[test]
fn what_was_signed_opens_for_its_log_only() {
    let checkpoint = parse(&format!("{ORIGIN}\n20852163\n{ROOT}\n")).unwrap();
    let note = checkpoint.sign(&signer(), &[]).unwrap().to_string();
    let trusted = [signer().verifier_key().clone()];
    let ours = Origin::new(ORIGIN).unwrap();
    let opened = SignedCheckpoint::open(note.as_bytes(), &trusted, Some(&ours)).unwrap();
    assert_eq!(opened.checkpoint(), &checkpoint);
    assert_eq!(opened.head().size, TreeSize::new(20_852_163));
    assert_eq!(opened.note().note().to_string(), note);
    let other = Origin::new("example.com/other").unwrap();
    assert_eq!(
        SignedCheckpoint::open(note.as_bytes(), &trusted, Some(&other)),
        Err(OpenCheckpointError::OriginMismatch {
            expected: other,
            found: ours
        })
    );
    assert_eq!(
        SignedCheckpoint::open(note.as_bytes(), &[], None),
        Err(OpenCheckpointError::Signature(
            OpenError::NoTrustedSignature
        ))
    );
}

#[test]
fn a_signed_text_that_is_no_checkpoint_is_refused() {
    let text = NoteText::new(format!("{ORIGIN}\n01\n{ROOT}\n")).unwrap();
    let note = Note::sign(text, &signer(), &[]).unwrap().to_string();
    let trusted = [signer().verifier_key().clone()];
    assert_eq!(
        SignedCheckpoint::open(note.as_bytes(), &trusted, None),
        Err(OpenCheckpointError::Checkpoint(CheckpointError::Size))
    );
}

#[test]
fn nothing_is_signed_that_would_not_be_read() {
    let head = TreeHead {
        size: TreeSize::ZERO,
        root: empty_root(),
    };
    let origin = Origin::new(ORIGIN).unwrap();
    for extensions in [
        vec![String::new()],
        vec!["a\nb".into()],
        vec!["a\tb".into()],
    ] {
        let checkpoint = Checkpoint {
            origin: origin.clone(),
            head,
            extensions,
        };
        assert!(checkpoint.sign(&signer(), &[]).is_err());
    }
    for refused in ["", "a\nb", "a\u{0}"] {
        assert_eq!(Origin::new(refused), Err(CheckpointError::Origin));
    }
}
