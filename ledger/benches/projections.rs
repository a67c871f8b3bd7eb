//! Measures the ledger with its projections keeping up, on this machine.
//!
//! ```text
//! cargo bench -p stella-ledger --bench projections -- [EVENTS] [FOLDER] [keep | refold]
//! ```
//!
//! Appends `EVENTS` (1,000,000) rule applications of about 400 bytes in requests of 1,000, then
//! looks nodes up, proves leaves, closes, opens, deletes the index and folds it again. One line per
//! figure; memory is the process's resident set. `keep` leaves the folder; `refold` does only that last
//! step, in a folder that was kept.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measuring tool: figures go to the terminal, and a failure may stop it"
)]

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use stella_ledger::index::Found;
use stella_ledger::ledger::PageSize;
use stella_ledger::log::{
    AppendRequest, Entries, Expected, NewEvent, NoteCheckpointSigner, Principal, Receipt,
};
use stella_ledger::{Ledger, LedgerError, LedgerOptions};
use stella_verify::event::{Actor, EventType, LogOrigin, RuleApplied, StreamName};
use stella_verify::hash::{ManifestHash, NodeId, sha256, to_hex};
use stella_verify::note::{Ed25519Signer, KeyName};
use stella_verify::units::{LeafIndex, NodeSequence};

const ORIGIN: &str = "bench.example/log";

/// Events in one request.
const BATCH: u64 = 1_000;

/// Nodes in one computation.
const COMPUTATION: u64 = 5_000;

/// Requests under way at once.
const IN_FLIGHT: usize = 8;

fn main() {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|text| !text.starts_with("--"));
    let events: u64 = arguments
        .next()
        .map_or(1_000_000, |text| text.parse().unwrap());
    let folder = arguments.next().map_or_else(
        || std::env::temp_dir().join("stella-index-bench"),
        PathBuf::from,
    );
    let mode = arguments.next();
    if mode.as_deref() == Some("refold") {
        return refold(&folder, events);
    }
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let (ledger, _) = Ledger::create(&folder, options()).unwrap();
    append(&ledger, events);
    look_up(&ledger, events);
    prove(&ledger, events);
    println!("memory after reading: {} MB", resident_megabytes());
    timed("close", || ledger.close().unwrap());
    for part in ["log", "index"] {
        let bytes = bytes_in(&folder.join(part));
        println!("{part}: {} bytes per event", bytes / events);
    }
    let ledger = timed("open after a clean stop", || open(&folder, &Found::Sound));
    ledger.close().unwrap();
    refold(&folder, events);
    if mode.as_deref() != Some("keep") {
        fs::remove_dir_all(&folder).unwrap();
    }
}

fn refold(folder: &Path, events: u64) {
    fs::remove_dir_all(folder.join("index")).unwrap();
    let watch = Stopwatch::start();
    let ledger = open(folder, &Found::Nothing);
    watch.rate("refold", events);
    println!("memory after refolding: {} MB", resident_megabytes());
    look_up(&ledger, events);
    ledger.close().unwrap();
}

fn options() -> LedgerOptions {
    let signer = Ed25519Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[1; 32]);
    let signer = Arc::new(NoteCheckpointSigner::new(Box::new(signer)));
    LedgerOptions::new(LogOrigin::new(Arc::from(ORIGIN)).unwrap(), signer)
}

fn open(folder: &Path, expected: &Found) -> Ledger {
    let (ledger, opened) = Ledger::open(folder, options(), &()).unwrap();
    assert_eq!(&opened.index, expected);
    ledger
}

/// The node of one place in the log. Like real ones it names its computation's first node and the
/// node before it.
fn node(number: u64) -> Vec<u8> {
    let first = number - number % COMPUTATION;
    let parents = if number == first {
        String::new()
    } else {
        // Ids of stand-ins: hashing whole chains of nodes would measure the generator.
        let mut parents = [stand_in(first), stand_in(number - 1)];
        parents.sort();
        format!("\"{}\",\"{}\"", parents[0], parents[1])
    };
    format!(
        r#"{{"deltaBps":{},"kind":"delta","parentIds":[{parents}],"ruleId":"base","schema":"stella.proof-node/v1","totalBps":{number}}}"#,
        number % 100
    )
    .into_bytes()
}

fn stand_in(number: u64) -> NodeId {
    NodeId::new(sha256(&number.to_be_bytes()))
}

fn request(first: u64) -> AppendRequest {
    let computation = ManifestHash::new(sha256(&(first / COMPUTATION).to_be_bytes()));
    let stream = format!("computation/{}", to_hex(computation.as_bytes()));
    let stream = StreamName::new(Arc::from(stream)).unwrap();
    let event_type = EventType::new(Arc::from("rule.applied")).unwrap();
    let actor = Actor::new(Arc::from("bench")).unwrap();
    let events = (first..first + BATCH).map(|number| {
        let rule = RuleApplied {
            computation,
            sequence: NodeSequence::new(u32::try_from(number % COMPUTATION).unwrap()),
            node: &node(number),
        };
        NewEvent {
            stream: stream.clone(),
            event_type: event_type.clone(),
            actor: actor.clone(),
            payload: rule.to_bytes().into(),
            expected: Expected::Any,
        }
    });
    AppendRequest {
        principal: Principal::new("bench").unwrap(),
        request_id: None,
        entries: Entries::Events(events.collect()),
        names: Vec::new(),
    }
}

