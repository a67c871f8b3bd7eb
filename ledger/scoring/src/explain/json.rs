//! Explanations and diffs as JSON, for programs.

use super::View;
use super::diff::{DiffRow, ScoreDiff};
use super::outline::Outline;
use super::rows::{ComponentRow, FactRow, FindingRow, RuleRow};
use crate::output::{points, score};
use crate::snapshot::{RowChange, RowChangeKind};
use stella_verify::json::{Object, SafeInteger, Text, Value};
use stella_verify::node::EvidenceRef;
use stella_verify::snapshot::Table;

fn text(value: &str) -> Value {
    Value::String(Text::Owned(value.to_owned()))
}

fn texts(values: &[String]) -> Value {
    Value::Array(values.iter().map(|value| text(value)).collect())
}

fn optional(value: Option<Value>) -> Value {
    value.unwrap_or(Value::Null)
}

/// `{score, scoreBps, verdict, manifest, inputs, warnings, components, rules, gates, ...}`; totals
/// and deltas in basis points. The view's filter chooses findings; all that pass are listed.
#[must_use]
pub fn outline_json(outline: &Outline, view: &View) -> Value {
    let components = outline.components.iter().filter_map(|component| {
        let findings: Vec<_> = component
            .findings
            .iter()
            .filter(|row| view.passes(row))
            .collect();
        (!findings.is_empty()).then(|| component_json(component, &findings))
    });
    let inputs = outline.inputs.iter().map(|input| {
        Object::new()
            .with("digest", text(&input.digest))
            .with("name", text(&input.name))
            .with("node", input.node.to_string())
            .with("says", input.says.clone())
    });
    let warnings = outline.warnings.iter().map(|warning| {
        Object::new()
            .with("code", text(&warning.code))
            .with(
                "count",
                SafeInteger::new(warning.count).unwrap_or(SafeInteger::ZERO),
            )
            .with("evidence", evidence(&warning.evidence))
            .with("node", warning.node.to_string())
    });
    let gates = outline.gates.iter().map(|gate| {
        Object::new()
            .with("fails", gate.fails)
            .with("id", text(&gate.id))
            .with("node", gate.node.to_string())
            .with("reads", gate.reads.clone())
    });
    Value::Object(
        Object::new()
            .with("components", list(components))
            .with("gates", list(gates))
            .with("inputs", list(inputs))
            .with("manifestHash", text(&outline.manifest))
            .with("node", outline.node.to_string())
            .with("rules", list(outline.rules.iter().map(rule_json)))
            .with("score", score(outline.score))
            .with("scoreBps", points(outline.score))
            .with("verdict", if outline.passes { "pass" } else { "fail" })
            .with("warnings", list(warnings)),
    )
}

fn list(items: impl Iterator<Item = Object>) -> Value {
    Value::Array(items.map(Value::Object).collect())
}

fn component_json(component: &ComponentRow, findings: &[&FindingRow]) -> Object {
    Object::new()
        .with("contributionBps", points(component.contribution))
        .with(
            "findings",
            list(findings.iter().map(|row| finding_json(row))),
        )
        .with("node", component.node.to_string())
        .with("purl", text(&component.purl))
        .with("rules", list(component.rules.iter().map(rule_json)))
        .with("totalBps", points(component.total))
}

fn finding_json(finding: &FindingRow) -> Object {
    Object::new()
        .with("advisoryId", text(&finding.advisory))
        .with("contributionBps", points(finding.contribution))
        .with("facts", list(finding.facts.iter().map(fact_json)))
        .with("flaw", text(&finding.flaw))
        .with("id", text(&finding.id))
        .with("node", finding.node.to_string())
        .with("purl", text(&finding.purl))
        .with("rules", list(finding.rules.iter().map(rule_json)))
        .with("shareBps", points(finding.share))
        .with("totalBps", points(finding.total))
}

fn rule_json(rule: &RuleRow) -> Object {
    let mut object = Object::new()
        .with("applied", rule.applied)
        .with("deltaBps", points(rule.delta))
        .with("evidence", evidence(&rule.evidence))
        .with("node", rule.node.to_string())
        .with("reads", rule.reads.clone())
        .with("rule", text(&rule.rule))
        .with("totalBps", points(rule.total));
    if !rule.because.is_empty() {
        object.insert("because", text(&rule.because));
    }
    if !rule.missing.is_empty() {
        object.insert("missing", texts(&rule.missing));
    }
    object
}

