//! A log that was stopped cleanly comes back as it was, over many segments.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test stops at the first surprise, and says so"
)]

use std::ops::ControlFlow;
use std::sync::Arc;
use stella_ledger::log::{
    EventLog, FsckOptions, LogOptions, NoteCheckpointSigner, NoteCheckpointVerifier, OpenError,
    fsck,
};
use stella_testkit::disk::SimDisk;
use stella_testkit::entropy::{Choices, Seed};
use stella_testkit::fixture;
use stella_testkit::oracle::{Remembered, Witness, content};
use stella_verify::note::{Ed25519Signer, KeyName, NoteSigner as _};
use stella_verify::units::TreeSize;

/// Appends `requests` random requests and remembers them.
fn fill(log: &EventLog, witness: &mut Witness, requests: u64, choices: &mut Choices) {
    for number in 0..requests {
        let events: Vec<_> = (0..=choices.below(8))
            .map(|_| Remembered {
                stream: format!("stream/{}", choices.below(20)),
                payload: vec![7; usize::try_from(choices.below(900)).unwrap()],
            })
            .collect();
        let new = events
            .iter()
            .map(|event| fixture::event(&event.stream, event.payload.clone()).unwrap())
            .collect();
        let id = choices
            .coin()
            .then(|| format!("{}-{number}", choices.number()));
        let request = fixture::request(id.as_deref(), new).unwrap();
        witness.acknowledge(&log.append(request).unwrap(), &events);
    }
}

#[test]
fn everything_is_there_after_each_reopening() {
    let disk = Arc::new(SimDisk::new());
    let options = fixture::options(disk.clone(), Seed(7)).unwrap();
    let mut choices = Choices::of(Seed(7));
    let mut witness = Witness::default();
    let (mut log, report) = EventLog::create(options.clone()).unwrap();
    assert_eq!(report.head.size, TreeSize::ZERO);
    for _ in 0..6 {
        fill(&log, &mut witness, 60, &mut choices);
        witness.judge(&log).unwrap();
        let before = content(&log).unwrap();
        let published = log.published();
        log.close().unwrap();

        let report = fsck(&*disk, &FsckOptions::default(), &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(report.damage, []);
        assert_eq!(report.size, published.size);

        let (reopened, report) = EventLog::open(options.clone()).unwrap();
        assert!(report.clean);
        assert_eq!(report.rewritten, []);
        assert_eq!(report.rebuilt_runs, []);
        assert_eq!(report.head.root, published.root);
        assert_eq!(content(&reopened).unwrap(), before);
        assert_eq!(reopened.published().checkpoint, published.checkpoint);
        log = reopened;
    }
    witness.judge(&log).unwrap();
    witness.judge_signatures(&log).unwrap();
    let segments = disk
        .files()
        .iter()
        .filter(|(name, _)| name.ends_with(".seg"))
        .count();
    assert!(segments > 5, "only {segments} segments");
}

#[test]
fn one_process_owns_a_directory() {
    let disk = Arc::new(SimDisk::new());
    let options = fixture::options(disk, Seed(1)).unwrap();
    assert!(matches!(
        EventLog::open(options.clone()),
        Err(OpenError::NoLog)
    ));
    let (log, _) = EventLog::create(options.clone()).unwrap();
    assert!(matches!(
        EventLog::open(options.clone()),
        Err(OpenError::InUse)
    ));
    assert!(matches!(
        EventLog::create(options.clone()),
        Err(OpenError::InUse)
    ));
    drop(log);
    assert!(matches!(
        EventLog::create(options.clone()),
        Err(OpenError::Exists)
    ));
    assert!(EventLog::open(options).unwrap().1.clean);
}

/// A checkpoint under another key could not be taken back, so the log is not even touched: after a clean
/// stop, after a crash, and with only sealed segments behind it.
#[test]
fn a_log_is_left_as_it_is_under_another_key() {
    let disk = Arc::new(SimDisk::new());
    let own = fixture::options(disk.clone(), Seed(3)).unwrap();
    let (log, _) = EventLog::create(own.clone()).unwrap();
    drop(log);
    let first = LogOptions {
        verifier: Some(Arc::new(fixture::verifier().unwrap())),
        ..own.clone()
    };
    let name = KeyName::new(own.origin.as_str()).unwrap();
    let signer = Ed25519Signer::from_seed(name, &[2; 32]);
    let keys = vec![signer.verifier_key().clone()];
    let other = LogOptions {
        signer: Arc::new(NoteCheckpointSigner::new(Box::new(signer))),
        verifier: Some(Arc::new(NoteCheckpointVerifier::new(keys))),
        ..own
    };
    let mut choices = Choices::of(Seed(3));
    let mut witness = Witness::default();
    for (requests, clean) in [(3, true), (60, true), (60, false)] {
        let (log, _) = EventLog::open(first.clone()).unwrap();
        fill(&log, &mut witness, requests, &mut choices);
        if clean {
            log.close().unwrap();
        } else {
            drop(log);
        }
        let before = disk.files();
        let refused = EventLog::open(other.clone()).unwrap_err();
        assert!(matches!(refused, OpenError::OtherKey { .. }), "{refused}");
        assert!(disk.files() == before, "something was written");
    }
    let (log, _) = EventLog::open(first).unwrap();
    witness.judge(&log).unwrap();
}

#[test]
fn a_commit_is_one_write_and_one_sync() {
    let disk = Arc::new(SimDisk::new());
    let (log, _) = EventLog::create(fixture::options(disk.clone(), Seed(1)).unwrap()).unwrap();
    for count in [1, 3, 100] {
        let events = vec![fixture::event("s", "x").unwrap(); count];
        let before = disk.operations().0;
        log.append(fixture::request(Some(&format!("{count}")), events).unwrap())
            .unwrap();
        assert_eq!(disk.operations().0 - before, 2);
    }
    assert_eq!(log.stats().commits, 3);
}
