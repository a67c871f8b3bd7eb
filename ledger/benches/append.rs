//! Durable appends of the log beside a bare loop, in one run.
//!
//! The bare loop hashes the same leaves into a frontier and writes the same number of bytes to a
//! preallocated file with one `fdatasync` a batch: first to 64 MiB of zeros that are in memory and on
//! the disk before the clock starts, over and over; then, as a log must, always to new space, of which
//! only the allocation is done before. A third figure is the first without the hashing. Figures are
//! medians of rounds in which all of them alternate, so that other load on the machine hits all alike.
//!
//! `cargo bench -p stella-ledger --bench append -- [FOLDER] [ROUNDS] [MILLISECONDS ADDED TO A SYNC] [BATCH [AHEAD]]`
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program that measures and prints, and stops at the first trouble"
)]

use bytes::Bytes;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use stella_ledger::disk::{ByteLength, ByteOffset, DelayedSync, Disk as _, DiskFile, RealDisk};
use stella_ledger::log::{
    AppendRequest, Entries, EventLog, Expected, LogOptions, NewEvent, NoteCheckpointSigner,
    Principal,
};
use stella_verify::event::{Actor, EventHeader, EventType, LogOrigin, StreamName};
use stella_verify::hash::PayloadCommitment;
use stella_verify::merkle::{Frontier, leaf_hash};
use stella_verify::note::{Ed25519Signer, KeyName};
use stella_verify::units::{StreamPosition, UnixMillis};

const ORIGIN: &str = "bench.stella.test/log";
const PAYLOAD_BYTES: usize = 400;
const ROUND: Duration = Duration::from_millis(700);

fn main() {
    // Cargo adds `--bench`.
    let mut args = std::env::args()
        .skip(1)
        .filter(|text| !text.starts_with("--"));
    let folder = args.next().unwrap_or_else(|| ".".to_owned());
    std::fs::create_dir_all(&folder).unwrap();
    let rounds: usize = args.next().map_or(5, |text| text.parse().unwrap());
    println!("events of {PAYLOAD_BYTES} bytes of payload, thousand events/s, medians of {rounds}");
    let delay = Duration::from_millis(args.next().map_or(0, |text| text.parse().unwrap()));
    // Only the shape of this batch size and in-flight count, to look at one closely.
    let only: Option<(usize, usize)> = args.next().map(|batch| {
        (
            batch.parse().unwrap(),
            args.next().map_or(1, |ahead| ahead.parse().unwrap()),
        )
    });
    let shapes = [
        (1, 1, 1),
        (100, 1, 1),
        (100, 1, 4),
        (1000, 1, 1),
        (1000, 1, 4),
        (1, 64, 1),
    ];
    for (batch, writers, ahead) in shapes {
        if only.is_some_and(|only| only != (batch, ahead)) {
            continue;
        }
        let mut figures: [Vec<f64>; 4] = Default::default();
        let mut detail = (0.0, 0.0);
        for _ in 0..rounds {
            let log = log_round(Path::new(&folder), batch, writers, ahead, delay);
            detail = (log.bytes_per_event, log.batch);
            figures[0].push(log.per_second);
            let event_bytes = log.bytes_per_event;
            for (figures, (space, hash)) in figures.iter_mut().skip(1).zip(BARE) {
                let bare = Bare::new(Path::new(&folder), event_bytes, space, hash, delay);
                figures.push(bare_round(bare, batch, writers));
            }
        }
        let [log, bare, new_space, unhashed] = figures.map(|mut rounds| {
            rounds.sort_by(f64::total_cmp);
            rounds[rounds.len() / 2]
        });
        println!(
            "batch {batch:4}, {writers:2} writers, {ahead} in flight each: log {:8.1}  bare {:8.1} (ratio {:.2})  to new space {:8.1} (ratio {:.2})  without hashing {:8.1} (ratio {:.2})  {:.0} B/event, {:.1} events/commit",
            log / 1e3,
            bare / 1e3,
            log / bare,
            new_space / 1e3,
            log / new_space,
            unhashed / 1e3,
            log / unhashed,
            detail.0,
            detail.1,
        );
    }
}

