//! The entries of a run's tables as bytes.

use super::RequestEntry;
use super::table::Shape;
use crate::log::bytes::Fields;
use crate::log::record::{BodyHash, KEY_BYTES, NameKey, RequestKey, StreamKey};
use crate::log::request::{EventCount, StreamHead};
use stella_verify::units::{LeafIndex, StreamPosition, UnixMillis};

pub(super) const REQUESTS: Shape = Shape {
    key: KEY_BYTES,
    entry: KEY_BYTES + 52,
    filtered: true,
};
pub(super) const STREAMS: Shape = Shape {
    key: KEY_BYTES,
    entry: KEY_BYTES + 16,
    filtered: true,
};
pub(super) const NAMES: Shape = Shape {
    key: KEY_BYTES,
    entry: KEY_BYTES + 8,
    filtered: true,
};
pub(super) const ERASED: Shape = Shape {
    key: 8,
    entry: 16,
    filtered: false,
};

pub(super) fn put_request((key, entry): &(RequestKey, RequestEntry)) -> Vec<u8> {
    let mut out = Vec::with_capacity(REQUESTS.entry);
    out.extend_from_slice(&key.0);
    out.extend_from_slice(&entry.body.0);
    out.extend_from_slice(&entry.first.get().to_le_bytes());
    out.extend_from_slice(&entry.count.0.to_le_bytes());
    out.extend_from_slice(&entry.time.get().to_le_bytes());
    out
}

pub(super) fn parse_request(value: &[u8]) -> Option<RequestEntry> {
    let mut fields = Fields(value);
    Some(RequestEntry {
        body: BodyHash(fields.array()?),
        first: LeafIndex::new(fields.u64()?),
        count: EventCount(fields.u32()?),
        time: UnixMillis::new(fields.u64()?),
    })
}

pub(super) fn put_stream((key, head): &(StreamKey, StreamHead)) -> Vec<u8> {
    let mut out = Vec::with_capacity(STREAMS.entry);
    out.extend_from_slice(&key.0);
    out.extend_from_slice(&head.next.get().to_le_bytes());
    out.extend_from_slice(&head.last.get().to_le_bytes());
    out
}

pub(super) fn parse_stream(value: &[u8]) -> Option<StreamHead> {
    let mut fields = Fields(value);
    Some(StreamHead {
        next: StreamPosition::new(fields.u64()?),
        last: LeafIndex::new(fields.u64()?),
    })
}

pub(super) fn put_name((key, at): &(NameKey, LeafIndex)) -> Vec<u8> {
    let mut out = Vec::with_capacity(NAMES.entry);
    out.extend_from_slice(&key.0);
    out.extend_from_slice(&at.get().to_le_bytes());
    out
}

/// The leaf is big-endian, so that bytes sort as numbers do.
pub(super) fn put_erased((leaf, by): &(LeafIndex, LeafIndex)) -> Vec<u8> {
    let mut out = Vec::with_capacity(ERASED.entry);
    out.extend_from_slice(&leaf.get().to_be_bytes());
    out.extend_from_slice(&by.get().to_le_bytes());
    out
}

pub(super) fn parse_index(value: &[u8]) -> Option<LeafIndex> {
    Some(LeafIndex::new(Fields(value).u64()?))
}
