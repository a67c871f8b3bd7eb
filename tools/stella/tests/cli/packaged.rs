//! What a package carries beside the command: completions, manual pages, an example of settings.

use crate::support::{command, run_in};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every verb by its path of words, from `--help` itself.
fn verbs(path: &[String], found: &mut BTreeSet<String>) {
    let answer = command().args(path).arg("--help").output().unwrap();
    let help = String::from_utf8(answer.stdout).unwrap();
    assert!(answer.status.success(), "{path:?}: {help}");
    let listed = help.split_once("\nCommands:\n").map(|(_, rest)| rest);
    let block = listed.and_then(|rest| rest.split("\n\n").next());
    for line in block.into_iter().flat_map(str::lines) {
        // Deeper lines continue a description.
        let Some(word) = line
            .strip_prefix("  ")
            .filter(|line| !line.starts_with(' '))
        else {
            continue;
        };
        let word = word.split_whitespace().next().unwrap();
        if word != "help" {
            let deeper = [path, &[word.to_owned()]].concat();
            found.insert(deeper.join("-"));
            verbs(&deeper, found);
        }
    }
}

#[test]
fn every_verb_has_its_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &["man", "--output-dir", "man1"]).good();
    let mut expected = BTreeSet::from([String::new()]);
    verbs(&[], &mut expected);
    assert!(expected.len() > 30, "{expected:?}");
    for verb in expected {
        let name = format!("stella-{verb}.1").replace("-.1", ".1");
        let page = fs::read_to_string(folder.path().join("man1").join(&name));
        let page = page.unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert!(page.contains(".SH NAME"), "{name}");
    }
}

#[test]
fn completions_know_the_verbs_of_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let answer = run_in(Path::new("."), &["completions", shell]).good();
        for word in ["quickstart", "fsck", "allow-plaintext-remote"] {
            assert!(answer.stdout.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(run_in(Path::new("."), &["completions", "abacus"]).code, 2);
}

#[test]
fn the_example_of_settings_holds_and_names_what_there_is() {
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging");
    let show = [
        "config",
        "show",
        "--origin",
        "--config",
        "stella.toml",
        "--format",
        "json",
    ];
    let shown = run_in(&packaging, &show).json();
    let set = shown.as_array().unwrap().iter().filter(|row| {
        let origin = row["origin"].as_str().unwrap();
        origin.starts_with("file stella.toml:")
    });
    let keys: Vec<_> = set.map(|row| row["setting"].as_str().unwrap()).collect();
    for key in [
        "data-dir",
        "serve.listen",
        "serve.tls-cert",
        "serve.token-file",
    ] {
        assert!(keys.contains(&key), "{key} in {keys:?}");
    }
    // What is commented out must be right too.
    let text = fs::read_to_string(packaging.join("stella.toml")).unwrap();
    let all: String = text.lines().fold(String::new(), |all, line| {
        let line = match line.strip_prefix("# ") {
            Some(rest) if rest.contains(" = ") => rest,
            _ => line,
        };
        all + line + "\n"
    });
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("stella.toml"), all).unwrap();
    let shown = run_in(folder.path(), &show).json();
    assert!(shown.to_string().contains("required"));
}
