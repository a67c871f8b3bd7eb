//! Proof bundles on the command line: the operators' lines, certificates, hostile archives, no network.

use crate::support::{Answer, Example, command, run_in};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use stella_verify::zip::{ZipEntry, read, write};

/// A file of the vectors.
fn vector(name: &str) -> String {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    vectors.join(name).display().to_string()
}

/// A bundle of the quick start and the keys that it verifies with.
struct Case {
    example: Example,
    bundle: PathBuf,
}

impl Case {
    fn new() -> Self {
        let example = Example::new();
        let scan = example.text("scanId").to_owned();
        let out = ["proof", "download", "--scan-id", &scan, "--output", "p.zip"];
        example.run(&out).good();
        let bundle = example.path().join("p.zip");
        Self { example, bundle }
    }

    fn key(&self, name: &str) -> String {
        let path = self.example.ledger().join("keys").join(name);
        path.display().to_string()
    }

    /// Verifies a bundle offline with the ledger's keys.
    fn verify(&self, bundle: &Path, more: &[&str]) -> Answer {
        let (key, log) = (self.key("signing.pub.pem"), self.key("log.vkey"));
        let bundle = bundle.display().to_string();
        let mut all = vec!["proof", "verify", "--bundle", &bundle, "--offline"];
        all.extend(["--public-key", &key, "--log-key", &log]);
        all.extend(more);
        run_in(self.example.path(), &all)
    }

    /// The bundle with one file's content changed.
    fn changed(&self, file: &str, change: impl Fn(&str) -> String) -> PathBuf {
        let bytes = fs::read(&self.bundle).unwrap();
        let mut entries = read(&bytes).unwrap();
        let entry = entries.iter_mut().find(|entry| entry.name == file).unwrap();
        let text = change(std::str::from_utf8(entry.content).unwrap());
        entry.content = text.as_bytes();
        let path = self.example.path().join("changed.zip");
        fs::write(&path, write(&entries).unwrap()).unwrap();
        path
    }
}

fn check<'a>(report: &'a Value, name: &str) -> &'a str {
    report["checks"][name]["status"].as_str().unwrap()
}

#[test]
fn the_operators_lines_verify() {
    let case = Case::new();
    for more in [
        &[][..],
        &["--skip-rekor"],
        &["--verbose"],
        &["--check", "signatureValid"],
        &["--check", "idRecomputed", "--check", "merklePathValid"],
    ] {
        assert_eq!(case.verify(&case.bundle, more).good().code, 0);
    }
    let report = case.verify(&case.bundle, &["--format", "json"]).json();
    assert_eq!(report["verified"], Value::Bool(true));
    assert_eq!(report["judgedAt"]["by"], "log");
    assert_eq!(check(&report, "rekorInclusion"), "skipped");
    assert!(report["checks"]["rekorInclusion"]["message"].is_string());
    let root = case.example.text("rootHash").to_owned();
    let by_id = ["proof", "verify", "--bundle-id", &root];
    case.example.run(&by_id).good();
    let answer = case.example.run(&[&by_id[..], &["--check-rekor"]].concat());
    answer.refused(3, "Rekor entry not found");
    case.verify(&case.bundle, &["--check", "everything"])
        .refused(2, "signatureValid, idRecomputed");
    case.verify(&case.bundle, &["--check", "rekorInclusion"])
        .refused(3, "skipped");
}

#[test]
fn each_failure_has_its_message_and_says_what_to_do() {
    let case = Case::new();
    let answer = run_in(
        case.example.path(),
        &[
            "proof",
            "verify",
            "--bundle",
            "p.zip",
            "--public-key",
            &vector("anchor/another-key-and-the-key.pem"),
        ],
    );
    answer.refused(3, "Signature verification failed");
    answer.refused(3, "verify with the key of the time of signing");
    let altered = case.changed("score_proof.json", |text| {
        text.replacen("\"totalBps\":0", "\"totalBps\":1", 1)
    });
    case.verify(&altered, &[])
        .refused(3, "ID recomputation failed");
    let cut = case.changed("score_proof.json", |text| {
        let nodes: Value = serde_json::from_str(text).unwrap();
        let mut nodes = nodes["nodes"].as_array().unwrap().clone();
        nodes.pop();
        let nodes = Value::Array(nodes);
        format!("{{\"nodes\":{nodes},\"schema\":\"stella.score-proof/v1\"}}")
    });
    let answer = case.verify(&cut, &["--format", "json"]);
    answer.refused(3, "Merkle path invalid");
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(report["verified"], Value::Bool(false));
    assert!(report["checks"]["merklePathValid"]["hint"].is_string());
    let problem = case.example.path().join("refused.zip");
    let text = r#"{"type":"about:blank","code":"UNAUTHENTICATED","detail":"no token"}"#;
    fs::write(&problem, text).unwrap();
    case.verify(&problem, &[]).refused(4, "UNAUTHENTICATED");
}

