//! Gives requests their place: admission, positions, times, leaves, the growing tree.

use super::admission::Admission;
use super::append::AppendError;
use super::batch::{Batch, Outcome};
use super::block::BlockNumber;
use super::ids::ChainHash;
use super::index::IndexedSegment;
use super::pending::{Pending, PendingEntries};
use super::record::{NameKey, Record};
use super::request::{EventCount, Expected, NameRule, StreamHead};
use super::spec::LogSpec;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use stella_verify::event::EventHeader;
use stella_verify::merkle::Frontier;
use stella_verify::units::{LeafIndex, StreamPosition, UnixMillis};

/// The state that only the leading thread touches.
#[derive(Debug)]
pub(crate) struct Sequencer {
    /// The tree over everything sequenced, durable or not yet.
    pub(crate) frontier: Frontier,
    /// Time of the last event sequenced.
    pub(crate) time: UnixMillis,
    /// Where the next frame goes.
    pub(crate) segment: Arc<IndexedSegment>,
    pub(crate) next_block: BlockNumber,
    /// The last frame's hash.
    pub(crate) previous: ChainHash,
}

/// What one request needs of the log's settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdmissionRules<'a> {
    pub(crate) spec: &'a LogSpec,
    pub(crate) request_window: Duration,
    /// The frame's time: max(now, time of the previous event).
    pub(crate) time: UnixMillis,
}

impl Sequencer {
    /// Admits or refuses one request. If admitted, its leaves are in `batch` and in the tree, and
    /// the admission state knows of it.
    pub(crate) fn sequence(
        &mut self,
        pending: Pending,
        admission: &mut Admission,
        rules: &AdmissionRules<'_>,
        batch: &mut Batch,
    ) -> Outcome {
        match admit(&pending, admission, rules) {
            Ok(Some(duplicate)) => duplicate,
            Ok(None) => self.append(pending, admission, rules, batch),
            Err(error) => Outcome::Refused(error),
        }
    }

    fn append(
        &mut self,
        pending: Pending,
        admission: &mut Admission,
        rules: &AdmissionRules<'_>,
        batch: &mut Batch,
    ) -> Outcome {
        let first = self.frontier.size().next_index();
        // Bounded by MAX_REQUEST_EVENTS.
        let count = EventCount(u32::try_from(pending.content.len()).unwrap_or(u32::MAX));
        match &pending.content {
            PendingEntries::Events { .. } => {
                if let Err(error) = self.append_events(&pending, admission, rules, batch) {
                    return Outcome::Refused(error);
                }
            }
            PendingEntries::Raw(leaves) => {
                for leaf in leaves {
                    let hash = batch.push_leaf(0, |out| out.extend_from_slice(leaf));
                    self.frontier.push(hash);
                }
            }
        }
        self.time = rules.time;
        record(&pending, first, count, rules.time, admission, batch);
        batch.admit(pending);
        Outcome::Appended { first, count }
    }

    fn append_events(
        &mut self,
        pending: &Pending,
        admission: &mut Admission,
        rules: &AdmissionRules<'_>,
        batch: &mut Batch,
    ) -> Result<(), AppendError> {
        let PendingEntries::Events {
            events,
            secrets,
            streams,
            stream_of,
        } = &pending.content
        else {
            return Ok(());
        };
        let mut heads = heads(pending, admission)?;
        for ((event, (salt, commitment)), place) in events.iter().zip(secrets).zip(stream_of) {
            let Some(head) = heads.get_mut(*place as usize) else {
                continue;
            };
            head.last = self.frontier.size().next_index();
            let header = EventHeader {
                log_origin: rules.spec.origin.borrowed(),
                stream: event.stream.borrowed(),
                position: head.next,
                time: rules.time,
                actor: event.actor.borrowed(),
                event_type: event.event_type.borrowed(),
                payload: *commitment,
            };
            head.next = StreamPosition::new(head.next.get() + 1);
            let secret_bytes = salt.as_bytes().len() + event.payload.len();
            let hash = batch.push_leaf(secret_bytes, |out| header.encode(out));
            self.frontier.push(hash);
        }
        for (key, head) in streams.iter().zip(heads) {
            admission.active.streams.insert(*key, head);
        }
        Ok(())
    }
}

