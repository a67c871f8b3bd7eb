//! Amounts as exact fractions.

use super::reader::{Reader, Truth};
use crate::policy::facts::{FactKind, FactValue, Unit};
use crate::policy::model::{Amount, FactRef, MAX_TOTAL};
use crate::policy::ratio::{Ratio, RatioOverflow};
use std::cmp::Ordering;
use stella_verify::units::BasisPoints;

impl Reader<'_, '_> {
    /// The amount; `None` when it rests on an unknown fact.
    pub(super) fn amount(&mut self, amount: &Amount) -> Result<Option<Ratio>, RatioOverflow> {
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
                let sum = known.into_iter().try_fold(Ratio::ZERO, Ratio::plus)?;
                if count > 0 {
                    Some(sum.times(Ratio::new(1, count)?)?)
                } else {
                    None
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
pub(super) fn share(value: Ratio) -> Result<Ratio, RatioOverflow> {
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
