//! `docs/configuration.md` repeats the settings.

use super::{Kind, Setting, command, settings};
use std::path::Path;

const START: &str =
    "<!-- The settings, written by `STELLA_BLESS=1 cargo test -p stella document` -->\n";

fn row(setting: &Setting) -> String {
    let value = match setting.kind {
        Kind::Flag => String::new(),
        Kind::One => format!(" {}", setting.value_name),
        Kind::Many => format!(" {}...", setting.value_name),
    };
    let default = match &setting.default {
        Some(default) if setting.kind != Kind::Flag => format!("`{default}`"),
        _ => String::new(),
    };
    format!(
        "| `{}` | `--{}{value}` | `{}` | {default} | {} |\n",
        setting.key(),
        setting.name,
        setting.env,
        setting.help.replace('|', "\\|")
    )
}

#[test]
fn the_page_lists_every_setting() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, _) = page.split_once(START).unwrap();
    let mut expected = format!(
        "{before}{START}\n| key | flag | variable | default | meaning |\n|---|---|---|---|---|\n"
    );
    for setting in settings(&command()) {
        expected.push_str(&row(&setting));
    }
    if std::env::var_os("STELLA_BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        page == expected || std::env::var_os("STELLA_BLESS").is_some(),
        "docs/configuration.md is behind: STELLA_BLESS=1 cargo test -p stella document"
    );
}
