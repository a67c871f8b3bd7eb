//! A score as a tree in the terminal, down to the inputs' bytes.

use super::outline::Outline;
use super::read::shown;
use super::rows::{FactRow, FindingRow, RuleRow};
use super::{View, delta_text, score_text};
use std::fmt::Write as _;
use stella_verify::json::Object;
use stella_verify::node::EvidenceRef;
use stella_verify::units::BasisPoints;

/// A line and what stands under it.
struct Branch {
    text: String,
    below: Vec<Branch>,
}

impl Branch {
    fn leaf(text: String) -> Self {
        Self {
            text,
            below: Vec::new(),
        }
    }
}

/// The score as a tree.
#[must_use]
pub fn tree(outline: &Outline, view: &View) -> String {
    let (rows, hidden) = view.select(outline);
    let mut below: Vec<Branch> = Vec::new();
    for (component, finding) in rows {
        let line = format!(
            "{} from {} {} (total {}, component {})",
            delta_text(finding.share),
            finding.advisory,
            finding.purl,
            score_text(finding.total),
            score_text(component.total),
        );
        below.push(Branch {
            text: line,
            below: finding_branches(finding, view),
        });
    }
    if hidden > 0 {
        below.push(Branch::leaf(format!("{hidden} more findings")));
    }
    below.extend(rules(&outline.rules, view));
    for gate in &outline.gates {
        let verdict = if gate.fails { "FAIL" } else { "pass" };
        below.push(Branch::leaf(format!(
            "gate {}: {verdict} ({})",
            gate.id,
            members(&gate.reads)
        )));
    }
    let inputs = outline.inputs.iter();
    below.push(Branch {
        text: format!("manifest {}", outline.manifest),
        below: inputs
            .map(|input| Branch::leaf(format!("{} {}", input.name, input.digest)))
            .chain(outline.warnings.iter().map(|warning| Branch {
                text: format!("warning {}: {}", warning.code, warning.count),
                below: warning.evidence.iter().map(evidence).collect(),
            }))
            .collect(),
    });
    let mut out = format!("score {}\n", score_text(outline.score));
    draw(&below, "", &mut out);
    out
}

fn finding_branches(finding: &FindingRow, view: &View) -> Vec<Branch> {
    let mut below = rules(&finding.rules, view);
    below.extend(finding.facts.iter().map(fact));
    below
}

fn rules(rows: &[RuleRow], view: &View) -> Vec<Branch> {
    (rows.iter())
        .filter(|rule| view.unchanged_rules || rule.delta != BasisPoints::ZERO)
        .map(|rule| {
            let amounts = format!("{} -> {}", delta_text(rule.delta), score_text(rule.total));
            Branch {
                text: format!("{amounts}  {}  {}", rule.rule, rule.why())
                    .trim_end()
                    .to_owned(),
                below: rule.evidence.iter().map(evidence).collect(),
            }
        })
        .collect()
}

fn fact(row: &FactRow) -> Branch {
    Branch {
        text: format!("{} {}", row.what, members(&row.says))
            .trim_end()
            .to_owned(),
        below: row.evidence.iter().map(evidence).collect(),
    }
}

fn members(object: &Object) -> String {
    let members: Vec<_> = (object.iter())
        .map(|(name, value)| format!("{name}={}", shown(value)))
        .collect();
    members.join(" ")
}

/// `sha256:... ["advisory",...] /affected/0`: enough to open the input at the place.
pub(super) fn place(evidence: &EvidenceRef) -> String {
    let mut text = evidence.input.to_string();
    for part in [&evidence.entry, &evidence.pointer].into_iter().flatten() {
        let _ = write!(text, " {part}");
    }
    if let Some(line) = evidence.line {
        let _ = write!(text, " line {line}");
    }
    text
}

fn evidence(evidence: &EvidenceRef) -> Branch {
    Branch::leaf(format!("at {}", place(evidence)))
}

/// The tree is at most four deep, so recursion is bounded.
fn draw(branches: &[Branch], indent: &str, out: &mut String) {
    for (place, branch) in branches.iter().enumerate() {
        let last = place + 1 == branches.len();
        let (fork, next) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let _ = writeln!(out, "{indent}{fork}{}", branch.text);
        draw(&branch.below, &format!("{indent}{next}"), out);
    }
}
