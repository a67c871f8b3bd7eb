use super::*;
use crate::checkpoint::{Checkpoint, Origin};
use crate::event::{Actor, EventHeader, EventType, LogOrigin, StreamName};
use crate::hash::{PayloadCommitment, Salt};
use crate::merkle::{Growth, LeafRange, MemoryTree, leaf_hash, prove_consistency, prove_range};
use crate::note::{Ed25519Signer, KeyName, NoteSigner as _, VerifierKey};
use crate::tile::append_entry;
use crate::units::{StreamPosition, TreeSize, UnixMillis};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

const ORIGIN: &str = "log.example/a";

/// A log of events, and exports of it.
struct Log {
    leaves: Vec<Vec<u8>>,
    payloads: Vec<Vec<u8>>,
    signer: Ed25519Signer,
}

fn salt(index: usize) -> Salt {
    Salt::new([u8::try_from(index % 251).unwrap(); 32])
}

fn log(events: usize) -> Log {
    let payload = |index: usize| format!("{{\"n\":{index}}}").into_bytes();
    let leaf = |index: usize| {
        EventHeader {
            log_origin: LogOrigin::new(ORIGIN).unwrap(),
            stream: StreamName::new("s").unwrap(),
            position: StreamPosition::new(index.try_into().unwrap()),
            time: UnixMillis::new(1_700_000_000_000 + u64::try_from(index).unwrap()),
            actor: Actor::new("a").unwrap(),
            event_type: EventType::new("t").unwrap(),
            payload: PayloadCommitment::of(&salt(index), &payload(index)),
        }
        .to_bytes()
    };
    Log {
        leaves: (0..events).map(leaf).collect(),
        payloads: (0..events).map(payload).collect(),
        signer: Ed25519Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[9; 32]),
    }
}

impl Log {
    fn tree(&self, size: usize) -> MemoryTree {
        let mut tree = MemoryTree::default();
        for leaf in &self.leaves[..size] {
            tree.push(leaf_hash(leaf));
        }
        tree
    }

    fn checkpoint(&self, size: usize) -> String {
        let checkpoint = Checkpoint {
            origin: Origin::new(ORIGIN).unwrap(),
            head: self.tree(size).head(),
            extensions: vec![],
        };
        checkpoint.sign(&self.signer, &[]).unwrap().to_string()
    }

    fn keys(&self) -> Vec<VerifierKey> {
        vec![self.signer.verifier_key().clone()]
    }

    /// `range` between the trees of `opening` and `closing` leaves; the payload of every seventh
    /// leaf is withheld, that of every eleventh erased.
    fn export(&self, opening: usize, range: core::ops::Range<usize>, closing: usize) -> Vec<u8> {
        let leaf = |index: usize| LeafIndex::new(index.try_into().unwrap());
        let size = |leaves: usize| TreeSize::new(leaves.try_into().unwrap());
        let tree = self.tree(closing);
        let leaves = LeafRange {
            start: leaf(range.start),
            end: leaf(range.end),
        };
        let sizes = Growth {
            old: size(opening),
            new: size(closing),
        };
        let header = ExportHeader {
            range: leaves,
            opening: (opening > 0).then(|| self.checkpoint(opening)),
            closing: self.checkpoint(closing),
            range_proof: prove_range(leaves, size(closing), &tree).unwrap(),
            consistency: prove_consistency(sizes, &tree).unwrap(),
        };
        let mut out = header.to_bytes().unwrap();
        let mut start = range.start;
        while start < range.end {
            let end = bundle_end(leaf(start), leaf(range.end)).get();
            let end = usize::try_from(end).unwrap();
            let mut entries = Vec::new();
            for entry in &self.leaves[start..end] {
                append_entry(&mut entries, entry).unwrap();
            }
            out.extend_from_slice(&u32::try_from(entries.len()).unwrap().to_be_bytes());
            out.extend_from_slice(&entries);
            for index in start..end {
                let payload = match index {
                    _ if index % 7 == 6 => ExportedPayload::Withheld,
                    _ if index % 11 == 10 => ExportedPayload::Erased {
                        by: leaf(index + 1),
                    },
                    _ => ExportedPayload::Present {
                        salt: salt(index),
                        bytes: &self.payloads[index],
                    },
                };
                write_payload(&mut out, &payload);
            }
            start = end;
        }
        out
    }
}

