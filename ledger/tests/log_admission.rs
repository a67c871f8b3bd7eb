//! What is admitted, what is refused, and that a refusal leaves no trace.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says so"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use stella_ledger::log::{
    AppendError, AppendRequest, CommitSample, Entries, EraseError, EraseRequest, EventLog,
    Expected, LogObserver, LogOptions, NameRule, Named, OwnedPayload, Principal, Receipt,
    RequestId, UpkeepMode,
};
use stella_testkit::clock::FakeClock;
use stella_testkit::disk::SimDisk;
use stella_testkit::entropy::Seed;
use stella_testkit::fixture::{self, event};
use stella_testkit::oracle::{Remembered, Witness};
use stella_verify::event::{Actor, EventHeader, EventType};
use stella_verify::hash::{BlobDigest, ManifestHash};
use stella_verify::limits::MAX_PAYLOAD_BYTES;
use stella_verify::units::{LeafIndex, StreamPosition, TreeSize, UnixMillis};

fn options() -> LogOptions {
    fixture::options(Arc::new(SimDisk::new()), Seed(2)).unwrap()
}

fn new_log() -> EventLog {
    EventLog::create(options()).unwrap().0
}

fn request(id: Option<&str>, payload: &str) -> AppendRequest {
    fixture::request(id, vec![event("s", payload).unwrap()]).unwrap()
}

/// Fills segments until what was appended before stands in a sealed run only.
fn push_into_runs(log: &EventLog) {
    for number in 0..60 {
        let filler = event("filler", vec![1; 3000]).unwrap();
        let id = format!("filler-{number}");
        let request = fixture::request(Some(&id), vec![filler]).unwrap();
        let _ = log.append(request).unwrap();
    }
}

#[test]
fn a_request_id_answers_once_per_principal() {
    let log = new_log();
    let first = log.append(request(Some("id"), "body")).unwrap();
    assert!(!first.duplicate);
    for round in 0..2 {
        let size = log.published().size;
        let again = log.append(request(Some("id"), "body")).unwrap();
        assert!(again.duplicate);
        assert_eq!((again.first, again.count), (first.first, first.count));
        assert!(again.published.size >= first.published.size);
        let other = log.append(request(Some("id"), "other body"));
        assert!(
            matches!(other, Err(AppendError::RequestIdReused { first: at }) if at == first.first)
        );
        assert_eq!(log.published().size, size, "round {round}");
        if round == 0 {
            push_into_runs(&log);
        }
    }
    let mut foreign = request(Some("id"), "body");
    foreign.principal = Principal::new("someone else").unwrap();
    assert!(!log.append(foreign).unwrap().duplicate);
    assert!(!log.append(request(None, "body")).unwrap().duplicate);
    let found = log
        .request(
            &Principal::new("tester").unwrap(),
            &RequestId::new("id").unwrap(),
        )
        .unwrap();
    assert_eq!(found, Some((first.first, first.count)));
}

#[test]
fn every_part_of_the_body_counts() {
    let log = new_log();
    let base = || {
        let mut request = request(Some("id"), "body");
        request.names = vec![NameRule::Record(Named::Blob(BlobDigest::new([1; 32])))];
        request
    };
    let edits: [fn(&mut AppendRequest); 7] = [
        |request| {
            edit(request, |event| {
                event.payload = [event.payload.as_ref(), &[0]].concat().into();
            });
        },
        |request| edit(request, |event| event.stream = stream("other")),
        |request| {
            edit(request, |event| {
                event.event_type = EventType::new(Arc::from("other")).unwrap();
            });
        },
        |request| {
            edit(request, |event| {
                event.actor = Actor::new(Arc::from("other")).unwrap();
            });
        },
        |request| {
            edit(request, |event| {
                event.expected = Expected::At(StreamPosition::ZERO);
            });
        },
        |request| request.names.clear(),
        |request| {
            request.names = vec![NameRule::Introduce(Named::Blob(BlobDigest::new([1; 32])))];
        },
    ];
    log.append(base()).unwrap();
    assert!(log.append(base()).unwrap().duplicate);
    for (number, change) in edits.iter().enumerate() {
        let mut changed = base();
        change(&mut changed);
        let answer = log.append(changed);
        assert!(
            matches!(answer, Err(AppendError::RequestIdReused { .. })),
            "edit {number}: {answer:?}"
        );
    }
}

