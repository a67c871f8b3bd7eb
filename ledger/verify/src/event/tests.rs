use super::*;
use crate::hash::{ManifestHash, PayloadCommitment};
use crate::units::{NodeSequence, StreamPosition, UnixMillis};
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

fn header(stream: &str, position: u64, time: u64) -> EventHeader<'_> {
    EventHeader {
        log_origin: LogOrigin::new("log.example/a").unwrap(),
        stream: StreamName::new(stream).unwrap(),
        position: StreamPosition::new(position),
        time: UnixMillis::new(time),
        actor: Actor::new("key:1").unwrap(),
        event_type: EventType::RULE_APPLIED,
        payload: PayloadCommitment::new([7; 32]),
    }
}

proptest! {
    #[test]
    fn a_header_is_what_it_encodes(
        stream in "[a-z/0-9é日]{1,60}", position: u64, time: u64, flip: prop::sample::Index,
    ) {
        let header = header(&stream, position, time);
        let leaf = header.to_bytes();
        prop_assert_eq!(EventHeader::decode(&leaf), Ok(header));
        // Any accepted change of a bit is a change of meaning: no second spelling.
        let mut mutant = leaf.clone();
        let bit = flip.index(leaf.len() * 8);
        mutant[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = EventHeader::decode(&mutant) {
            prop_assert_ne!(other, header);
            prop_assert_eq!(other.to_bytes(), mutant);
        }
        prop_assert!(EventHeader::decode(&leaf[..leaf.len() - 1]).is_err());
    }

    #[test]
    fn a_rule_is_what_it_encodes(sequence: u32, node in prop::collection::vec(any::<u8>(), 1..300)) {
        let rule = RuleApplied {
            computation: ManifestHash::new([9; 32]),
            sequence: NodeSequence::new(sequence),
            node: &node,
        };
        let payload = rule.to_bytes();
        prop_assert_eq!(RuleApplied::decode(&payload), Ok(rule));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = EventHeader::decode(&bytes);
        let _ = RuleApplied::decode(&bytes);
    }
}

#[test]
fn other_encodings_of_the_same_message_are_refused() {
    let leaf = header("s", 5, 6).to_bytes();
    let number_at = leaf.windows(2).position(|pair| pair == [0x20, 5]).unwrap();
    let edit = |range: core::ops::Range<usize>, with: &[u8]| -> Vec<u8> {
        let mut edited = leaf.clone();
        edited.splice(range, with.iter().copied());
        edited
    };
    let position = number_at..number_at + 2;
    let cases: &[(&str, Vec<u8>, EventError)] = &[
        (
            "padded varint",
            edit(position.clone(), &[0x20, 0x85, 0]),
            EventError::NotCanonical,
        ),
        (
            "padded key",
            edit(position.clone(), &[0xa0, 0, 5]),
            EventError::NotCanonical,
        ),
        (
            "default written",
            edit(position.clone(), &[0x20, 0]),
            EventError::NotCanonical,
        ),
        (
            "repeated field",
            edit(position.clone(), &[0x20, 4, 0x20, 5]),
            EventError::Missing { number: 6 },
        ),
        (
            "varint of 65 bits",
            edit(
                position,
                &[0x20, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
            ),
            EventError::NotCanonical,
        ),
        (
            "unknown field",
            edit(leaf.len()..leaf.len(), &[0x48, 1]),
            EventError::UnexpectedField { key: 0x48 },
        ),
        (
            "empty",
            Vec::new(),
            EventError::Schema {
                expected: EVENT_SCHEMA,
            },
        ),
        (
            "later version",
            edit(16..17, b"2"),
            EventError::Schema {
                expected: EVENT_SCHEMA,
            },
        ),
    ];
    for (name, bytes, error) in cases {
        assert_eq!(EventHeader::decode(bytes), Err(*error), "{name}");
    }
    let long = header("s", 5, 6).to_bytes().repeat(100);
    assert!(matches!(
        EventHeader::decode(&long),
        Err(EventError::TooLarge { .. })
    ));
}

#[test]
fn the_longest_header_fits_a_leaf() {
    let name = "x".repeat(crate::limits::MAX_NAME_BYTES);
    let name = name.as_str();
    let header = EventHeader {
        log_origin: LogOrigin::new(name).unwrap(),
        actor: Actor::new(name).unwrap(),
        event_type: EventType::new(name).unwrap(),
        ..header(name, u64::MAX, u64::MAX)
    };
    let leaf = header.to_bytes();
    assert!(leaf.len() <= crate::limits::MAX_LEAF_BYTES);
    assert_eq!(EventHeader::decode(&leaf), Ok(header));
    let _: String = header.stream.to_owned().as_str().into();
}
