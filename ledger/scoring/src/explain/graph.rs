//! Graphs in Mermaid and DOT: inputs to facts to rules to findings to the score.

use super::outline::Outline;
use super::{ScoreDiff, View, delta_text, score_text};
use std::fmt::Write as _;
use stella_verify::units::BasisPoints;

/// Changes of one input that a graph shows: more make it unreadable.
const SHOWN_CHANGES: usize = 25;

/// A graph, before it is written in a notation.
#[derive(Default)]
struct Graph {
    /// Labels; the place is the name.
    nodes: Vec<String>,
    /// From, to, label.
    edges: Vec<(usize, usize, String)>,
}

impl Graph {
    fn node(&mut self, label: String) -> usize {
        self.nodes.push(label);
        self.nodes.len().saturating_sub(1)
    }

    fn edge(&mut self, from: usize, to: usize, label: String) {
        self.edges.push((from, to, label));
    }

    fn mermaid(&self) -> String {
        let mut out = String::from("flowchart BT\n");
        for (name, label) in self.nodes.iter().enumerate() {
            let _ = writeln!(out, "  n{name}[\"{}\"]", mermaid_text(label));
        }
        for (from, to, label) in &self.edges {
            let _ = if label.is_empty() {
                writeln!(out, "  n{from} --> n{to}")
            } else {
                writeln!(out, "  n{from} -->|\"{}\"| n{to}", mermaid_text(label))
            };
        }
        out
    }

    fn dot(&self) -> String {
        let mut out = String::from("digraph score {\n  rankdir=BT;\n  node [shape=box];\n");
        for (name, label) in self.nodes.iter().enumerate() {
            let _ = writeln!(out, "  n{name} [label=\"{}\"];", dot_text(label));
        }
        for (from, to, label) in &self.edges {
            let _ = writeln!(out, "  n{from} -> n{to} [label=\"{}\"];", dot_text(label));
        }
        out.push_str("}\n");
        out
    }
}

/// Mermaid has no escape character in labels; its entities are `#` + name + `;`.
fn mermaid_text(label: &str) -> String {
    let mut out = String::with_capacity(label.len());
    for character in label.chars() {
        match character {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '\n' => out.push_str("<br>"),
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

fn dot_text(label: &str) -> String {
    let mut out = String::with_capacity(label.len());
    for character in label.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\n' => out.push_str("\\n"),
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// The score as a Mermaid flowchart.
#[must_use]
pub fn mermaid(outline: &Outline, view: &View) -> String {
    graph(outline, view).mermaid()
}

/// The score in DOT.
#[must_use]
pub fn dot(outline: &Outline, view: &View) -> String {
    graph(outline, view).dot()
}

/// A diff as a Mermaid flowchart.
#[must_use]
pub fn diff_mermaid(diff: &ScoreDiff) -> String {
    diff_graph(diff).mermaid()
}

/// A diff in DOT.
#[must_use]
pub fn diff_dot(diff: &ScoreDiff) -> String {
    diff_graph(diff).dot()
}

fn graph(outline: &Outline, view: &View) -> Graph {
    let mut graph = Graph::default();
    let score = graph.node(format!("score {}", score_text(outline.score)));
    let mut inputs = Vec::new();
    for input in &outline.inputs {
        let short: String = input.digest.chars().take(19).collect();
        inputs.push((
            input.digest.as_str(),
            graph.node(format!("{}\n{short}", input.name)),
        ));
    }
    let (rows, hidden) = view.select(outline);
    for (_, finding) in rows {
        let label = format!(
            "{}\n{}\n{}",
            finding.advisory,
            finding.purl,
            score_text(finding.total)
        );
        let top = graph.node(label);
        graph.edge(top, score, delta_text(finding.share));
        for rule in &finding.rules {
            if !view.unchanged_rules && rule.delta == BasisPoints::ZERO {
                continue;
            }
            let node = graph.node(format!("{}\n{}", rule.rule, rule.why()));
            graph.edge(node, top, delta_text(rule.delta));
        }
        for fact in &finding.facts {
            let node = graph.node(fact.what.clone());
            graph.edge(node, top, String::new());
            let mut from: Vec<String> = fact.evidence.iter().map(|e| e.input.to_string()).collect();
            from.sort_unstable();
            from.dedup();
            for digest in from {
                if let Some((_, input)) = inputs.iter().find(|(known, _)| *known == digest) {
                    graph.edge(*input, node, String::new());
                }
            }
        }
    }
    if hidden > 0 {
        let more = graph.node(format!("{hidden} more findings"));
        graph.edge(more, score, String::new());
    }
    graph
}

fn diff_graph(diff: &ScoreDiff) -> Graph {
    let mut graph = Graph::default();
    let sum = format!("{} -> {}", score_text(diff.old), score_text(diff.new));
    let score = graph.node(format!("score {sum}\n{}", delta_text(diff.delta())));
    for input in &diff.inputs {
        let node = graph.node(format!("{} changed", input.name));
        graph.edge(node, score, String::new());
        let told = input.told();
        for line in told.iter().take(SHOWN_CHANGES) {
            let change = graph.node(line.clone());
            graph.edge(change, node, String::new());
        }
        if told.len() > SHOWN_CHANGES {
            let more = graph.node(format!("{} more", told.len() - SHOWN_CHANGES));
            graph.edge(more, node, String::new());
        }
    }
    for row in &diff.rows {
        let label = if row.purl.is_empty() {
            format!("rule {}", row.id)
        } else {
            format!("{} {}\n{}", row.change.name(), row.advisory, row.purl)
        };
        let top = graph.node(label);
        graph.edge(top, score, delta_text(row.delta));
        for rule in row.rules.iter().filter(|_| !row.purl.is_empty()) {
            let delta = |delta: Option<BasisPoints>| delta.map_or_else(|| "-".into(), delta_text);
            let node = graph.node(rule.rule.clone());
            graph.edge(
                node,
                top,
                format!("{} -> {}", delta(rule.old), delta(rule.new)),
            );
        }
    }
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_break_out_of_their_quotes() {
        let mut graph = Graph::default();
        let a = graph.node("a\"]; n9[\"x".into());
        let b = graph.node("c:\\ \"d\"\nline".into());
        graph.edge(a, b, "e\"|f".into());
        let mermaid = graph.mermaid();
        assert!(
            mermaid.contains("n0[\"a#quot;]; n9[#quot;x\"]"),
            "{mermaid}"
        );
        assert!(mermaid.contains("line\"]"));
        let dot = graph.dot();
        assert!(dot.contains("label=\"c:\\\\ \\\"d\\\"\\nline\""), "{dot}");
    }
}
