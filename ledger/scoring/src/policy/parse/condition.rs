//! Conditions.

use super::names::{Kind, Known, Names, fact_word};
use crate::policy::error::{PolicyError, PolicyProblem};
use crate::policy::model::{Comparison, Condition};
use crate::policy::tree::{Members, Tree, TreeValue};
use stella_verify::node::Scope;

/// Parses a condition for rules of `scope`.
pub(super) fn condition(
    tree: &Tree,
    scope: Scope,
    names: &Names,
) -> Result<Condition, PolicyError> {
    let members = tree.map()?;
    if let Some(fact) = members.get("fact") {
        return comparison(members, names.fact(fact, scope)?);
    }
    let forms = ["all", "any", "not", "known", "unknown", "fact"];
    let members = members.only(&forms)?;
    let mut given = members.iter();
    let (Some((form, value)), None) = (given.next(), given.next()) else {
        return Err(tree.expected(format!("exactly one of {}", forms.join(", "))));
    };
    let each = || {
        (value.list()?.iter())
            .map(|item| condition(item, scope, names))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(match form {
        "all" => Condition::All(each()?),
        "any" => Condition::Any(each()?),
        "not" => Condition::Not(Box::new(condition(value, scope, names)?)),
        "known" => Condition::Known(names.fact(value, scope)?.fact),
        _ => Condition::Unknown(names.fact(value, scope)?.fact),
    })
}

/// `{fact: ..., is | in | contains | at-least | at-most | above | below: ...}`.
fn comparison(members: Members<'_>, known: Known) -> Result<Condition, PolicyError> {
    let Known { fact, kind } = known;
    let allowed: &[&str] = match kind {
        Kind::Number(_) => &["fact", "at-least", "at-most", "above", "below"],
        Kind::Flag => &["fact", "is"],
        Kind::Word(_) => &["fact", "is", "in"],
        Kind::Words => &["fact", "contains"],
    };
    let given: Vec<_> = (members.only(allowed)?.iter())
        .filter(|(name, _)| *name != "fact")
        .collect();
    let [(operator, value)] = given.as_slice() else {
        let operators = allowed.get(1..).unwrap_or_default().join(", ");
        let wanted = format!("exactly one of {operators} beside fact");
        return Err(members.tree().expected(wanted));
    };
    Ok(match (kind, *operator) {
        (Kind::Flag, _) => Condition::Flag(fact, value.boolean()?),
        (Kind::Word(words), _) => Condition::Word(fact, words_of(value, &words)?),
        (Kind::Words, _) => Condition::Contains(fact, words_of(value, &[])?),
        (Kind::Number(_), operator) => {
            let bound = value.integer(0, 1_000_000_000)?;
            let comparison = match operator {
                "at-least" => Comparison::AtLeast,
                "at-most" => Comparison::AtMost,
                "above" => Comparison::Above,
                _ => Comparison::Below,
            };
            Condition::Number(fact, comparison, bound)
        }
    })
}

/// A word, or a list of words.
fn words_of(tree: &Tree, words: &[String]) -> Result<Vec<String>, PolicyError> {
    match &tree.value {
        TreeValue::List(items) if items.is_empty() => {
            Err(tree.error(PolicyProblem::Order("a list of words names at least one")))
        }
        TreeValue::List(items) => items.iter().map(|item| fact_word(item, words)).collect(),
        _ => Ok(vec![fact_word(tree, words)?]),
    }
}
