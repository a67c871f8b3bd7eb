//! `stella policy`: check, show and test policies, on files alone.

mod test;

use super::scan::read;
use crate::failure::Failure;
use crate::output::{self, Format};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use stella_proto::reason::Reason;
use stella_scoring::policy::{self, BUILT_IN, Place, Policy, PolicyError, built_in};

/// Check, show and test policies; no ledger is needed
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say where a policy is wrong, or what in it has no effect
    Check(Check),
    /// Print a policy: its hash, settings, rules and gates
    Show(Show),
    /// Run worked examples against a policy
    Test(test::Test),
}

/// Say where a policy is wrong, or what in it has no effect
///
/// Exits with 0 when every file is a policy, with 2 when one is not.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Policies, YAML or JSON
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Print a policy: its hash, settings, rules and gates
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A built-in policy's name, or a policy file; the built-in ones are listed when absent
    #[arg(value_name = "NAME|FILE")]
    policy: Option<String>,
    /// Print the canonical JSON alone, byte for byte: its SHA-256 is the hash
    #[arg(long)]
    canonical: bool,
}

impl PolicyCommand {
    pub(crate) fn run(self, format: Format) -> Result<u8, Failure> {
        match self {
            Self::Check(verb) => verb.run(format),
            Self::Show(verb) => verb.run(format),
            Self::Test(verb) => verb.run(format),
        }
    }
}

impl Check {
    /// Every file is looked at; the first that is refused decides the answer.
    fn run(self, format: Format) -> Result<u8, Failure> {
        let mut rows = Vec::with_capacity(self.files.len());
        let mut refused = Vec::new();
        for path in &self.files {
            let name = path.display().to_string();
            match read_text(path)?.map(|text| (policy::check(&text), text)) {
                Ok((Ok((policy, remarks)), _)) => rows.push(accepted(&name, &policy, &remarks)),
                Ok((Err(error), text)) => {
                    rows.push(rejected(&name, &error.place, &error.problem.to_string()));
                    refused.push(refusal(&name, &text, &error));
                }
                Err(problem) => {
                    rows.push(rejected(&name, &Place::default(), &problem));
                    refused.push(Failure::of(Reason::BadPolicy, format!("{name}: {problem}")));
                }
            }
        }
        match (format, rows.as_slice()) {
            (Format::Table, _) => rows.iter().try_for_each(in_words)?,
            (_, [row]) => output::document(format, row)?,
            _ => output::documents(format, &rows, &[])?,
        }
        let mut refused = refused.into_iter();
        let Some(first) = refused.next() else {
            return Ok(0);
        };
        for other in refused {
            other.report();
        }
        Err(first)
    }
}

fn accepted(file: &str, policy: &Policy, remarks: &[String]) -> Value {
    json!({
        "file": file,
        "valid": true,
        "name": policy.name,
        "hash": policy.hash().to_string(),
        "rules": policy.rules.len(),
        "gates": policy.gates.len(),
        "remarks": remarks,
    })
}

fn rejected(file: &str, place: &Place, problem: &str) -> Value {
    json!({
        "file": file,
        "valid": false,
        "error": {
            "line": place.line,
            "column": place.column,
            "pointer": place.pointer,
            "message": problem,
        },
    })
}

/// An accepted policy for people; what is refused is said on stderr.
fn in_words(row: &Value) -> Result<(), Failure> {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let count = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or_default();
    if row.get("valid") != Some(&Value::Bool(true)) {
        return Ok(());
    }
    output::text(&format!(
        "{}: policy {}, {} rules, {} gates, {}\n",
        text("file"),
        text("name"),
        count("rules"),
        count("gates"),
        text("hash"),
    ))?;
    let remarks = row.get("remarks").and_then(Value::as_array);
    (remarks.into_iter().flatten().filter_map(Value::as_str))
        .try_for_each(|remark| output::text(&format!("  remark: {remark}\n")))
}

