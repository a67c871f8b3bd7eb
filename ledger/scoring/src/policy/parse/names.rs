//! Names: what a policy defines and what it may refer to.

use crate::limits::MAX_POLICY_NAME_BYTES;
use crate::policy::error::{PolicyError, PolicyProblem};
use crate::policy::facts::{Fact, FactKind, Unit};
use crate::policy::model::{FactRef, Knob};
use crate::policy::tree::Tree;
use std::collections::BTreeMap;
use stella_verify::node::Scope;
use stella_verify::units::BasisPoints;

/// What the document has defined so far.
pub(super) struct Names {
    pub(super) knobs: BTreeMap<String, Knob>,
    pub(super) weights: BTreeMap<String, BasisPoints>,
    /// Decision tables seen so far: rule, scope, decisions.
    pub(super) decisions: Vec<(String, Scope, Vec<String>)>,
}

/// What can be said of a fact in a scope.
pub(super) struct Known {
    pub(super) fact: FactRef,
    pub(super) kind: Kind,
}

/// What a fact's value is, with the words it may have.
pub(super) enum Kind {
    Number(Unit),
    Flag,
    /// Any word when there are none.
    Word(Vec<String>),
    Words,
}

impl Names {
    /// Resolves a fact's name for rules of `scope`.
    pub(super) fn fact(&self, tree: &Tree, scope: Scope) -> Result<Known, PolicyError> {
        let text = tree.text()?;
        let undefined = || tree.error(PolicyProblem::Undefined(text.to_owned()));
        if text == "total" {
            return Ok(Known {
                fact: FactRef::Total,
                kind: Kind::Number(Unit::BasisPoints),
            });
        }
        if let Some(name) = text.strip_prefix("knob.") {
            let knob = self.knobs.get(name).ok_or_else(undefined)?;
            return Ok(Known {
                fact: FactRef::Knob(name.to_owned()),
                kind: Kind::Word(knob.values.clone()),
            });
        }
        if let Some(rule) = text.strip_prefix("decision.") {
            let found = (self.decisions.iter()).find(|(id, own, _)| id == rule && *own == scope);
            let (_, _, words) = found.ok_or_else(undefined)?;
            return Ok(Known {
                fact: FactRef::Decision(rule.to_owned()),
                kind: Kind::Word(words.clone()),
            });
        }
        let fact = Fact::from_name(text).ok_or_else(|| {
            let names: Vec<_> = Fact::ALL.iter().map(|fact| fact.name()).collect();
            tree.expected(format!("a fact ({})", names.join(", ")))
        })?;
        if !fact.is_readable_in(scope) {
            return Err(tree.error(PolicyProblem::FactScope {
                fact: text.to_owned(),
                scope: scope.as_str(),
            }));
        }
        let kind = match fact.kind() {
            FactKind::Number(unit) => Kind::Number(unit),
            FactKind::Flag => Kind::Flag,
            FactKind::Word(words) => Kind::Word(words.iter().map(|&word| word.into()).collect()),
            FactKind::Words => Kind::Words,
        };
        Ok(Known {
            fact: FactRef::Engine(fact),
            kind,
        })
    }
}

/// A word that the fact may have.
pub(super) fn fact_word(tree: &Tree, words: &[String]) -> Result<String, PolicyError> {
    let text = tree.text()?;
    check_word(tree, text, words)?;
    Ok(text.to_owned())
}

/// Checks that `text`, at `tree`, is one of `words`; any text is when there are none.
pub(super) fn check_word(tree: &Tree, text: &str, words: &[String]) -> Result<(), PolicyError> {
    if words.is_empty() || words.iter().any(|word| word == text) {
        return Ok(());
    }
    Err(tree.error(PolicyProblem::Expected {
        expected: format!("one of {}", words.join(", ")),
        found: format!("{text:?}"),
    }))
}

/// A name of a policy, rule, gate, weight or knob: `a-z`, `0-9` and inner hyphens.
pub(super) fn name(tree: &Tree) -> Result<&str, PolicyError> {
    let text = tree.text()?;
    check_name(tree, text)?;
    Ok(text)
}

/// Checks that `text`, at `tree`, is a name.
pub(super) fn check_name(tree: &Tree, text: &str) -> Result<(), PolicyError> {
    let letters = text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let inner = !text.starts_with('-') && !text.ends_with('-') && !text.is_empty();
    if letters && inner && text.len() <= MAX_POLICY_NAME_BYTES {
        return Ok(());
    }
    Err(tree.error(PolicyProblem::Expected {
        expected: format!("a name of a-z, 0-9 and inner hyphens, at most {MAX_POLICY_NAME_BYTES}"),
        found: format!("{text:?}"),
    }))
}
