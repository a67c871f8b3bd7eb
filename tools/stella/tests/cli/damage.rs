//! `stella ledger fsck` on each kind of damage, and what opening says of it.

use crate::support::{Answer, Example, files, run_in};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

fn fsck(ledger: &Path) -> Answer {
    let name = ledger.file_name().unwrap().to_str().unwrap();
    run_in(
        ledger.parent().unwrap(),
        &["--data-dir", name, "ledger", "fsck"],
    )
}

fn scans(ledger: &Path) -> Answer {
    let name = ledger.file_name().unwrap().to_str().unwrap();
    let arguments = ["--data-dir", name, "scan", "list", "--format", "json"];
    run_in(ledger.parent().unwrap(), &arguments)
}

/// Inverts the bits of one byte.
fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[!byte[0]], at).unwrap();
}

/// A kind of damage, and how to do it to a folder.
type Kind<'a> = (&'a str, &'a dyn Fn(&Path));

const SEGMENT: &str = "log/0000000000000000.seg";

#[test]
fn a_good_ledger_is_good() {
    let example = Example::new();
    let answer = fsck(&example.ledger()).good();
    assert!(answer.stdout.contains("all is well"), "{answer:?}");
}

#[test]
fn every_way_to_damage_the_log_is_refused_by_name() {
    let example = Example::new();
    let kinds: &[Kind<'_>] = &[
        ("a flipped byte in a frame", &|ledger| {
            flip(&ledger.join(SEGMENT), 20_000);
        }),
        ("a flipped byte in the header", &|ledger| {
            flip(&ledger.join(SEGMENT), 100);
        }),
        ("a byte in what is still zeros", &|ledger| {
            flip(&ledger.join(SEGMENT), 60_000_000);
        }),
        ("a cut segment", &|ledger| {
            let file = OpenOptions::new()
                .write(true)
                .open(ledger.join(SEGMENT))
                .unwrap();
            file.set_len(30_000).unwrap();
        }),
        ("a missing segment", &|ledger| {
            fs::remove_file(ledger.join(SEGMENT)).unwrap();
        }),
        ("a missing head", &|ledger| {
            fs::remove_file(ledger.join("log/head")).unwrap();
        }),
    ];
    for (number, (kind, damage)) in kinds.iter().enumerate() {
        let copy = example.copy(&format!("damaged-{number}"));
        damage(&copy);
        let answer = fsck(&copy);
        assert_eq!(answer.code, 3, "{kind}: {answer:?}");
        assert!(answer.stdout.contains("damage: log/"), "{kind}: {answer:?}");
        scans(&copy).refused(3, "LOG_");
    }
}

#[test]
fn a_restored_older_log_is_a_truncation() {
    let example = Example::new();
    let older = example.copy("older");
    let more = ["bench", "append", "--clients", "1", "--seconds", "1"];
    example.run(&more).good();
    // The log of yesterday beside the projections of today.
    fs::remove_dir_all(older.join("index")).unwrap();
    fs::rename(example.ledger().join("index"), older.join("index")).unwrap();
    let answer = scans(&older);
    answer.refused(20, "LOG_TRUNCATED");
}

#[test]
fn projections_are_dropped_and_folded_again_whatever_befalls_them() {
    let example = Example::new();
    let before = scans(&example.ledger()).good().stdout;
    let kinds: &[Kind<'_>] = &[
        ("removed", &|index| {
            fs::remove_dir_all(index).unwrap();
        }),
        ("flipped", &|index| {
            for file in files(index) {
                let length = file.metadata().unwrap().len();
                for at in (0..length).step_by(4_096) {
                    flip(&file, at);
                }
            }
        }),
        ("cut", &|index| {
            for path in files(index) {
                let file = OpenOptions::new().write(true).open(&path).unwrap();
                file.set_len(path.metadata().unwrap().len() / 2).unwrap();
            }
        }),
    ];
    for (number, (kind, damage)) in kinds.iter().enumerate() {
        let copy = example.copy(&format!("index-{number}"));
        damage(&copy.join("index"));
        assert_eq!(scans(&copy).good().stdout, before, "{kind}");
        fsck(&copy).good();
    }
}

