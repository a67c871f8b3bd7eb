//! Where settings come from: flags, then the environment, then a file, then defaults.
//!
//! Settings are the global options and those of `serve`, as clap knows them: one declaration with
//! clap gives an option its flag, its variable (`STELLA_` and its name) and its key in the file. What
//! the file says and neither flag nor environment does is put into the arguments as if it had been
//! typed, so a value passes the same checks wherever it comes from.

#[cfg(test)]
mod document;
mod file;
mod nearest;
mod point;
mod settings;
#[cfg(test)]
mod tests;

pub(crate) use file::File;
pub(crate) use settings::{Kind, Setting, command, settings};

use crate::failure::Failure;
use clap::ArgMatches;
use clap::parser::ValueSource;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// Arguments with everything filled in, and where each came from.
pub(crate) struct Resolved {
    pub(crate) matches: ArgMatches,
    settings: Vec<Setting>,
    file: Option<File>,
    /// Lines of the file that count, by the setting's key.
    lines: BTreeMap<String, usize>,
}

/// Why the arguments cannot be used.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Clap's answer, which may be help or the version, and where arguments that nobody typed
    /// come from.
    Clap(clap::Error, Vec<String>),
    /// The file is wrong.
    File(Failure),
}

/// Fills in what the file says.
pub(crate) fn resolve(typed: &[OsString]) -> Result<Resolved, Refused> {
    let mut command = command();
    let settings = settings(&command);
    // Errors wait: the file may still give what is missing. Help and version do not.
    let said = command
        .clone()
        .ignore_errors(true)
        .try_get_matches_from(typed)
        .map_err(|answer| Refused::Clap(answer, Vec::new()))?;
    let file = File::of(&said).map_err(Refused::File)?;
    let mut arguments = typed.to_vec();
    let mut lines = BTreeMap::new();
    if let Some(file) = &file {
        let entries = file.entries(&settings).map_err(Refused::File)?;
        for entry in &entries {
            file.check(entry, &mut command).map_err(Refused::File)?;
            let setting = entry.setting;
            if is_said(setting, &said) || !setting.applies_to(&said) {
                continue;
            }
            lines.insert(setting.key(), entry.line);
            // Options of a verb follow it; global ones may stand before it.
            let place = if setting.section.is_some() {
                arguments.len()
            } else {
                arguments.len().min(1)
            };
            arguments.splice(place..place, entry.arguments());
        }
    }
    match command.try_get_matches_from_mut(&arguments) {
        Ok(matches) => Ok(Resolved {
            matches,
            settings,
            file,
            lines,
        }),
        Err(error) => {
            let notes = notes(&error, file.as_ref(), &lines);
            Err(Refused::Clap(error, notes))
        }
    }
}

/// Whether a flag or the environment says it.
fn is_said(setting: &Setting, said: &ArgMatches) -> bool {
    matches!(
        setting.source(said),
        Some(ValueSource::CommandLine | ValueSource::EnvVariable)
    )
}

/// Where the options come from that an error of clap's names and nobody typed.
fn notes(error: &clap::Error, file: Option<&File>, lines: &BTreeMap<String, usize>) -> Vec<String> {
    let Some(file) = file else {
        return Vec::new();
    };
    let told = error.to_string();
    let named = |key: &str| {
        let flag = format!("--{}", key.rsplit('.').next().unwrap_or(key));
        let mut words = told.split(|c: char| c != '-' && !c.is_ascii_alphanumeric());
        words.any(|word| word == flag)
    };
    let from = lines.iter().filter(|(key, _)| named(key));
    from.map(|(key, line)| format!("{key} is set in {}:{line}", file.path().display()))
        .collect()
}

impl Resolved {
    /// What every setting is, and where that comes from, in the order of `--help`.
    pub(crate) fn shown(&self) -> impl Iterator<Item = Shown<'_>> {
        self.settings.iter().map(|setting| Shown {
            setting,
            value: setting.value(&self.matches),
            origin: self.origin(setting),
        })
    }

    fn origin(&self, setting: &Setting) -> Origin {
        match setting.source(&self.matches) {
            Some(ValueSource::EnvVariable) => Origin::Environment(setting.env.clone()),
            Some(ValueSource::CommandLine) => match (self.lines.get(&setting.key()), &self.file) {
                (Some(line), Some(file)) => {
                    Origin::File(format!("{}:{line}", file.path().display()))
                }
                _ => Origin::Flag,
            },
            Some(_) => Origin::Default,
            None => Origin::Unset,
        }
    }

    /// The global options that were typed, to be typed again before another verb.
    pub(crate) fn typed_globals(&self) -> Vec<OsString> {
        let mut typed = Vec::new();
        if self.matches.value_source("config") == Some(ValueSource::CommandLine) {
            let raw = self.matches.get_raw("config").into_iter().flatten();
            typed.extend(raw.flat_map(|path| ["--config".into(), path.to_owned()]));
        }
        for setting in &self.settings {
            if setting.section.is_none() && matches!(self.origin(setting), Origin::Flag) {
                typed.extend(setting.arguments(&self.matches));
            }
        }
        typed
    }
}

/// A setting with its value.
pub(crate) struct Shown<'a> {
    pub(crate) setting: &'a Setting,
    /// None when it is not set and has no default.
    pub(crate) value: Option<String>,
    pub(crate) origin: Origin,
}

/// Where a value comes from, the strongest first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was typed.
    Flag,
    /// This variable.
    Environment(String),
    /// This line of the file, as `path:line`.
    File(String),
    /// Nobody said anything.
    Default,
    /// Nobody said anything, and nothing is the default.
    Unset,
}

impl core::fmt::Display for Origin {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Flag => out.write_str("flag"),
            Self::Environment(name) => write!(out, "env {name}"),
            Self::File(place) => write!(out, "file {place}"),
            Self::Default => out.write_str("default"),
            Self::Unset => out.write_str("unset"),
        }
    }
}
