//! `stella policy check` and `stella policy show`: what a policy says, in words.

use super::error::PolicyError;
use super::facts::{Fact, FactKind};
use super::model::{
    Aggregation, Amount, Comparison, Condition, DecisionTable, Effect, FactRef, Policy,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use stella_verify::units::BasisPoints;

/// Parses a policy and says what in it has no effect or leaves cases open.
///
/// # Errors
/// [`PolicyError`].
pub fn check(text: &str) -> Result<(Policy, Vec<String>), PolicyError> {
    let policy = Policy::parse(text)?;
    let mut used = Vec::new();
    let mut remarks = Vec::new();
    for rule in &policy.rules {
        if let Some(condition) = &rule.when {
            collect_condition(condition, &mut used);
        }
        if let Effect::Decide(table) = &rule.effect {
            used.extend(table.facts.iter().cloned());
            let (open, cases) = undecided(&policy, table);
            if open > 0 {
                remarks.push(format!(
                    "rule {}: {open} of {cases} cases have no row",
                    rule.id
                ));
            }
        } else if let Some(amount) = amount_of(&rule.effect) {
            collect_amount(amount, &mut used);
        }
    }
    for name in policy.knobs.keys() {
        if !used.contains(&FactRef::Knob(name.clone())) {
            remarks.push(format!("knob {name} is read by no rule"));
        }
    }
    Ok((policy, remarks))
}

/// A policy as text, a line for each rule.
#[must_use]
pub fn show(policy: &Policy) -> String {
    let mut out = format!("{}\n  hash      {}\n", policy.name, policy.hash());
    if !policy.description.is_empty() {
        let _ = writeln!(out, "  {}", policy.description);
    }
    for (name, weight) in &policy.weights {
        let _ = writeln!(out, "  weight    {name} = {weight}");
    }
    for (name, knob) in &policy.knobs {
        let _ = writeln!(
            out,
            "  knob      {name}: {} (default {})",
            knob.values.join(" | "),
            knob.default
        );
    }
    for (place, rule) in policy.rules.iter().enumerate() {
        let _ = write!(
            out,
            "  {:>2} {:<9} {}: ",
            place,
            rule.scope.as_str(),
            rule.id
        );
        let _ = match &rule.effect {
            Effect::Decide(table) => write!(
                out,
                "decide by {} ({} rows)",
                names(&table.facts),
                table.rows.len()
            ),
            other => write!(
                out,
                "{} {}",
                other.name(),
                amount_of(other).map_or_else(String::new, amount_text)
            ),
        };
        if let Some(condition) = &rule.when {
            let _ = write!(out, " when {}", condition_text(condition));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "  component {}", aggregation_text(&policy.component));
    let _ = writeln!(out, "  scan      {}", aggregation_text(&policy.scan));
    for gate in &policy.gates {
        let _ = writeln!(
            out,
            "  gate      {}: fail when {}",
            gate.id,
            condition_text(&gate.fail_when)
        );
    }
    out
}

fn amount_of(effect: &Effect) -> Option<&Amount> {
    match effect {
        Effect::Set(amount)
        | Effect::Add(amount)
        | Effect::Multiply(amount)
        | Effect::Cap(amount)
        | Effect::Floor(amount) => Some(amount),
        Effect::Decide(_) => None,
    }
}

/// How many combinations of words no row decides, of how many; an open vocabulary counts as one
/// word that only `*` covers.
fn undecided(policy: &Policy, table: &DecisionTable) -> (usize, usize) {
    let mut cases: Vec<Vec<Option<String>>> = vec![Vec::new()];
    for fact in &table.facts {
        let words = words_of(policy, fact);
        cases = (cases.iter())
            .flat_map(|case| {
                words.iter().map(|word| {
                    let mut longer = case.clone();
                    longer.push(word.clone());
                    longer
                })
            })
            .take(100_000)
            .collect();
    }
    let decides = |case: &[Option<String>]| {
        (table.rows.iter()).any(|(cells, _)| {
            (cells.iter().zip(case)).all(|(cell, word)| cell.is_none() || cell == word)
        })
    };
    let open = cases.iter().filter(|case| !decides(case)).count();
    (open, cases.len())
}

fn words_of(policy: &Policy, fact: &FactRef) -> Vec<Option<String>> {
    let words: Vec<String> = match fact {
        FactRef::Engine(fact) => match Fact::kind(*fact) {
            FactKind::Word(words) => words.iter().map(|&word| word.to_owned()).collect(),
            _ => Vec::new(),
        },
        FactRef::Knob(name) => policy
            .knobs
            .get(name)
            .map_or_else(Vec::new, |k| k.values.clone()),
        FactRef::Decision(rule) => (policy.rules.iter())
            .filter(|other| other.id == *rule)
            .filter_map(|rule| match &rule.effect {
                Effect::Decide(table) => Some(table.amounts.keys().cloned()),
                _ => None,
            })
            .flatten()
            .collect(),
        FactRef::Total => Vec::new(),
    };
    if words.is_empty() {
        return vec![None];
    }
    words.into_iter().map(Some).collect()
}

fn collect_condition(condition: &Condition, used: &mut Vec<FactRef>) {
    match condition {
        Condition::All(each) | Condition::Any(each) => {
            for condition in each {
                collect_condition(condition, used);
            }
        }
        Condition::Not(inner) => collect_condition(inner, used),
        Condition::Known(fact)
        | Condition::Unknown(fact)
        | Condition::Flag(fact, _)
        | Condition::Word(fact, _)
        | Condition::Contains(fact, _)
        | Condition::Number(fact, _, _) => used.push(fact.clone()),
    }
}

fn collect_amount(amount: &Amount, used: &mut Vec<FactRef>) {
    match amount {
        Amount::Fixed(_) | Amount::Weight(_) => {}
        Amount::Fact(fact)
        | Amount::Table { fact, .. }
        | Amount::Bucket { fact, .. }
        | Amount::Members { fact, .. } => used.push(fact.clone()),
        Amount::Sum(each)
        | Amount::Product(each)
        | Amount::Mean(each)
        | Amount::Greatest(each)
        | Amount::Least(each)
        | Amount::First(each) => {
            for amount in each {
                collect_amount(amount, used);
            }
        }
        Amount::If {
            condition,
            then,
            otherwise,
        } => {
            collect_condition(condition, used);
            collect_amount(then, used);
            collect_amount(otherwise, used);
        }
    }
}

fn names(facts: &[FactRef]) -> String {
    let names: Vec<_> = facts.iter().map(FactRef::name).collect();
    names.join(", ")
}

fn condition_text(condition: &Condition) -> String {
    let join = |each: &[Condition], word: &str| {
        let parts: Vec<_> = each.iter().map(condition_text).collect();
        format!("({})", parts.join(word))
    };
    match condition {
        Condition::All(each) => join(each, " and "),
        Condition::Any(each) => join(each, " or "),
        Condition::Not(inner) => format!("not {}", condition_text(inner)),
        Condition::Known(fact) => format!("{} is known", fact.name()),
        Condition::Unknown(fact) => format!("{} is unknown", fact.name()),
        Condition::Flag(fact, true) => fact.name(),
        Condition::Flag(fact, false) => format!("not {}", fact.name()),
        Condition::Word(fact, words) => format!("{} is {}", fact.name(), words.join(" or ")),
        Condition::Contains(fact, words) => format!("{} has {}", fact.name(), words.join(" or ")),
        Condition::Number(fact, comparison, bound) => {
            let sign = match comparison {
                Comparison::AtLeast => ">=",
                Comparison::AtMost => "<=",
                Comparison::Above => ">",
                Comparison::Below => "<",
            };
            format!("{} {sign} {bound}", fact.name())
        }
    }
}

fn amount_text(amount: &Amount) -> String {
    let list = |name: &str, each: &[Amount]| {
        let parts: Vec<_> = each.iter().map(amount_text).collect();
        format!("{name}({})", parts.join(", "))
    };
    let words = |amounts: &BTreeMap<String, BasisPoints>| {
        let parts: Vec<_> = amounts
            .iter()
            .map(|(word, amount)| format!("{word} {amount}"))
            .collect();
        parts.join(", ")
    };
    match amount {
        Amount::Fixed(value) | Amount::Weight(value) => value.to_string(),
        Amount::Fact(fact) => fact.name(),
        Amount::Table {
            fact,
            amounts,
            otherwise,
        } => match otherwise {
            Some(other) => format!("{} [{}, else {other}]", fact.name(), words(amounts)),
            None => format!("{} [{}]", fact.name(), words(amounts)),
        },
        Amount::Bucket { fact, below, steps } => {
            let steps: Vec<_> = steps
                .iter()
                .map(|(from, v)| format!("from {from}: {v}"))
                .collect();
            format!("{} [below: {below}, {}]", fact.name(), steps.join(", "))
        }
        Amount::Members {
            fact,
            amounts,
            otherwise,
        } => format!(
            "each of {} [{}, else {otherwise}]",
            fact.name(),
            words(amounts)
        ),
        Amount::Sum(each) => list("sum", each),
        Amount::Product(each) => list("product", each),
        Amount::Mean(each) => list("mean", each),
        Amount::Greatest(each) => list("greatest", each),
        Amount::Least(each) => list("least", each),
        Amount::First(each) => list("first", each),
        Amount::If {
            condition,
            then,
            otherwise,
        } => format!(
            "(if {} then {} else {})",
            condition_text(condition),
            amount_text(then),
            amount_text(otherwise)
        ),
    }
}

fn aggregation_text(aggregation: &Aggregation) -> String {
    match aggregation {
        Aggregation::Max => "max".into(),
        Aggregation::WeightedSum { bands, cap } => {
            let bands: Vec<_> = bands
                .iter()
                .map(|(from, w)| format!("from {from}: x {w}"))
                .collect();
            format!("weighted sum [{}], at most {cap}", bands.join(", "))
        }
        Aggregation::Spread { share } => {
            format!("spread, {share} of what is left for each further one")
        }
    }
}
