//! EPSS scores as FIRST publishes them: CSV, with or without the comment that names model and day.
//!
//! Probabilities are read from text as integers of 1/100000, the precision of the publication;
//! further digits are rounded half up, so no floating point takes part.

use crate::limits::MAX_ID_BYTES;
use crate::model::{EpssFact, EpssScore, RowKey, Table, unpackaged};

/// Name of this source in snapshot rows.
pub const SOURCE: &str = "epss";

/// Why a text is not an EPSS file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EpssFileError {
    /// Not UTF-8.
    #[error("not UTF-8 text")]
    Encoding,
    /// The first line that is no comment is neither a header nor a score.
    #[error("the columns are not cve,epss,percentile")]
    Header,
}

/// Why a line is not a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EpssLineError {
    /// Not three columns.
    #[error("a score has three columns: cve,epss,percentile")]
    Columns,
    /// The first column is no vulnerability id.
    #[error("the first column is not a vulnerability id")]
    Id,
    /// The second column is no probability.
    #[error("the score is not a decimal number between 0 and 1")]
    Score,
    /// The third column is no share.
    #[error("the percentile is not a decimal number between 0 and 1")]
    Percentile,
}

/// An EPSS file, split into lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpssFile<'a> {
    /// `model_version` of the comment, when there is one. The day is not kept: it is no content.
    pub model: Option<&'a str>,
    /// The lines with scores, without their ends, each with its number in the file, from 1.
    pub lines: Vec<(usize, &'a str)>,
}

/// Splits a file. Lines are not yet read.
///
/// # Errors
/// [`EpssFileError`].
pub fn split(bytes: &[u8]) -> Result<EpssFile<'_>, EpssFileError> {
    let text = std::str::from_utf8(bytes).map_err(|_| EpssFileError::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut file = EpssFile {
        model: None,
        lines: Vec::new(),
    };
    let mut header = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            file.model = file.model.or_else(|| model(comment));
            continue;
        }
        if !header {
            header = true;
            if line.eq_ignore_ascii_case("cve,epss,percentile") {
                continue;
            }
            read_line(line).map_err(|_| EpssFileError::Header)?;
        }
        file.lines.push((number, line));
    }
    if header {
        Ok(file)
    } else {
        Err(EpssFileError::Header)
    }
}

fn model(comment: &str) -> Option<&str> {
    comment
        .split(',')
        .find_map(|part| part.trim().strip_prefix("model_version:"))
        .map(str::trim)
}

/// Reads one line.
///
/// # Errors
/// [`EpssLineError`].
pub fn read_line(line: &str) -> Result<EpssFact, EpssLineError> {
    let mut columns = line.split(',');
    let (Some(id), Some(score), Some(percentile), None) = (
        columns.next(),
        columns.next(),
        columns.next(),
        columns.next(),
    ) else {
        return Err(EpssLineError::Columns);
    };
    if !is_vulnerability_id(id) {
        return Err(EpssLineError::Id);
    }
    Ok(EpssFact {
        score: share(score).ok_or(EpssLineError::Score)?,
        percentile: share(percentile).ok_or(EpssLineError::Percentile)?,
        row: row(id),
    })
}

/// The row of a vulnerability's score.
#[must_use]
pub fn row(id: &str) -> RowKey {
    unpackaged(Table::Epss, SOURCE, id)
}

fn is_vulnerability_id(id: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    id.len() <= MAX_ID_BYTES
        && id.contains('-')
        && id.starts_with(|first: char| first.is_ascii_alphabetic())
        && id.bytes().all(valid)
}

/// Reads `0.00043`, `1`, `.5`, `4.3e-04` as a number of 1/100000, rounding half up.
fn share(text: &str) -> Option<EpssScore> {
    const MOST_DIGITS: usize = 32;
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i8>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty()
        || digits.len() > MOST_DIGITS
        || !digits.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    // The value is `digits` / 10^scale; wanted is the value times 10^5.
    let scale = i32::try_from(fraction.len()).ok()? - i32::from(exponent);
    let value: u128 = digits.parse().ok()?;
    let scaled = match u32::try_from(5 - scale) {
        Ok(up) => value.checked_mul(10_u128.checked_pow(up)?)?,
        Err(_) => match 10_u128.checked_pow(scale.checked_sub(5)?.unsigned_abs()) {
            Some(divisor) => value.checked_add(divisor / 2)? / divisor,
            None => 0,
        },
    };
    EpssScore::new(u32::try_from(scaled).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_without_floating_point() {
        let cases = [
            ("0.00043", Some(43)),
            ("1", Some(100_000)),
            ("1.00000", Some(100_000)),
            ("0", Some(0)),
            (".5", Some(50_000)),
            ("0.0005", Some(50)),
            ("0.943060000", Some(94_306)),
            ("0.000004", Some(0)),
            ("0.000005", Some(1)),
            ("9e-05", Some(9)),
            ("4.3e-04", Some(43)),
            ("1e-40", Some(0)),
            ("1.00001", None),
            ("2", None),
            ("-0.1", None),
            ("", None),
            (".", None),
            ("nan", None),
            ("0.1.2", None),
            ("1e999", None),
            ("1e30", None),
        ];
        for (text, expected) in cases {
            assert_eq!(share(text).map(EpssScore::get), expected, "{text}");
        }
    }

    #[test]
    fn files_come_with_and_without_comment_and_header() {
        let line = "CVE-2024-1,0.00043,0.09291";
        for (text, model, first) in [
            (
                format!("#model_version:v2025.03.14,score_date:x\ncve,epss,percentile\n{line}\n"),
                Some("v2025.03.14"),
                3,
            ),
            (
                format!("#model_version:v1\r\ncve,epss,percentile\r\n{line}\r\n"),
                Some("v1"),
                3,
            ),
            (format!("cve,epss,percentile\n{line}"), None, 2),
            (format!("{line}\n"), None, 1),
        ] {
            let file = split(text.as_bytes()).unwrap();
            assert_eq!(file.model, model);
            assert_eq!(file.lines, [(first, line)]);
        }
        assert_eq!(
            split(b"#model_version:v1\ninvalid,header,format\n"),
            Err(EpssFileError::Header)
        );
        assert_eq!(split(b""), Err(EpssFileError::Header));
        assert_eq!(split(b"\xff"), Err(EpssFileError::Encoding));
    }

    #[test]
    fn bad_lines_say_which_column() {
        for (line, error) in [
            ("CVE-1,0.1", EpssLineError::Columns),
            ("CVE-1,0.1,0.2,0.3", EpssLineError::Columns),
            ("1,0.1,0.2", EpssLineError::Id),
            ("CVE-1,x,0.2", EpssLineError::Score),
            ("CVE-1,0.1,1.2", EpssLineError::Percentile),
        ] {
            assert_eq!(read_line(line), Err(error), "{line}");
        }
    }
}