/// The bundle of the vectors was sealed on 2023-11-14 by the clock of a log whose key is known.
#[test]
fn a_certificate_counts_while_it_is_valid_by_the_logs_time() {
    let folder = tempfile::tempdir().unwrap();
    let verify = |anchor: &str, more: &[&str]| {
        let (bundle, anchor) = (vector("bundle/good.zip"), vector(anchor));
        let mut all = vec!["proof", "verify", "--bundle", &bundle, "--offline"];
        all.extend(["--trust-anchor", &anchor, "--format", "json"]);
        all.extend(more);
        run_in(folder.path(), &all)
    };
    let log_key = vector("bundle/good.log.vkey");
    let log = ["--log-key", log_key.as_str()];
    let report = verify("anchor/valid-at-sealing.pem", &log).json();
    assert_eq!(report["judgedAt"]["by"], "log");
    assert_eq!(report["anchors"][0]["used"], Value::Bool(true));
    // Certificates tell whole seconds: the bundle was sealed within this one.
    verify("anchor/second-of-sealing.pem", &log).good();
    verify("anchor/another-key-and-the-key.pem", &log).good();
    let answer = verify("anchor/valid-later.pem", &log);
    answer.refused(3, "Signature verification failed");
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(report["anchors"][0]["used"], Value::Bool(false));
    // Without the log, nobody but this machine tells the time, and that is long after.
    verify("anchor/valid-at-sealing.pem", &[]).refused(3, "\"by\": \"caller\"");
    verify("anchor/no-key-of-ours.pem", &log).refused(2, "neither key nor certificate");
    verify("bundle/good.log.vkey", &log).refused(2, "no PEM block");
}

#[test]
fn hostile_archives_are_refused_and_unpack_nothing() {
    let case = Case::new();
    let good = fs::read(&case.bundle).unwrap();
    // Same length, so that every other byte of the archive stays as it is.
    let renamed = |bytes: &[u8], from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let mut bytes = bytes.to_vec();
        let places = bytes.windows(from.len()).enumerate();
        let places: Vec<usize> = places
            .filter(|(_, part)| *part == from.as_bytes())
            .map(|(at, _)| at)
            .collect();
        assert!(!places.is_empty());
        for at in places {
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        }
        bytes
    };
    let manifest = |to: &str| renamed(&good, "manifest.json", to);
    let content = b"{}";
    let pair = ["meta.json", "mete.json"].map(|name| ZipEntry { name, content });
    let duplicate = renamed(&write(&pair).unwrap(), "mete.json", "meta.json");
    let mut symlink = good.clone();
    let mode = [0, 0, 0xA4, 0x81];
    let at = symlink.windows(4).rposition(|part| part == mode).unwrap();
    symlink[at..at + 4].copy_from_slice(&[0, 0, 0xFF, 0xA1]);
    let entries = read(&good).unwrap();
    let mut many = Vec::new();
    for number in 0..5000 {
        many.push(format!("inputs/{number:064x}"));
    }
    let many: Vec<_> = many
        .iter()
        .map(|name| ZipEntry { name, content: b"" })
        .collect();
    assert!(write(&many).is_err(), "too many entries");
    let twice = [&good[..], &good[..]].concat();
    // A deflated entry that claims 4 GiB: stored entries are all that is read.
    let mut bomb = good.clone();
    bomb[8] = 8;
    bomb[22..26].fill(0xff);
    for (name, bytes) in [
        ("traversal", manifest("../manifest.j")),
        ("absolute", manifest("/manifest.jso")),
        ("backslash", manifest("..\\manifest.j")),
        ("duplicate", duplicate),
        ("symlink", symlink),
        ("twice", twice),
        ("bomb", bomb),
        ("empty", Vec::new()),
    ] {
        let path = case.example.path().join(format!("{name}.zip"));
        fs::write(&path, &bytes).unwrap();
        let answer = case.verify(&path, &[]);
        answer.refused(3, "ID recomputation failed");
        let (path, out) = (path.display().to_string(), format!("out-{name}"));
        let inspect = ["proof", "inspect", "--bundle", &path, "--output-dir", &out];
        run_in(case.example.path(), &inspect).refused(3, "VERIFICATION_FAILED");
        assert!(!case.example.path().join(out).exists(), "{name}");
    }
    assert_eq!(entries.len(), 5);
}

