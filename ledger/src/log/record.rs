//! Admission records: what the sequencer must remember of each request, stored in its frame.
//!
//! Keys are BLAKE3 of what they stand for, under a label of their own: fixed width, sorted runs of
//! them need no strings, and a principal's name does not outlive its erasure in the events.

use super::bytes::Fields;
use super::frame::FrameFault;
use super::names::{Principal, RequestId};
use super::request::{EventCount, Named};
use stella_verify::event::StreamName;
use stella_verify::units::LeafIndex;

/// Bytes of every key.
pub(crate) const KEY_BYTES: usize = 32;

macro_rules! key_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) [u8; KEY_BYTES]);
    };
}
key_type! {
    /// A request id in the scope of its principal.
    RequestKey
}
key_type! {
    /// A stream.
    StreamKey
}
key_type! {
    /// A named thing outside the log.
    NameKey
}
key_type! {
    /// All of a request's content: equal hashes are "the same body".
    BodyHash
}

impl RequestKey {
    pub(crate) fn of(principal: &Principal, id: &RequestId) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"request\0");
        // Neither text can hold a NUL, so the pair has one spelling.
        hasher.update(principal.as_str().as_bytes());
        hasher.update(b"\0");
        hasher.update(id.as_str().as_bytes());
        Self(*hasher.finalize().as_bytes())
    }
}

impl StreamKey {
    pub(crate) fn of<S: AsRef<str>>(stream: &StreamName<S>) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"stream\0");
        hasher.update(stream.as_str().as_bytes());
        Self(*hasher.finalize().as_bytes())
    }
}

impl NameKey {
    pub(crate) fn of(named: &Named) -> Self {
        let (kind, hash) = match named {
            Named::Manifest(hash) => (1, hash.as_bytes()),
            Named::Sealed(hash) => (2, hash.as_bytes()),
            Named::Snapshot(hash) => (3, hash.as_bytes()),
            Named::Policy(hash) => (4, hash.as_bytes()),
            Named::Blob(hash) => (5, hash.as_bytes()),
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"name\0");
        hasher.update(&[kind]);
        hasher.update(hash);
        Self(*hasher.finalize().as_bytes())
    }
}

/// One admission record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record {
    /// A request with an id was admitted.
    Request {
        key: RequestKey,
        body: BodyHash,
        first: LeafIndex,
        count: EventCount,
    },
    /// A thing was named first by the event at this leaf.
    Name { key: NameKey, at: LeafIndex },
    /// The retention event at `by` erased the payload of `leaf`.
    Erased { leaf: LeafIndex, by: LeafIndex },
}

const REQUEST: u8 = 1;
const NAME: u8 = 2;
const ERASED: u8 = 3;

/// Most bytes of one record.
pub(crate) const MAX_RECORD_BYTES: usize = 1 + 2 * KEY_BYTES + 12;

impl Record {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Request {
                key,
                body,
                first,
                count,
            } => {
                out.push(REQUEST);
                out.extend_from_slice(&key.0);
                out.extend_from_slice(&body.0);
                out.extend_from_slice(&first.get().to_le_bytes());
                out.extend_from_slice(&count.0.to_le_bytes());
            }
            Self::Name { key, at } => {
                out.push(NAME);
                out.extend_from_slice(&key.0);
                out.extend_from_slice(&at.get().to_le_bytes());
            }
            Self::Erased { leaf, by } => {
                out.push(ERASED);
                out.extend_from_slice(&leaf.get().to_le_bytes());
                out.extend_from_slice(&by.get().to_le_bytes());
            }
        }
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(match fields.u8()? {
            REQUEST => Self::Request {
                key: RequestKey(fields.array()?),
                body: BodyHash(fields.array()?),
                first: LeafIndex::new(fields.u64()?),
                count: EventCount(fields.u32()?),
            },
            NAME => Self::Name {
                key: NameKey(fields.array()?),
                at: LeafIndex::new(fields.u64()?),
            },
            ERASED => Self::Erased {
                leaf: LeafIndex::new(fields.u64()?),
                by: LeafIndex::new(fields.u64()?),
            },
            _ => return None,
        })
    }
}

/// The records of a frame's admission section.
pub(crate) fn records(section: &[u8]) -> impl Iterator<Item = Result<Record, FrameFault>> {
    let mut fields = Fields(section);
    std::iter::from_fn(move || {
        if fields.is_empty() {
            return None;
        }
        let record = Record::read(&mut fields).ok_or(FrameFault::Admission);
        if record.is_err() {
            fields = Fields(&[]);
        }
        Some(record)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_verify::hash::{BlobDigest, ManifestHash};

    #[test]
    fn records_come_back_and_a_cut_one_is_refused() {
        let all = [
            Record::Request {
                key: RequestKey([1; 32]),
                body: BodyHash([2; 32]),
                first: LeafIndex::new(3),
                count: EventCount(4),
            },
            Record::Name {
                key: NameKey([5; 32]),
                at: LeafIndex::new(6),
            },
            Record::Erased {
                leaf: LeafIndex::new(7),
                by: LeafIndex::new(8),
            },
        ];
        let mut bytes = Vec::new();
        for record in &all {
            let before = bytes.len();
            record.put(&mut bytes);
            assert!(bytes.len() - before <= MAX_RECORD_BYTES);
        }
        let read: Result<Vec<_>, _> = records(&bytes).collect();
        assert_eq!(read.unwrap(), all);
        bytes.pop();
        assert_eq!(records(&bytes).last(), Some(Err(FrameFault::Admission)));
        assert_eq!(records(&[9]).last(), Some(Err(FrameFault::Admission)));
    }

    #[test]
    fn one_hash_under_two_kinds_is_two_names() {
        let manifest = NameKey::of(&Named::Manifest(ManifestHash::new([1; 32])));
        assert_ne!(
            manifest,
            NameKey::of(&Named::Blob(BlobDigest::new([1; 32])))
        );
        assert_ne!(
            manifest,
            NameKey::of(&Named::Sealed(ManifestHash::new([1; 32])))
        );
    }

    #[test]
    fn principal_and_request_id_do_not_run_together() {
        let key = |principal: &str, id: &str| {
            RequestKey::of(
                &Principal::new(principal).unwrap(),
                &RequestId::new(id).unwrap(),
            )
        };
        assert_ne!(key("ab", "c"), key("a", "bc"));
    }
}
