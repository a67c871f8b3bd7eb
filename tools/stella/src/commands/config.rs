//! `stella config`: what is set, and by whom.

use crate::cli::Global;
use crate::config::{Refused, Resolved, resolve};
use crate::failure::Failure;
use crate::output::{self, Format};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::ffi::OsString;

/// What is set, and where it comes from
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print every setting with its value; secrets are not shown
    Show(Show),
}

/// Print every setting with its value; secrets are not shown
///
/// Flags win over the environment (STELLA_ and the flag's name), that over the file (--config, else
/// stella.toml in the data directory, else ~/.config/stella/config.toml), and that over defaults.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Say where each value comes from: flag, variable, line of the file, or default
    #[arg(long)]
    origin: bool,
    /// Flags of `stella serve` to show the settings under
    #[arg(last = true, value_name = "SERVE-FLAG")]
    serve: Vec<OsString>,
}

impl Config {
    pub(crate) fn run(self, global: &Global, given: &Resolved) -> Result<u8, Failure> {
        let Self::Show(show) = self;
        let mut typed = vec![OsString::from("stella")];
        typed.extend(given.typed_globals());
        typed.push("serve".into());
        typed.extend(show.serve);
        let resolved = resolve(&typed).map_err(|refused| match refused {
            Refused::File(failure) => failure,
            Refused::Clap(error, _) => {
                Failure::usage(error.to_string().trim_end(), "see stella serve --help")
            }
        })?;
        print(&resolved, global.format, show.origin)?;
        Ok(0)
    }
}

fn print(resolved: &Resolved, format: Format, origin: bool) -> Result<(), Failure> {
    let rows: Vec<Value> = resolved
        .shown()
        .map(|shown| {
            let setting = shown.setting;
            let mut row = json!({
                "setting": setting.key(),
                "value": shown.value,
                "env": setting.env,
                "default": setting.default,
                "help": setting.help,
            });
            if origin && let Some(row) = row.as_object_mut() {
                row.insert("origin".to_owned(), shown.origin.to_string().into());
            }
            row
        })
        .collect();
    let columns = ["setting", "value", "origin"];
    let shown = if origin { 3 } else { 2 };
    output::documents(format, &rows, columns.get(..shown).unwrap_or(&columns))
}