/// Appends, and reports for each tenth how fast the projections took it up.
fn append(ledger: &Ledger, events: u64) {
    let watch = Stopwatch::start();
    let start = watch.start;
    let mut waiting: VecDeque<Receiver<Result<Receipt, _>>> = VecDeque::new();
    let tenth = (events / 10).max(BATCH);
    let mut marks = vec![start];
    let mut most_behind = 0;
    let mut peak = 0;
    let mut note = |ledger: &Ledger, marks: &mut Vec<Instant>| {
        let stats = ledger.stats();
        let behind = stats.size.get().saturating_sub(stats.index.applied.get());
        most_behind = most_behind.max(behind);
        while stats.index.applied.get() / tenth >= u64::try_from(marks.len()).unwrap() {
            marks.push(Instant::now());
            peak = peak.max(resident_megabytes());
        }
    };
    for first in (0..events).step_by(usize::try_from(BATCH).unwrap()) {
        let (send, receive) = channel();
        let answer = move |result| drop(send.send(result));
        ledger.submit(request(first), Box::new(answer));
        waiting.push_back(receive);
        if waiting.len() >= IN_FLIGHT {
            waiting.pop_front().unwrap().recv().unwrap().unwrap();
            note(ledger, &mut marks);
        }
    }
    for receive in waiting {
        receive.recv().unwrap().unwrap();
    }
    rate("appended", events, start.elapsed());
    let size = ledger.published().size;
    while !ledger.wait_applied(size, Duration::from_millis(5)) {
        note(ledger, &mut marks);
    }
    note(ledger, &mut marks);
    watch.rate("appended and projected", events);
    for (number, pair) in marks.windows(2).enumerate() {
        rate(&format!("  tenth {}", number + 1), tenth, pair[1] - pair[0]);
    }
    println!("projections were behind by at most {most_behind} events");
    println!("memory while appending: {peak} MB at most");
}

fn look_up(ledger: &Ledger, events: u64) {
    let view = ledger.latest(Duration::ZERO).unwrap();
    let mut random = 1;
    let mut times: Vec<Duration> = (0..20_000)
        .map(|_| {
            let number = next(&mut random) % events;
            let id = NodeId::new(sha256(&node(number)));
            let start = Instant::now();
            let found = view
                .node(&id, LeafIndex::ZERO, PageSize::default())
                .unwrap();
            let time = start.elapsed();
            assert!(
                found
                    .uses
                    .items
                    .iter()
                    .any(|found| found.leaf.get() == number)
            );
            time
        })
        .collect();
    percentiles("look a node up by its id", &mut times);
    let mut times: Vec<Duration> = (0..20_000)
        .map(|_| {
            let absent = stand_in(next(&mut random) | 1 << 63);
            let start = Instant::now();
            let found = view.node(&absent, LeafIndex::ZERO, PageSize::default());
            assert!(matches!(found, Err(LedgerError::Missing(_))));
            start.elapsed()
        })
        .collect();
    percentiles("look for a node that is not there", &mut times);
}

fn prove(ledger: &Ledger, events: u64) {
    let view = ledger.latest(Duration::ZERO).unwrap();
    let mut random = 7;
    for pass in ["cold", "warm"] {
        let proofs = 200_000;
        let watch = Stopwatch::start();
        for _ in 0..proofs {
            let index = LeafIndex::new(next(&mut random) % events);
            view.prove_inclusion(index).unwrap();
        }
        watch.rate(&format!("inclusion proofs, {pass}"), proofs);
    }
}

fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
}

fn percentiles(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |part: usize| times[times.len() * part / 1_000].as_micros();
    println!(
        "{what}: p50 {} us, p99 {} us, p99.9 {} us",
        at(500),
        at(990),
        at(999)
    );
}

fn rate(what: &str, count: u64, time: Duration) {
    let per_second = u128::from(count) * 1_000_000 / time.as_micros().max(1);
    println!("{what}: {per_second} per second ({} ms)", time.as_millis());
}

/// A stretch of work: time passed, and processor time of this process. On a loaded machine only
/// the second one means something.
#[derive(Clone, Copy)]
struct Stopwatch {
    start: Instant,
    processor: Duration,
}

impl Stopwatch {
    fn start() -> Self {
        Self {
            start: Instant::now(),
            processor: processor_time(),
        }
    }

    fn rate(self, what: &str, count: u64) {
        rate(what, count, self.start.elapsed());
        let used = processor_time().saturating_sub(self.processor);
        let per_second = u128::from(count) * 1_000 / used.as_millis().max(1);
        println!(
            "  {per_second} per second of processor time ({} ms)",
            used.as_millis()
        );
    }
}

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let watch = Stopwatch::start();
    let result = run();
    let used = processor_time().saturating_sub(watch.processor);
    println!(
        "{what}: {} ms, {} ms of processor time",
        watch.start.elapsed().as_millis(),
        used.as_millis()
    );
    result
}

/// User and system time in ticks of 10 ms. Linux only; 0 elsewhere.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            if path.is_dir() {
                bytes_in(&path)
            } else {
                path.metadata().unwrap().len()
            }
        })
        .sum()
}

/// Linux only; 0 elsewhere.
fn resident_megabytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1_024
}
