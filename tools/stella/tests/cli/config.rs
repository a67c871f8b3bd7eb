//! Settings from flags, environment and file, as `config show` and as refusals.

use crate::support::{Answer, command, run_in};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// A folder with a file of settings.
fn folder(file: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("my.toml"), file).unwrap();
    folder
}

fn show(folder: &TempDir, variables: &[(&str, &str)], typed: &[&str]) -> Answer {
    let mut command = command();
    command.current_dir(folder.path()).envs(variables.to_vec());
    command.args(["config", "show", "--origin", "--format", "json"]);
    Answer::of(&command.args(typed).output().unwrap())
}

/// Value and origin of one setting.
fn of<'a>(shown: &'a Value, key: &str) -> (&'a Value, &'a str) {
    let rows = shown.as_array().unwrap();
    let row = rows.iter().find(|row| row["setting"] == key).unwrap();
    (&row["value"], row["origin"].as_str().unwrap())
}

#[test]
fn flag_over_environment_over_file_over_default() {
    let folder = folder("[serve]\nlisten = \"127.0.0.1:1\"\n");
    let variable = ("STELLA_LISTEN", "127.0.0.1:2");
    let file = ("STELLA_CONFIG", "my.toml");
    for (variables, typed, value, origin) in [
        (&[][..], &[][..], "127.0.0.1:7443", "default"),
        (&[file][..], &[], "127.0.0.1:1", "file my.toml:2"),
        (&[file, variable], &[], "127.0.0.1:2", "env STELLA_LISTEN"),
        (
            &[file, variable],
            &["--", "--listen", "127.0.0.1:3"],
            "127.0.0.1:3",
            "flag",
        ),
    ] {
        let shown = show(&folder, variables, typed).json();
        assert_eq!(of(&shown, "serve.listen"), (&value.into(), origin));
    }
}

#[test]
fn flags_can_be_set_and_taken_back_by_the_environment() {
    let folder = folder("serve.dev = true\n");
    let file = ("STELLA_CONFIG", "my.toml");
    for (value, expected) in [("1", "true"), ("off", "false"), ("no", "false")] {
        let shown = show(&folder, &[file, ("STELLA_DEV", value)], &[]).json();
        assert_eq!(
            of(&shown, "serve.dev"),
            (&expected.into(), "env STELLA_DEV")
        );
    }
    let answer = show(&folder, &[("STELLA_DEV", "perhaps")], &[]);
    answer.refused(2, "perhaps");
}

#[test]
fn the_data_directorys_file_is_found_and_a_named_one_goes_before_it() {
    let folder = folder("token = \"named\"\n");
    let ledger = folder.path().join("ledger");
    fs::create_dir(&ledger).unwrap();
    fs::write(ledger.join("stella.toml"), "\ntoken = \"found\"\n").unwrap();
    let shown = show(&folder, &[], &["--data-dir", "ledger"]).json();
    let (value, origin) = of(&shown, "token");
    assert_eq!(
        (value.as_str(), origin),
        (Some("(redacted)"), "file ledger/stella.toml:2")
    );
    let shown = show(
        &folder,
        &[],
        &["--data-dir", "ledger", "--config", "my.toml"],
    )
    .json();
    assert_eq!(of(&shown, "token").1, "file my.toml:1");
    let user = [("XDG_CONFIG_HOME", folder.path().to_str().unwrap())];
    fs::create_dir(folder.path().join("stella")).unwrap();
    fs::write(folder.path().join("stella/config.toml"), "token = \"t\"\n").unwrap();
    let shown = show(&folder, &user, &[]).json();
    assert!(of(&shown, "token").1.ends_with("stella/config.toml:1"));
}

#[test]
fn no_secret_is_printed() {
    let folder = folder("token = \"hunter2-hunter2\"\n");
    for format in ["table", "json"] {
        let shown = [
            "config", "show", "--origin", "--config", "my.toml", "--format", format,
        ];
        let answer = run_in(folder.path(), &shown).good();
        assert!(answer.stdout.contains("(redacted)"), "{answer:?}");
        assert!(!answer.stdout.contains("hunter2"), "{answer:?}");
    }
}

#[test]
fn what_is_wrong_in_the_file_is_shown_in_its_line() {
    for (file, place, told) in [
        (
            "[serve]\nlisten = \"x\"\n",
            "my.toml:2:10",
            "serve.listen: \"x\" is not ADDR:PORT",
        ),
        (
            "format = \"xml\"\n",
            "my.toml:1:10",
            "not one of table, json",
        ),
        (
            "[serve]\nlisen = \"127.0.0.1:1\"\n",
            "my.toml:2:1",
            "did you mean serve.listen?",
        ),
        (
            "listen = \"127.0.0.1:1\"\n",
            "my.toml:1:1",
            "did you mean serve.listen?",
        ),
        (
            "[serv]\nlisten = \"127.0.0.1:1\"\n",
            "my.toml:2:1",
            "did you mean serve.listen?",
        ),
        (
            "[serve]\ndev = \"yes\"\n",
            "my.toml:2:7",
            "a flag is true or false",
        ),
        (
            "data-dir = [\"a\", \"b\"]\n",
            "my.toml:1:12",
            "one value is expected",
        ),
        (
            "[serve]\ntoken-file = \"a\"\ntoken.file = \"b\"\n",
            "my.toml:3:14",
            "set twice",
        ),
        ("[serve\n", "my.toml:1:7", "TOML"),
        ("a = 1\na = 2\n", "my.toml:2:1", "duplicate key"),
    ] {
        let folder = folder(file);
        // Any command, and one that needs no ledger: the file is looked at before the verb.
        let answer = run_in(folder.path(), &["--config", "my.toml", "config", "show"]);
        answer.refused(2, place);
        answer.refused(2, told);
        assert!(answer.stderr.contains('^'), "{answer:?}");
    }
}

#[test]
fn the_verbs_own_checks_judge_the_file_too() {
    let folder = folder("[serve]\nlisten = \"0.0.0.0:0\"\ndev = true\n");
    let serve = ["--config", "my.toml", "--data-dir", "d", "serve"];
    run_in(folder.path(), &serve).refused(2, "loopback");
    let missing = run_in(folder.path(), &["--config", "none.toml", "scan", "list"]);
    missing.refused(2, "none.toml");
}