#[test]
fn unpacking_never_writes_where_something_lies() {
    let case = Case::new();
    let inspect = |out: &str| {
        let all = ["proof", "inspect", "--bundle", "p.zip", "--output-dir", out];
        run_in(case.example.path(), &all)
    };
    inspect("inspection").good();
    let folder = case.example.path().join("inspection");
    assert!(folder.join("score_proof.json").exists());
    inspect("inspection").refused(2, "not empty");
    #[cfg(unix)]
    {
        let (target, trap) = ("elsewhere.json", case.example.path().join("trap"));
        fs::create_dir(&trap).unwrap();
        std::os::unix::fs::symlink(case.example.path().join(target), trap.join("meta.json"))
            .unwrap();
        inspect("trap").refused(2, "not empty");
        assert!(!case.example.path().join(target).exists());
    }
}

#[test]
fn offline_commands_need_no_network() {
    let namespace = Command::new("unshare").args(["-rn", "true"]).output();
    if !namespace.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine lets nobody make a network namespace");
        return;
    }
    let case = Case::new();
    let export = ["ledger", "export", "--output", "all.export"];
    case.example.run(&export).good();
    let (key, log) = (case.key("signing.pub.pem"), case.key("log.vkey"));
    let verify = ["proof", "verify", "--bundle", "p.zip", "--offline"];
    for arguments in [
        [&verify[..], &["--public-key", &key, "--log-key", &log]].concat(),
        vec![
            "proof",
            "inspect",
            "--bundle",
            "p.zip",
            "--output-dir",
            "in",
        ],
        vec![
            "ledger",
            "export",
            "--verify",
            "all.export",
            "--log-key",
            &log,
        ],
    ] {
        let stella = command().get_program().to_owned();
        let mut inside = Command::new("unshare");
        inside.arg("-rn").arg(stella).args(&arguments);
        inside
            .env_remove("STELLA_SERVER")
            .env_remove("STELLA_DATA_DIR");
        let output = inside.current_dir(case.example.path()).output().unwrap();
        Answer::of(&output).good();
    }
}

#[test]
fn proofs_are_kept_and_exported() {
    let case = Case::new();
    let scan = case.example.text("scanId").to_owned();
    let status = case
        .example
        .run(&["proof", "status", "--scan-id", &scan])
        .good();
    let line = status.stdout.lines().next().unwrap();
    assert!(line.starts_with("tier=hot, expires=20"), "{line}");
    assert!(line.ends_with(", retrievable=true"), "{line}");
    let retrieve = ["proof", "retrieve", "--scan-id", &scan];
    case.example
        .run(&retrieve)
        .refused(5, "nothing to retrieve");
    let status = ["proof", "retrieve-status", "--request-id", "req-001"];
    case.example.run(&status).refused(5, "req-001");

    let export = ["proof", "export", "--scan-id", &scan, "--include-chain"];
    let out = ["--include-anchors", "--output", "audit.zip"];
    case.example.run(&[&export[..], &out[..]].concat()).good();
    let report = case.verify(
        &case.example.path().join("audit.zip"),
        &["--format", "json"],
    );
    let report = report.json();
    assert_eq!(check(&report, "chainValid"), "pass");
    assert_eq!(report["uncheckedEntries"].as_array().unwrap().len(), 2);

    let day = &report["sealedAt"].as_str().unwrap()[..10];
    let batch = ["proof", "export-batch", "--from", day, "--to", day];
    let out = ["--output-dir", "batch", "--format", "json"];
    let rows = case.example.run(&[&batch[..], &out[..]].concat()).json();
    let rows = rows.as_array().unwrap();
    assert!(rows.len() >= 2, "the quick start seals two roots: {rows:?}");
    let folder = case.example.path().join("batch");
    let index: Value =
        serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    assert_eq!(index["bundles"].as_array().unwrap(), rows);
    for row in rows {
        let bundle = folder.join(row["bundle"].as_str().unwrap());
        case.verify(&bundle, &[]).good();
    }
    let before = [
        "proof",
        "export-batch",
        "--from",
        "2001-01-01",
        "--to",
        "2001-01-31",
    ];
    let out = ["--output-dir", "none", "--format", "json"];
    let rows = case.example.run(&[&before[..], &out[..]].concat()).json();
    assert_eq!(rows, Value::Array(Vec::new()));
    let reversed = [
        "proof",
        "export-batch",
        "--from",
        "2025-01-02",
        "--to",
        "2025-01-01",
    ];
    let answer = case
        .example
        .run(&[&reversed[..], &["--output-dir", "none"]].concat());
    answer.refused(2, "is after");
}