#[test]
fn inputs_that_are_damaged_or_missing_are_named() {
    let example = Example::new();
    let count = files(&example.ledger().join("blobs")).len();
    assert!(count >= 3, "an SBOM, a policy and snapshots");
    for number in 0..count {
        let copy = example.copy(&format!("blobs-{number}"));
        let blob = &files(&copy.join("blobs"))[number];
        let name = blob.file_name().unwrap().to_str().unwrap();
        flip(blob, blob.metadata().unwrap().len() / 2);
        let answer = fsck(&copy);
        assert_eq!(answer.code, 3, "{answer:?}");
        assert!(answer.stdout.contains(name), "{name} is not in {answer:?}");
        fs::remove_file(blob).unwrap();
        let answer = fsck(&copy);
        assert_eq!(answer.code, 3, "{answer:?}");
        assert!(answer.stdout.contains(name), "{name} is not in {answer:?}");
    }
    // A lost input is damage, not a wrong name.
    let lost = example.copy("lost");
    fs::remove_dir_all(lost.join("blobs")).unwrap();
    let scan = example.text("scanId");
    let arguments = ["--data-dir", "lost", "score", "replay", "--scan-id", scan];
    run_in(example.path(), &arguments).refused(3, "BLOB_DAMAGED");
}

#[test]
fn a_log_is_opened_with_its_own_keys_and_name_only() {
    let example = Example::new();
    let other = Example::new();
    let good = scans(&example.ledger()).good().stdout;
    let without =
        |name: &'static str| move |ledger: &Path| fs::remove_file(ledger.join(name)).unwrap();
    let key_of_another = |ledger: &Path| {
        fs::copy(
            other.ledger().join("keys/log.key"),
            ledger.join("keys/log.key"),
        )
        .unwrap();
    };
    let no_keys = |ledger: &Path| fs::remove_dir_all(ledger.join("keys")).unwrap();
    let (no_log_key, no_signing_key) = (without("keys/log.key"), without("keys/signing.key"));
    let no_name = without("config.json");
    // What the published key can say of the log, `fsck` says; of the rest, that it was not checked.
    let kinds: &[(Kind<'_>, i32)] = &[
        (("no log key", &no_log_key), 0),
        (("no signing key", &no_signing_key), 0),
        (("no keys", &no_keys), 1),
        (("the key of another log", &key_of_another), 1),
        (("no name", &no_name), 0),
    ];
    for ((what, change), checked) in kinds {
        let ledger = example.copy("changed");
        let whole = example.copy("whole");
        change(&ledger);
        let name = ledger.file_name().unwrap().to_str().unwrap();
        let log = || -> Vec<Vec<u8>> {
            let files = files(&ledger.join("log"));
            files.iter().map(|path| fs::read(path).unwrap()).collect()
        };
        let before = log();
        for command in [
            ["ledger", "status"],
            ["scan", "list"],
            ["ledger", "checkpoint"],
        ] {
            let arguments = [&["--data-dir", name], &command[..]].concat();
            let answer = run_in(ledger.parent().unwrap(), &arguments);
            answer.refused(1, "WRONG_KEY");
        }
        let answer = fsck(&ledger);
        assert_eq!(answer.code, *checked, "{what}: {answer:?}");
        assert_eq!(
            answer
                .stderr
                .contains("not checked: projections and inputs"),
            *checked == 0,
            "{what}: {answer:?}"
        );
        assert!(before == log(), "{what}: the log was written to");
        // With what belongs to it, it is as it was.
        for part in ["config.json", "keys/log.key", "keys/signing.key"] {
            fs::create_dir_all(ledger.join("keys")).unwrap();
            fs::copy(whole.join(part), ledger.join(part)).unwrap();
        }
        assert_eq!(scans(&ledger).good().stdout, good, "{what}");
        assert!(
            fsck(&ledger).good().stdout.contains("all is well"),
            "{what}"
        );
        fs::remove_dir_all(&ledger).unwrap();
        fs::remove_dir_all(&whole).unwrap();
    }
}

/// Who has only what is published can check the log all the same.
#[test]
fn the_published_key_is_enough_to_check_the_log() {
    let example = Example::new();
    let ledger = example.copy("published");
    fs::remove_file(ledger.join("keys/log.key")).unwrap();
    fs::remove_file(ledger.join("keys/signing.key")).unwrap();
    let answer = fsck(&ledger).good();
    assert!(answer.stderr.contains("not checked"), "{answer:?}");
    flip(&ledger.join(SEGMENT), 20_000);
    let answer = fsck(&ledger);
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(answer.stdout.contains("damage"), "{answer:?}");
}
