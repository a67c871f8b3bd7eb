//! Changed, cut and missing bytes are refused by name; nothing is lost in silence.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test stops at the first surprise, and says so"
)]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use stella_ledger::disk::{ByteLength, RealDisk};
use stella_ledger::log::{
    EventLog, Evidence, Fault, FsckOptions, LogOptions, OpenError, StoreFault, UpkeepMode, fsck,
};
use stella_testkit::disk::SimDisk;
use stella_testkit::entropy::{Choices, Seed};
use stella_testkit::fixture;
use stella_verify::merkle::TreeHead;

fn fill(log: &EventLog, requests: u64) {
    for number in 0..requests {
        let events = (0..3)
            .map(|event| {
                let payload =
                    format!("{number} {event} ").repeat(20 + usize::try_from(number % 50).unwrap());
                fixture::event(&format!("stream/{}", number % 7), payload).unwrap()
            })
            .collect();
        let id = format!("id-{number}");
        log.append(fixture::request(Some(&id), events).unwrap())
            .unwrap();
    }
}

fn real_options(folder: &Path) -> LogOptions {
    let disk = Arc::new(RealDisk::new(folder));
    let mut options = fixture::options(disk, Seed(3)).unwrap();
    options.segment_bytes = ByteLength(256 * 1024);
    options.upkeep = UpkeepMode::Threads;
    options
}

/// Whether opening, or else `fsck`, names damage.
fn is_refused_by_name(folder: &Path) -> Result<(), String> {
    match EventLog::open(real_options(folder)) {
        Err(OpenError::Store(StoreFault::Damage(_)) | OpenError::Truncated { .. }) => return Ok(()),
        Err(error) => return Err(format!("refused for another reason: {error}")),
        Ok((log, _)) => log.close().unwrap(),
    }
    let disk = RealDisk::new(folder);
    let report = fsck(&disk, &FsckOptions::default(), &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    if report.is_good() {
        return Err("accepted in silence".to_owned());
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("log")).unwrap();
    for entry in std::fs::read_dir(from.join("log")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join("log").join(entry.file_name())).unwrap();
    }
}

/// The experiment that a naive segment log fails 80 times of 80.
#[test]
fn forty_flips_and_forty_truncations_are_all_refused() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original");
    std::fs::create_dir(&original).unwrap();
    let (log, _) = EventLog::create(real_options(&original)).unwrap();
    fill(&log, 400);
    log.close().unwrap();
    let mut files: Vec<_> = std::fs::read_dir(original.join("log"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".seg"))
        .collect();
    files.sort();
    assert!(files.len() > 3, "{files:?}");
    let mut choices = Choices::of(Seed(80));
    for round in 0..80 {
        let flip = round < 40;
        let case = folder.path().join(round.to_string());
        copy(&original, &case);
        let name = &files[usize::try_from(choices.below(files.len() as u64)).unwrap()];
        let path = case.join("log").join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = usize::try_from(choices.below(bytes.len() as u64)).unwrap();
        if flip {
            bytes[at] ^= 1 << choices.below(8);
        } else {
            bytes.truncate(at);
        }
        std::fs::write(&path, bytes).unwrap();
        let what = if flip { "flip" } else { "truncation" };
        is_refused_by_name(&case).unwrap_or_else(|why| panic!("{what} of {name} at {at}: {why}"));
        std::fs::remove_dir_all(&case).unwrap();
    }
}

fn sim_options(disk: &SimDisk) -> LogOptions {
    fixture::options(Arc::new(disk.clone()), Seed(3)).unwrap()
}

/// A log of some segments, stopped cleanly or killed.
fn sim_log(clean: bool) -> SimDisk {
    let disk = SimDisk::new();
    let (log, _) = EventLog::create(sim_options(&disk)).unwrap();
    fill(&log, 50);
    if clean {
        log.close().unwrap();
        disk
    } else {
        let next = disk.kill_process();
        drop(log);
        next
    }
}

fn open_error(disk: &SimDisk) -> Option<OpenError> {
    EventLog::open(sim_options(disk)).err()
}

#[test]
fn every_bit_of_a_small_log_counts_at_open() {
    for clean in [true, false] {
        let disk = SimDisk::new();
        let (log, _) = EventLog::create(sim_options(&disk)).unwrap();
        fill(&log, 5);
        let disk = if clean {
            log.close().unwrap();
            disk
        } else {
            let next = disk.kill_process();
            drop(log);
            next
        };
        let path = "log/0000000000000000.seg";
        let length = disk.content(path).unwrap().len();
        for at in (0..length).step_by(61) {
            let copy = disk.snapshot();
            copy.flip_bit(path, at, u8::try_from(at % 8).unwrap())
                .unwrap();
            let error = open_error(&copy);
            assert!(
                matches!(&error, Some(OpenError::Store(StoreFault::Damage(damage))) if damage.file == path),
                "flip at {at}: {error:?}"
            );
        }
    }
}

#[test]
fn every_file_is_checked_by_fsck() {
    let disk = sim_log(true);
    let mut choices = Choices::of(Seed(5));
    for (path, length) in disk.files() {
        for _ in 0..20 {
            let copy = disk.snapshot();
            let at = usize::try_from(choices.below(length as u64)).unwrap();
            copy.flip_bit(&path, at, 3).unwrap();
            let report = fsck(&copy, &FsckOptions::default(), &mut |_| {
                ControlFlow::Continue(())
            })
            .unwrap();
            let named = report.damage.iter().any(|damage| damage.file == path);
            assert!(named, "flip of {path} at {at}: {:?}", report.damage);
        }
    }
}

