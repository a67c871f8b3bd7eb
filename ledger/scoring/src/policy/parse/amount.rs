//! Amounts.

use super::condition::condition;
use super::names::{Kind, Names, check_word};
use crate::policy::error::{PolicyError, PolicyProblem};
use crate::policy::facts::Unit;
use crate::policy::model::{Amount, FactRef};
use crate::policy::tree::{Tree, TreeValue};
use std::collections::BTreeMap;
use stella_verify::node::Scope;
use stella_verify::units::BasisPoints;

/// Largest magnitude of a literal amount: a hundred times the whole scale.
const MAX_AMOUNT: i64 = 1_000_000;

/// Amounts in one list.
const MAX_OPERANDS: usize = 32;

const FORMS: [&str; 12] = [
    "fact", "weight", "table", "bucket", "members", "sum", "product", "mean", "greatest", "least",
    "first", "if",
];

/// Parses an amount for rules of `scope`.
pub(super) fn amount(tree: &Tree, scope: Scope, names: &Names) -> Result<Amount, PolicyError> {
    if let TreeValue::Integer(_) = tree.value {
        return Ok(Amount::Fixed(literal(tree)?));
    }
    let members = tree
        .map()
        .map_err(|_| tree.expected("an integer or a map"))?;
    if members.get("if").is_some() {
        let members = members.only(&["if", "then", "else"])?;
        return Ok(Amount::If {
            condition: Box::new(condition(members.need("if")?, scope, names)?),
            then: Box::new(amount(members.need("then")?, scope, names)?),
            otherwise: Box::new(amount(members.need("else")?, scope, names)?),
        });
    }
    let mut given = members.only(&FORMS)?.iter();
    let (Some((form, value)), None) = (given.next(), given.next()) else {
        return Err(tree.expected(format!("exactly one of {}", FORMS.join(", "))));
    };
    let each = || operands(value, scope, names);
    match form {
        "fact" => numeric_fact(value, scope, names),
        "weight" => weight(value, names),
        "table" => table(value, scope, names),
        "bucket" => bucket(value, scope, names),
        "members" => member_factors(value, scope, names),
        "sum" => Ok(Amount::Sum(each()?)),
        "product" => Ok(Amount::Product(each()?)),
        "mean" => Ok(Amount::Mean(each()?)),
        "greatest" => Ok(Amount::Greatest(each()?)),
        "least" => Ok(Amount::Least(each()?)),
        _ => Ok(Amount::First(each()?)),
    }
}

/// An integer of basis points.
pub(super) fn literal(tree: &Tree) -> Result<BasisPoints, PolicyError> {
    Ok(BasisPoints::new(tree.integer(-MAX_AMOUNT, MAX_AMOUNT)?))
}

fn operands(tree: &Tree, scope: Scope, names: &Names) -> Result<Vec<Amount>, PolicyError> {
    let items = tree.list()?;
    if items.is_empty() {
        return Err(tree.expected("at least one amount"));
    }
    if items.len() > MAX_OPERANDS {
        return Err(tree.error(PolicyProblem::Limit {
            what: "the number of amounts",
            limit: MAX_OPERANDS,
        }));
    }
    items
        .iter()
        .map(|item| amount(item, scope, names))
        .collect()
}

fn numeric_fact(tree: &Tree, scope: Scope, names: &Names) -> Result<Amount, PolicyError> {
    let known = names.fact(tree, scope)?;
    match known.kind {
        Kind::Number(Unit::Count) => {
            Err(tree.expected("a fact on the scale of scores; use bucket for a count"))
        }
        Kind::Number(_) => Ok(Amount::Fact(known.fact)),
        _ => Err(tree.expected("a numeric fact")),
    }
}

fn weight(tree: &Tree, names: &Names) -> Result<Amount, PolicyError> {
    let text = tree.text()?;
    let weight = names.weights.get(text);
    weight
        .map(|weight| Amount::Weight(*weight))
        .ok_or_else(|| tree.error(PolicyProblem::Undefined(text.to_owned())))
}

/// `{fact, amounts: {word: amount}, otherwise?}`.
fn table(tree: &Tree, scope: Scope, names: &Names) -> Result<Amount, PolicyError> {
    let members = tree.map()?.only(&["fact", "amounts", "otherwise"])?;
    let fact = members.need("fact")?;
    let known = names.fact(fact, scope)?;
    let Kind::Word(words) = known.kind else {
        return Err(fact.expected("a fact whose value is a word"));
    };
    Ok(Amount::Table {
        fact: known.fact,
        amounts: word_amounts(members.need("amounts")?, &words)?,
        otherwise: members.get("otherwise").map(literal).transpose()?,
    })
}

/// `{fact, amounts: {word: amount}, otherwise}`.
fn member_factors(tree: &Tree, scope: Scope, names: &Names) -> Result<Amount, PolicyError> {
    let members = tree.map()?.only(&["fact", "amounts", "otherwise"])?;
    let fact = members.need("fact")?;
    let known = names.fact(fact, scope)?;
    let Kind::Words = known.kind else {
        return Err(fact.expected("a fact whose value is a set of words"));
    };
    Ok(Amount::Members {
        fact: known.fact,
        amounts: word_amounts(members.need("amounts")?, &[])?,
        otherwise: literal(members.need("otherwise")?)?,
    })
}

/// `{fact, below, steps: [[from, amount]...]}`.
fn bucket(tree: &Tree, scope: Scope, names: &Names) -> Result<Amount, PolicyError> {
    let members = tree.map()?.only(&["fact", "below", "steps"])?;
    let fact = members.need("fact")?;
    let known = names.fact(fact, scope)?;
    let Kind::Number(_) = known.kind else {
        return Err(fact.expected("a numeric fact"));
    };
    let list = members.need("steps")?;
    let mut steps: Vec<(i64, BasisPoints)> = Vec::new();
    for step in list.list()? {
        let [from, amount] = step.list()? else {
            return Err(step.expected("a pair [from, amount]"));
        };
        let from = from.integer(0, 1_000_000_000)?;
        if steps.last().is_some_and(|(last, _)| *last >= from) {
            return Err(step.error(PolicyProblem::Order("steps ascend")));
        }
        steps.push((from, literal(amount)?));
    }
    Ok(Amount::Bucket {
        fact: known.fact,
        below: literal(members.need("below")?)?,
        steps,
    })
}

/// A map from words to amounts.
pub(super) fn word_amounts(
    tree: &Tree,
    words: &[String],
) -> Result<BTreeMap<String, BasisPoints>, PolicyError> {
    (tree.map()?.iter())
        .map(|(word, value)| {
            check_word(value, word, words)?;
            Ok((word.to_owned(), literal(value)?))
        })
        .collect()
}

/// The facts an amount or table reads are resolved here, so that callers need not know how.
pub(super) fn word_fact(
    tree: &Tree,
    scope: Scope,
    names: &Names,
) -> Result<(FactRef, Vec<String>), PolicyError> {
    let known = names.fact(tree, scope)?;
    match known.kind {
        Kind::Word(words) => Ok((known.fact, words)),
        _ => Err(tree.expected("a fact whose value is a word")),
    }
}