struct LogRound {
    per_second: f64,
    bytes_per_event: f64,
    batch: f64,
}

/// A request as a server has it: the payloads are parts of the buffer it came in.
fn new_request(event: &NewEvent, batch: usize) -> Vec<NewEvent> {
    let received = Bytes::from(vec![0xA5; PAYLOAD_BYTES * batch]);
    let payloads =
        (0..batch).map(|at| received.slice(at * PAYLOAD_BYTES..(at + 1) * PAYLOAD_BYTES));
    let event = |payload| NewEvent {
        payload,
        ..event.clone()
    };
    payloads.map(event).collect()
}

fn new_event() -> NewEvent {
    NewEvent {
        stream: StreamName::new(Arc::from("bench/stream-01")).unwrap(),
        event_type: EventType::new(Arc::from("rule.applied")).unwrap(),
        actor: Actor::new(Arc::from("bench")).unwrap(),
        payload: Bytes::new(),
        expected: Expected::Any,
    }
}

/// Requests made before the clock starts: making events is the client's work, not the log's.
fn prepared(batch: usize, writers: usize) -> Vec<Vec<AppendRequest>> {
    let events = match batch * writers {
        1 => 60_000,
        0..=99 => 300_000,
        _ => 1_500_000,
    };
    let event = new_event();
    let requests = || {
        (0..events / batch / writers)
            .map(|_| AppendRequest {
                principal: Principal::new("bench").unwrap(),
                request_id: None,
                entries: Entries::Events(new_request(&event, batch)),
                names: Vec::new(),
            })
            .collect()
    };
    (0..writers).map(|_| requests()).collect()
}

fn log_round(
    folder: &Path,
    batch: usize,
    writers: usize,
    ahead: usize,
    delay: Duration,
) -> LogRound {
    let folder = tempfile::tempdir_in(folder).unwrap();
    let signer = Ed25519Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[1; 32]);
    let disk = Arc::new(RealDisk::new(folder.path()));
    let options = LogOptions::new(
        Arc::new(DelayedSync::new(disk, delay)),
        LogOrigin::new(Arc::from(ORIGIN)).unwrap(),
        Arc::new(NoteCheckpointSigner::new(Box::new(signer))),
    );
    let (log, _) = EventLog::create(options).unwrap();
    let work = prepared(batch, writers);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for requests in work {
            let log = &log;
            let client = std::thread::Builder::new().name("client".to_owned());
            let run = move || {
                if ahead == 1 {
                    for request in requests.into_iter().take_while(|_| start.elapsed() < ROUND) {
                        log.append(request).unwrap();
                    }
                } else {
                    submit_ahead(log, requests, ahead, start);
                }
            };
            client.spawn_scoped(scope, run).unwrap();
        }
    });
    let elapsed = start.elapsed().as_secs_f64();
    let events = log.published().size.get() as f64;
    let commits = log.stats().commits as f64;
    let used = log.stats().frame_bytes as f64;
    LogRound {
        per_second: events / elapsed,
        bytes_per_event: used / events,
        batch: events / commits,
    }
}

/// One client that does not wait for each answer: at most `ahead` requests are unanswered.
fn submit_ahead(log: &EventLog, requests: Vec<AppendRequest>, ahead: usize, start: Instant) {
    let (answered, answers) = std::sync::mpsc::channel();
    let mut unanswered = 0;
    for request in requests.into_iter().take_while(|_| start.elapsed() < ROUND) {
        if unanswered == ahead {
            answers.recv().unwrap();
            unanswered -= 1;
        }
        let answered = answered.clone();
        log.submit(
            request,
            Box::new(move |answer| answered.send(answer.unwrap().first).unwrap()),
        );
        unanswered += 1;
    }
    for _ in 0..unanswered {
        answers.recv().unwrap();
    }
}

/// One leaf as the log would make it.
fn leaf(position: u64) -> Vec<u8> {
    EventHeader {
        log_origin: LogOrigin::new(ORIGIN).unwrap(),
        stream: StreamName::new("bench/stream-01").unwrap(),
        position: StreamPosition::new(position),
        time: UnixMillis::new(1_700_000_000_000),
        actor: Actor::new("bench").unwrap(),
        event_type: EventType::new("rule.applied").unwrap(),
        payload: PayloadCommitment::new([7; 32]),
    }
    .to_bytes()
}