#[test]
fn missing_files_are_named() {
    let disk = sim_log(true);
    for (path, _) in disk.files() {
        let copy = disk.snapshot();
        stella_ledger::disk::Disk::remove(&copy, &path).unwrap();
        match open_error(&copy) {
            // A run is made again from the frames.
            None => assert!(path.ends_with(".run"), "{path}"),
            Some(OpenError::Store(StoreFault::Damage(damage))) => {
                assert_eq!((damage.file, damage.fault), (path, Fault::Missing));
            }
            Some(error) => panic!("{path}: {error}"),
        }
    }
}

#[test]
fn rot_in_the_last_acknowledged_frame_is_not_a_torn_write() {
    for clean in [true, false] {
        let disk = SimDisk::new();
        let (log, _) = EventLog::create(sim_options(&disk)).unwrap();
        fill(&log, 3);
        let disk = if clean {
            log.close().unwrap();
            disk
        } else {
            let next = disk.kill_process();
            drop(log);
            next
        };
        let path = "log/0000000000000000.seg";
        let content = disk.content(path).unwrap();
        let last = content.iter().rposition(|byte| *byte != 0).unwrap() / 4096;
        disk.flip_bit(path, last * 4096 + 700, 0).unwrap();
        let error = open_error(&disk);
        assert!(
            matches!(&error, Some(OpenError::Store(StoreFault::Damage(_)))),
            "{error:?}"
        );
    }
}

#[test]
fn a_lost_last_block_is_noticed_after_a_clean_stop() {
    let disk = sim_log(true);
    let (path, _) = disk
        .files()
        .into_iter()
        .rfind(|(name, _)| name.ends_with(".seg"))
        .unwrap();
    let zero_last_block = |content: &mut Vec<u8>| {
        if let Some(last) = content.iter().rposition(|byte| *byte != 0) {
            let start = last / 4096 * 4096;
            content[start..start + 4096].fill(0);
        }
        Ok(())
    };
    disk.change(&path, zero_last_block).unwrap();
    let error = open_error(&disk).unwrap();
    let refused = matches!(
        &error,
        OpenError::Truncated { .. } | OpenError::Store(StoreFault::Damage(_))
    );
    assert!(refused, "{error}");
}

#[test]
fn an_older_copy_is_refused_where_anyone_knows_better() {
    let disk = SimDisk::new();
    let (log, _) = EventLog::create(sim_options(&disk)).unwrap();
    fill(&log, 20);
    log.close().unwrap();
    let older = disk.snapshot();
    let (log, _) = EventLog::open(sim_options(&disk)).unwrap();
    let middle = log.published();
    fill_more(&log, 20..45);
    let latest = log.published();
    log.close().unwrap();
    let evidence = |size, root| Evidence {
        source: "a witness".to_owned(),
        head: TreeHead { size, root },
    };
    let open = |disk: &SimDisk, evidence: Evidence| {
        let mut options = sim_options(disk);
        options.evidence = vec![evidence];
        EventLog::open(options).map(|_| ())
    };
    // The whole log reproduces both; the older copy only the older head.
    open(&disk, evidence(latest.size, latest.root)).unwrap();
    open(&disk, evidence(middle.size, middle.root)).unwrap();
    open(&older, evidence(middle.size, middle.root)).unwrap();
    let refused = open(&older, evidence(latest.size, latest.root));
    assert!(
        matches!(refused, Err(OpenError::Truncated { .. })),
        "{refused:?}"
    );
    // Another root at a known size, also in old segments, is a fork.
    let forked = open(&disk, evidence(middle.size, latest.root));
    assert!(
        matches!(forked, Err(OpenError::Forked { .. })),
        "{forked:?}"
    );
    let forked = open(&disk, evidence(latest.size, middle.root));
    assert!(
        matches!(forked, Err(OpenError::Forked { .. })),
        "{forked:?}"
    );
    // A size at which nothing was ever published cannot have been signed.
    let between = stella_verify::units::TreeSize::new(latest.size.get() - 1);
    let forked = open(&disk, evidence(between, latest.root));
    assert!(
        matches!(forked, Err(OpenError::Forked { .. })),
        "{forked:?}"
    );
}

fn fill_more(log: &EventLog, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let event = fixture::event("more", format!("{number}").repeat(300)).unwrap();
        log.append(fixture::request(None, vec![event]).unwrap())
            .unwrap();
    }
}

#[test]
fn the_wrong_log_is_not_opened() {
    let disk = sim_log(true);
    let mut options = sim_options(&disk);
    options.origin = stella_verify::event::LogOrigin::new(Arc::from("other")).unwrap();
    let error = EventLog::open(options).map(|_| ());
    assert!(matches!(error, Err(OpenError::OriginMismatch { .. })));
    let mut options = sim_options(&disk);
    options.kind = stella_ledger::log::LeafKind::Raw;
    let error = EventLog::open(options).map(|_| ());
    assert!(matches!(error, Err(OpenError::LeafKindMismatch)));
}

#[test]
fn damaged_and_missing_runs_are_made_again() {
    let disk = sim_log(true);
    for (path, length) in disk.files() {
        if !path.ends_with(".run") {
            continue;
        }
        let copy = disk.snapshot();
        copy.flip_bit(&path, length - 4096 + 100, 1).unwrap();
        let (log, report) = EventLog::open(sim_options(&copy)).unwrap();
        assert_eq!(report.rebuilt_runs.len(), 1, "{path}");
        drop(log);
        assert_eq!(copy.content(&path).unwrap(), disk.content(&path).unwrap());
    }
}
