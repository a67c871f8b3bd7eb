//! Reading facts, and conditions over them.

use super::{Applied, Situation};
use crate::policy::facts::FactValue;
use crate::policy::model::{Comparison, Condition, FactRef};
use crate::policy::ratio::{Ratio, RatioOverflow};
use std::cmp::Ordering;
use stella_verify::json::{Object, Text};

/// Kleene's truth values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    Unknown,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// Reads facts and remembers which.
pub(super) struct Reader<'s, 'f> {
    pub(super) situation: &'s Situation<'f>,
    pub(super) read: Object,
    pub(super) sources: Vec<FactRef>,
    missing: Vec<String>,
}

impl<'s, 'f> Reader<'s, 'f> {
    pub(super) fn new(situation: &'s Situation<'f>) -> Self {
        Self {
            situation,
            read: Object::new(),
            sources: Vec::new(),
            missing: Vec::new(),
        }
    }

    pub(super) fn get(&mut self, fact: &FactRef) -> Option<FactValue> {
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

    pub(super) fn missing(&mut self) -> Vec<String> {
        self.missing.sort_unstable();
        self.missing.dedup();
        std::mem::take(&mut self.missing)
    }

    pub(super) fn unknown(&mut self) -> Applied {
        Applied::Unknown(self.missing())
    }

    pub(super) fn condition(&mut self, condition: &Condition) -> Result<Truth, RatioOverflow> {
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
}