fn verify_in(
    pieces: usize,
    bytes: &[u8],
    trust: ExportTrust<'_>,
) -> Result<(VerifiedExport, Vec<u64>), ExportError> {
    let mut verifier = ExportVerifier::new(trust);
    let mut seen = Vec::new();
    for piece in bytes.chunks(pieces.max(1)) {
        verifier.push(piece, |event| seen.push(event.index.get()))?;
    }
    Ok((verifier.finish()?, seen))
}

fn verify(log: &Log, bytes: &[u8]) -> Result<VerifiedExport, ExportError> {
    let keys = log.keys();
    let trust = ExportTrust::Log {
        keys: &keys,
        origin: None,
    };
    verify_in(bytes.len(), bytes, trust).map(|(verified, _)| verified)
}

#[test]
fn a_range_between_two_checkpoints_verifies_in_pieces_of_any_size() {
    let log = log(700);
    let keys = log.keys();
    let trust = ExportTrust::Log {
        keys: &keys,
        origin: None,
    };
    for (opening, range, closing) in [
        (0, 0..1, 1),
        (0, 0..700, 700),
        (3, 5..600, 700),
        (200, 256..512, 600),
        (255, 255..257, 257),
        (0, 699..700, 700),
    ] {
        let bytes = log.export(opening, range.clone(), closing);
        for pieces in [1, 7, 4096, bytes.len()] {
            let (verified, seen) = verify_in(pieces, &bytes, trust).unwrap();
            let expected: Vec<u64> = (range.start..range.end)
                .map(|n| n.try_into().unwrap())
                .collect();
            assert_eq!(seen, expected);
            assert_eq!(verified.closing, log.tree(closing).head());
            assert_eq!(verified.opening, log.tree(opening).head());
            let summary = verified.summary;
            let counted = summary.present + summary.erased + summary.withheld;
            assert_eq!(counted, u64::try_from(range.len()).unwrap());
        }
    }
}

#[test]
fn trust_is_the_callers() {
    let log = log(20);
    let bytes = log.export(2, 3..15, 18);
    let keys = log.keys();
    let other = Ed25519Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[1; 32]);
    let other = [other.verifier_key().clone()];
    let elsewhere = Origin::new("log.example/b").unwrap();
    for trust in [
        ExportTrust::Log {
            keys: &[],
            origin: None,
        },
        ExportTrust::Log {
            keys: &other,
            origin: None,
        },
        ExportTrust::Log {
            keys: &keys,
            origin: Some(&elsewhere),
        },
        ExportTrust::Closing(&log.checkpoint(17)),
        // It has an opening checkpoint, which nobody judged.
        ExportTrust::Closing(&log.checkpoint(18)),
    ] {
        assert!(verify_in(100, &bytes, trust).is_err(), "{trust:?}");
    }
    let bytes = log.export(0, 3..15, 18);
    assert!(verify_in(100, &bytes, ExportTrust::Closing(&log.checkpoint(18))).is_ok());
}

#[test]
fn a_fork_between_the_checkpoints_is_seen() {
    let (log, mut forked) = (log(20), super::tests::log(20));
    forked.leaves[1] = log.leaves[0].clone();
    let header = |opening: String, bytes: &[u8]| {
        let length = u32::from_be_bytes(bytes[23..27].try_into().unwrap());
        let body = &bytes[27 + usize::try_from(length).unwrap()..];
        let mut header = ExportHeader::parse(&bytes[27..bytes.len() - body.len()]).unwrap();
        header.opening = Some(opening);
        [header.to_bytes().unwrap(), body.to_vec()].concat()
    };
    let bytes = log.export(4, 5..15, 18);
    assert!(verify(&log, &header(log.checkpoint(4), &bytes)).is_ok());
    let refused = verify(&log, &header(forked.checkpoint(4), &bytes));
    assert!(
        matches!(refused, Err(ExportError::Consistency(_))),
        "{refused:?}"
    );
    let refused = verify(&log, &header(log.checkpoint(6), &bytes));
    assert_eq!(refused, Err(ExportError::NotBetween));
}

