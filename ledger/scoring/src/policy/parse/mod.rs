//! From a document to a policy: every member is known, every name defined, every bound kept.

mod amount;
mod condition;
mod names;
mod rule;
mod sections;

use super::error::{PolicyError, PolicyProblem};
use super::model::{Gate, POLICY_SCHEMA, Policy, Rule};
use super::severity::SeverityPolicy;
use super::tree::{Members, Tree};
use super::vex::VexPolicy;
use super::yaml;
use crate::limits::MAX_POLICY_RULES;
use names::Names;
use std::collections::BTreeSet;
use stella_verify::hash::{PolicyHash, sha256};
use stella_verify::json::{JsonError, canonicalize, parse_canonical};
use stella_verify::node::Scope;

/// Bytes are not the canonical form of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalPolicyError {
    /// Not canonical JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Not a policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl Policy {
    /// Parses a policy as people write it: YAML, or JSON (which is YAML).
    ///
    /// # Errors
    /// [`PolicyError`], with line, column and JSON pointer.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Self::from_tree(&yaml::parse(text)?)
    }

    /// Parses a policy as it is stored: canonical JSON, nothing else.
    ///
    /// # Errors
    /// [`CanonicalPolicyError`], with the JSON pointer.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, CanonicalPolicyError> {
        let value = parse_canonical(bytes)?;
        Ok(Self::from_tree(&Tree::from_json(&value, String::new())?)?)
    }

    fn from_tree(document: &Tree) -> Result<Self, PolicyError> {
        let members = document.map()?.only(&[
            "schema",
            "name",
            "description",
            "severity",
            "vex",
            "advisories",
            "knobs",
            "weights",
            "rules",
            "aggregate",
            "gates",
        ])?;
        members.need("schema")?.word(&[POLICY_SCHEMA])?;
        let mut names = Names {
            knobs: sections::knobs(members)?,
            weights: sections::weights(members)?,
            decisions: Vec::new(),
        };
        let rules = rules(members, &mut names)?;
        let gates = gates(members, &names)?;
        let (component, scan) = sections::aggregate(members)?;
        let canonical = canonicalize(&document.to_json());
        Ok(Self {
            name: names::name(members.need("name")?)?.to_owned(),
            description: match members.get("description") {
                Some(tree) => tree.text()?.to_owned(),
                None => String::new(),
            },
            severity: match members.get("severity") {
                Some(tree) => sections::severity(tree)?,
                None => SeverityPolicy::default(),
            },
            vex: match members.get("vex") {
                Some(tree) => sections::vex(tree)?,
                None => VexPolicy::default(),
            },
            scored_kinds: sections::kinds(members)?,
            knobs: names.knobs,
            weights: names.weights,
            rules,
            component,
            scan,
            gates,
            hash: PolicyHash::new(sha256(&canonical)),
            canonical,
        })
    }
}

fn rules(members: Members<'_>, names: &mut Names) -> Result<Vec<Rule>, PolicyError> {
    let list = members.need("rules")?;
    let trees = list.list()?;
    if trees.len() > MAX_POLICY_RULES {
        return Err(list.error(PolicyProblem::Limit {
            what: "the number of rules",
            limit: MAX_POLICY_RULES,
        }));
    }
    let mut seen = BTreeSet::new();
    let mut rules = Vec::with_capacity(trees.len());
    for tree in trees {
        let rule = rule::rule(tree, names)?;
        if !seen.insert(rule.id.clone()) {
            return Err(tree.error(PolicyProblem::Redefined(rule.id)));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn gates(members: Members<'_>, names: &Names) -> Result<Vec<Gate>, PolicyError> {
    let Some(list) = members.get("gates") else {
        return Ok(Vec::new());
    };
    let mut seen = BTreeSet::new();
    (list.list()?.iter())
        .map(|tree| {
            let members = tree.map()?.only(&["id", "description", "fail-when"])?;
            let id = names::name(members.need("id")?)?.to_owned();
            if !seen.insert(id.clone()) {
                return Err(tree.error(PolicyProblem::Redefined(id)));
            }
            let fail_when = members.need("fail-when")?;
            Ok(Gate {
                id,
                fail_when: condition::condition(fail_when, Scope::Scan, names)?,
            })
        })
        .collect()
}