/// Every check that can refuse, changing nothing. `Some` answers a repeated request.
fn admit(
    pending: &Pending,
    admission: &Admission,
    rules: &AdmissionRules<'_>,
) -> Result<Option<Outcome>, AppendError> {
    if let Some((key, body)) = &pending.request
        && let Some(earlier) = admission.request(key, &pending.older)?
    {
        let first = earlier.first;
        if earlier.body != *body {
            return Err(AppendError::RequestIdReused { first });
        }
        let age = rules.time.get().saturating_sub(earlier.time.get());
        if u128::from(age) > rules.request_window.as_millis() {
            return Err(AppendError::RequestIdExpired { first });
        }
        let count = earlier.count;
        return Ok(Some(Outcome::Duplicate { first, count }));
    }
    check_names(pending, admission)?;
    check_positions(pending, admission)?;
    Ok(None)
}

fn check_names(pending: &Pending, admission: &Admission) -> Result<(), AppendError> {
    let mut recorded: BTreeSet<NameKey> = BTreeSet::new();
    for (place, (rule, key)) in pending.names.iter().enumerate() {
        let known = admission.name(key, &pending.older, place)?;
        match rule {
            NameRule::Introduce(named) => {
                if let Some(at) = known {
                    return Err(AppendError::AlreadyKnown { named: *named, at });
                }
                recorded.insert(*key);
            }
            NameRule::Record(_) => {
                recorded.insert(*key);
            }
            NameRule::Require(named) => {
                if known.is_none() && !recorded.contains(key) {
                    return Err(AppendError::NotKnown { named: *named });
                }
            }
        }
    }
    Ok(())
}

/// The ends of the request's streams, in their order; new streams end at zero.
fn heads(pending: &Pending, admission: &Admission) -> Result<Vec<StreamHead>, AppendError> {
    let PendingEntries::Events { streams, .. } = &pending.content else {
        return Ok(Vec::new());
    };
    let new = StreamHead {
        next: StreamPosition::ZERO,
        last: LeafIndex::ZERO,
    };
    streams
        .iter()
        .enumerate()
        .map(|(place, key)| {
            let head = admission.stream(key, &pending.older, place)?;
            Ok(head.unwrap_or(new))
        })
        .collect()
}

fn check_positions(pending: &Pending, admission: &Admission) -> Result<(), AppendError> {
    let PendingEntries::Events {
        events, stream_of, ..
    } = &pending.content
    else {
        return Ok(());
    };
    if events.iter().all(|event| event.expected == Expected::Any) {
        return Ok(());
    }
    let mut heads = heads(pending, admission)?;
    for (entry, (event, place)) in events.iter().zip(stream_of).enumerate() {
        let Some(head) = heads.get_mut(*place as usize) else {
            continue;
        };
        if let Expected::At(expected) = event.expected
            && expected != head.next
        {
            return Err(AppendError::WrongExpectedPosition {
                entry,
                stream: event.stream.clone(),
                expected,
                actual: head.next,
            });
        }
        head.next = StreamPosition::new(head.next.get() + 1);
    }
    Ok(())
}

/// Remembers an admitted request, in the admission state and in its frame.
fn record(
    pending: &Pending,
    first: LeafIndex,
    count: EventCount,
    time: UnixMillis,
    admission: &mut Admission,
    batch: &mut Batch,
) {
    let mut keep = |admission: &mut Admission, record: Record| {
        admission.active.apply(&record, time);
        batch.push_record(&record);
    };
    if let Some((key, body)) = pending.request {
        let record = Record::Request {
            key,
            body,
            first,
            count,
        };
        keep(admission, record);
    }
    for (place, (rule, key)) in pending.names.iter().enumerate() {
        let records = !matches!(rule, NameRule::Require(_));
        // Names were readable a moment ago; one that is not now is recorded again, harmlessly.
        let known = admission
            .name(key, &pending.older, place)
            .unwrap_or_default();
        if records && known.is_none() {
            keep(
                admission,
                Record::Name {
                    key: *key,
                    at: first,
                },
            );
        }
    }
    for leaf in &pending.erases {
        keep(
            admission,
            Record::Erased {
                leaf: *leaf,
                by: first,
            },
        );
    }
}
