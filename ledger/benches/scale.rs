//! A log of many events: speed at the start and at the end, memory, opening, exporting, `fsck`.
//!
//! `cargo bench -p stella-ledger --bench scale -- [FOLDER] [MILLION EVENTS] [BATCH]`
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a program that measures and prints, and stops at the first trouble"
)]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stella_ledger::disk::RealDisk;
use stella_ledger::log::{
    AppendRequest, Entries, EventLog, Expected, LogOptions, NewEvent, NoteCheckpointSigner,
    Principal, RequestId,
};
use stella_verify::event::{Actor, EventType, LogOrigin, StreamName};
use stella_verify::merkle::LeafRange;
use stella_verify::note::{Ed25519Signer, KeyName};
use stella_verify::units::LeafIndex;

const ORIGIN: &str = "bench.stella.test/log";
const PAYLOAD_BYTES: usize = 400;
const MILLION: u64 = 1_000_000;

fn main() {
    // Cargo adds `--bench`.
    let mut args = std::env::args()
        .skip(1)
        .filter(|text| !text.starts_with("--"));
    let folder = args.next().unwrap_or_else(|| ".".to_owned());
    std::fs::create_dir_all(&folder).unwrap();
    let millions: u64 = args.next().map_or(10, |text| text.parse().unwrap());
    let batch: usize = args.next().map_or(1000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir_in(folder).unwrap();
    let signer = Ed25519Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[1; 32]);
    let options = LogOptions::new(
        Arc::new(RealDisk::new(folder.path())),
        LogOrigin::new(Arc::from(ORIGIN)).unwrap(),
        Arc::new(NoteCheckpointSigner::new(Box::new(signer))),
    );
    let (log, _) = EventLog::create(options.clone()).unwrap();
    for million in 1..=millions {
        let took = timed(|| append_million(&log, million, batch));
        println!(
            "million {million:3}: {:6.0} thousand events/s, memory {}",
            MILLION as f64 / took.as_secs_f64() / 1e3,
            memory()
        );
    }
    let stats = log.stats();
    println!(
        "{} commits, {:.1} bytes an event",
        stats.commits,
        stats.frame_bytes as f64 / log.published().size.get() as f64
    );
    log.close().unwrap();

    let start = Instant::now();
    let (log, report) = EventLog::open(options).unwrap();
    println!(
        "open after a clean stop: {:?} ({})",
        start.elapsed(),
        report.clean
    );
    let size = log.published().size;
    let mut bytes = 0u64;
    let took = timed(|| {
        let all = LeafRange {
            start: LeafIndex::ZERO,
            end: size.next_index(),
        };
        log.visit(all, size, |event| {
            bytes += event.leaf.len() as u64;
            ControlFlow::Continue(())
        })
        .unwrap();
    });
    println!(
        "visit all: {:.2} million events/s ({bytes} bytes of leaves)",
        size.get() as f64 / took.as_secs_f64() / 1e6
    );
    let mut place = 1u64;
    let reads = 100_000u64;
    let took = timed(|| {
        for _ in 0..reads {
            place = place
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            log.get(LeafIndex::new((place >> 20) % size.get())).unwrap();
        }
    });
    println!(
        "random reads: {:.1} us each",
        took.as_secs_f64() * 1e6 / reads as f64
    );
    let start = Instant::now();
    let checked = log.fsck(None, &mut |_| ControlFlow::Continue(())).unwrap();
    println!(
        "fsck: {:?}, {} frames, good: {}; memory {}",
        start.elapsed(),
        checked.frames,
        checked.is_good(),
        memory()
    );
}

fn append_million(log: &EventLog, million: u64, batch: usize) {
    let (answered, answers) = std::sync::mpsc::channel();
    let mut unanswered = 0;
    let stream = StreamName::new(Arc::from(format!("bench/stream-{million}"))).unwrap();
    let event = NewEvent {
        stream,
        event_type: EventType::new(Arc::from("rule.applied")).unwrap(),
        actor: Actor::new(Arc::from("bench")).unwrap(),
        payload: vec![0xA5; PAYLOAD_BYTES].into(),
        expected: Expected::Any,
    };
    for number in 0..MILLION / batch as u64 {
        if unanswered == 4 {
            answers.recv().unwrap();
            unanswered -= 1;
        }
        let answered = answered.clone();
        let request = AppendRequest {
            principal: Principal::new("bench").unwrap(),
            request_id: Some(RequestId::new(format!("{million}-{number}")).unwrap()),
            entries: Entries::Events(vec![event.clone(); batch]),
            names: Vec::new(),
        };
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

fn timed(work: impl FnOnce()) -> Duration {
    let (start, before) = (Instant::now(), cpu());
    work();
    let elapsed = start.elapsed();
    // On a busy machine the time on the processors says more than the clock.
    println!(
        "    ({:.2?} by the clock, {:.2?} of processor time)",
        elapsed,
        cpu().saturating_sub(before)
    );
    elapsed
}

/// Processor time of all threads that live now, as Linux tells it.
fn cpu() -> Duration {
    let mut total = 0;
    for task in std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten()
    {
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let nanos = text
            .split(' ')
            .next()
            .and_then(|text| text.parse::<u64>().ok());
        total += nanos.unwrap_or_default();
    }
    Duration::from_nanos(total)
}

/// Resident memory now and at its highest, as Linux tells it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .unwrap_or_default()
            / 1024
    };
    format!("{} MB (highest {} MB)", field("VmRSS"), field("VmHWM"))
}