impl Show {
    fn run(self, format: Format) -> Result<u8, Failure> {
        let Some(word) = &self.policy else {
            return list(format);
        };
        let policy = load(word)?;
        if self.canonical {
            output::bytes(policy.canonical())?;
            return Ok(0);
        }
        if format == Format::Table {
            output::text(&policy::show(&policy))?;
            return Ok(0);
        }
        let document: Value =
            serde_json::from_slice(policy.canonical()).map_err(Failure::operational)?;
        let shown = json!({
            "name": policy.name,
            "hash": policy.hash().to_string(),
            "policy": document,
        });
        output::document(format, &shown)?;
        Ok(0)
    }
}

fn list(format: Format) -> Result<u8, Failure> {
    let mut rows = Vec::new();
    for built_in in BUILT_IN {
        let policy = (built_in.policy()).map_err(|problem| refusal_of(built_in.name, &problem))?;
        rows.push(json!({
            "name": policy.name,
            "hash": policy.hash().to_string(),
            "rules": policy.rules.len(),
            "description": policy.description,
        }));
    }
    output::documents(format, &rows, &["name", "hash", "rules"])?;
    Ok(0)
}

/// The policy that is meant by a word: a built-in one's name, else a file.
pub(crate) fn load(word: &str) -> Result<Policy, Failure> {
    if let Some(built_in) = built_in(word) {
        return (built_in.policy()).map_err(|problem| refusal_of(word, &problem));
    }
    let path = Path::new(word);
    if !path.exists() {
        let names: Vec<_> = BUILT_IN.iter().map(|policy| policy.name).collect();
        let names = names.join(", ");
        return Err(Failure::of(Reason::NotFound, format!("no policy {word}"))
            .hint(format!("name a file, or one of {names}")));
    }
    let text = read_text(path)?
        .map_err(|problem| Failure::of(Reason::BadPolicy, format!("{word}: {problem}")))?;
    Policy::parse(&text).map_err(|problem| refusal(word, &text, &problem))
}

/// A file's text; inside, why it is none.
fn read_text(path: &Path) -> Result<Result<String, String>, Failure> {
    Ok(String::from_utf8(read(path)?).map_err(|problem| {
        let place = problem.utf8_error().valid_up_to();
        format!("byte {place} is not UTF-8")
    }))
}

/// A refusal that shows the line.
fn refusal(file: &str, text: &str, error: &PolicyError) -> Failure {
    let sentence = format!("{file}: {error}{}", excerpt(text, &error.place));
    Failure::of(Reason::BadPolicy, sentence)
}

fn refusal_of(file: &str, error: &PolicyError) -> Failure {
    Failure::of(Reason::BadPolicy, format!("{file}: {error}"))
}

/// Longest part of a line that is repeated, in characters.
const MAX_EXCERPT_CHARACTERS: usize = 120;

/// The line of a place and a mark below its column; nothing for a place without a line, or far to
/// the right in one long line.
fn excerpt(text: &str, place: &Place) -> String {
    let line = usize::try_from(place.line).unwrap_or_default();
    let column = usize::try_from(place.column).unwrap_or_default();
    let Some(found) = line.checked_sub(1).and_then(|at| text.lines().nth(at)) else {
        return String::new();
    };
    if column > MAX_EXCERPT_CHARACTERS {
        return String::new();
    }
    // Control characters would move the terminal's cursor.
    let shown: String = (found.chars().take(MAX_EXCERPT_CHARACTERS))
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    let mark = " ".repeat(column.saturating_sub(1));
    format!("\n  {line:>4} | {shown}\n       | {mark}^")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_marks_the_column() {
        let place = Place {
            pointer: String::new(),
            line: 2,
            column: 3,
        };
        assert_eq!(
            excerpt("a\nb\tcd\n", &place),
            "\n     2 | b cd\n       |   ^"
        );
        assert_eq!(excerpt("a", &place), "", "no such line");
        assert_eq!(excerpt("a", &Place::default()), "", "no place");
    }
}
