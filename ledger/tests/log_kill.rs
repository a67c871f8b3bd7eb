//! A real process, really killed: whatever it was told is durable is there afterwards.
//!
//! The test runs itself as a child that appends from several threads and prints a line for every
//! acknowledgement. The parent kills it at a random moment, reopens the log, judges, goes on.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says so"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stella_ledger::clock::SystemClock;
use stella_ledger::disk::{ByteLength, RealDisk};
use stella_ledger::entropy::OsEntropy;
use stella_ledger::log::{EventLog, LogOptions, OpenError, UpkeepMode};
use stella_testkit::entropy::{Choices, Seed};
use stella_testkit::fixture;
use stella_testkit::oracle::{Remembered, Witness};
use stella_verify::units::LeafIndex;

const CHILD: &str = "STELLA_TEST_KILL_CHILD";
const CYCLES: u64 = 250;
const BUDGET: Duration = Duration::from_secs(40);

fn options(folder: &Path) -> LogOptions {
    let mut options = fixture::options(Arc::new(RealDisk::new(folder)), Seed(1)).unwrap();
    options.clock = Arc::new(SystemClock);
    options.entropy = Arc::new(OsEntropy);
    options.segment_bytes = ByteLength(512 * 1024);
    options.upkeep = UpkeepMode::Threads;
    options
}

fn open(folder: &Path) -> EventLog {
    match EventLog::open(options(folder)) {
        Ok((log, _)) => log,
        Err(OpenError::NoLog) => EventLog::create(options(folder)).unwrap().0,
        Err(error) => panic!("does not open: {error}"),
    }
}

/// The child: appends until killed. Each thread's requests are told apart by their payload.
fn run_child(folder: &Path) {
    let log = open(folder);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let log = &log;
            scope.spawn(move || {
                for number in 0u64.. {
                    let count = usize::try_from(number % 4).unwrap() + 1;
                    let stream = format!("thread/{thread}");
                    let payload = format!("{}-{thread}-{number}", std::process::id()).repeat(9);
                    let events = vec![fixture::event(&stream, payload.clone()).unwrap(); count];
                    let receipt = log.append(fixture::request(None, events).unwrap()).unwrap();
                    let line = format!("{} {count} {stream} {payload}\n", receipt.first);
                    // One write, so that a line is either whole or cut at the end.
                    let _ = std::io::stdout().lock().write_all(line.as_bytes());
                }
            });
        }
    });
}

fn spawn(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "acknowledged_events_survive_kill_9",
            "--nocapture",
        ])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Reads what the child said until it was killed.
fn collect(child: &mut Child, acknowledged: &mut Vec<(LeafIndex, Remembered)>) {
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        // The test harness prints around our lines; a cut line has no newline.
        if let (Some(text), [first, count, stream, payload]) = (
            line.strip_suffix('\n'),
            line.split_whitespace().collect::<Vec<_>>().as_slice(),
        ) && let (Ok(first), Ok(count)) = (first.parse::<u64>(), count.parse::<u64>())
            && !text.is_empty()
        {
            for offset in 0..count {
                let event = Remembered {
                    stream: (*stream).to_owned(),
                    payload: payload.as_bytes().to_vec(),
                };
                acknowledged.push((LeafIndex::new(first + offset), event));
            }
        }
        line.clear();
    }
}

#[test]
fn acknowledged_events_survive_kill_9() {
    if let Some(folder) = std::env::var_os(CHILD) {
        run_child(Path::new(&folder));
        return;
    }
    let mut choices = Choices::of(Seed(9));
    let start = Instant::now();
    let (mut cycles, mut events) = (0, 0);
    'folders: loop {
        let folder = tempfile::tempdir().unwrap();
        let mut acknowledged = Vec::new();
        for _ in 0..20 {
            if cycles == CYCLES || start.elapsed() > BUDGET {
                break 'folders;
            }
            let mut child = spawn(folder.path());
            std::thread::sleep(Duration::from_millis(8 + choices.below(40)));
            child.kill().unwrap();
            collect(&mut child, &mut acknowledged);
            child.wait().unwrap();
            cycles += 1;
        }
        // Every kill was followed by a recovery in the next child; the last one is here.
        let log = open(folder.path());
        let witness = Witness::of(&acknowledged);
        witness.judge(&log).unwrap();
        events += witness.acknowledged();
    }
    println!("{cycles} kills, {events} acknowledged events, none lost");
    assert!(cycles >= 40, "only {cycles} cycles within the time");
    // How many more depends on how fast the machine starts processes and syncs.
    let lives = usize::try_from(cycles).unwrap();
    assert!(events > lives, "only {events} events in {lives} lives");
}
