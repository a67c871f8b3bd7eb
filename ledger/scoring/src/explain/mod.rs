//! Explaining a score from its proof nodes, down to the bytes of its inputs.
//!
//! Works on nodes alone, so on a stored computation, on a bundle, and on a fresh one alike:
//! [`Outline::of`] arranges them as scan, components, findings, rules and facts, each with its node
//! and its evidence; [`ancestry`] walks from any node to the manifest; [`ScoreDiff`] says what
//! changed between two computations, in rows that add up to the change of the score exactly.

mod diff;
mod graph;
mod json;
mod outline;
mod read;
mod rows;
mod share;
mod table;
mod tree;
mod walk;

pub use diff::{Change, DiffRow, FactChange, InputChange, RuleChange, ScoreDiff};
pub use graph::{diff_dot, diff_mermaid, dot, mermaid};
pub use json::{diff_json, outline_json};
pub use outline::{Outline, OutlineError};
pub use rows::{ComponentRow, FactRow, FindingRow, GateRow, InputRow, RuleRow, WarningRow};
pub use table::{diff_table, table};
pub use tree::tree;
pub use walk::{FirstDifference, ancestry, first_difference};

use stella_verify::units::BasisPoints;

/// What of a score is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Components with a purl or an advisory that contains this text; all when absent.
    pub filter: Option<String>,
    /// Findings shown; the rest are counted.
    pub findings: usize,
    /// Whether rules that changed nothing are shown.
    pub unchanged_rules: bool,
}

impl Default for View {
    /// The twenty greatest findings, with the rules that moved them.
    fn default() -> Self {
        Self {
            filter: None,
            findings: 20,
            unchanged_rules: false,
        }
    }
}

impl View {
    /// Findings to show: those that pass the filter, greatest contribution to the scan first.
    fn select<'a>(&self, outline: &'a Outline) -> (Vec<(&'a ComponentRow, &'a FindingRow)>, usize) {
        let mut rows: Vec<_> = (outline.components.iter())
            .flat_map(|component| component.findings.iter().map(move |row| (component, row)))
            .filter(|(_, finding)| self.passes(finding))
            .collect();
        rows.sort_by_key(|(_, finding)| {
            (
                std::cmp::Reverse((finding.share, finding.total)),
                finding.id.clone(),
            )
        });
        let hidden = rows.len().saturating_sub(self.findings);
        rows.truncate(self.findings);
        (rows, hidden)
    }

    fn passes(&self, finding: &FindingRow) -> bool {
        let Some(wanted) = &self.filter else {
            return true;
        };
        let names = [&finding.purl, &finding.advisory, &finding.flaw, &finding.id];
        names.iter().any(|name| name.contains(wanted.as_str()))
    }
}

/// A score or total as people read it: `87.31`. Totals are never negative.
#[must_use]
pub fn score_text(total: BasisPoints) -> String {
    let points = total.get().unsigned_abs();
    let sign = if total.get() < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", points / 100, points % 100)
}

/// A change of a score with its sign: `+3.00`, `-0.50`, `0.00`.
#[must_use]
pub fn delta_text(delta: BasisPoints) -> String {
    let sign = if delta.get() > 0 { "+" } else { "" };
    format!("{sign}{}", score_text(delta))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_printed_from_integers() {
        for (points, score, delta) in [
            (0, "0.00", "0.00"),
            (5, "0.05", "+0.05"),
            (10_000, "100.00", "+100.00"),
            (-50, "-0.50", "-0.50"),
            (8731, "87.31", "+87.31"),
        ] {
            assert_eq!(score_text(BasisPoints::new(points)), score);
            assert_eq!(delta_text(BasisPoints::new(points)), delta);
        }
    }
}
