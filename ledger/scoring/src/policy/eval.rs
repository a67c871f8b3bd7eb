//! Applying a rule: conditions in three-valued logic, amounts in exact fractions, one rounding.

use super::facts::{FactKind, FactValue, Facts, Unit};
use super::model::{
    Amount, Comparison, Condition, DecisionTable, Effect, FactRef, MAX_TOTAL, Rule,
};
use super::ratio::{Ratio, RatioOverflow};
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

/// Kleene's truth values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    True,
    False,
    Unknown,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
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

/// Reads facts and remembers which.
struct Reader<'s, 'f> {
    situation: &'s Situation<'f>,
    read: Object,
    sources: Vec<FactRef>,
    missing: Vec<String>,
}

impl<'s, 'f> Reader<'s, 'f> {
    fn new(situation: &'s Situation<'f>) -> Self {
        Self {
            situation,
            read: Object::new(),
            sources: Vec::new(),
            missing: Vec::new(),
        }
    }

    fn get(&mut self, fact: &FactRef) -> Option<FactValue> {
        let value = match fact {
            FactRef::Engine(fact) => self.situation.facts.get(*fact).cloned(),
            FactRef::Knob(name) => (self.situation.knobs.get(name))
                .map(|value| FactValue::Word(Text::Owned(value.clone()))),
            FactRef::Decision(rule) => (self.situation.decisions.get(rule))
                .map(|decision| FactValue::Word(decision.clone())),
            FactRef::Total => Some(FactValue::Number(self.situation.total.into())),
        };
        match &value {
            Some(value) => {
                self.read.insert(fact.name(), value.to_json());
                if !self.sources.contains(fact) {
                    self.sources.push(fact.clone());
                }
            }
            None => self.missing.push(fact.name()),
        }
        value
    }

    fn missing(&mut self) -> Vec<String> {
        self.missing.sort_unstable();
        self.missing.dedup();
        std::mem::take(&mut self.missing)
    }

    fn unknown(&mut self) -> Applied {
        Applied::Unknown(self.missing())
    }

    fn condition(&mut self, condition: &Condition) -> Result<Truth, RatioOverflow> {
        Ok(match condition {
            Condition::All(each) => self.combine(each, Truth::True, Truth::False)?,
            Condition::Any(each) => self.combine(each, Truth::False, Truth::True)?,
            Condition::Not(inner) => match self.condition(inner)? {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
            },
            Condition::Known(fact) => self.is_known(fact).into(),
            Condition::Unknown(fact) => (!self.is_known(fact)).into(),
            Condition::Flag(fact, wanted) => match self.get(fact) {
                Some(FactValue::Flag(flag)) => (flag == *wanted).into(),
                _ => Truth::Unknown,
            },
            Condition::Word(fact, words) => match self.get(fact) {
                Some(FactValue::Word(word)) => words.iter().any(|w| *w == word).into(),
                _ => Truth::Unknown,
            },
            Condition::Contains(fact, words) => match self.get(fact) {
                Some(FactValue::Words(set)) => set
                    .iter()
                    .any(|member| words.iter().any(|w| w == member))
                    .into(),
                _ => Truth::Unknown,
            },
            Condition::Number(fact, comparison, bound) => match self.get(fact) {
                Some(FactValue::Number(number)) => {
                    let order = number.compare(Ratio::whole(*bound))?;
                    match comparison {
                        Comparison::AtLeast => order != Ordering::Less,
                        Comparison::AtMost => order != Ordering::Greater,
                        Comparison::Above => order == Ordering::Greater,
                        Comparison::Below => order == Ordering::Less,
                    }
                    .into()
                }
                _ => Truth::Unknown,
            },
        })
    }

    /// Whether a fact is known: asking is not missing it.
    fn is_known(&mut self, fact: &FactRef) -> bool {
        let known = self.get(fact).is_some();
        if !known {
            self.missing.pop();
        }
        known
    }

    /// Conjunction and disjunction: `decisive` wins, else unknown, else `neutral`.
    fn combine(
        &mut self,
        each: &[Condition],
        neutral: Truth,
        decisive: Truth,
    ) -> Result<Truth, RatioOverflow> {
        let mut result = neutral;
        for condition in each {
            let truth = self.condition(condition)?;
            if truth == decisive {
                return Ok(decisive);
            }
            if truth == Truth::Unknown {
                result = Truth::Unknown;
            }
        }
        Ok(result)
    }

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

