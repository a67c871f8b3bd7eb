//! Bad input: a named error, the right exit code, and nothing lost.

use crate::support::{Answer, Example, Server, command, run_in};
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn usage_is_2_and_unknown_things_are_5() {
    let example = Example::new();
    assert_eq!(example.run(&["no-such-verb"]).code, 2);
    assert_eq!(example.run(&["scan", "submit"]).code, 2);
    example
        .run(&["scan", "status", "--scan-id", "scan-00000000000000000000"])
        .refused(5, "NOT_FOUND");
    let absent = format!("sha256:{}", "0".repeat(64));
    let scan = example.text("scanId").to_owned();
    let arguments = [
        "proof",
        "download",
        "--scan-id",
        &scan,
        "--root-hash",
        &absent,
    ];
    let out = ["--output", "absent.zip"];
    example
        .run(&[&arguments[..], &out[..]].concat())
        .refused(5, "NOT_FOUND");
    assert!(!example.path().join("absent.zip").exists());
}

#[test]
fn a_file_that_is_no_sbom_is_refused_and_no_scan_begins() {
    let example = Example::new();
    let before = example.run(&["ledger", "checkpoint"]).good().stdout;
    for (name, text) in [
        ("empty.json", ""),
        ("list.json", "[]"),
        ("other.json", r#"{"hello": "world"}"#),
        (
            "twice.json",
            r#"{"bomFormat":"CycloneDX","bomFormat":"CycloneDX"}"#,
        ),
        (
            "unread.json",
            r#"{"bomFormat":"CycloneDX","components":[],"x":{"y":1,"y":2}}"#,
        ),
        ("cut.json", r#"{"bomFormat":"CycloneDX","components":["#),
    ] {
        fs::write(example.path().join(name), text).unwrap();
        let answer = example.run(&["scan", "submit", "--sbom", name]);
        answer.refused(2, "BAD_SBOM");
    }
    let missing = example.run(&["scan", "submit", "--sbom", "not-there.json"]);
    assert!(missing.stderr.contains("not-there.json"), "{missing:?}");
    assert_eq!(example.run(&["ledger", "checkpoint"]).good().stdout, before);
}

#[test]
fn a_feed_with_one_bad_record_is_named_and_imports_nothing() {
    let example = Example::new();
    let feed = example.path().join("feed");
    fs::create_dir(&feed).unwrap();
    let june = example.ledger().join("example/june");
    for entry in fs::read_dir(june).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), feed.join(entry.file_name())).unwrap();
    }
    let before = example.run(&["ledger", "checkpoint"]).good().stdout;
    for text in [
        r#"{"id": "BROKEN-1", "affected": 7}"#,
        r#"{"id": "BROKEN-1", "affected": [], "database_specific": {"a": 1, "a": 2}}"#,
    ] {
        fs::write(feed.join("BROKEN-1.json"), text).unwrap();
        let answer = example.run(&["snapshot", "import", "feed"]);
        answer.refused(2, "SNAPSHOT_BAD_RECORD");
        assert!(answer.stderr.contains("BROKEN-1.json"), "{answer:?}");
        assert_eq!(example.run(&["ledger", "checkpoint"]).good().stdout, before);
    }
}

#[test]
fn an_import_without_a_record_is_refused_and_the_current_snapshot_stays() {
    let example = Example::new();
    let before = example.run(&["ledger", "checkpoint"]).good().stdout;
    fs::create_dir(example.path().join("empty")).unwrap();
    fs::write(example.path().join("words.txt"), "no advisories").unwrap();
    for arguments in [&["empty"][..], &["words.txt"], &["--vex", "words.txt"]] {
        let answer = example.run(&[&["snapshot", "import"], arguments].concat());
        answer.refused(2, "SNAPSHOT_BAD_RECORD");
        assert!(
            answer.stderr.contains("record"),
            "{arguments:?}: {answer:?}"
        );
    }
    assert_eq!(example.run(&["ledger", "checkpoint"]).good().stdout, before);
}

