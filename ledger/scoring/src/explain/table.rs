//! Plain tables, columns padded to their widest cell.

use super::diff::InputChange;
use super::outline::Outline;
use super::rows::RuleRow;
use super::{ScoreDiff, View, delta_text, score_text};
use std::fmt::Write as _;
use stella_verify::units::BasisPoints;

/// The score as a table: a line for each finding, then its rules.
#[must_use]
pub fn table(outline: &Outline, view: &View) -> String {
    let (rows, hidden) = view.select(outline);
    let mut lines = vec![["ADDS", "TOTAL", "WHAT", "WHY"].map(str::to_owned)];
    for (component, finding) in rows {
        lines.push([
            delta_text(finding.share),
            score_text(finding.total),
            format!("{} {}", finding.advisory, finding.purl),
            format!(
                "{} of component's {}",
                delta_text(finding.contribution),
                score_text(component.total)
            ),
        ]);
        lines.extend(rule_lines(&finding.rules, view));
    }
    lines.extend(rule_lines(&outline.rules, view));
    let mut out = columns(&lines, 2);
    if outline.findings().next().is_none() {
        let _ = writeln!(out, "(no findings)");
    }
    if hidden > 0 {
        let _ = writeln!(out, "({hidden} more findings)");
    }
    // What was not looked up was not found either: part of how a score is to be read.
    for warning in &outline.warnings {
        let _ = writeln!(out, "warning {}: {}", warning.code, warning.count);
    }
    for gate in &outline.gates {
        let verdict = if gate.fails { "FAIL" } else { "pass" };
        let _ = writeln!(out, "gate {}: {verdict}", gate.id);
    }
    let _ = writeln!(out, "score {}", score_text(outline.score));
    out
}

fn rule_lines<'a>(rules: &'a [RuleRow], view: &View) -> impl Iterator<Item = [String; 4]> + 'a {
    let all = view.unchanged_rules;
    (rules.iter())
        .filter(move |rule| all || rule.delta != BasisPoints::ZERO)
        .map(|rule| {
            [
                delta_text(rule.delta),
                score_text(rule.total),
                format!("  {}", rule.rule),
                rule.why(),
            ]
        })
}

impl RuleRow {
    /// What the rule rested on, in a line.
    #[must_use]
    pub fn why(&self) -> String {
        if self.because == "unknown" {
            return format!("unknown: {}", self.missing.join(", "));
        }
        let reads = (self.reads.iter()).filter(|(name, _)| *name != "total");
        let reads: Vec<_> = reads
            .map(|(name, value)| format!("{name}={}", super::read::shown(value)))
            .collect();
        match self.because.as_str() {
            "condition" => format!("does not apply: {}", reads.join(" ")),
            "no-row" => format!("no row fits: {}", reads.join(" ")),
            _ => reads.join(" "),
        }
    }
}

/// A diff as a table: inputs, then a line for each row with its rules.
#[must_use]
pub fn diff_table(diff: &ScoreDiff) -> String {
    let mut out = String::new();
    for input in &diff.inputs {
        let text = |digest: &Option<String>| digest.clone().unwrap_or_else(|| "none".into());
        let _ = writeln!(
            out,
            "input {}: {} -> {}",
            input.name,
            text(&input.old),
            text(&input.new)
        );
        for line in input.told() {
            let _ = writeln!(out, "  {line}");
        }
    }
    let mut lines = vec![["CHANGE", "BEFORE", "AFTER", "WHAT"].map(str::to_owned)];
    let total = |total: Option<BasisPoints>| total.map_or_else(|| "-".into(), score_text);
    for row in &diff.rows {
        lines.push([
            delta_text(row.delta),
            total(row.totals.0),
            total(row.totals.1),
            // In the same cell: the lines below may be long, and would push a column far right.
            if row.purl.is_empty() {
                format!("rule {}: {}", row.id, row.change.name())
            } else {
                format!("{} {}: {}", row.advisory, row.purl, row.change.name())
            },
        ]);
        let delta = |delta: Option<BasisPoints>| delta.map_or_else(|| "-".into(), delta_text);
        for rule in row.rules.iter().filter(|_| !row.purl.is_empty()) {
            let (old, new) = (delta(rule.old), delta(rule.new));
            lines.push([String::new(), old, new, format!("  {}", rule.rule)]);
        }
        for fact in &row.facts {
            let shown = |value: &Option<_>| {
                value
                    .as_ref()
                    .map_or_else(|| "unknown".into(), super::read::shown)
            };
            let change = format!(
                "    {}: {} -> {}",
                fact.name,
                shown(&fact.old),
                shown(&fact.new)
            );
            lines.push([String::new(), String::new(), String::new(), change]);
        }
    }
    out.push_str(&columns(&lines, 3));
    let _ = writeln!(out, "({} findings unchanged)", diff.unchanged);
    let sum = format!("{} -> {}", score_text(diff.old), score_text(diff.new));
    let _ = writeln!(out, "score {sum} ({})", delta_text(diff.delta()));
    out
}

impl InputChange {
    /// What differs in the input: totals, notes, then the rows that the score uses, a line each.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let totals = (self.totals.iter())
            .map(|((table, kind), count)| format!("{count} {table} rows {}", kind.name()));
        let rows = self.rows.iter().map(|row| {
            let what = [&*row.key.id, &*row.key.package].join(" ");
            let said = |said: &Option<Box<str>>| said.as_deref().unwrap_or("-").to_owned();
            format!(
                "{} {} {}: {} -> {}",
                row.kind.name(),
                row.key.table,
                what.trim_end(),
                said(&row.old),
                said(&row.new)
            )
        });
        totals
            .chain(self.notes.iter().cloned())
            .chain(rows)
            .collect()
    }
}

/// Pads columns; the first few are numbers and stand to the right.
fn columns<const N: usize>(lines: &[[String; N]], numbers: usize) -> String {
    let mut widths = [0usize; N];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for line in lines {
        let mut text = String::new();
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            let _ = if column < numbers {
                write!(text, "{cell:>width$}  ")
            } else {
                write!(text, "{cell:<width$}  ")
            };
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}