    fn amount(&mut self, amount: &Amount) -> Result<Option<Ratio>, RatioOverflow> {
        Ok(match amount {
            Amount::Fixed(fixed) | Amount::Weight(fixed) => Some(Ratio::from(*fixed)),
            Amount::Fact(fact) => match self.get(fact) {
                Some(FactValue::Number(number)) => unit_of(fact).to_basis_points(number)?,
                _ => None,
            },
            Amount::Table {
                fact,
                amounts,
                otherwise,
            } => match self.get(fact) {
                Some(FactValue::Word(word)) => {
                    amounts.get(&*word).copied().or(*otherwise).map(Ratio::from)
                }
                _ => None,
            },
            Amount::Bucket { fact, below, steps } => match self.get(fact) {
                Some(FactValue::Number(number)) => Some(step(number, *below, steps)?),
                _ => None,
            },
            Amount::Members {
                fact,
                amounts,
                otherwise,
            } => match self.get(fact) {
                Some(FactValue::Words(words)) => {
                    let mut product = Ratio::from(MAX_TOTAL);
                    for word in &words {
                        let factor = amounts.get(&**word).unwrap_or(otherwise);
                        product = product.times(share((*factor).into())?)?;
                    }
                    Some(product)
                }
                _ => None,
            },
            Amount::Sum(each) => self.fold_all(each, Ratio::ZERO, Ratio::plus)?,
            Amount::Product(each) => self.fold_all(each, MAX_TOTAL.into(), |product, factor| {
                product.times(share(factor)?)
            })?,
            Amount::Mean(each) => {
                let known = self.known(each)?;
                let count = i128::try_from(known.len()).map_err(|_| RatioOverflow)?;
                match count {
                    0 => None,
                    _ => {
                        let sum = known.into_iter().try_fold(Ratio::ZERO, Ratio::plus)?;
                        Some(sum.times(Ratio::new(1, count)?)?)
                    }
                }
            }
            Amount::Greatest(each) => self.extreme(each, Ordering::Greater)?,
            Amount::Least(each) => self.extreme(each, Ordering::Less)?,
            Amount::First(each) => {
                for amount in each {
                    if let Some(value) = self.amount(amount)? {
                        return Ok(Some(value));
                    }
                }
                None
            }
            Amount::If {
                condition,
                then,
                otherwise,
            } => match self.condition(condition)? {
                Truth::True => self.amount(then)?,
                Truth::False => self.amount(otherwise)?,
                Truth::Unknown => None,
            },
        })
    }

    /// Folds amounts that must all be known.
    fn fold_all(
        &mut self,
        each: &[Amount],
        start: Ratio,
        fold: impl Fn(Ratio, Ratio) -> Result<Ratio, RatioOverflow>,
    ) -> Result<Option<Ratio>, RatioOverflow> {
        let mut result = start;
        for amount in each {
            match self.amount(amount)? {
                Some(value) => result = fold(result, value)?,
                None => return Ok(None),
            }
        }
        Ok(Some(result))
    }

    fn known(&mut self, each: &[Amount]) -> Result<Vec<Ratio>, RatioOverflow> {
        let values = each.iter().map(|amount| self.amount(amount));
        Ok(values
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    fn extreme(&mut self, each: &[Amount], side: Ordering) -> Result<Option<Ratio>, RatioOverflow> {
        let mut best: Option<Ratio> = None;
        for value in self.known(each)? {
            best = match best {
                Some(best) if value.compare(best)? != side => Some(best),
                _ => Some(value),
            };
        }
        Ok(best)
    }
}

/// Basis points as a factor: 10000 is 1.
fn share(value: Ratio) -> Result<Ratio, RatioOverflow> {
    value.times(Ratio::new(1, i128::from(MAX_TOTAL.get()))?)
}

fn step(
    number: Ratio,
    below: BasisPoints,
    steps: &[(i64, BasisPoints)],
) -> Result<Ratio, RatioOverflow> {
    let mut amount = below;
    for (from, value) in steps {
        if number.compare(Ratio::whole(*from))? == Ordering::Less {
            break;
        }
        amount = *value;
    }
    Ok(amount.into())
}

fn unit_of(fact: &FactRef) -> Unit {
    match fact {
        FactRef::Engine(fact) => match fact.kind() {
            FactKind::Number(unit) => unit,
            _ => Unit::Count,
        },
        FactRef::Total => Unit::BasisPoints,
        FactRef::Knob(_) | FactRef::Decision(_) => Unit::Count,
    }
}
