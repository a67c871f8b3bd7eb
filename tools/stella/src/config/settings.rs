//! What can be set, read off the command line's declaration.

use crate::cli::Arguments;
use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _, ValueHint};
use std::ffi::OsString;

/// The verb whose options are settings too, and its table in the file.
const SERVE: &str = "serve";

/// Options that are about the settings themselves.
const NOT_SETTINGS: [&str; 3] = ["config", "help", "version"];

/// The command line: clap's, and a variable for every setting that was declared without one.
pub(crate) fn command() -> Command {
    tidied(Arguments::command())
        .mut_args(with_variable)
        .mut_subcommand(SERVE, |serve| serve.mut_args(with_variable))
}

/// Without defaults in help that say nothing.
fn tidied(command: Command) -> Command {
    let tidied_arg = |arg: Arg| match arg.get_default_values() {
        [default] if default.is_empty() => arg.hide_default_value(true),
        _ => arg,
    };
    command.mut_args(tidied_arg).mut_subcommands(tidied)
}

/// `STELLA_` and the option's name; a flag takes yes, 1, on and the like from it.
fn with_variable(arg: Arg) -> Arg {
    let Some(name) = arg.get_long() else {
        return arg;
    };
    if matches!(name, "help" | "version") {
        return arg;
    }
    let variable = variable(name);
    let arg = match arg.get_action() {
        ArgAction::SetTrue => arg.value_parser(BoolishValueParser::new()),
        _ => arg,
    };
    if arg.get_env().is_some() {
        return arg;
    }
    arg.env(variable)
}

/// The variable of an option.
fn variable(name: &str) -> String {
    format!("STELLA_{}", name.replace('-', "_").to_uppercase())
}

/// How a setting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// true or false.
    Flag,
    /// One value.
    One,
    /// Any number of values.
    Many,
}

/// One option that can be set by flag, environment and file.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// The table of the file that it stands in; none: the top.
    pub(crate) section: Option<&'static str>,
    /// The flag without its dashes, and the key in the file.
    pub(crate) name: String,
    /// The environment variable.
    pub(crate) env: String,
    pub(crate) kind: Kind,
    /// Never printed.
    pub(crate) secret: bool,
    /// A file name: one in a file is relative to that file.
    pub(crate) path: bool,
    /// What the value is called in help.
    pub(crate) value_name: String,
    /// The first sentence of its help.
    pub(crate) help: String,
    /// What holds when nobody says anything.
    pub(crate) default: Option<String>,
    id: String,
}

/// Every setting in the order of its declaration: the global ones, then those of `serve`.
pub(crate) fn settings(command: &Command) -> Vec<Setting> {
    let of = |section, command: &Command| -> Vec<Setting> {
        let options = command.get_arguments();
        options
            .filter_map(|arg| Setting::of(section, arg))
            .collect()
    };
    let mut all = of(None, command);
    if let Some(serve) = command.find_subcommand(SERVE) {
        all.extend(of(Some(SERVE), serve));
    }
    all
}

impl Setting {
    fn of(section: Option<&'static str>, arg: &Arg) -> Option<Self> {
        let name = arg.get_long()?;
        if NOT_SETTINGS.contains(&name) {
            return None;
        }
        let defaults = arg.get_default_values();
        let joined = defaults.join(std::ffi::OsStr::new(","));
        Some(Self {
            section,
            name: name.to_owned(),
            env: arg.get_env()?.to_string_lossy().into_owned(),
            kind: match arg.get_action() {
                ArgAction::SetTrue => Kind::Flag,
                ArgAction::Append => Kind::Many,
                _ => Kind::One,
            },
            secret: arg.is_hide_env_values_set(),
            path: matches!(
                arg.get_value_hint(),
                ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
            ),
            value_name: arg
                .get_value_names()
                .map(|names| names.join(" "))
                .unwrap_or_default(),
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
            default: match arg.get_action() {
                ArgAction::SetTrue => Some("false".to_owned()),
                _ => (!joined.is_empty()).then(|| joined.to_string_lossy().into_owned()),
            },
            id: arg.get_id().to_string(),
        })
    }

    /// Its name in the file, with the table: `serve.listen`.
    pub(crate) fn key(&self) -> String {
        match self.section {
            Some(section) => format!("{section}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether the verb of these arguments has this option.
    pub(super) fn applies_to(&self, matches: &ArgMatches) -> bool {
        self.among(matches).is_some()
    }

    /// Who says it in these arguments.
    pub(super) fn source(&self, matches: &ArgMatches) -> Option<ValueSource> {
        self.among(matches)?.value_source(&self.id)
    }

    /// Its value in these arguments; a secret one only says that there is one.
    pub(super) fn value(&self, matches: &ArgMatches) -> Option<String> {
        let matches = self.among(matches)?;
        if self.kind == Kind::Flag {
            return Some(matches.get_flag(&self.id).to_string());
        }
        let words: Vec<_> = matches
            .get_raw(&self.id)?
            .map(|word| word.to_string_lossy())
            .collect();
        Some(if self.secret {
            "(redacted)".to_owned()
        } else {
            words.join(",")
        })
    }

    /// As it would be typed.
    pub(super) fn arguments(&self, matches: &ArgMatches) -> Vec<OsString> {
        let flag = || OsString::from(format!("--{}", self.name));
        let Some(matches) = self.among(matches) else {
            return Vec::new();
        };
        if self.kind == Kind::Flag {
            return vec![flag()];
        }
        let words = matches.get_raw(&self.id).into_iter().flatten();
        words
            .map(|word| {
                let mut typed = flag();
                typed.push("=");
                typed.push(word);
                typed
            })
            .collect()
    }

    fn among<'a>(&self, matches: &'a ArgMatches) -> Option<&'a ArgMatches> {
        match self.section {
            Some(verb) => matches.subcommand_matches(verb),
            None => Some(matches),
        }
    }
}
