//! The rules of precedence, and that every setting has all its spellings.

use super::*;

/// Where the first of `values` (flag, environment, file, default) that is there comes from.
fn resolved(file: &str, typed: &[&str]) -> Result<Resolved, Refused> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stella.toml");
    std::fs::write(&path, file).unwrap();
    let mut all: Vec<OsString> = vec!["stella".into(), "--config".into(), path.into()];
    all.extend(typed.iter().map(OsString::from));
    resolve(&all)
}

fn shown(resolved: &Resolved, key: &str) -> (Option<String>, Origin) {
    let shown = resolved.shown().find(|shown| shown.setting.key() == key);
    let shown = shown.unwrap();
    (shown.value, shown.origin)
}

#[test]
fn every_setting_has_a_variable_named_as_its_flag_and_none_twice() {
    let settings = settings(&command());
    let options = |command: &clap::Command| {
        let named = command
            .get_arguments()
            .filter(|arg| arg.get_long().is_some());
        named.count()
    };
    let command = command();
    let serve = command.find_subcommand("serve").unwrap();
    // All but --config.
    assert_eq!(settings.len() + 1, options(&command) + options(serve));
    let mut names: Vec<_> = settings.iter().map(|setting| &setting.env).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), settings.len());
    for setting in &settings {
        let expected = format!("STELLA_{}", setting.name.replace('-', "_").to_uppercase());
        assert_eq!(setting.env, expected);
        assert!(!setting.help.is_empty(), "{}", setting.key());
    }
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let file = "format = \"json\"\n\n[serve]\nlisten = \"127.0.0.1:1\"\ndev = true\n";
    let all = resolved(file, &["serve", "--listen", "127.0.0.1:2"]).unwrap();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        shown(&all, "serve.listen"),
        (some("127.0.0.1:2"), Origin::Flag)
    );
    let (value, origin) = shown(&all, "serve.dev");
    assert_eq!(value, some("true"));
    assert!(matches!(origin, Origin::File(place) if place.ends_with("stella.toml:5")));
    let (value, origin) = shown(&all, "format");
    assert_eq!(value, some("json"));
    assert!(matches!(origin, Origin::File(place) if place.ends_with("stella.toml:1")));
    assert_eq!(shown(&all, "serve.origin"), (None, Origin::Unset));
    assert_eq!(
        shown(&resolved("", &["serve"]).unwrap(), "serve.listen"),
        (some("127.0.0.1:7443"), Origin::Default)
    );
}

#[test]
fn another_verb_takes_the_global_settings_only() {
    let file = "token = \"secret\"\n[serve]\nlisten = \"127.0.0.1:1\"\n";
    let all = resolved(file, &["scan", "list"]).unwrap();
    assert_eq!(all.matches.get_one::<String>("token").unwrap(), "secret");
    let (value, _) = shown(&all, "token");
    assert_eq!(value.as_deref(), Some("(redacted)"));
    let typed = resolved("", &["--format", "jsonl", "scan", "list"]).unwrap();
    let again = typed.typed_globals();
    assert_eq!(again.last().unwrap(), "--format=jsonl");
}

#[test]
fn nested_tables_are_dashes_and_paths_are_relative_to_the_file() {
    let all = resolved("[serve.token]\nfile = \"secrets/token\"\n", &["serve"]).unwrap();
    let (value, _) = shown(&all, "serve.token-file");
    let value = value.unwrap();
    assert!(
        value.ends_with("/secrets/token") && value.starts_with('/'),
        "{value}"
    );
    let absolute = resolved("[serve]\ntoken-file = \"/t\"\n", &["serve"]).unwrap();
    assert_eq!(shown(&absolute, "serve.token-file").0.unwrap(), "/t");
}
