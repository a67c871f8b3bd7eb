//! What changed between two computations, and by how much.

use super::outline::Outline;
use super::rows::{FactRow, FindingRow, RuleRow};
use crate::snapshot::{DiffTotals, RowChange};
use std::collections::{BTreeMap, BTreeSet};
use stella_verify::json::Value;
use stella_verify::units::BasisPoints;

/// The difference of two computations. `rows` add up to `new - old` exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreDiff {
    /// The first score.
    pub old: BasisPoints,
    /// The second score.
    pub new: BasisPoints,
    /// Inputs whose digest differs.
    pub inputs: Vec<InputChange>,
    /// What moved the score, and findings that changed without moving it; greatest change first.
    pub rows: Vec<DiffRow>,
    /// Findings that are the same in both.
    pub unchanged: usize,
    /// Gates that changed: name, whether it failed before, whether it fails now (`None`: no such
    /// gate).
    pub gates: Vec<(String, Option<bool>, Option<bool>)>,
}

/// An input that differs. What differs in it is not in the nodes: whoever has both fills in `rows`,
/// `totals` and `notes`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InputChange {
    /// `sbom`, `feed`, `vex`, `policy` or `reachability`.
    pub name: String,
    /// Its digest before; `None` when there was none.
    pub old: Option<String>,
    /// Its digest now.
    pub new: Option<String>,
    /// Rows of a snapshot that differ and that the score uses.
    pub rows: Vec<RowChange>,
    /// How many rows differ, used or not.
    pub totals: DiffTotals,
    /// What differs in an input that is no snapshot, a line each.
    pub notes: Vec<String>,
}

/// How a row changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A finding that was not there.
    Appeared,
    /// A finding that is no longer there.
    Vanished,
    /// A finding whose total differs.
    Rescored,
    /// A finding with the same total, whose part of the score differs because others changed.
    Shifted,
    /// A rule of scan scope.
    ScanRule,
}

impl Change {
    /// The word in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Vanished => "vanished",
            Self::Rescored => "rescored",
            Self::Shifted => "shifted",
            Self::ScanRule => "scan-rule",
        }
    }
}

/// One contributor to the change of the score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffRow {
    /// How it changed.
    pub change: Change,
    /// The finding's id, or the scan rule's name.
    pub id: String,
    /// The package; empty for a scan rule.
    pub purl: String,
    /// The advisory; empty for a scan rule.
    pub advisory: String,
    /// Its total before and after; `None` where it is not there.
    pub totals: (Option<BasisPoints>, Option<BasisPoints>),
    /// What it adds to the score, after less before.
    pub delta: BasisPoints,
    /// Rules whose deltas differ.
    pub rules: Vec<RuleChange>,
    /// Facts that differ.
    pub facts: Vec<FactChange>,
}

/// A rule whose delta differs. Over a finding's rules the differences add up to that of its total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChange {
    /// The rule.
    pub rule: String,
    /// Its delta before; `None` when it was not applied to the finding at all.
    pub old: Option<BasisPoints>,
    /// Its delta now.
    pub new: Option<BasisPoints>,
}

/// A fact that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactChange {
    /// The fact's node and member: `fact.epss probability`.
    pub name: String,
    /// Its value before; `None` when it was unknown.
    pub old: Option<Value>,
    /// Its value now.
    pub new: Option<Value>,
}

impl ScoreDiff {
    /// Compares two computations.
    #[must_use]
    pub fn between(old: &Outline, new: &Outline) -> Self {
        let before: BTreeMap<_, _> = old.findings().map(|row| (row.id.as_str(), row)).collect();
        let after: BTreeMap<_, _> = new.findings().map(|row| (row.id.as_str(), row)).collect();
        let ids: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
        let total = ids.len();
        let mut rows: Vec<DiffRow> = (ids.into_iter())
            .filter_map(|id| finding_row(id, before.get(id).copied(), after.get(id).copied()))
            .collect();
        let unchanged = total.saturating_sub(rows.len());
        rows.extend(scan_rules(&old.rules, &new.rules));
        rows.sort_by_key(|row| {
            let size = row.delta.get().unsigned_abs();
            (
                std::cmp::Reverse(size),
                row.change,
                row.purl.clone(),
                row.advisory.clone(),
                row.id.clone(),
            )
        });
        Self {
            old: old.score,
            new: new.score,
            inputs: inputs(old, new),
            rows,
            unchanged,
            gates: gates(old, new),
        }
    }

    /// The change of the score: what `rows` add up to.
    #[must_use]
    pub fn delta(&self) -> BasisPoints {
        minus(Some(self.new), Some(self.old))
    }
}

