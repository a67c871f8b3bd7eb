//! Every disk operation of a workload fails once, in every way; then the power goes, or not.
//!
//! After each: the log opens, everything acknowledged is at its index, every checkpoint that left
//! is a prefix of it, `fsck` finds nothing, a repeated request lands once.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says so"
)]

use std::sync::{Arc, Mutex};
use stella_ledger::log::{
    AppendError, EraseError, EraseRequest, EventLog, LogOptions, OpenError, Principal, Published,
    RequestId, StoreFault,
};
use stella_testkit::disk::{Fault, FaultKind, OperationNumber, PowerLoss, SimDisk, seed_of_round};
use stella_testkit::entropy::{Choices, Seed};
use stella_testkit::fixture;
use stella_testkit::oracle::{Remembered, Witness};
use stella_verify::event::Actor;
use stella_verify::units::LeafIndex;

const REQUESTS: u64 = 28;
const ERASED: u64 = 3;

fn options(disk: &SimDisk) -> LogOptions {
    fixture::options(Arc::new(disk.clone()), Seed(11)).unwrap()
}

fn events_of(number: u64) -> Vec<Remembered> {
    (0..=number % 3)
        .map(|event| Remembered {
            stream: format!("stream/{}", (number + event) % 5),
            payload: format!("request {number} event {event} ")
                .into_bytes()
                .repeat(1 + usize::try_from(number * 7 % 90).unwrap()),
        })
        .collect()
}

/// What the outside world saw of one run.
#[derive(Default)]
struct World {
    witness: Witness,
    /// Requests sent so far; the last may be unanswered.
    sent: u64,
    /// The erasure was requested, and whether it was answered.
    erasing: Option<bool>,
}

impl World {
    /// Sends requests (and one erasure) until something is refused.
    fn drive(&mut self, log: &EventLog, until: u64) {
        let seen: Arc<Mutex<Vec<Arc<Published>>>> = Arc::default();
        let collector = Arc::clone(&seen);
        log.on_publish(move |published| collector.lock().unwrap().push(Arc::clone(published)));
        while self.sent < until {
            if self.sent == REQUESTS / 2 && self.erasing.is_none() && !self.erase(log) {
                break;
            }
            let number = self.sent;
            self.sent += 1;
            if !self.send(log, number) {
                break;
            }
        }
        for published in seen.lock().unwrap().iter() {
            self.witness.see(published);
        }
    }

    fn send(&mut self, log: &EventLog, number: u64) -> bool {
        let events = events_of(number);
        let new = events
            .iter()
            .map(|event| fixture::event(&event.stream, event.payload.clone()).unwrap())
            .collect();
        let request = fixture::request(Some(&format!("request-{number}")), new).unwrap();
        match log.append(request.clone()) {
            Ok(receipt) => {
                self.witness.acknowledge(&receipt, &events);
                return true;
            }
            Err(AppendError::OutcomeUnknown { .. } | AppendError::Poisoned(_)) => {
                // Poisoned: it never guesses again.
                assert!(log.poisoned().is_some());
                let again = log.append(request);
                assert!(matches!(again, Err(AppendError::Poisoned(_))), "{again:?}");
            }
            // A segment that could not be made, or a run that could not be read.
            Err(AppendError::NoRoom(_) | AppendError::Store(StoreFault::Disk(_))) => {}
            Err(error) => panic!("request {number}: {error}"),
        }
        false
    }

    fn erase(&mut self, log: &EventLog) -> bool {
        self.erasing = Some(false);
        let leaf = LeafIndex::new(ERASED);
        let request = EraseRequest {
            principal: Principal::new("tester").unwrap(),
            request_id: Some(RequestId::new("erase").unwrap()),
            actor: Actor::new(Arc::from("tester")).unwrap(),
            leaves: vec![leaf],
            reason: "asked to".to_owned(),
        };
        match log.erase(request) {
            Ok(_) => {
                self.witness.erase(leaf);
                self.erasing = Some(true);
                true
            }
            Err(EraseError::Append(AppendError::Closed | AppendError::Empty)) => {
                panic!("wrong refusal")
            }
            Err(_) => false,
        }
    }

    /// An unanswered erasure may have happened; from here on it is known which.
    fn settle_erasure(&mut self, log: &EventLog) {
        if self.erasing == Some(false) {
            let happened = log.erased_by(LeafIndex::new(ERASED)).unwrap().is_some();
            if happened {
                self.witness.erase(LeafIndex::new(ERASED));
            }
            self.erasing = happened.then_some(true);
        }
    }

    /// Reopens the disk, judges, goes on. The unanswered request is repeated with its id.
    fn reopen_and_go_on(&mut self, disk: &SimDisk, until: u64) -> EventLog {
        let log = match EventLog::open(options(disk)) {
            Ok((log, _)) => log,
            Err(OpenError::NoLog) => {
                assert_eq!(
                    self.witness.acknowledged(),
                    0,
                    "an acknowledged log is gone"
                );
                EventLog::create(options(disk)).unwrap().0
            }
            Err(error) => panic!("does not open: {error}"),
        };
        self.settle_erasure(&log);
        self.witness.judge(&log).unwrap();
        let before = log.published().size;
        let repeated = self.sent.saturating_sub(1);
        let known = log
            .request(
                &Principal::new("tester").unwrap(),
                &RequestId::new(format!("request-{repeated}")).unwrap(),
            )
            .unwrap();
        self.sent = repeated;
        self.drive(&log, repeated + 1);
        assert_eq!(self.sent, repeated + 1);
        if known.is_some() {
            assert_eq!(
                log.published().size,
                before,
                "the repeated request landed twice"
            );
        }
        self.drive(&log, until);
        self.witness.judge(&log).unwrap();
        log
    }
}

