//! `stella check`: anyone's vectors against the verifier, without a ledger.

use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use stella_verify::check::{KINDS, LineStatus, run};

/// Longest line that is read, in bytes.
const MAX_LINE_BYTES: usize = 256 * 1024 * 1024;

/// Run test vectors of a format: one JSON case a line in, one result a line out
///
/// Bytes are base64, or hex after `hex:`. Exits with 0 when every case is ok, 3 when one is not, 2
/// when a line is not such a case.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// What the cases are about
    #[arg(value_name = "KIND", value_parser = clap::builder::PossibleValuesParser::new(KINDS))]
    kind: String,
    /// The cases; `-` for stdin
    #[arg(long, value_name = "FILE", default_value = "-")]
    jsonl: PathBuf,
}

impl Check {
    pub(crate) fn run(self, _: &Global) -> Result<u8, Failure> {
        let mut worst = LineStatus::Ok;
        let mut input = self.input()?;
        let mut line = Vec::new();
        let files = |path: &str| read_file(path).map_err(|problem| format!("{path}: {problem}"));
        while read_line(&mut input, &mut line)? {
            let case = line.trim_ascii();
            if case.is_empty() {
                continue;
            }
            let Some(result) = run(&self.kind, case, &files) else {
                return Err(Failure::usage(
                    format!("no kind {}", self.kind),
                    "see --help",
                ));
            };
            output::text(&format!("{}\n", result.json))?;
            worst = worst.max(result.status);
        }
        Ok(match worst {
            LineStatus::Ok => 0,
            LineStatus::Refused => 3,
            LineStatus::Malformed => 2,
        })
    }

    fn input(&self) -> Result<Box<dyn BufRead>, Failure> {
        if self.jsonl.as_os_str() == "-" {
            return Ok(Box::new(BufReader::new(std::io::stdin())));
        }
        let file = File::open(&self.jsonl).map_err(|p| Failure::file(&self.jsonl, &p))?;
        Ok(Box::new(BufReader::new(file)))
    }
}

/// A file that a case names. Only a regular one: a device or a pipe may have no end.
fn read_file(path: &str) -> std::io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    std::fs::read(path)
}

/// The next line, bounded; false at the end.
fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> Result<bool, Failure> {
    use std::io::Read as _;
    line.clear();
    let most = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
    let count = input.take(most).read_until(b'\n', line)?;
    if count == MAX_LINE_BYTES {
        return Err(Failure::usage(
            "a line is too long",
            "one case a line, at most 256 MiB",
        ));
    }
    Ok(count > 0)
}
