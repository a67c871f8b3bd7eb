//! The README's first command.

use crate::support::{Example, run_in};

#[test]
fn it_says_as_data_what_it_did() {
    let example = Example::new();
    for member in ["scanId", "manifestHash", "rootHash", "bundle", "dataDir"] {
        assert!(!example.text(member).is_empty(), "{member}");
    }
    assert_eq!(example.answer["verified"], true);
    let score = example.answer["scoreBps"].as_i64().unwrap();
    let replayed = &example.answer["replay"]["diff"];
    let rows = replayed["rows"].as_array().unwrap();
    let sum: i64 = rows
        .iter()
        .map(|row| row["deltaBps"].as_i64().unwrap())
        .sum();
    assert_eq!(replayed["oldScoreBps"].as_i64(), Some(score));
    assert_eq!(replayed["newScoreBps"].as_i64(), Some(score + sum));
    assert_ne!(sum, 0, "the example shows a change");
}

#[test]
fn what_it_left_verifies_offline_with_its_keys_and_no_others() {
    let example = Example::new();
    let verify = |key: &str| {
        let arguments = [
            "proof",
            "verify",
            "--bundle",
            example.text("bundle"),
            "--offline",
            "--public-key",
            key,
            "--log-key",
            example.text("logKey"),
            "--format",
            "json",
        ];
        run_in(example.path(), &arguments)
    };
    let report = verify(example.text("publicKey")).json();
    assert_eq!(report["verified"], true);
    let other = Example::new();
    let stranger = other.path().join(other.text("publicKey"));
    let report = verify(stranger.to_str().unwrap());
    assert_eq!(report.code, 3, "{report:?}");
}

#[test]
fn the_same_lock_file_gives_the_same_root_in_every_new_ledger() {
    let (one, other) = (Example::new(), Example::new());
    for member in ["rootHash", "manifestHash", "scanId"] {
        assert_eq!(one.text(member), other.text(member), "{member}");
    }
}

#[test]
fn it_tells_people_the_same_and_does_not_touch_a_folder_that_is_there() {
    let example = Example::new();
    let again = run_in(example.path(), &["quickstart"]);
    assert_eq!(again.code, 2, "{again:?}");
    let folder = tempfile::tempdir().unwrap();
    let told = run_in(folder.path(), &["quickstart"]).good().stdout;
    let score = format!("{:.2}", example.answer["score"].as_f64().unwrap());
    for text in [
        score.as_str(),
        example.text("scanId"),
        "verified offline",
        "rule by rule",
        "under a signed checkpoint",
        "where everything lies",
    ] {
        assert!(told.contains(text), "{text} is not in {told}");
    }
}

#[test]
fn the_ledger_it_left_answers_the_commands_it_names() {
    let example = Example::new();
    let scan = example.text("scanId").to_owned();
    let listed = example
        .run(&["scan", "list", "--since", "7d", "--format", "json"])
        .json();
    assert_eq!(listed[0]["scanId"], scan.as_str());
    let manifest = example.run(&["score", "manifest", "--scan-id", &scan]);
    assert!(manifest.good().stdout.contains("concelierSnapshotHash"));
    let explained = example.run(&["score", "explain", "--scan-id", &scan]);
    assert!(explained.good().stdout.contains("severity"));
    let checkpoint = example.run(&["ledger", "checkpoint"]).good().stdout;
    assert_eq!(
        checkpoint
            .lines()
            .filter(|line| line.starts_with('—'))
            .count(),
        1
    );
    example.run(&["ledger", "fsck"]).good();
}
