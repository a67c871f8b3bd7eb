//! With threads: nobody waits for ever, whatever fails, and nobody is told what is not so.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says so"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use stella_ledger::log::{
    AppendError, CheckpointSigner, EventLog, LogOptions, NoteCheckpointSigner, OpenError,
    SignError, UpkeepMode,
};
use stella_testkit::disk::{Fault, FaultKind, OperationNumber, SimDisk, seed_of_round};
use stella_testkit::entropy::{Choices, Seed};
use stella_testkit::fixture;
use stella_testkit::oracle::{Remembered, Witness};
use stella_verify::event::LogOrigin;
use stella_verify::merkle::TreeHead;

/// Longer than anything here takes; a test that hits it has found a thread that nobody wakes.
const PATIENCE: Duration = Duration::from_mins(1);

fn options(disk: &SimDisk) -> LogOptions {
    let mut options = fixture::options(Arc::new(disk.clone()), Seed(6)).unwrap();
    options.upkeep = UpkeepMode::Threads;
    options
}

/// Runs `test` on a thread of its own and fails if it does not end.
fn within_patience(name: &str, test: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match ended.recv_timeout(PATIENCE) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{name}: someone waits for ever"),
        _ => thread.join().unwrap_or_else(|_| panic!("{name} failed")),
    }
}

/// Four writers, some blocking and some not, until each was refused or is done.
fn write_concurrently(log: &EventLog, witness: &Mutex<Witness>) {
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            scope.spawn(move || {
                for number in 0..25u64 {
                    let events = [Remembered {
                        stream: format!("t/{thread}"),
                        payload: vec![3; usize::try_from(number * 150).unwrap()],
                    }];
                    let new = fixture::event(&events[0].stream, events[0].payload.clone()).unwrap();
                    let id = format!("{thread}-{number}");
                    let request = fixture::request(Some(&id), vec![new]).unwrap();
                    let answer = if thread % 2 == 0 {
                        log.append(request)
                    } else {
                        let (answered, answers) = mpsc::channel();
                        log.submit(
                            request,
                            Box::new(move |answer| {
                                let _ = answered.send(answer);
                            }),
                        );
                        answers.recv().unwrap()
                    };
                    match answer {
                        Ok(receipt) => witness.lock().unwrap().acknowledge(&receipt, &events),
                        Err(AppendError::NoRoom(_) | AppendError::Store(_)) => {}
                        Err(_) => return,
                    }
                }
            });
        }
    });
}

#[test]
fn a_fault_anywhere_blocks_nobody_and_loses_nothing() {
    const KINDS: [FaultKind; 4] = [
        FaultKind::FailedNotPersisted,
        FaultKind::FailedButPersisted,
        FaultKind::NoSpace,
        FaultKind::Killed,
    ];
    for round in 0..120 {
        within_patience(&format!("round {round}"), move || {
            let mut choices = Choices::of(seed_of_round(round));
            let disk = SimDisk::new();
            let (log, _) = EventLog::create(options(&disk)).unwrap();
            disk.plan(&[Fault {
                at: OperationNumber(disk.operations().0 + choices.below(150)),
                kind: KINDS[usize::try_from(choices.below(4)).unwrap()],
            }]);
            let witness = Mutex::new(Witness::default());
            write_concurrently(&log, &witness);
            // Closing must end, too, poisoned or not.
            let _ = log.close();
            let disk = disk.kill_process();
            let witness = witness.into_inner().unwrap();
            match EventLog::open(options(&disk)) {
                Ok((log, _)) => witness.judge(&log).unwrap(),
                Err(OpenError::NoLog) => assert_eq!(witness.acknowledged(), 0),
                Err(error) => panic!("does not open: {error}"),
            }
        });
    }
}

/// Signs until it does not.
#[derive(Debug)]
struct FailingSigner {
    signer: NoteCheckpointSigner,
    left: AtomicU64,
    panics: bool,
}

impl CheckpointSigner for FailingSigner {
    fn sign(&self, origin: &LogOrigin<Arc<str>>, head: TreeHead) -> Result<String, SignError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            assert!(!self.panics, "planned panic");
            let reason = "the key is out of reach".to_owned();
            return Err(SignError { reason });
        }
        self.signer.sign(origin, head)
    }
}

#[test]
fn a_signer_that_fails_or_panics_poisons_and_blocks_nobody() {
    for panics in [false, true] {
        within_patience("failing signer", move || {
            let disk = SimDisk::new();
            let mut failing = options(&disk);
            failing.signer = Arc::new(FailingSigner {
                signer: fixture::signer().unwrap(),
                left: AtomicU64::new(10),
                panics,
            });
            let (log, _) = EventLog::create(failing).unwrap();
            let witness = Mutex::new(Witness::default());
            let outcome = catch_unwind(AssertUnwindSafe(|| write_concurrently(&log, &witness)));
            assert!(panics || outcome.is_ok());
            let poisoned = log.poisoned().unwrap().to_string();
            let cause = if panics { "panicked" } else { "out of reach" };
            assert!(poisoned.contains(cause), "{poisoned}");
            assert!(log.close().is_err());
            let witness = witness.into_inner().unwrap_or_else(PoisonError::into_inner);
            assert!(witness.acknowledged() > 0);
            let (log, report) = EventLog::open(options(&disk)).unwrap();
            assert!(!report.clean);
            witness.judge(&log).unwrap();
        });
    }
}

#[test]
fn dropping_a_log_answers_all_that_was_submitted() {
    within_patience("drop", || {
        let disk = SimDisk::new();
        let (log, _) = EventLog::create(options(&disk)).unwrap();
        let (answered, answers) = mpsc::channel();
        for number in 0..500 {
            let answered = answered.clone();
            let event = fixture::event("s", vec![1; number]).unwrap();
            log.submit(
                fixture::request(None, vec![event]).unwrap(),
                Box::new(move |answer| {
                    let _ = answered.send(answer.is_ok());
                }),
            );
        }
        drop(log);
        drop(answered);
        assert_eq!(answers.iter().filter(|durable| *durable).count(), 500);
        assert!(EventLog::open(options(&disk)).unwrap().1.clean);
    });
}