fn finding_row(id: &str, old: Option<&FindingRow>, new: Option<&FindingRow>) -> Option<DiffRow> {
    let shown = new.or(old)?;
    let delta = minus(new.map(|row| row.share), old.map(|row| row.share));
    let rules = rule_changes(
        old.map_or(&[], |row| &row.rules),
        new.map_or(&[], |row| &row.rules),
    );
    let facts = fact_changes(
        old.map_or(&[], |row| &row.facts),
        new.map_or(&[], |row| &row.facts),
    );
    let totals = (old.map(|row| row.total), new.map(|row| row.total));
    let change = match totals {
        (None, _) => Change::Appeared,
        (_, None) => Change::Vanished,
        (before, after) if before != after || !rules.is_empty() => Change::Rescored,
        _ if delta != BasisPoints::ZERO || !facts.is_empty() => Change::Shifted,
        _ => return None,
    };
    Some(DiffRow {
        change,
        id: id.to_owned(),
        purl: shown.purl.clone(),
        advisory: shown.advisory.clone(),
        totals,
        delta,
        rules,
        facts,
    })
}

fn rule_changes(old: &[RuleRow], new: &[RuleRow]) -> Vec<RuleChange> {
    let delta = |rows: &[RuleRow], rule: &str| {
        let found = rows.iter().find(|row| row.rule == rule);
        found.map(|row| row.delta)
    };
    let mut names: Vec<&str> = new.iter().map(|row| row.rule.as_str()).collect();
    for row in old {
        if !names.contains(&row.rule.as_str()) {
            names.push(&row.rule);
        }
    }
    (names.into_iter())
        .map(|rule| RuleChange {
            rule: rule.to_owned(),
            old: delta(old, rule),
            new: delta(new, rule),
        })
        .filter(|change| {
            change.old.unwrap_or(BasisPoints::ZERO) != change.new.unwrap_or(BasisPoints::ZERO)
        })
        .collect()
}

/// Facts by node and member; of several nodes of one kind (matches) the later one shows.
fn fact_changes(old: &[FactRow], new: &[FactRow]) -> Vec<FactChange> {
    fn members(facts: &[FactRow]) -> BTreeMap<String, &Value> {
        let said = facts.iter().flat_map(|fact| {
            // A VEX conflict is a fact of the same kind as an undisputed statement.
            let what = fact.what.strip_suffix("-conflict").unwrap_or(&fact.what);
            fact.says
                .iter()
                .map(move |(name, value)| (format!("{what} {name}"), value))
        });
        said.collect()
    }
    let (old, new) = (members(old), members(new));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).cloned().collect();
    (names.into_iter())
        .filter(|name| old.get(name) != new.get(name))
        .map(|name| FactChange {
            old: old.get(&name).map(|value| (*value).clone()),
            new: new.get(&name).map(|value| (*value).clone()),
            name,
        })
        .collect()
}

fn scan_rules(old: &[RuleRow], new: &[RuleRow]) -> Vec<DiffRow> {
    (rule_changes(old, new).into_iter())
        .map(|change| DiffRow {
            change: Change::ScanRule,
            id: change.rule.clone(),
            purl: String::new(),
            advisory: String::new(),
            totals: (None, None),
            delta: minus(change.new, change.old),
            rules: vec![change],
            facts: Vec::new(),
        })
        .collect()
}

fn inputs(old: &Outline, new: &Outline) -> Vec<InputChange> {
    let digest = |outline: &Outline, name: &str| {
        let found = outline.inputs.iter().find(|input| input.name == name);
        found.map(|input| input.digest.clone())
    };
    let names: BTreeSet<&str> = (old.inputs.iter().chain(&new.inputs))
        .map(|input| input.name.as_str())
        .collect();
    (names.into_iter())
        .map(|name| InputChange {
            name: name.to_owned(),
            old: digest(old, name),
            new: digest(new, name),
            ..InputChange::default()
        })
        .filter(|change| change.old != change.new)
        .collect()
}

fn gates(old: &Outline, new: &Outline) -> Vec<(String, Option<bool>, Option<bool>)> {
    let fails = |outline: &Outline, id: &str| {
        let found = outline.gates.iter().find(|gate| gate.id == id);
        found.map(|gate| gate.fails)
    };
    let ids: BTreeSet<&str> = (old.gates.iter().chain(&new.gates))
        .map(|gate| gate.id.as_str())
        .collect();
    (ids.into_iter())
        .map(|id| (id.to_owned(), fails(old, id), fails(new, id)))
        .filter(|(_, old, new)| old != new)
        .collect()
}

fn minus(left: Option<BasisPoints>, right: Option<BasisPoints>) -> BasisPoints {
    let points = |amount: Option<BasisPoints>| amount.map_or(0, BasisPoints::get);
    BasisPoints::new(points(left).saturating_sub(points(right)))
}
