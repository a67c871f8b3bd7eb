//! Audit exports on the command line: ranges, lines, breaking off, forks.

use crate::support::{Answer, Example, run_in};
use serde_json::Value;
use std::fs;
use stella_verify::checkpoint::{Checkpoint, Origin};
use stella_verify::hash::RootHash;
use stella_verify::keys::SigningKey;
use stella_verify::merkle::TreeHead;
use stella_verify::note::{Ed25519Signer, KeyName, NoteSigner as _};
use stella_verify::units::TreeSize;

fn export(example: &Example, more: &[&str]) -> Answer {
    example.run(&[&["ledger", "export"][..], more].concat())
}

fn verify(example: &Example, file: &str) -> Answer {
    let key = example.ledger().join("keys/log.vkey").display().to_string();
    let all = ["ledger", "export", "--verify", file, "--log-key", &key];
    run_in(example.path(), &[&all[..], &["--format", "json"]].concat())
}

#[test]
fn a_range_is_one_file_that_verifies_itself() {
    let example = Example::new();
    let all = export(&example, &["--output", "all.export", "--format", "json"]).json();
    assert_eq!(all["from"], 0);
    let size = all["to"].as_u64().unwrap();
    let checked = verify(&example, "all.export").json();
    assert_eq!(checked["closingRootHash"], all["closingRootHash"]);
    assert_eq!(checked["payloadsPresent"], size);

    let some = ["--from", "5", "--to", "9", "--output", "some.export"];
    let some = export(&example, &[&some[..], &["--format", "json"]].concat()).json();
    assert_eq!((&some["events"], &some["to"]), (&4.into(), &9.into()));
    let day = &all["firstTime"].as_str().unwrap()[..10];
    let last = &all["lastTime"].as_str().unwrap()[..10];
    let days = ["--from", day, "--to", last, "--output", "days.export"];
    let days = export(&example, &[&days[..], &["--format", "json"]].concat()).json();
    assert_eq!(days["events"], size);
    assert_eq!(
        fs::read(example.path().join("days.export")).unwrap(),
        fs::read(example.path().join("all.export")).unwrap(),
        "the same range is the same file"
    );
    export(&example, &["--from", "9", "--to", "9", "--output", "x"]).refused(5, "no events");
    let beyond = (size + 1).to_string();
    export(&example, &["--to", &beyond, "--output", "x"]).refused(5, "BEYOND_TREE_SIZE");
    export(&example, &["--from", "yesterday", "--output", "x"]).refused(2, "no leaf index");
    export(&example, &[]).refused(2, "nowhere");

    let mut bytes = fs::read(example.path().join("all.export")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(example.path().join("bad.export"), bytes).unwrap();
    verify(&example, "bad.export").refused(3, "VERIFICATION_FAILED");
    verify(&example, "not-there").refused(5, "not-there");
}

#[test]
fn events_are_lines_for_analysis() {
    let example = Example::new();
    let lines = export(&example, &["--from", "2", "--to", "6", "--as", "jsonl"]).good();
    let rows: Vec<Value> = lines
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let indexes: Vec<_> = rows
        .iter()
        .map(|row| row["leafIndex"].as_u64().unwrap())
        .collect();
    assert_eq!(indexes, [2, 3, 4, 5]);
    let listed = example.run(&[
        "ledger", "events", "--from", "2", "--limit", "4", "--format", "json",
    ]);
    assert_eq!(
        Value::Array(rows),
        listed.json(),
        "as `ledger events` has them"
    );

    // Also of a file, offline.
    export(&example, &["--output", "all.export"]).good();
    let key = example.ledger().join("keys/log.vkey").display().to_string();
    let convert = [
        "ledger",
        "export",
        "--verify",
        "all.export",
        "--log-key",
        &key,
    ];
    let out = ["--as", "jsonl", "--output", "all.jsonl"];
    run_in(example.path(), &[&convert[..], &out[..]].concat()).good();
    let text = fs::read_to_string(example.path().join("all.jsonl")).unwrap();
    assert!(text.lines().count() > 10);
}

#[test]
fn an_export_that_broke_off_is_taken_up() {
    let example = Example::new();
    export(&example, &["--output", "all.export"]).good();
    let whole = fs::read(example.path().join("all.export")).unwrap();
    for keep in [whole.len() - 1, whole.len() / 2, 5000] {
        let part = example.path().join("again.export.part");
        fs::write(&part, &whole[..keep.min(whole.len())]).unwrap();
        export(&example, &["--resume", "--output", "again.export"]).good();
        let again = fs::read(example.path().join("again.export")).unwrap();
        assert!(again == whole, "cut at {keep}");
        assert!(!part.exists());
    }
    fs::write(example.path().join("short.export.part"), &whole[..30]).unwrap();
    export(&example, &["--resume", "--output", "short.export"]).refused(2, "before its header");
}

/// The log's own key signs two histories: who kept the first one's checkpoint notices.
#[test]
fn a_fork_is_noticed() {
    let example = Example::new();
    let checkpoint = example.run(&["ledger", "checkpoint"]).good().stdout;
    fs::write(example.path().join("kept.txt"), &checkpoint).unwrap();
    export(&example, &["--to", "kept.txt", "--output", "to.export"]).good();

    let mut lines = checkpoint.lines();
    let (origin, size) = (lines.next().unwrap(), lines.next().unwrap());
    let pem = fs::read_to_string(example.ledger().join("keys/log.key")).unwrap();
    assert!(SigningKey::from_pem(&pem).is_ok());
    let digits: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = stella_verify::base64::decode(&digits).unwrap();
    // PKCS #8 of RFC 8410: the seed stands behind 16 bytes that never change.
    let seed: [u8; 32] = der[16..48].try_into().unwrap();
    let signer = Ed25519Signer::from_seed(KeyName::new(origin).unwrap(), &seed);
    let forked = Checkpoint {
        origin: Origin::new(origin).unwrap(),
        head: TreeHead {
            size: TreeSize::new(size.parse().unwrap()),
            root: RootHash::new([7; 32]),
        },
        extensions: Vec::new(),
    };
    let forked = forked.sign(&signer, &[]).unwrap().to_string();
    fs::write(example.path().join("forked.txt"), forked).unwrap();
    let answer = export(&example, &["--to", "forked.txt", "--output", "fork.export"]);
    answer.refused(20, "FORK_DETECTED");
    assert!(!example.path().join("fork.export").exists());
    fs::write(
        example.path().join("foreign.txt"),
        checkpoint.replacen(size, "1", 1),
    )
    .unwrap();
    let answer = export(&example, &["--to", "foreign.txt", "--output", "x.export"]);
    answer.refused(3, "VERIFICATION_FAILED");

    let other = Ed25519Signer::from_seed(KeyName::new(origin).unwrap(), &[5; 32]);
    let other = other.verifier_key().to_string();
    // The same three files as points of the history, for any query.
    let scan = example.text("scanId");
    let feed = example.answer["snapshots"][0].as_str().unwrap();
    for query in [
        &["ledger", "events"][..],
        &["ledger", "rebuild"],
        &["scan", "list"],
        &["scan", "status", "--scan-id", scan],
        &["score", "manifest", "--scan-id", scan],
        &["score", "inputs", "--scan-id", scan],
        &["score", "explain", "--scan-id", scan],
        &[
            "score",
            "diff",
            "--scan-id",
            scan,
            "--original",
            "--replayed",
        ],
        &["proof", "list", "--scan-id", scan],
        &["proof", "status", "--scan-id", scan],
        &["snapshot", "list"],
        &["snapshot", "show", feed],
        &["snapshot", "diff", feed, feed],
        &[
            "snapshot",
            "prove",
            "--package",
            "pkg:cargo/h2",
            "--snapshot",
            feed,
            "-o",
            "h2.proof.json",
        ],
    ] {
        let at = |file: &str| example.run(&[query, &["--at", file]].concat());
        at("kept.txt").good();
        at("forked.txt").refused(20, "FORK_DETECTED");
        at("foreign.txt").refused(3, "VERIFICATION_FAILED");
        // Signed by the log, but not by the key that the caller trusts.
        let trusting = ["--at", "kept.txt", "--log-key", &other];
        let answer = example.run(&[query, &trusting].concat());
        answer.refused(3, "VERIFICATION_FAILED");
    }
}

/// What is written is what any reader of the format reads, and what the log holds.
#[cfg(feature = "parquet")]
#[test]
fn events_are_columns_for_analysis() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;
    let example = Example::new();
    let words = [
        "--from",
        "2",
        "--as",
        "parquet",
        "--output",
        "events.parquet",
    ];
    export(&example, &words).good();
    let file = fs::File::open(example.path().join("events.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let rows: Vec<_> = (reader.get_row_iter(None).unwrap())
        .map(|row| row.unwrap())
        .collect();
    let listed = example.run(&[
        "ledger", "events", "--from", "2", "--limit", "100000", "--format", "json",
    ]);
    let listed = listed.json();
    let events = listed.as_array().unwrap();
    assert_eq!(rows.len(), events.len());
    assert!(rows.len() > 100);
    for (row, event) in rows.iter().zip(events) {
        assert_eq!(
            row.get_ulong(0).unwrap(),
            event["leafIndex"].as_u64().unwrap()
        );
        let hash = stella_verify::hash::to_hex(row.get_bytes(1).unwrap().data());
        assert_eq!(
            format!("sha256:{hash}"),
            event["leafHash"].as_str().unwrap()
        );
        let leaf = row.get_bytes(2).unwrap().data();
        let header = stella_verify::event::EventHeader::decode(leaf).unwrap();
        assert_eq!(
            row.get_string(3).unwrap(),
            event["stream"].as_str().unwrap()
        );
        assert_eq!(
            row.get_ulong(4).unwrap(),
            event["position"].as_u64().unwrap()
        );
        let time = row.get_timestamp_millis(5).unwrap();
        assert_eq!(time.cast_unsigned(), header.time.get());
        assert_eq!(row.get_string(6).unwrap(), event["actor"].as_str().unwrap());
        assert_eq!(row.get_string(7).unwrap(), event["type"].as_str().unwrap());
        assert!(!row.get_bool(8).unwrap());
        // The commitment holds over the salt and the payload that were written.
        let salt: [u8; 32] = row.get_bytes(9).unwrap().data().try_into().unwrap();
        let payload = row.get_bytes(10).unwrap().data();
        let salt = stella_verify::hash::Salt::new(salt);
        let committed = stella_verify::hash::PayloadCommitment::of(&salt, payload);
        assert_eq!(committed, header.payload);
        assert_eq!(
            payload.len() as u64,
            event["payloadBytes"].as_u64().unwrap()
        );
    }
}

#[test]
fn a_period_without_events_is_said_and_leaves_no_file() {
    let example = Example::new();
    let period = ["--from", "2001-01-01", "--to", "2001-01-31"];
    let export = [
        &["ledger", "export", "--output", "none.export"],
        &period[..],
    ]
    .concat();
    example.run(&export).refused(5, "there are no events");
    assert!(!example.path().join("none.export.part").exists());
}
