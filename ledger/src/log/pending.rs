//! A request on its way to the sequencer: all that can be computed without knowing its place.
//!
//! This runs on the caller's thread, so that salts, commitments, hashes and questions to old runs
//! use every core, and the sequencer is left with what must be done in order.

use super::admission::{Older, Runs};
use super::append::AppendError;
use super::frame::SALT_BYTES;
use super::record::{BodyHash, MAX_RECORD_BYTES, NameKey, RequestKey, StreamKey};
use super::request::{AppendRequest, Entries, Expected, NameRule, Named, NewEvent};
use super::spec::{LeafKind, LogSpec};
use crate::entropy::Entropy;
use crate::limits::{MAX_REQUEST_BYTES, MAX_REQUEST_EVENTS, MAX_REQUEST_NAMES};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use stella_verify::event::{EventType, StreamName};
use stella_verify::hash::{PayloadCommitment, Salt};
use stella_verify::limits::{MAX_PAYLOAD_BYTES, MAX_TILE_ENTRY_BYTES};
use stella_verify::units::LeafIndex;

/// Bytes that a leaf takes beside its four names: tags, lengths, numbers, schema, commitment, and
/// the entry's own length and directory entry.
const LEAF_OVERHEAD_BYTES: usize = 17 + 4 * 3 + 2 * 11 + 34 + 2 + 8;

/// An admissible request with everything computed but its place.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) content: PendingEntries,
    pub(crate) request: Option<(RequestKey, BodyHash)>,
    pub(crate) names: Vec<(NameRule, NameKey)>,
    /// Leaves that this (retention) request erases.
    pub(crate) erases: Vec<LeafIndex>,
    pub(crate) older: Older,
    /// Most bytes that it adds to a frame.
    pub(crate) bound: usize,
    /// When whoever asked stops waiting: it is not admitted after that.
    pub(crate) deadline: Option<Instant>,
}

/// The entries, with what was computed for each.
#[derive(Debug)]
pub(crate) enum PendingEntries {
    Events {
        events: Vec<NewEvent>,
        secrets: Vec<(Salt, PayloadCommitment)>,
        /// The distinct streams.
        streams: Vec<StreamKey>,
        /// For each event, which of them.
        stream_of: Vec<u32>,
    },
    Raw(Vec<Vec<u8>>),
}

impl PendingEntries {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Events { events, .. } => events.len(),
            Self::Raw(leaves) => leaves.len(),
        }
    }
}

/// Whether a request comes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    /// A caller; reserved event types are refused.
    Caller,
    /// The log itself.
    Log,
}

impl Pending {
    /// Checks and computes. `room` is what one segment of this log can hold, in bytes.
    pub(crate) fn prepare(
        request: AppendRequest,
        author: Author,
        spec: &LogSpec,
        room: usize,
        entropy: &dyn Entropy,
        runs: &Runs,
    ) -> Result<Self, AppendError> {
        check_counts(&request)?;
        let bound = bound(&request, spec)?;
        let limit = MAX_REQUEST_BYTES.min(room);
        if bound > limit {
            return Err(AppendError::RequestTooLarge {
                bytes: bound,
                limit,
            });
        }
        let key = request.request_id.as_ref().map(|id| {
            let key = RequestKey::of(&request.principal, id);
            (key, body_hash(&request))
        });
        let names: Vec<_> = request
            .names
            .iter()
            .map(|rule| (*rule, NameKey::of(&rule.named())))
            .collect();
        let content = match (request.entries, spec.kind) {
            (Entries::Events(events), LeafKind::Event) => {
                if author == Author::Caller {
                    refuse_reserved(&events)?;
                }
                pend_events(events, entropy)?
            }
            (Entries::Raw(leaves), LeafKind::Raw) => PendingEntries::Raw(leaves),
            _ => return Err(AppendError::WrongLeafKind),
        };
        let streams = match &content {
            PendingEntries::Events { streams, .. } => streams.as_slice(),
            PendingEntries::Raw(_) => &[],
        };
        let name_keys: Vec<_> = names.iter().map(|(_, key)| *key).collect();
        let older = Older::ask(runs, key.as_ref().map(|(key, _)| key), streams, &name_keys)?;
        Ok(Self {
            content,
            request: key,
            names,
            erases: Vec::new(),
            older,
            bound,
            deadline: None,
        })
    }

