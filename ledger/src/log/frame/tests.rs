use super::header::MAGIC;
use super::*;
use crate::log::block::{BLOCK_BYTES, FileKind, strip};
use crate::log::block::{BlockKey, BlockNumber};
use crate::log::ids::{ChainHash, LogId, SegmentNumber};
use crate::log::request::EventCount;
use proptest::prelude::*;
use stella_verify::units::{LeafIndex, UnixMillis};

const LOG: LogId = LogId::new([3; 16]);
const START: BlockNumber = BlockNumber(4);

/// A frame of the given (leaf, secret) pairs, laid out and stripped again.
fn frame_of(entries: &[(Vec<u8>, Vec<u8>)], checkpoint: &str) -> Vec<u8> {
    let (mut directory, mut leaves, mut secrets) = (Vec::new(), Vec::new(), Vec::new());
    for (leaf, secret) in entries {
        leaves.extend_from_slice(&u16::try_from(leaf.len()).unwrap().to_be_bytes());
        leaves.extend_from_slice(leaf);
        secrets.extend_from_slice(secret);
        let ends = EntryEnds {
            leaf: u32::try_from(leaves.len()).unwrap(),
            payload: u32::try_from(secrets.len()).unwrap(),
        };
        directory.extend_from_slice(&ends.to_bytes());
    }
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
    let parts = FrameParts {
        header: FrameHeader {
            log: LOG,
            segment: SegmentNumber(1),
            first: LeafIndex::new(100),
            count: EventCount(u32::try_from(entries.len()).unwrap()),
            leaves: length(&leaves),
            admission: 0,
            checkpoint: length(checkpoint.as_bytes()),
            payloads: length(&secrets),
            time: UnixMillis::new(5),
            previous: ChainHash([9; 32]),
        },
        directory: &directory,
        leaves: &leaves,
        admission: &[],
        checkpoint: checkpoint.as_bytes(),
    };
    let key = BlockKey::new(LOG, FileKind::Segment, 1);
    let mut blocks = Vec::new();
    let (_, end) = parts.write(&mut blocks, key, START, |writer| writer.put(&secrets));
    assert_eq!(end.since(START).bytes(), blocks.len());
    assert!(blocks.len().is_multiple_of(BLOCK_BYTES));
    strip(&mut blocks, key, START, START).unwrap();
    blocks
}

fn entries() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    let leaf = proptest::collection::vec(any::<u8>(), 0..300);
    let secret = proptest::collection::vec(any::<u8>(), 32..900);
    proptest::collection::vec((leaf, secret), 1..40)
}

proptest! {
    #[test]
    fn what_was_written_is_read(entries in entries(), note in "[a-z]{0,200}") {
        let bytes = frame_of(&entries, &note);
        let frame = Frame::parse(&bytes).unwrap();
        prop_assert_eq!(frame.verify(), Ok(()));
        prop_assert_eq!(frame.checkpoint(), Ok(note.as_str()));
        let read: Vec<_> = frame
            .events()
            .map(|event| (event.leaf.to_vec(), event.secret.to_vec()))
            .collect();
        prop_assert_eq!(read, entries);
    }

    #[test]
    fn a_flip_outside_the_secrets_is_found(
        entries in entries(),
        at in any::<proptest::sample::Index>(),
        bit in 0u8..8,
    ) {
        let mut bytes = frame_of(&entries, "note");
        let secrets = Frame::parse(&bytes).unwrap().header;
        let at = at.index(secrets.payloads_start());
        bytes[at] ^= 1 << bit;
        let found = Frame::parse(&bytes).and_then(|frame| frame.verify());
        prop_assert!(found.is_err(), "flip at {}", at);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = bytes;
        for magic in [false, true] {
            if magic && bytes.len() > MAGIC.len() {
                bytes[..MAGIC.len()].copy_from_slice(MAGIC);
            }
            if let Ok(frame) = Frame::parse(&bytes) {
                let _ = (frame.verify(), frame.checkpoint());
                let _ = frame.entries(LeafIndex::ZERO, LeafIndex::new(u64::MAX));
                let _ = frame.events().count();
            }
        }
    }
}

#[test]
fn bundles_are_slices_of_a_frame() {
    let entries = [b"a".to_vec(), Vec::new(), b"ccc".to_vec()].map(|leaf| (leaf, vec![1; 32]));
    let bytes = frame_of(&entries, "");
    let frame = Frame::parse(&bytes).unwrap();
    let slice = |start, end| frame.entries(LeafIndex::new(start), LeafIndex::new(end));
    assert_eq!(slice(0, 1000), Some(b"\0\x01a\0\0\0\x03ccc".as_slice()));
    assert_eq!(slice(101, 102), Some(b"\0\0".as_slice()));
    assert_eq!(slice(102, 103), Some(b"\0\x03ccc".as_slice()));
}