#[test]
fn every_changed_byte_and_every_truncation_is_refused() {
    let log = log(300);
    let bytes = log.export(2, 250..262, 299);
    assert!(verify(&log, &bytes).is_ok());
    let mut undetected = Vec::new();
    for at in 0..bytes.len() {
        let mut mutant = bytes.clone();
        mutant[at] ^= 1 << (at % 8);
        if verify(&log, &mutant).is_ok() {
            undetected.push(at);
        }
    }
    // Which event erased a payload is the exporter's word: eight bytes of one event here.
    assert_eq!(undetected.len(), 8, "{undetected:?}");
    for at in 0..bytes.len() {
        assert!(verify(&log, &bytes[..at]).is_err(), "cut at {at}");
    }
    assert_eq!(
        verify(&log, &[&bytes[..], b"x"].concat()),
        Err(ExportError::Trailing)
    );
}

#[test]
fn leaves_cannot_be_left_out_exchanged_or_of_another_log() {
    let mut log = log(40);
    let tell = |log: &Log, bytes: &[u8]| verify(log, bytes).unwrap_err();
    let good = log.export(0, 10..20, 30);
    // Both payloads are withheld, so only time and tree can tell.
    log.leaves.swap(13, 20);
    let swapped = log.export(0, 10..25, 30);
    assert!(matches!(tell(&log, &swapped), ExportError::Time { .. }));
    log.leaves.swap(13, 20);
    log.payloads[15] = b"other".to_vec();
    let at = LeafIndex::new(15);
    assert_eq!(
        tell(&log, &log.export(0, 10..20, 30)),
        ExportError::Commitment { at }
    );
    let header = EventHeader::decode(&log.leaves[15]).unwrap();
    let foreign = EventHeader {
        log_origin: LogOrigin::new("log.example/b").unwrap(),
        ..header
    };
    log.leaves[15] = foreign.to_bytes();
    assert!(matches!(
        tell(&log, &log.export(0, 10..20, 30)),
        ExportError::Origin { .. }
    ));
    log.leaves[15] = b"no event".to_vec();
    assert!(matches!(
        tell(&log, &log.export(0, 10..20, 30)),
        ExportError::Event { .. }
    ));
    assert!(verify(&log, &good).is_ok());
}

#[test]
fn what_broke_off_is_taken_up_at_an_entry_bundle() {
    let log = log(700);
    let keys = log.keys();
    let trust = ExportTrust::Log {
        keys: &keys,
        origin: None,
    };
    let bytes = log.export(0, 100..650, 700);
    for cut in [40, 2000, 30_000, 60_000, bytes.len() - 1, bytes.len()] {
        let mut verifier = ExportVerifier::new(trust);
        verifier
            .push(&bytes[..cut.min(bytes.len())], |_| ())
            .unwrap();
        let Some((left, kept)) = verifier.resume_point() else {
            assert!(cut < 2000, "the header is whole");
            continue;
        };
        let start = left.start.get();
        assert!(start == 100 || start % 256 == 0 || start == 650, "{start}");
        let kept = usize::try_from(kept).unwrap();
        assert!(kept <= cut);
        let again = [&bytes[..kept], &bytes[kept..]].concat();
        assert!(verify_in(999, &again, trust).is_ok());
        let mut first = ExportVerifier::new(trust);
        let mut seen = 0;
        first.push(&bytes[..kept], |_| seen += 1).unwrap();
        assert_eq!(
            seen,
            start - 100,
            "the bytes kept are those of whole bundles"
        );
    }
}

#[test]
fn lengths_are_not_believed() {
    let log = log(20);
    let bytes = log.export(0, 0..20, 20);
    let mut huge = bytes.clone();
    huge[23..27].fill(0xff);
    assert_eq!(
        verify(&log, &huge),
        Err(ExportError::TooLarge { what: "header" })
    );
    let header =
        27 + usize::try_from(u32::from_be_bytes(bytes[23..27].try_into().unwrap())).unwrap();
    let mut huge = bytes.clone();
    huge[header..header + 4].fill(0xff);
    assert_eq!(
        verify(&log, &huge),
        Err(ExportError::TooLarge {
            what: "entry bundle"
        })
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), keep in 0_usize..3000) {
        let log = log(5);
        let good = log.export(0, 0..5, 5);
        prop_assert!(verify(&log, &bytes).is_err());
        let mixed = [&good[..keep.min(good.len() - 1)], &bytes].concat();
        prop_assert!(mixed == good || verify(&log, &mixed).is_err());
    }
}
