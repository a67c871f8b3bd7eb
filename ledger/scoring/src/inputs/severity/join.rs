//! CVE to severity joins as tab-separated values with a header line:
//! `cve cvss_version vector published_base provider ssvc_exploitation ssvc_automatable
//! ssvc_technical_impact kev_date_added`. Empty columns are unknown.
//!
//! `kev_date_added` is not used: exploitation is taken from the catalogue itself.

use super::SeverityRecord;
use crate::limits::MAX_ID_BYTES;
use crate::model::{
    RowKey, ScoreTenths, SeverityFact, SeverityScheme, SsvcFact, Table, unpackaged,
};

/// Name of this source in snapshot rows.
pub const SOURCE: &str = "cve-join";

const COLUMNS: [&str; 9] = [
    "cve",
    "cvss_version",
    "vector",
    "published_base",
    "provider",
    "ssvc_exploitation",
    "ssvc_automatable",
    "ssvc_technical_impact",
    "kev_date_added",
];

/// Why a text is not such a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Not UTF-8.
    #[error("not UTF-8 text")]
    Encoding,
    /// The header names other columns.
    #[error("the first line does not name the columns of a CVE join")]
    Header,
    /// A line has another number of columns.
    #[error("a line has {} columns", COLUMNS.len())]
    Columns,
    /// No id, or one too long.
    #[error("the first column is not a vulnerability id")]
    Id,
    /// A version of CVSS that is not known, or one without a vector.
    #[error("cvss_version is one of 2.0, 3.0, 3.1, 4.0, and stands with a vector")]
    Scheme,
    /// The published score is no score.
    #[error("published_base is not a number between 0 and 10 with one digit after the point")]
    Score,
}

/// Whether a text's first line is a join's header.
#[must_use]
pub fn is_join(bytes: &[u8]) -> bool {
    bytes.starts_with(b"cve\tcvss_version\t")
}

/// The lines after the header, without their ends, each with its number in the file, from 1.
///
/// # Errors
/// [`JoinError::Encoding`] or [`JoinError::Header`].
pub fn split(bytes: &[u8]) -> Result<Vec<(usize, &str)>, JoinError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JoinError::Encoding)?;
    let mut lines = (1..).zip(text.lines());
    let (_, header) = lines.next().ok_or(JoinError::Header)?;
    if !header.split('\t').eq(COLUMNS) {
        return Err(JoinError::Header);
    }
    Ok(lines.filter(|(_, line)| !line.is_empty()).collect())
}

/// Reads one line.
///
/// # Errors
/// [`JoinError`].
pub fn read_line(line: &str) -> Result<(RowKey, SeverityRecord), JoinError> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [
        id,
        version,
        vector,
        published,
        provider,
        exploitation,
        automatable,
        impact,
        _kev,
    ] = <[&str; COLUMNS.len()]>::try_from(columns).map_err(|_| JoinError::Columns)?;
    if id.is_empty() || id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
        return Err(JoinError::Id);
    }
    // Several providers rate one vulnerability, some under several versions.
    let row = unpackaged(
        Table::Severity,
        SOURCE,
        &format!("{id}|{provider}|{version}"),
    );
    let scheme = match (version, vector) {
        ("", "") => None,
        (_, "") => return Err(JoinError::Scheme),
        ("2.0", _) => Some(SeverityScheme::CvssV2),
        ("3.0" | "3.1", _) => Some(SeverityScheme::CvssV3),
        ("4.0", _) => Some(SeverityScheme::CvssV4),
        _ => return Err(JoinError::Scheme),
    };
    let published = match published {
        "" => None,
        text => Some(ScoreTenths::parse(text).ok_or(JoinError::Score)?),
    };
    let severity = scheme.map(|scheme| SeverityFact {
        scheme,
        vector: vector.into(),
        published,
        word: None,
        provider: provider.to_ascii_lowercase().into(),
        row: row.clone(),
    });
    let ssvc = SsvcFact {
        exploitation: decision(exploitation),
        automatable: decision(automatable),
        technical_impact: decision(impact),
        row: row.clone(),
    };
    let stated = [
        &ssvc.exploitation,
        &ssvc.automatable,
        &ssvc.technical_impact,
    ];
    let ssvc = stated
        .iter()
        .any(|point| point.is_some())
        .then(|| ssvc.clone());
    Ok((
        row,
        SeverityRecord {
            id: id.into(),
            severities: severity.into_iter().collect(),
            ssvc,
        },
    ))
}

/// A decision point's value; publishers write them in mixed case.
pub(super) fn decision(text: &str) -> Option<Box<str>> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_ascii_lowercase().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_states_severity_and_decision_points() {
        let line = "CVE-1\t3.1\tCVSS:3.1/AV:L\t5.5\tADP:CISA-ADP\tActive\tno\tPartial\t";
        let (row, record) = read_line(line).unwrap();
        assert_eq!(&*row.id, "CVE-1|ADP:CISA-ADP|3.1");
        assert_eq!(
            record.severities[0].published.map(ScoreTenths::get),
            Some(55)
        );
        assert_eq!(&*record.severities[0].provider, "adp:cisa-adp");
        let ssvc = record.ssvc.unwrap();
        assert_eq!(ssvc.exploitation.as_deref(), Some("active"));
        assert_eq!(ssvc.technical_impact.as_deref(), Some("partial"));
        let (_, bare) = read_line("CVE-2\t\t\t\t\t\t\t\t").unwrap();
        assert_eq!((bare.severities.len(), bare.ssvc), (0, None));
    }

    #[test]
    fn bad_lines_are_named() {
        for (line, error) in [
            ("CVE-1\t3.1", JoinError::Columns),
            ("\t\t\t\t\t\t\t\t", JoinError::Id),
            ("CVE-1\t3.1\t\t\t\t\t\t\t", JoinError::Scheme),
            ("CVE-1\t9\tx\t\t\t\t\t\t", JoinError::Scheme),
            ("CVE-1\t3.1\tx\thigh\t\t\t\t\t", JoinError::Score),
        ] {
            assert_eq!(read_line(line).unwrap_err(), error, "{line}");
        }
        assert_eq!(split(b"cve\tvector\n").unwrap_err(), JoinError::Header);
    }
}
