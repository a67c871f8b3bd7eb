//! Rules and decision tables.

use super::amount::{amount, literal, word_fact};
use super::condition::condition;
use super::names::{Names, fact_word, name};
use crate::policy::error::{PolicyError, PolicyProblem};
use crate::policy::model::{Amount, DecisionTable, Effect, Rule};
use crate::policy::tree::{Tree, TreeValue};
use std::collections::BTreeMap;
use stella_verify::node::Scope;

const EFFECTS: [&str; 6] = ["set", "add", "multiply", "cap", "floor", "decide"];

/// Parses a rule; a decision table's decisions become names for later rules.
pub(super) fn rule(tree: &Tree, names: &mut Names) -> Result<Rule, PolicyError> {
    let members = tree.map()?.only(&[
        "id",
        "description",
        "scope",
        "when",
        "set",
        "add",
        "multiply",
        "cap",
        "floor",
        "decide",
    ])?;
    let id = name(members.need("id")?)?.to_owned();
    let scope = match members.get("scope") {
        None => Scope::Finding,
        Some(tree) => match tree.word(&["finding", "component", "scan"])? {
            "component" => Scope::Component,
            "scan" => Scope::Scan,
            _ => Scope::Finding,
        },
    };
    if let Some(text) = members.get("description") {
        text.text()?;
    }
    let when = (members.get("when"))
        .map(|tree| condition(tree, scope, names))
        .transpose()?;
    let mut given = members.iter().filter(|(name, _)| EFFECTS.contains(name));
    let (Some((kind, value)), None) = (given.next(), given.next()) else {
        return Err(tree.expected(format!("exactly one of {}", EFFECTS.join(", "))));
    };
    let effect = effect(kind, value, scope, names)?;
    if let Effect::Decide(table) = &effect {
        let words = table.amounts.keys().cloned().collect();
        names.decisions.push((id.clone(), scope, words));
    }
    Ok(Rule {
        id,
        scope,
        when,
        effect,
    })
}

fn effect(kind: &str, tree: &Tree, scope: Scope, names: &Names) -> Result<Effect, PolicyError> {
    if kind == "decide" {
        return Ok(Effect::Decide(decision_table(tree, scope, names)?));
    }
    let amount = amount(tree, scope, names)?;
    if let (Amount::Fixed(fixed), "multiply" | "set" | "cap" | "floor") = (&amount, kind)
        && fixed.get() < 0
    {
        return Err(tree.expected("an amount that is not negative"));
    }
    Ok(match kind {
        "set" => Effect::Set(amount),
        "add" => Effect::Add(amount),
        "multiply" => Effect::Multiply(amount),
        "cap" => Effect::Cap(amount),
        _ => Effect::Floor(amount),
    })
}

/// `{facts: [...], rows: [[word | "*"..., decision]...], amounts: {decision: amount}}`.
fn decision_table(tree: &Tree, scope: Scope, names: &Names) -> Result<DecisionTable, PolicyError> {
    let members = tree.map()?.only(&["facts", "rows", "amounts"])?;
    let columns = (members.need("facts")?.list()?.iter())
        .map(|fact| word_fact(fact, scope, names))
        .collect::<Result<Vec<_>, _>>()?;
    let amounts = (members.need("amounts")?.map()?.iter())
        .map(|(decision, value)| Ok((decision.to_owned(), literal(value)?)))
        .collect::<Result<BTreeMap<_, _>, PolicyError>>()?;
    let decisions: Vec<String> = amounts.keys().cloned().collect();
    let mut rows: Vec<(Vec<Option<String>>, String)> = Vec::new();
    for row in members.need("rows")?.list()? {
        let cells = row.list()?;
        let Some((decision, cells)) = cells.split_last().filter(|(_, c)| c.len() == columns.len())
        else {
            return Err(row.expected(format!("{} words and a decision", columns.len())));
        };
        let cells = (cells.iter().zip(&columns))
            .map(|(cell, (_, words))| match &cell.value {
                TreeValue::Text(text) if text == "*" => Ok(None),
                _ => fact_word(cell, words).map(Some),
            })
            .collect::<Result<Vec<_>, _>>()?;
        if rows.iter().any(|(earlier, _)| covers(earlier, &cells)) {
            let unreachable = "an earlier row decides every case of this one";
            return Err(row.error(PolicyProblem::Order(unreachable)));
        }
        rows.push((cells, fact_word(decision, &decisions)?));
    }
    Ok(DecisionTable {
        facts: columns.into_iter().map(|(fact, _)| fact).collect(),
        rows,
        amounts,
    })
}

/// Whether every case of `later` is one of `earlier`.
fn covers(earlier: &[Option<String>], later: &[Option<String>]) -> bool {
    (earlier.iter().zip(later)).all(|(earlier, later)| earlier.is_none() || earlier == later)
}
