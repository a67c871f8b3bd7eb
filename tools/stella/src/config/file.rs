//! The file: where it lies, what it says, and what is wrong with it, by line.

use super::nearest::nearest;
use super::point::{place, pointing};
use super::{Kind, Setting};
use crate::failure::Failure;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command};
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// The file's name in a data directory.
const IN_DATA_DIR: &str = "stella.toml";

/// Its place below the user's folder for configuration.
const OF_THE_USER: &str = "stella/config.toml";

/// A file of settings, read.
pub(crate) struct File {
    path: PathBuf,
    text: String,
}

/// One setting that a file gives.
pub(super) struct Entry<'a> {
    pub(super) setting: &'a Setting,
    /// The line of its value, from 1.
    pub(super) line: usize,
    /// Where the value stands, in bytes.
    span: Range<usize>,
    values: Vec<String>,
}

impl File {
    /// The file that counts: the one named, else `stella.toml` in the data directory that a flag or
    /// the environment names, else the user's.
    pub(super) fn of(said: &ArgMatches) -> Result<Option<Self>, Failure> {
        if let Some(named) = said.get_one::<PathBuf>("config") {
            return Self::read(named).map(Some);
        }
        let data_dir = said.get_one::<PathBuf>("data_dir");
        let here = data_dir.map(|folder| folder.join(IN_DATA_DIR));
        for path in here.into_iter().chain(of_the_user()) {
            if path.is_file() {
                return Self::read(&path).map(Some);
            }
        }
        Ok(None)
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|problem| {
            Failure::usage(
                format!("{}: {problem}", path.display()),
                "check the path that --config or STELLA_CONFIG names",
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says, in its order.
    pub(super) fn entries<'a>(&self, known: &'a [Setting]) -> Result<Vec<Entry<'a>>, Failure> {
        let table = DeTable::parse(&self.text).map_err(|problem| {
            let span = problem.span().unwrap_or(0..0);
            self.wrong(span, problem.message(), "correct the TOML there")
        })?;
        let mut entries = Vec::new();
        self.collect(&[], table.get_ref(), known, &mut entries)?;
        entries.sort_by_key(|entry: &Entry<'_>| entry.span.start);
        for (earlier, entry) in entries.iter().zip(entries.iter().skip(1)) {
            if earlier.setting.key() == entry.setting.key() {
                let told = format!("{} is set twice", entry.setting.key());
                return Err(self.wrong(entry.span.clone(), &told, "leave one of them"));
            }
        }
        Ok(entries)
    }

    /// Entries of a table and of those in it: `serve.tls.key` and `serve.tls-key` are one setting.
    fn collect<'a>(
        &self,
        above: &[&str],
        table: &DeTable<'_>,
        known: &'a [Setting],
        entries: &mut Vec<Entry<'a>>,
    ) -> Result<(), Failure> {
        for (name, value) in table {
            let path = [above, &[name.get_ref().as_ref()]].concat();
            if let DeValue::Table(inner) = value.get_ref() {
                self.collect(&path, inner, known, entries)?;
                continue;
            }
            let key = key(&path, known);
            let Some(setting) = known.iter().find(|setting| setting.key() == key) else {
                return Err(self.unknown(name, &key, known));
            };
            entries.push(self.entry(setting, value)?);
        }
        Ok(())
    }

    fn entry<'a>(
        &self,
        setting: &'a Setting,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Entry<'a>, Failure> {
        let span = value.span();
        let wrong = |expected: &str| {
            let told = format!("{}: {expected}", setting.key());
            Err(self.wrong(span.clone(), &told, "correct the value there"))
        };
        let values = match (setting.kind, value.get_ref()) {
            (Kind::Flag, DeValue::Boolean(true)) => vec!["true".to_owned()],
            (Kind::Flag, DeValue::Boolean(false)) => Vec::new(),
            (Kind::Flag, _) => return wrong("a flag is true or false"),
            (Kind::Many, DeValue::Array(items)) => {
                let texts: Option<Vec<_>> = items.iter().map(|item| text(item.get_ref())).collect();
                match texts {
                    Some(texts) => texts,
                    None => return wrong("a list of single values is expected"),
                }
            }
            (_, single) => match text(single) {
                Some(text) => vec![text],
                None => return wrong("one value is expected"),
            },
        };
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let resolved = |value: String| {
            // A service does not know where it is started from; the file knows where it lies.
            if setting.path {
                folder.join(value).to_string_lossy().into_owned()
            } else {
                value
            }
        };
        Ok(Entry {
            setting,
            line: place(&self.text, span.start).0,
            span,
            values: values.into_iter().map(resolved).collect(),
        })
    }

    /// Asks clap about one entry alone, so that the answer can point at it.
    pub(super) fn check(&self, entry: &Entry<'_>, command: &mut Command) -> Result<(), Failure> {
        let setting = entry.setting;
        let mut arguments = vec![OsString::from("stella")];
        arguments.extend(setting.section.map(OsString::from));
        arguments.extend(entry.arguments());
        let Err(error) = command.try_get_matches_from_mut(arguments) else {
            return Ok(());
        };
        // Others are about the arguments together, and judged when these are complete.
        if !matches!(
            error.kind(),
            ErrorKind::ValueValidation | ErrorKind::InvalidValue
        ) {
            return Ok(());
        }
        let about = context(&error, ContextKind::InvalidArg);
        if about.split(' ').next() != Some(&format!("--{}", setting.name)) {
            return Ok(());
        }
        let value = context(&error, ContextKind::InvalidValue);
        let choices = context(&error, ContextKind::ValidValue);
        let told = if choices.is_empty() {
            let why = std::error::Error::source(&error).map(|why| format!(" ({why})"));
            let why = why.unwrap_or_default();
            format!(
                "{}: {value:?} is not {}{why}",
                setting.key(),
                setting.value_name
            )
        } else {
            format!("{}: {value:?} is not one of {choices}", setting.key())
        };
        Err(self.wrong(entry.span.clone(), &told, "correct the value there"))
    }

    fn unknown(&self, name: &Spanned<DeString<'_>>, key: &str, known: &[Setting]) -> Failure {
        let keys: Vec<String> = known.iter().map(Setting::key).collect();
        // A right name in the wrong table is nearer than any other spelling.
        let last = key.rsplit('.').next().unwrap_or(key);
        let moved = known.iter().position(|setting| setting.name == last);
        let moved = moved.and_then(|at| keys.get(at)).map(String::as_str);
        let near = moved.or_else(|| nearest(key, keys.iter().map(String::as_str)));
        let hint = near.map_or_else(
            || "`stella config show` lists the settings".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        self.wrong(name.span(), &format!("there is no setting {key}"), &hint)
    }

    fn wrong(&self, span: Range<usize>, sentence: &str, hint: &str) -> Failure {
        let name = self.path.display().to_string();
        Failure::usage(pointing(&name, &self.text, span, sentence), hint)
    }
}

impl Entry<'_> {
    /// As it would be typed.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let name = &self.setting.name;
        let typed = |value: &String| match self.setting.kind {
            Kind::Flag => format!("--{name}").into(),
            _ => format!("--{name}={value}").into(),
        };
        self.values.iter().map(typed).collect()
    }
}

/// The key that a path of table names means: the section, then the rest joined as flags are.
fn key(path: &[&str], known: &[Setting]) -> String {
    match path {
        [section, rest @ ..]
            if !rest.is_empty() && known.iter().any(|s| s.section == Some(section)) =>
        {
            format!("{section}.{}", rest.join("-"))
        }
        path => path.join("."),
    }
}

/// A single value as it would be typed.
fn text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(|number| number.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// What clap says of one side of its error.
fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    }
}

/// The user's own file.
fn of_the_user() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    folder("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| folder("HOME").map(|home| Path::new(&home).join(".config")))
        .map(|folder| folder.join(OF_THE_USER))
}
