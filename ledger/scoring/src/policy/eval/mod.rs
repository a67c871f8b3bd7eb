//! Applying a rule: conditions in three-valued logic, amounts in exact fractions, one rounding.

mod amount;
mod reader;

use super::facts::{FactValue, Facts};
use super::model::{Condition, DecisionTable, Effect, FactRef, MAX_TOTAL, Rule};
use super::ratio::{Ratio, RatioOverflow};
use amount::share;
use reader::{Reader, Truth};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use stella_verify::json::{Object, Text};
use stella_verify::units::BasisPoints;

/// What rules of one subject read besides the engine's facts.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The engine's facts.
    pub facts: &'a Facts,
    /// Settings in force: the manifest's, else the policy's defaults.
    pub knobs: &'a BTreeMap<String, String>,
    /// What decision tables of this subject have decided so far.
    pub decisions: BTreeMap<String, Text>,
    /// The running total.
    pub total: BasisPoints,
}

/// What came of one application of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the effect took place.
    pub result: Applied,
    /// The total after it.
    pub after: BasisPoints,
    /// The exact amount, when one was computed.
    pub amount: Option<Ratio>,
    /// What a decision table decided.
    pub decision: Option<Text>,
    /// Known facts that were read, with their values.
    pub read: Object,
    /// The facts among them, for tracing where they came from.
    pub sources: Vec<FactRef>,
}

/// Whether a rule took effect, and why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It did. The total may still be what it was.
    Yes,
    /// Its condition does not hold.
    Condition,
    /// It rests on facts that are unknown: their names, sorted.
    Unknown(Vec<String>),
    /// No row of its decision table fits.
    NoRow,
}

/// Applies `rule`. A rule that does not take effect leaves the total as it is.
///
/// # Errors
/// [`RatioOverflow`] when an exact amount is too large.
pub fn apply(rule: &Rule, situation: &Situation<'_>) -> Result<Outcome, RatioOverflow> {
    let mut reader = Reader::new(situation);
    let holds = match &rule.when {
        Some(condition) => reader.condition(condition)?,
        None => Truth::True,
    };
    let step = match holds {
        Truth::True => reader.effect(&rule.effect)?,
        Truth::False => Step::not(Applied::Condition),
        Truth::Unknown => Step::not(reader.unknown()),
    };
    let after = match step.total {
        Some(total) => held(total.round_half_up()?),
        None => situation.total,
    };
    Ok(Outcome {
        result: step.result,
        after,
        amount: step.amount,
        decision: step.decision,
        read: reader.read,
        sources: reader.sources,
    })
}

/// Whether `condition` holds; an unknown condition does not.
///
/// # Errors
/// [`RatioOverflow`].
pub fn holds(condition: &Condition, situation: &Situation<'_>) -> Result<Holds, RatioOverflow> {
    let mut reader = Reader::new(situation);
    let truth = reader.condition(condition)?;
    Ok(Holds {
        holds: truth == Truth::True,
        unknown: match truth {
            Truth::Unknown => reader.missing(),
            _ => Vec::new(),
        },
        read: reader.read,
    })
}

/// What came of a condition alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// Whether it holds.
    pub holds: bool,
    /// Unknown facts that it rests on, when that is why it does not.
    pub unknown: Vec<String>,
    /// Known facts that were read.
    pub read: Object,
}

/// A total is 0 to 10000.
fn held(total: BasisPoints) -> BasisPoints {
    BasisPoints::new(total.get().clamp(0, MAX_TOTAL.get()))
}

/// An effect before rounding.
struct Step {
    result: Applied,
    total: Option<Ratio>,
    amount: Option<Ratio>,
    decision: Option<Text>,
}

impl Step {
    fn not(result: Applied) -> Self {
        Self {
            result,
            total: None,
            amount: None,
            decision: None,
        }
    }
}

impl Reader<'_, '_> {
    fn effect(&mut self, effect: &Effect) -> Result<Step, RatioOverflow> {
        let amount = match effect {
            Effect::Decide(table) => return Ok(self.decide(table)),
            Effect::Set(amount)
            | Effect::Add(amount)
            | Effect::Multiply(amount)
            | Effect::Cap(amount)
            | Effect::Floor(amount) => amount,
        };
        let Some(value) = self.amount(amount)? else {
            return Ok(Step::not(self.unknown()));
        };
        let before = Ratio::from(self.situation.total);
        let above = value.compare(before)? == Ordering::Greater;
        let total = match effect {
            Effect::Add(_) => before.plus(value)?,
            Effect::Multiply(_) => before.times(share(value)?)?,
            Effect::Cap(_) if above => before,
            Effect::Floor(_) if !above => before,
            _ => value,
        };
        Ok(Step {
            result: Applied::Yes,
            total: Some(total),
            amount: Some(value),
            decision: None,
        })
    }

    fn decide(&mut self, table: &DecisionTable) -> Step {
        let mut words = Vec::with_capacity(table.facts.len());
        for fact in &table.facts {
            words.push(match self.get(fact) {
                Some(FactValue::Word(word)) => Some(word),
                _ => None,
            });
        }
        let fits = |cells: &[Option<String>]| {
            (cells.iter().zip(&words)).all(|(cell, word)| match (cell, word) {
                (None, _) => true,
                (Some(cell), Some(word)) => cell == word,
                (Some(_), None) => false,
            })
        };
        let Some((_, decision)) = table.rows.iter().find(|(cells, _)| fits(cells)) else {
            return match self.unknown() {
                Applied::Unknown(missing) if missing.is_empty() => Step::not(Applied::NoRow),
                unknown => Step::not(unknown),
            };
        };
        let amount = table.amounts.get(decision).copied().map(Ratio::from);
        Step {
            result: Applied::Yes,
            total: amount,
            amount,
            decision: Some(Text::Owned(decision.clone())),
        }
    }
}