#[test]
fn what_cannot_be_looked_up_is_told_once_a_kind() {
    let example = Example::new();
    let component = |number: u32, purl: &str| {
        format!(r#"{{"type":"library","name":"c{number}","bom-ref":"{number}"{purl}}}"#)
    };
    let components: Vec<String> = (0..40)
        .map(|number| {
            let purl = match number % 4 {
                0 => String::new(),
                1 => format!(r#","purl":"pkg:github/a/c{number}@1""#),
                2 => format!(r#","purl":"pkg:deb/debian/c{number}@1""#),
                _ => format!(r#","purl":"pkg:cargo/c{number}""#),
            };
            component(number, &purl)
        })
        .collect();
    let sbom = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{}]}}"#,
        components.join(",")
    );
    fs::write(example.path().join("odd.json"), sbom).unwrap();
    let first = example
        .run(&["scan", "submit", "--sbom", "odd.json"])
        .good();
    for code in [
        "purl-missing: 10",
        "ecosystem-unknown: 10",
        "distro-missing: 10",
        "version-missing: 10",
    ] {
        assert_eq!(first.stderr.matches(code).count(), 1, "{code}: {first:?}");
    }
    let scan = example.json(&["scan", "list"])[0]["scanId"].clone();
    let explain = ["score", "explain", "--scan-id", scan.as_str().unwrap()];
    let explained = example.run(&explain).good().stdout;
    assert!(explained.contains("(no findings)"), "{explained}");
    assert!(
        explained.contains("warning purl-missing: 10"),
        "{explained}"
    );
    // They are told of the proof, not of who computed it.
    let again = ["scan", "submit", "--sbom", "odd.json", "--idempotent"];
    assert_eq!(example.run(&again).good().stderr, first.stderr);
}

/// A feed that has nothing of a language finds nothing in it; that must not look like good news.
#[test]
fn an_ecosystem_that_the_feed_does_not_know_is_told() {
    let example = Example::new();
    let sbom = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
        {"type":"library","name":"a","version":"1.0.0","purl":"pkg:npm/a@1.0.0"},
        {"type":"library","name":"b","version":"1.0.0","purl":"pkg:npm/b@1.0.0"},
        {"type":"library","name":"h2","version":"0.4.20","purl":"pkg:cargo/h2@0.4.20"}]}"#;
    fs::write(example.path().join("npm.json"), sbom).unwrap();
    let june = example.ledger().join("example/june").display().to_string();
    for arguments in [
        &["scan", "submit", "--sbom", "npm.json"][..],
        &["score", "compute", "--sbom", "npm.json", "--osv", &june],
    ] {
        let answer = example.run(arguments).good();
        let told = "ecosystem-not-in-feed: 2 of npm";
        assert_eq!(answer.stderr.matches(told).count(), 1, "{answer:?}");
        assert!(!answer.stderr.contains("crates.io"), "{answer:?}");
    }
}

/// Messages travel in headers, which clients bound: what a document says is not repeated at length.
#[test]
fn a_long_reason_stays_a_named_one() {
    let example = Example::new();
    let deep = "[".repeat(100_000);
    let named = format!(r#"{{"bomFormat":"CycloneDX","{}":}}"#, "n".repeat(100_000));
    for (name, text) in [("deep.json", deep), ("named.json", named)] {
        fs::write(example.path().join(name), text).unwrap();
        let answer = example.run(&["scan", "submit", "--sbom", name]);
        answer.refused(2, "BAD_SBOM");
        assert!(answer.stderr.len() < 2_000, "{answer:?}");
    }
}

#[test]
fn a_second_process_on_one_directory_is_refused() {
    let example = Example::new();
    let server = Server::start(example.path(), example.text("dataDir"));
    example
        .run(&["scan", "list"])
        .refused(1, "DIRECTORY_IN_USE");
    drop(server);
    // A killed owner leaves no lock behind.
    example.run(&["scan", "list"]).good();
}

#[test]
fn no_server_and_a_wrong_token_have_their_codes() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = ["--server", "http://127.0.0.1:9", "scan", "list"];
    assert_eq!(run_in(folder.path(), &nobody).code, 1);
}

#[test]
fn vectors_are_checked_line_by_line() {
    let check = |cases: &str| {
        let mut child = command()
            .args(["check", "root", "--jsonl", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(cases.as_bytes()).unwrap();
        drop(input);
        Answer::of(&child.wait_with_output().unwrap())
    };
    let empty = "hex:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let answer = check("{\"leaves\": []}\n");
    let line: serde_json::Value = serde_json::from_str(answer.good().stdout.trim()).unwrap();
    assert_eq!(line["ok"], true);
    let case = format!("{{\"leaves\": [], \"rootHash\": \"{empty}\"}}\n");
    check(&case).good();
    assert_eq!(check("{\"leaves\": [\"hex:0\"]}\n").code, 2);
    assert_eq!(check("not json\n").code, 2);
}