    /// Whether whoever asked has stopped waiting.
    pub(crate) fn is_expired(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Makes it a retention request; its records take room, too.
    pub(crate) fn erasing(mut self, leaves: Vec<LeafIndex>) -> Self {
        self.bound += leaves.len() * MAX_RECORD_BYTES;
        self.erases = leaves;
        self
    }
}

impl NameRule {
    pub(crate) const fn named(&self) -> Named {
        match self {
            Self::Record(named) | Self::Introduce(named) | Self::Require(named) => *named,
        }
    }
}

fn check_counts(request: &AppendRequest) -> Result<(), AppendError> {
    let count = request.entries.len();
    if count == 0 {
        return Err(AppendError::Empty);
    }
    if count > MAX_REQUEST_EVENTS {
        return Err(AppendError::TooManyEvents {
            count,
            limit: MAX_REQUEST_EVENTS,
        });
    }
    if request.names.len() > MAX_REQUEST_NAMES {
        return Err(AppendError::TooManyNames {
            count: request.names.len(),
            limit: MAX_REQUEST_NAMES,
        });
    }
    Ok(())
}

fn bound(request: &AppendRequest, spec: &LogSpec) -> Result<usize, AppendError> {
    let too_large = |entry, bytes, limit| AppendError::EntryTooLarge {
        entry,
        bytes,
        limit,
    };
    let mut bound = (1 + request.names.len()) * MAX_RECORD_BYTES;
    match &request.entries {
        Entries::Events(events) => {
            let fixed = LEAF_OVERHEAD_BYTES + spec.origin.as_str().len() + SALT_BYTES;
            for (entry, event) in events.iter().enumerate() {
                let bytes = event.payload.len();
                if bytes > MAX_PAYLOAD_BYTES {
                    return Err(too_large(entry, bytes, MAX_PAYLOAD_BYTES));
                }
                bound += fixed
                    + bytes
                    + event.stream.as_str().len()
                    + event.actor.as_str().len()
                    + event.event_type.as_str().len();
            }
        }
        Entries::Raw(leaves) => {
            for (entry, leaf) in leaves.iter().enumerate() {
                if leaf.len() > MAX_TILE_ENTRY_BYTES {
                    return Err(too_large(entry, leaf.len(), MAX_TILE_ENTRY_BYTES));
                }
                bound += leaf.len() + 10;
            }
        }
    }
    Ok(bound)
}

fn refuse_reserved(events: &[NewEvent]) -> Result<(), AppendError> {
    let reserved = EventType::PAYLOAD_ERASED;
    match events
        .iter()
        .find(|event| event.event_type.as_str() == reserved.as_str())
    {
        Some(event) => Err(AppendError::EventTypeReserved {
            event_type: event.event_type.clone(),
        }),
        None => Ok(()),
    }
}

fn pend_events(
    events: Vec<NewEvent>,
    entropy: &dyn Entropy,
) -> Result<PendingEntries, AppendError> {
    let mut salts = vec![0u8; events.len() * SALT_BYTES];
    entropy.fill(&mut salts)?;
    let (salts, _) = salts.as_chunks::<SALT_BYTES>();
    let secrets = salts
        .iter()
        .zip(&events)
        .map(|(salt, event)| {
            let salt = Salt::new(*salt);
            (salt, PayloadCommitment::of(&salt, &event.payload))
        })
        .collect();
    let (streams, stream_of) = distinct_streams(&events);
    Ok(PendingEntries::Events {
        events,
        secrets,
        streams,
        stream_of,
    })
}

/// The request's streams, and for each event which of them. Most requests have one stream.
fn distinct_streams(events: &[NewEvent]) -> (Vec<StreamKey>, Vec<u32>) {
    let Some((first, rest)) = events.split_first() else {
        return (Vec::new(), Vec::new());
    };
    let mut streams = vec![StreamKey::of(&first.stream)];
    let mut stream_of = vec![0; events.len()];
    if rest
        .iter()
        .all(|event| is_same(&first.stream, &event.stream))
    {
        return (streams, stream_of);
    }
    let mut places: HashMap<StreamKey, u32> = streams.iter().map(|key| (*key, 0)).collect();
    let (mut last, mut place) = (&first.stream, 0);
    for (event, slot) in events.iter().zip(&mut stream_of) {
        if !is_same(last, &event.stream) {
            last = &event.stream;
            let key = StreamKey::of(last);
            place = *places.entry(key).or_insert_with(|| {
                streams.push(key);
                // At most MAX_REQUEST_EVENTS.
                u32::try_from(streams.len() - 1).unwrap_or(u32::MAX)
            });
        }
        *slot = place;
    }
    (streams, stream_of)
}

/// Equal, decided by address where possible: runs of events usually share the text.
fn is_same(a: &StreamName<Arc<str>>, b: &StreamName<Arc<str>>) -> bool {
    std::ptr::eq(a.as_str(), b.as_str()) || a == b
}

/// BLAKE3 of the decoded request: every text behind its length, every choice behind a tag.
fn body_hash(request: &AppendRequest) -> BodyHash {
    let mut hasher = GatheringHasher::default();
    match &request.entries {
        Entries::Events(events) => {
            hasher.number(1);
            for event in events {
                hasher.text(event.stream.as_str().as_bytes());
                hasher.text(event.event_type.as_str().as_bytes());
                hasher.text(event.actor.as_str().as_bytes());
                match event.expected {
                    Expected::Any => hasher.number(0),
                    Expected::At(position) => {
                        hasher.number(1);
                        hasher.number(position.get());
                    }
                }
                hasher.text(&event.payload);
            }
        }
        Entries::Raw(leaves) => {
            hasher.number(2);
            for leaf in leaves {
                hasher.text(leaf);
            }
        }
    }
    for rule in &request.names {
        hasher.number(match rule {
            NameRule::Record(_) => 1,
            NameRule::Introduce(_) => 2,
            NameRule::Require(_) => 3,
        });
        hasher.text(&NameKey::of(&rule.named()).0);
    }
    hasher.finish()
}

/// Feeds BLAKE3 in large pieces: it is several times faster on those than on single events.
#[derive(Default)]
struct GatheringHasher {
    hasher: blake3::Hasher,
    gathered: Vec<u8>,
}

impl GatheringHasher {
    const PIECE: usize = 64 * 1024;

    fn number(&mut self, number: u64) {
        self.gathered.extend_from_slice(&number.to_le_bytes());
    }

    fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.gathered.extend_from_slice(text);
        if self.gathered.len() >= Self::PIECE {
            self.hasher.update(&self.gathered);
            self.gathered.clear();
        }
    }

    fn finish(mut self) -> BodyHash {
        self.hasher.update(&self.gathered);
        BodyHash(*self.hasher.finalize().as_bytes())
    }
}