/// Where the bare loop writes.
#[derive(Clone, Copy)]
enum Space {
    /// Zeros, in the page cache and on the disk, the same again and again.
    Zeros,
    /// Allocated and never written before.
    New,
}

const BARE: [(Space, bool); 3] = [
    (Space::Zeros, true),
    (Space::New, true),
    (Space::Zeros, false),
];

struct Bare {
    _folder: tempfile::TempDir,
    file: Arc<dyn DiskFile>,
    length: u64,
    offset: u64,
    tree: Frontier,
    leaf: Vec<u8>,
    bytes: Vec<u8>,
    event_bytes: f64,
    hash: bool,
}

/// More than a round writes.
const NEW_SPACE: u64 = 2 * 1024 * 1024 * 1024;

impl Bare {
    fn new(folder: &Path, event_bytes: f64, space: Space, hash: bool, delay: Duration) -> Self {
        let folder = tempfile::tempdir_in(folder).unwrap();
        let disk = DelayedSync::new(Arc::new(RealDisk::new(folder.path())), delay);
        let (file, length) = match space {
            Space::Zeros => {
                let file = disk.create("bare").unwrap();
                let zeros = vec![0u8; 1024 * 1024];
                for piece in 0..64 {
                    file.write_at(&zeros, ByteOffset(piece * 1024 * 1024))
                        .unwrap();
                }
                (file, 64 * 1024 * 1024)
            }
            Space::New => {
                let file = disk.create_zeroed("bare", ByteLength(NEW_SPACE)).unwrap();
                (file, NEW_SPACE)
            }
        };
        file.sync_data().unwrap();
        Self {
            _folder: folder,
            file,
            length,
            offset: 0,
            tree: Frontier::new(),
            leaf: leaf(123_456),
            bytes: Vec::new(),
            event_bytes,
            hash,
        }
    }

    fn commit(&mut self, events: usize) {
        if self.hash {
            for _ in 0..events {
                self.tree.push(leaf_hash(&self.leaf));
            }
            std::hint::black_box(self.tree.root());
        }
        let bytes = ((self.event_bytes * events as f64) as usize).div_ceil(4096) * 4096;
        self.bytes.resize(bytes, 0x5A);
        if self.offset + bytes as u64 > self.length {
            self.offset = 0;
        }
        self.file
            .write_at(&self.bytes, ByteOffset(self.offset))
            .unwrap();
        self.offset += bytes as u64;
        self.file.sync_data().unwrap();
    }
}

fn bare_round(mut bare: Bare, batch: usize, writers: usize) -> f64 {
    let start = Instant::now();
    if writers == 1 || batch > 1 {
        let mut events = 0usize;
        while start.elapsed() < ROUND {
            bare.commit(batch);
            events += batch;
        }
        return events as f64 / start.elapsed().as_secs_f64();
    }
    // Many writers: one thread commits whatever waits, the others park until it is durable.
    let state = Mutex::new((0u64, 0u64, false));
    let (arrived, durable) = (Condvar::new(), Condvar::new());
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                while start.elapsed() < ROUND {
                    let mut guard = state.lock().unwrap();
                    guard.0 += 1;
                    let mine = guard.0;
                    arrived.notify_one();
                    while guard.1 < mine && !guard.2 {
                        guard = durable.wait(guard).unwrap();
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while start.elapsed() < ROUND {
            let guard = state.lock().unwrap();
            let (guard, _) = arrived
                .wait_timeout_while(guard, Duration::from_millis(10), |state| state.0 == state.1)
                .unwrap();
            let (upto, events) = (guard.0, guard.0 - guard.1);
            drop(guard);
            if events > 0 {
                bare.commit(events as usize);
                state.lock().unwrap().1 = upto;
                durable.notify_all();
            }
        }
        state.lock().unwrap().2 = true;
        durable.notify_all();
    });
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}