fn stream(name: &str) -> stella_verify::event::StreamName<Arc<str>> {
    stella_verify::event::StreamName::new(Arc::from(name)).unwrap()
}

fn edit(request: &mut AppendRequest, change: impl Fn(&mut stella_ledger::log::NewEvent)) {
    if let Entries::Events(events) = &mut request.entries {
        events.iter_mut().for_each(change);
    }
}

#[test]
fn an_old_request_id_is_expired_not_forgotten() {
    let clock = Arc::new(FakeClock::at(UnixMillis::new(1_000_000)));
    let mut options = options();
    options.clock = clock.clone();
    options.request_window = Duration::from_mins(1);
    let (log, _) = EventLog::create(options).unwrap();
    let first = log.append(request(Some("id"), "body")).unwrap().first;
    clock.set(UnixMillis::new(1_060_000));
    assert!(log.append(request(Some("id"), "body")).unwrap().duplicate);
    clock.set(UnixMillis::new(1_060_001));
    for _ in 0..2 {
        let late = log.append(request(Some("id"), "body"));
        assert!(
            matches!(late, Err(AppendError::RequestIdExpired { first: at }) if at == first),
            "{late:?}"
        );
        push_into_runs(&log);
    }
}

#[test]
fn positions_are_exact_within_and_across_requests() {
    let log = new_log();
    let at = |position, payload: &str| {
        let mut event = event("s", payload).unwrap();
        event.expected = Expected::At(StreamPosition::new(position));
        event
    };
    let append = |events| log.append(fixture::request(None, events).unwrap());
    append(vec![at(0, "a"), event("t", "x").unwrap(), at(1, "b")]).unwrap();
    let size = log.published().size;
    let refused = append(vec![event("s", "c").unwrap(), at(2, "d")]);
    match refused {
        Err(AppendError::WrongExpectedPosition {
            entry,
            expected,
            actual,
            stream,
        }) => {
            assert_eq!((entry, expected.get(), actual.get()), (1, 2, 3));
            assert_eq!(stream.as_str(), "s");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(log.published().size, size);
    push_into_runs(&log);
    append(vec![at(2, "c")]).unwrap();
    let head = log.stream_head(&stream("s")).unwrap().unwrap();
    assert_eq!(head.next, StreamPosition::new(3));
    let last = log.get(head.last).unwrap();
    assert_eq!(
        EventHeader::decode(&last.leaf).unwrap().position,
        StreamPosition::new(2)
    );
    assert_eq!(log.stream_head(&stream("unheard of")).unwrap(), None);
}

#[test]
fn names_are_recorded_introduced_and_required() {
    let log = new_log();
    let manifest = Named::Manifest(ManifestHash::new([1; 32]));
    let blob = Named::Blob(BlobDigest::new([1; 32]));
    let with = |names: Vec<NameRule>| {
        let mut request = request(None, "x");
        request.names = names;
        log.append(request)
    };
    let unknown = with(vec![NameRule::Require(blob)]);
    assert!(matches!(unknown, Err(AppendError::NotKnown { named }) if named == blob));
    assert_eq!(log.published().size, TreeSize::ZERO);
    with(vec![NameRule::Record(blob), NameRule::Require(blob)]).unwrap();
    with(vec![NameRule::Record(blob), NameRule::Introduce(manifest)]).unwrap();
    for _ in 0..2 {
        let again = with(vec![NameRule::Introduce(manifest)]);
        assert!(
            matches!(again, Err(AppendError::AlreadyKnown { at, .. }) if at == LeafIndex::new(1)),
            "{again:?}"
        );
        assert_eq!(log.known_since(&blob).unwrap(), Some(LeafIndex::ZERO));
        assert_eq!(log.known_since(&manifest).unwrap(), Some(LeafIndex::new(1)));
        with(vec![NameRule::Require(manifest)]).unwrap();
        push_into_runs(&log);
    }
    let sealed = Named::Sealed(ManifestHash::new([1; 32]));
    assert_eq!(log.known_since(&sealed).unwrap(), None);
}

#[test]
fn limits_have_names() {
    let log = new_log();
    let append = |events| log.append(fixture::request(None, events).unwrap());
    assert!(matches!(append(Vec::new()), Err(AppendError::Empty)));
    let large = event("s", vec![0; MAX_PAYLOAD_BYTES + 1]).unwrap();
    assert!(matches!(
        append(vec![large]),
        Err(AppendError::EntryTooLarge { entry: 0, .. })
    ));
    // This log's segments are small, and a request stays within one.
    let beyond_segment = event("s", vec![0; 100_000]).unwrap();
    assert!(matches!(
        append(vec![beyond_segment]),
        Err(AppendError::RequestTooLarge { .. })
    ));
    let many = vec![event("s", "").unwrap(); 16_385];
    assert!(matches!(
        append(many),
        Err(AppendError::TooManyEvents { count: 16_385, .. })
    ));
    let mut reserved = event("s", "{}").unwrap();
    reserved.event_type = EventType::new(Arc::from("payload.erased")).unwrap();
    assert!(matches!(
        append(vec![reserved]),
        Err(AppendError::EventTypeReserved { .. })
    ));
    let raw = AppendRequest {
        entries: Entries::Raw(vec![vec![1]]),
        ..request(None, "")
    };
    assert!(matches!(log.append(raw), Err(AppendError::WrongLeafKind)));
    assert_eq!(log.published().size, TreeSize::ZERO);
    append(vec![event("s", "").unwrap()]).unwrap();
}

#[test]
fn a_request_as_large_as_allowed_fits() {
    let log = new_log();
    let mut length = 60_000;
    // The largest payload that is not refused must be appended and come back.
    let receipt = loop {
        let event = event("s", vec![9; length]).unwrap();
        match log.append(fixture::request(None, vec![event]).unwrap()) {
            Ok(receipt) => break receipt,
            Err(AppendError::RequestTooLarge { .. }) => length -= 1,
            Err(error) => panic!("{error}"),
        }
    };
    let stored = log.get(receipt.first).unwrap();
    assert!(matches!(stored.payload, OwnedPayload::Present { bytes, .. } if bytes.len() == length));
}

#[test]
fn time_never_falls() {
    let clock = Arc::new(FakeClock::at(UnixMillis::new(5_000)));
    let mut options = options();
    options.clock = clock.clone();
    let (log, _) = EventLog::create(options).unwrap();
    let mut times = Vec::new();
    for now in [5_000, 4_000, 6_000, 1] {
        clock.set(UnixMillis::new(now));
        let index = log.append(request(None, "x")).unwrap().first;
        let leaf = log.get(index).unwrap().leaf;
        times.push(EventHeader::decode(&leaf).unwrap().time.get());
    }
    assert_eq!(times, [5_000, 5_000, 6_000, 6_000]);
}

#[test]
fn erasing_changes_no_root_and_is_explained() {
    let disk = SimDisk::new();
    let options = fixture::options(Arc::new(disk.clone()), Seed(2)).unwrap();
    let (log, _) = EventLog::create(options.clone()).unwrap();
    let mut witness = Witness::default();
    for number in 0..60u8 {
        let remembered = Remembered {
            stream: "s".to_owned(),
            payload: vec![number; 200 + usize::from(number) * 100],
        };
        let new = event("s", remembered.payload.clone()).unwrap();
        let receipt = log
            .append(fixture::request(None, vec![new]).unwrap())
            .unwrap();
        witness.acknowledge(&receipt, &[remembered]);
    }
    let before: Vec<_> = (0..60)
        .map(|at| log.get(LeafIndex::new(at)).unwrap().leaf)
        .collect();
    let erase = |id: Option<&str>, leaves: &[u64]| {
        log.erase(EraseRequest {
            principal: Principal::new("officer").unwrap(),
            request_id: id.map(|id| RequestId::new(id).unwrap()),
            actor: Actor::new(Arc::from("officer")).unwrap(),
            leaves: leaves.iter().copied().map(LeafIndex::new).collect(),
            reason: "a \"reason\"".to_owned(),
        })
    };
    let receipt: Receipt = erase(Some("e"), &[59, 0, 7, 33]).unwrap();
    assert!(erase(Some("e"), &[59, 0, 7, 33]).unwrap().duplicate);
    for leaf in [0, 7, 33, 59] {
        witness.erase(LeafIndex::new(leaf));
        let stored = log.get(LeafIndex::new(leaf)).unwrap();
        assert_eq!(stored.payload, OwnedPayload::Erased { by: receipt.first });
        assert_eq!(stored.leaf, before[usize::try_from(leaf).unwrap()]);
        assert_eq!(
            log.erased_by(LeafIndex::new(leaf)).unwrap(),
            Some(receipt.first)
        );
    }
    // The judge recomputes every published root, old ones included.
    witness.judge(&log).unwrap();
    for (_, content) in disk
        .files()
        .iter()
        .map(|(name, _)| (name, disk.content(name).unwrap()))
    {
        let traces = content.windows(100).any(|window| window == [33; 100]);
        assert!(!traces, "the payload is still on the disk");
    }
    let refused = erase(None, &[receipt.first.get()]);
    assert!(
        matches!(refused, Err(EraseError::Retention(_))),
        "{refused:?}"
    );
    assert!(matches!(erase(None, &[10_000]), Err(EraseError::Read(_))));
    assert!(matches!(erase(None, &[]), Err(EraseError::Leaves(_))));
    log.close().unwrap();
    let (log, _) = EventLog::open(options).unwrap();
    witness.judge(&log).unwrap();
}

#[test]
fn sixty_four_writers_get_exactly_their_own_places() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(stella_ledger::disk::RealDisk::new(folder.path()));
    let mut options = fixture::options(disk, Seed(2)).unwrap();
    options.upkeep = UpkeepMode::Threads;
    options.segment_bytes = stella_ledger::disk::ByteLength(1024 * 1024);
    let (log, _) = EventLog::create(options).unwrap();
    let witness = Mutex::new(Witness::default());
    std::thread::scope(|scope| {
        for thread in 0..64 {
            let (log, witness) = (&log, &witness);
            scope.spawn(move || {
                for number in 0..20u64 {
                    let mut new = event(
                        &format!("t/{thread}"),
                        format!("{thread} {number}").into_bytes(),
                    )
                    .unwrap();
                    // Nobody else writes this stream, so positions are known.
                    new.expected = Expected::At(StreamPosition::new(number));
                    let shared = event("shared", "x").unwrap();
                    let events = [&new, &shared].map(|event| Remembered {
                        stream: event.stream.as_str().to_owned(),
                        payload: event.payload.to_vec(),
                    });
                    // Two threads may share a request id on purpose: it lands once.
                    let request =
                        fixture::request(Some(&format!("{thread}-{number}")), vec![new, shared])
                            .unwrap();
                    let receipt = log.append(request.clone()).unwrap();
                    let again = log.append(request).unwrap();
                    assert!(again.duplicate && again.first == receipt.first);
                    witness.lock().unwrap().acknowledge(&receipt, &events);
                }
            });
        }
    });
    let witness = witness.into_inner().unwrap();
    assert_eq!(witness.acknowledged(), 64 * 20 * 2);
    assert_eq!(log.published().size, TreeSize::new(64 * 20 * 2));
    let shared = log.stream_head(&stream("shared")).unwrap().unwrap();
    assert_eq!(shared.next, StreamPosition::new(64 * 20));
    witness.judge(&log).unwrap();
    assert!(log.stats().commits < 64 * 20, "no commit was shared");
}

#[test]
fn submitted_requests_are_answered_in_order_of_their_places() {
    for upkeep in [UpkeepMode::Threads, UpkeepMode::Inline] {
        let mut options = options();
        options.upkeep = upkeep;
        let (log, _) = EventLog::create(options).unwrap();
        let answers = Arc::new(Mutex::new(Vec::new()));
        for number in 0..200u64 {
            let answers = Arc::clone(&answers);
            log.submit(
                request(None, &format!("{number}")),
                Box::new(move |answer| answers.lock().unwrap().push(answer.unwrap().first.get())),
            );
        }
        log.close().unwrap();
        let answers = answers.lock().unwrap();
        assert_eq!(*answers, (0..200).collect::<Vec<_>>());
    }
}

#[test]
fn interleaved_streams_of_one_request_keep_their_own_positions() {
    let log = new_log();
    let names = ["a", "b", "a", "c", "b", "a", "a", "c"];
    for _ in 0..3 {
        let events = names
            .iter()
            .map(|name| event(name, *name).unwrap())
            .collect();
        log.append(fixture::request(None, events).unwrap()).unwrap();
    }
    let mut next = std::collections::BTreeMap::new();
    for index in 0..24 {
        let leaf = log.get(LeafIndex::new(index)).unwrap().leaf;
        let header = EventHeader::decode(&leaf).unwrap();
        let name = header.stream.as_str().to_owned();
        assert_eq!(name, names[usize::try_from(index).unwrap() % 8]);
        let position = next.entry(name).or_insert(0);
        assert_eq!(header.position, StreamPosition::new(*position));
        *position += 1;
    }
}

#[test]
fn a_request_whose_deadline_passed_before_its_turn_is_not_admitted() {
    let log = new_log();
    let late = log.append_before(request(Some("r"), "late"), Some(Instant::now()));
    assert!(matches!(late, Err(AppendError::Expired)), "{late:?}");
    assert_eq!(log.published().size, TreeSize::ZERO);
    let (answer, answered) = std::sync::mpsc::channel();
    let callback = Box::new(move |outcome: Result<Receipt, AppendError>| {
        answer
            .send(outcome.map(|receipt| receipt.duplicate))
            .unwrap();
    });
    log.submit_before(request(None, "later"), Some(Instant::now()), callback);
    assert!(matches!(
        answered.recv().unwrap(),
        Err(AppendError::Expired)
    ));
    // The id was not used up: the same request is a new one.
    let in_time = Instant::now() + std::time::Duration::from_mins(1);
    let receipt = log.append_before(request(Some("r"), "late"), Some(in_time));
    assert!(!receipt.unwrap().duplicate);
    assert_eq!(log.published().size, TreeSize::new(1));
}

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<CommitSample>>);

impl LogObserver for Heard {
    fn committed(&self, commit: &CommitSample) {
        self.0.lock().unwrap().push(*commit);
    }
}

#[test]
fn an_observer_hears_of_every_commit() {
    let heard = Arc::new(Heard::default());
    let mut options = options();
    options.observer = Arc::<Heard>::clone(&heard);
    let (log, _) = EventLog::create(options).unwrap();
    for number in 0..20 {
        log.append(request(None, &number.to_string())).unwrap();
    }
    let stats = log.stats();
    let heard = heard.0.lock().unwrap();
    assert_eq!(heard.len() as u64, stats.commits);
    assert_eq!(heard.iter().map(|one| one.leaves).sum::<u64>(), 20);
    assert_eq!(
        heard.iter().map(|one| one.bytes).sum::<u64>(),
        stats.frame_bytes
    );
    assert!(heard.iter().is_sorted_by_key(|one| one.size));
}