fn fact_json(fact: &FactRow) -> Object {
    Object::new()
        .with("evidence", evidence(&fact.evidence))
        .with("node", fact.node.to_string())
        .with("reads", fact.reads.clone())
        .with("says", fact.says.clone())
        .with("what", text(&fact.what))
}

fn evidence(refs: &[EvidenceRef]) -> Value {
    list(refs.iter().map(|reference| {
        let mut object = Object::new().with("input", reference.input.to_string());
        if let Some(entry) = &reference.entry {
            object.insert("entry", text(entry));
        }
        if let Some(pointer) = &reference.pointer {
            object.insert("pointer", text(pointer));
        }
        if let Some(line) = reference.line {
            object.insert("line", line);
        }
        object
    }))
}

/// `{oldScore, newScore, deltaBps, inputs, rows, unchanged, gates}`; the rows' `deltaBps` add up to
/// `deltaBps`. What is absent on one side is `null`.
#[must_use]
pub fn diff_json(diff: &ScoreDiff) -> Value {
    let digest = |digest: &Option<String>| optional(digest.as_deref().map(text));
    let inputs = diff.inputs.iter().map(|input| {
        Object::new()
            .with("name", text(&input.name))
            .with("new", digest(&input.new))
            .with("notes", texts(&input.notes))
            .with("old", digest(&input.old))
            .with("rows", list(input.rows.iter().map(change_json)))
            .with("totals", list(input.totals.iter().map(total_json)))
    });
    let gates = diff.gates.iter().map(|(id, old, new)| {
        Object::new()
            .with("id", text(id))
            .with("new", optional(new.map(Value::Bool)))
            .with("old", optional(old.map(Value::Bool)))
    });
    let unchanged = SafeInteger::try_from(diff.unchanged as u64).unwrap_or(SafeInteger::ZERO);
    Value::Object(
        Object::new()
            .with("deltaBps", points(diff.delta()))
            .with("gates", list(gates))
            .with("inputs", list(inputs))
            .with("newScore", score(diff.new))
            .with("newScoreBps", points(diff.new))
            .with("oldScore", score(diff.old))
            .with("oldScoreBps", points(diff.old))
            .with("rows", list(diff.rows.iter().map(row_json)))
            .with("unchanged", unchanged),
    )
}

/// A row of a snapshot that differs.
fn change_json(change: &RowChange) -> Object {
    let said = |said: &Option<Box<str>>| optional(said.as_deref().map(text));
    Object::new()
        .with("change", change.kind.name())
        .with("ecosystem", text(&change.key.ecosystem))
        .with("id", text(&change.key.id))
        .with("new", said(&change.new))
        .with("old", said(&change.old))
        .with("package", text(&change.key.package))
        .with("source", text(&change.key.source))
        .with("table", change.key.table.as_str())
}

fn total_json(((table, kind), rows): (&(Table, RowChangeKind), &u64)) -> Object {
    let rows = SafeInteger::try_from(*rows).unwrap_or(SafeInteger::ZERO);
    Object::new()
        .with("change", kind.name())
        .with("rows", rows)
        .with("table", table.as_str())
}

fn row_json(row: &DiffRow) -> Object {
    let rules = row.rules.iter().map(|rule| {
        Object::new()
            .with("newDeltaBps", optional(rule.new.map(points)))
            .with("oldDeltaBps", optional(rule.old.map(points)))
            .with("rule", text(&rule.rule))
    });
    let facts = row.facts.iter().map(|fact| {
        Object::new()
            .with("name", text(&fact.name))
            .with("new", optional(fact.new.clone()))
            .with("old", optional(fact.old.clone()))
    });
    let (old, new) = row.totals;
    Object::new()
        .with("advisoryId", text(&row.advisory))
        .with("change", row.change.name())
        .with("deltaBps", points(row.delta))
        .with("facts", list(facts))
        .with("id", text(&row.id))
        .with("newTotalBps", optional(new.map(points)))
        .with("oldTotalBps", optional(old.map(points)))
        .with("purl", text(&row.purl))
        .with("rules", list(rules))
}