/// Runs the workload with a fault, then everything that may follow a fault.
fn survive(fault: Fault, loss: Option<PowerLoss>) -> bool {
    let disk = SimDisk::new();
    disk.plan(&[fault]);
    let mut world = World::default();
    if let Ok((log, _)) = EventLog::create(options(&disk)) {
        world.drive(&log, REQUESTS);
    }
    let reached = disk.operations() > fault.at;
    let disk = match loss {
        None => disk.kill_process(),
        Some(loss) => disk.lose_power(loss),
    };
    let until = world.sent + 3;
    let log = world.reopen_and_go_on(&disk, until);
    // What the reopened log acknowledged is on the medium, whatever the page cache says.
    let disk = disk.lose_power(PowerLoss::DropUnsynced);
    drop(log);
    let log = world.reopen_and_go_on(&disk, until + 8);
    log.close().unwrap();
    let (log, report) = EventLog::open(options(&disk)).unwrap();
    assert!(report.clean);
    world.witness.judge(&log).unwrap();
    reached
}

fn each_operation(kind: FaultKind) {
    for operation in 0.. {
        let at = OperationNumber(operation);
        let seed = seed_of_round(operation);
        let mut reached = false;
        for loss in [
            None,
            Some(PowerLoss::DropUnsynced),
            Some(PowerLoss::KeepSome(seed)),
        ] {
            let context = format!("{kind:?} at operation {operation}, then {loss:?}");
            let result = std::panic::catch_unwind(|| survive(Fault { at, kind }, loss));
            reached |= result.unwrap_or_else(|_| panic!("failed: {context}"));
        }
        if !reached {
            assert!(operation > 100, "the workload is too small: {operation}");
            return;
        }
    }
}

#[test]
fn failed_and_not_persisted() {
    each_operation(FaultKind::FailedNotPersisted);
}

#[test]
fn failed_but_persisted() {
    each_operation(FaultKind::FailedButPersisted);
}

#[test]
fn a_failed_sync_whose_pages_still_read_back() {
    each_operation(FaultKind::FailedSyncReadsBack);
}

#[test]
fn a_full_disk() {
    each_operation(FaultKind::NoSpace);
}

#[test]
fn killed() {
    each_operation(FaultKind::Killed);
}

#[test]
fn faults_upon_faults_also_during_recovery() {
    const KINDS: [FaultKind; 5] = [
        FaultKind::FailedNotPersisted,
        FaultKind::FailedButPersisted,
        FaultKind::FailedSyncReadsBack,
        FaultKind::NoSpace,
        FaultKind::Killed,
    ];
    for round in 0..250 {
        let seed = seed_of_round(round);
        let result = std::panic::catch_unwind(|| {
            let mut choices = Choices::of(seed);
            let mut disk = SimDisk::new();
            let mut world = World::default();
            let mut log = EventLog::create(options(&disk)).ok().map(|(log, _)| log);
            for _ in 0..4 {
                let faults: Vec<_> = (0..2)
                    .map(|_| Fault {
                        at: OperationNumber(disk.operations().0 + choices.below(60)),
                        kind: KINDS[usize::try_from(choices.below(5)).unwrap()],
                    })
                    .collect();
                disk.plan(&faults);
                if let Some(open) = &log {
                    world.settle_erasure_if_possible(open);
                    let repeated = world.sent.saturating_sub(1);
                    world.sent = repeated;
                    world.drive(open, repeated + 12);
                }
                disk = match choices.below(3) {
                    0 => disk.kill_process(),
                    1 => disk.lose_power(PowerLoss::DropUnsynced),
                    _ => disk.lose_power(PowerLoss::KeepSome(Seed(choices.number()))),
                };
                drop(log.take());
                // Recovery meets faults, too; what it could not do, the next one does.
                disk.plan(&[Fault {
                    at: OperationNumber(disk.operations().0 + choices.below(12)),
                    kind: KINDS[usize::try_from(choices.below(5)).unwrap()],
                }]);
                log = match EventLog::open(options(&disk)) {
                    Ok((log, _)) => Some(log),
                    Err(OpenError::NoLog | OpenError::Store(StoreFault::Disk(_))) => None,
                    Err(error) => panic!("refused: {error}"),
                };
            }
            drop(log);
            let disk = disk.lose_power(PowerLoss::DropUnsynced);
            let until = world.sent + 5;
            drop(world.reopen_and_go_on(&disk, until));
        });
        result.unwrap_or_else(|_| panic!("failed: {seed:?}, round {round}"));
    }
}

impl World {
    fn settle_erasure_if_possible(&mut self, log: &EventLog) {
        if log.poisoned().is_none() {
            self.settle_erasure(log);
        }
    }
}
