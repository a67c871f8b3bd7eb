//! Findings as CSV (RFC 4180): one line each, with a header, lines ended by CRLF.

use super::epss_text;
use crate::engine::{Computation, Finding};
use crate::explain::score_text;
use crate::model::{ReachabilityLevel, SeverityWord};

const HEADER: [&str; 25] = [
    "finding",
    "purl",
    "advisory",
    "flaw",
    "aliases",
    "kind",
    "counts",
    "score",
    "severity",
    "cvss",
    "vector",
    "epss",
    "kev",
    "ransomware",
    "ssvc_exploitation",
    "ssvc_automatable",
    "ssvc_technical_impact",
    "vex_status",
    "vex_justification",
    "reachability",
    "depth",
    "scope",
    "fixed",
    "components",
    "summary",
];

/// Findings as CSV. Lists within a cell are separated by spaces. A cell that a spreadsheet would
/// take for a formula begins with an apostrophe.
#[must_use]
pub fn csv(computation: &Computation) -> String {
    let mut out = String::new();
    line(&mut out, HEADER.iter().map(|name| (*name).to_owned()));
    for finding in &computation.findings {
        line(&mut out, cells(finding).into_iter());
    }
    out
}

fn cells(finding: &Finding) -> [String; 25] {
    let severity = finding.severity.as_ref();
    let word = match finding.score {
        Some(_) => severity
            .and_then(|s| s.word)
            .map_or("unknown", SeverityWord::name),
        None => "",
    };
    let places: Vec<_> = finding
        .components
        .iter()
        .map(crate::model::JsonPointer::as_str)
        .collect();
    [
        finding.id.to_string(),
        finding.purl.to_string(),
        finding.advisory_id.to_string(),
        finding.flaw.to_string(),
        finding.aliases.join(" "),
        finding.kind.name().to_owned(),
        finding.score.is_some().to_string(),
        finding.score.map(score_text).unwrap_or_default(),
        word.to_owned(),
        severity
            .and_then(|s| s.score)
            .map(|score| score.to_string())
            .unwrap_or_default(),
        severity.map(|s| s.vector.to_string()).unwrap_or_default(),
        finding.epss.map(epss_text).unwrap_or_default(),
        finding.kev.is_some().to_string(),
        finding.kev.unwrap_or(false).to_string(),
        word_or_empty(finding.ssvc.exploitation.as_deref()),
        word_or_empty(finding.ssvc.automatable.as_deref()),
        word_or_empty(finding.ssvc.technical_impact.as_deref()),
        finding
            .vex
            .as_ref()
            .map(|vex| vex.status.name().to_owned())
            .unwrap_or_default(),
        finding
            .vex
            .as_ref()
            .and_then(|vex| vex.justification.as_deref())
            .unwrap_or_default()
            .to_owned(),
        finding
            .reachability
            .map_or("", ReachabilityLevel::name)
            .to_owned(),
        finding
            .depth
            .map(|depth| depth.to_string())
            .unwrap_or_default(),
        finding.scope.name().to_owned(),
        finding.fixed.join(" "),
        places.join(" "),
        finding.summary.to_string(),
    ]
}

fn word_or_empty(word: Option<&str>) -> String {
    word.unwrap_or_default().to_owned()
}

fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_cell(out, &cell);
    }
    out.push_str("\r\n");
}

fn write_cell(out: &mut String, cell: &str) {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains(['"', ',', '\n', '\r']) {
        out.push('"');
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(&cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_disarmed() {
        for (cell, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("-2,3", "\"'-2,3\""),
        ] {
            let mut out = String::new();
            write_cell(&mut out, cell);
            assert_eq!(out, written);
        }
    }
}
