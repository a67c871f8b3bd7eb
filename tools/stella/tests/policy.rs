//! `stella policy` as a user runs it: what is printed where, and the exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests report by panicking"
)]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const BUILT_IN: [&str; 4] = [
    "stella-default",
    "risk-v1",
    "severity-epss-kev",
    "ssvc-coordinator",
];

fn stella(directory: &Path, words: &[&str]) -> Output {
    (Command::new(env!("CARGO_BIN_EXE_stella")).args(words))
        .current_dir(directory)
        .env_remove("STELLA_DATA_DIR")
        .env_remove("STELLA_SERVER")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

const POLICY: &str = "schema: stella.policy/v1\nname: mine\nknobs: {unused: {values: [a, b], default: a}}\nrules:\n  - id: base\n    set: {fact: severity.score}\n";

#[test]
fn check_accepts_a_policy_and_remarks_on_it() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("mine.yaml"), POLICY).unwrap();
    let output = stella(home.path(), &["policy", "check", "mine.yaml"]);
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stdout);
    assert!(
        said.contains("policy mine, 1 rules, 0 gates, sha256:"),
        "{said}"
    );
    assert!(said.contains("remark: knob unused"), "{said}");

    let output = stella(
        home.path(),
        &["policy", "check", "mine.yaml", "--format", "json"],
    );
    let row = json(&output);
    assert_eq!(
        (&row["valid"], &row["name"]),
        (&Value::Bool(true), &"mine".into())
    );
    assert_eq!(row["remarks"].as_array().unwrap().len(), 1);
}

#[test]
fn check_points_into_the_file() {
    let home = tempfile::tempdir().unwrap();
    let bad = POLICY.replace("severity.score", "severity.scor");
    std::fs::write(home.path().join("bad.yaml"), bad).unwrap();
    std::fs::write(home.path().join("mine.yaml"), POLICY).unwrap();
    std::fs::write(home.path().join("bytes.yaml"), b"schema: \xff").unwrap();
    let output = stella(home.path(), &["policy", "check", "bad.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("error[BAD_POLICY]: bad.yaml: line 6, column 17"),
        "{said}"
    );
    assert!(said.contains("(/rules/0/set/fact)"), "{said}");
    assert!(
        said.contains("     6 |     set: {fact: severity.scor}\n"),
        "{said}"
    );
    assert!(said.contains("       |                 ^\n"), "{said}");

    let words = [
        "policy",
        "check",
        "mine.yaml",
        "bad.yaml",
        "bytes.yaml",
        "--format",
        "json",
    ];
    let output = stella(home.path(), &words);
    assert_eq!(output.status.code(), Some(2));
    let rows = json(&output);
    assert_eq!(rows[0]["valid"], true);
    assert_eq!(rows[1]["error"]["line"], 6);
    assert_eq!(rows[1]["error"]["column"], 17);
    assert_eq!(rows[1]["error"]["pointer"], "/rules/0/set/fact");
    let message = rows[2]["error"]["message"].as_str().unwrap();
    assert_eq!(message, "byte 8 is not UTF-8");
    assert_eq!(text(&output.stderr).matches("error[").count(), 2);

    let output = stella(home.path(), &["policy", "check", "absent.yaml"]);
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn show_prints_what_is_hashed() {
    let home = tempfile::tempdir().unwrap();
    for name in BUILT_IN {
        let shown = stella(home.path(), &["policy", "show", name, "--format", "json"]);
        let shown = json(&shown);
        let canonical = stella(home.path(), &["policy", "show", name, "--canonical"]).stdout;
        assert_eq!(
            shown["policy"],
            serde_json::from_slice::<Value>(&canonical).unwrap()
        );
        // The canonical document is a policy of the same hash.
        std::fs::write(home.path().join("copy.json"), &canonical).unwrap();
        let copy = stella(
            home.path(),
            &["policy", "show", "copy.json", "--format", "json"],
        );
        assert_eq!(json(&copy)["hash"], shown["hash"]);
        let table = text(&stella(home.path(), &["policy", "show", name]).stdout);
        assert!(table.contains(shown["hash"].as_str().unwrap()), "{table}");
    }
    let listed = json(&stella(
        home.path(),
        &["policy", "show", "--format", "json"],
    ));
    assert_eq!(listed.as_array().unwrap().len(), BUILT_IN.len());

    let output = stella(home.path(), &["policy", "show", "no-such-policy"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(text(&output.stderr).contains("stella-default"));
}

#[test]
fn the_built_in_policies_pass_their_own_examples() {
    let home = tempfile::tempdir().unwrap();
    let mut words = vec!["policy", "test", "--format", "json"];
    words.extend(BUILT_IN);
    let output = stella(home.path(), &words);
    assert_eq!(output.status.code(), Some(0));
    for report in json(&output).as_array().unwrap() {
        assert_eq!(report["passed"], true, "{report}");
        assert!(report["cases"].as_array().unwrap().len() >= 7);
    }
}

#[test]
fn test_says_which_total_and_which_rule_differ() {
    let home = tempfile::tempdir().unwrap();
    let cases = "schema: stella.policy-test/v1\npolicy: mine.yaml\ncases:\n\
                 \x20 - {name: right, facts: {severity.score: 31}, expect: 3100}\n\
                 \x20 - {name: wrong, facts: {severity.score: 31}, expect: 3000, deltas: {base: 1}}\n";
    std::fs::create_dir(home.path().join("sub")).unwrap();
    std::fs::write(home.path().join("sub/mine.yaml"), POLICY).unwrap();
    std::fs::write(home.path().join("sub/cases.yaml"), cases).unwrap();
    // The policy is named relative to the file of examples.
    let output = stella(home.path(), &["policy", "test", "sub/cases.yaml"]);
    assert_eq!(output.status.code(), Some(6));
    let said = text(&output.stdout);
    assert!(said.contains("ok   right: 31.00"), "{said}");
    assert!(
        said.contains("FAIL wrong: 31.00\n       expected 30.00\n"),
        "{said}"
    );
    assert!(said.contains("base: expected 0.01, got 31.00"), "{said}");

    let words = ["policy", "test", "sub/cases.yaml", "--format", "json"];
    let report = json(&stella(home.path(), &words));
    assert_eq!(report["passed"], false);
    assert_eq!(report["cases"][1]["differing"][0]["gotBps"], 3100);

    // Another policy than the one that the file names.
    let words = [
        "policy",
        "test",
        "sub/cases.yaml",
        "--policy",
        "stella-default",
    ];
    assert_eq!(stella(home.path(), &words).status.code(), Some(6));
    // A policy is no file of examples.
    let output = stella(home.path(), &["policy", "test", "sub/mine.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--policy sub/mine.yaml"));
    // A wrong file of examples is refused where it is wrong.
    std::fs::write(
        home.path().join("sub/odd.yaml"),
        cases.replace("expect", "expects"),
    )
    .unwrap();
    let output = stella(home.path(), &["policy", "test", "sub/odd.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("/cases/0/expects"),
        "{output:?}"
    );
}
