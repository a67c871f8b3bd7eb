//! `stella policy test`: facts in, expected totals out.
//!
//! ```yaml
//! schema: stella.policy-test/v1
//! policy: stella-default
//! cases:
//!   - name: exploited and unrated
//!     facts: {kev.listed: true, fix.available: false}
//!     expect: 8500
//!     deltas: {exploited: 4000}
//! ```
//!
//! `policy` is optional: a built-in policy's name, or a file's. So are `scope` (finding, component,
//! scan), `start` (the total before the first rule), `knobs`, and `deltas`, which need not name
//! every rule.

use super::error::PolicyError;
use super::eval::{Applied, Situation, apply};
use super::facts::{Fact, FactKind, FactValue, Facts};
use super::model::{MAX_TOTAL, Policy};
use super::ratio::{Ratio, RatioOverflow};
use super::tree::{Members, Tree, TreeValue};
use super::yaml;
use std::collections::BTreeMap;
use stella_verify::json::Text;
use stella_verify::node::Scope;
use stella_verify::units::BasisPoints;

/// `schema` of a test file.
const CASES_SCHEMA: &str = "stella.policy-test/v1";

/// The test file is wrong, or a rule cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// The file is not a test file.
    #[error(transparent)]
    File(#[from] PolicyError),
    /// A rule's exact amount is too large.
    #[error("case {case:?}, rule {rule}: {error}")]
    Amount {
        /// The case.
        case: String,
        /// The rule.
        rule: String,
        /// What happened.
        error: RatioOverflow,
    },
}

/// What came of a test file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// Each case, in the file's order.
    pub cases: Vec<CaseOutcome>,
}

impl CaseReport {
    /// Whether every case came out as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.cases.iter().all(CaseOutcome::passed)
    }
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseOutcome {
    /// Its name.
    pub name: String,
    /// The total it expects.
    pub expected: BasisPoints,
    /// The total it got.
    pub total: BasisPoints,
    /// Each rule: its name, its delta, and whether it took effect.
    pub rules: Vec<(String, BasisPoints, Applied)>,
    /// Expected deltas that differ: rule, expected, got (`None`: no such rule in this scope).
    pub differing: Vec<(String, BasisPoints, Option<BasisPoints>)>,
}

impl CaseOutcome {
    /// Whether it came out as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.expected == self.total && self.differing.is_empty()
    }
}

/// A test file, read as far as it can be without its policy.
#[derive(Debug, Clone)]
pub struct Cases {
    policy: Option<String>,
    list: Vec<Tree>,
}

impl Cases {
    /// Reads a test file (YAML or JSON).
    ///
    /// # Errors
    /// [`PolicyError`]: it is none.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let document = yaml::parse(text)?;
        let members = (document.map()?).only(&["schema", "description", "policy", "cases"])?;
        members.need("schema")?.word(&[CASES_SCHEMA])?;
        let policy = members.get("policy").map(Tree::text).transpose()?;
        Ok(Self {
            policy: policy.map(str::to_owned),
            list: members.need("cases")?.list()?.to_vec(),
        })
    }

    /// The policy that the file says it is about: a built-in one's name, or a path from the file.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// Runs every case against `policy`.
    ///
    /// # Errors
    /// [`CaseError`]: a case names what the policy does not have, or a rule cannot be computed.
    pub fn run(&self, policy: &Policy) -> Result<CaseReport, CaseError> {
        let cases = (self.list.iter()).map(|tree| run(policy, &case(policy, tree)?));
        Ok(CaseReport {
            cases: cases.collect::<Result<_, _>>()?,
        })
    }
}

/// Runs a test file (YAML or JSON) against a policy.
///
/// # Errors
/// [`CaseError`].
pub fn test(policy: &Policy, text: &str) -> Result<CaseReport, CaseError> {
    Cases::parse(text)?.run(policy)
}

struct Case {
    name: String,
    scope: Scope,
    start: BasisPoints,
    facts: Facts,
    knobs: BTreeMap<String, String>,
    expect: BasisPoints,
    deltas: BTreeMap<String, BasisPoints>,
}

fn run(policy: &Policy, case: &Case) -> Result<CaseOutcome, CaseError> {
    let mut situation = Situation {
        facts: &case.facts,
        knobs: &case.knobs,
        decisions: BTreeMap::new(),
        total: case.start,
    };
    let mut rules = Vec::new();
    for (_, rule) in policy.rules_of(case.scope) {
        let outcome = apply(rule, &situation).map_err(|error| CaseError::Amount {
            case: case.name.clone(),
            rule: rule.id.clone(),
            error,
        })?;
        let delta = outcome.after.get().saturating_sub(situation.total.get());
        rules.push((rule.id.clone(), BasisPoints::new(delta), outcome.result));
        if let Some(decision) = outcome.decision {
            situation.decisions.insert(rule.id.clone(), decision);
        }
        situation.total = outcome.after;
    }
    let got = |id: &str| {
        let found = rules.iter().find(|(rule, _, _)| rule == id);
        found.map(|(_, delta, _)| *delta)
    };
    let differing = (case.deltas.iter())
        .filter(|(id, expected)| got(id) != Some(**expected))
        .map(|(id, expected)| (id.clone(), *expected, got(id)))
        .collect();
    Ok(CaseOutcome {
        name: case.name.clone(),
        expected: case.expect,
        total: situation.total,
        differing,
        rules,
    })
}

fn case(policy: &Policy, tree: &Tree) -> Result<Case, PolicyError> {
    let members = tree.map()?.only(&[
        "name", "scope", "start", "facts", "knobs", "expect", "deltas",
    ])?;
    let scope = match members.get("scope") {
        None => Scope::Finding,
        Some(tree) => match tree.word(&["finding", "component", "scan"])? {
            "component" => Scope::Component,
            "scan" => Scope::Scan,
            _ => Scope::Finding,
        },
    };
    let total = |tree: &Tree| tree.integer(0, MAX_TOTAL.get()).map(BasisPoints::new);
    Ok(Case {
        name: members.need("name")?.text()?.to_owned(),
        scope,
        start: members
            .get("start")
            .map(total)
            .transpose()?
            .unwrap_or(BasisPoints::ZERO),
        facts: facts(members, scope)?,
        knobs: knobs(policy, members)?,
        expect: total(members.need("expect")?)?,
        deltas: match members.get("deltas") {
            None => BTreeMap::new(),
            Some(tree) => (tree.map()?.iter())
                .map(|(rule, tree)| {
                    let bound = MAX_TOTAL.get();
                    Ok((
                        rule.to_owned(),
                        BasisPoints::new(tree.integer(-bound, bound)?),
                    ))
                })
                .collect::<Result<_, PolicyError>>()?,
        },
    })
}

fn facts(members: Members<'_>, scope: Scope) -> Result<Facts, PolicyError> {
    let mut facts = Facts::new();
    let Some(tree) = members.get("facts") else {
        return Ok(facts);
    };
    for (name, tree) in tree.map()?.iter() {
        let fact = Fact::from_name(name)
            .filter(|fact| fact.is_readable_in(scope))
            .ok_or_else(|| tree.expected(format!("a fact of scope {scope} named {name:?}")))?;
        facts.set(fact, fact_value(tree, fact.kind())?);
    }
    Ok(facts)
}

fn fact_value(tree: &Tree, kind: FactKind) -> Result<FactValue, PolicyError> {
    Ok(match kind {
        FactKind::Flag => FactValue::Flag(tree.boolean()?),
        FactKind::Word([]) => FactValue::Word(Text::Owned(tree.text()?.to_owned())),
        FactKind::Word(words) => FactValue::Word(Text::Owned(tree.word(words)?.to_owned())),
        FactKind::Words => {
            let words = tree
                .list()?
                .iter()
                .map(|item| Ok(Text::Owned(item.text()?.to_owned())));
            let mut words = words.collect::<Result<Vec<_>, PolicyError>>()?;
            words.sort_unstable();
            words.dedup();
            FactValue::Words(words)
        }
        FactKind::Number(_) => FactValue::Number(number(tree)?),
    })
}

/// An integer, or an exact fraction as nodes show it: `17/2`.
fn number(tree: &Tree) -> Result<Ratio, PolicyError> {
    let TreeValue::Text(text) = &tree.value else {
        return Ok(Ratio::whole(tree.integer(0, 1_000_000_000)?));
    };
    let parts = text.split_once('/');
    let parsed = parts.and_then(|(n, d)| n.parse::<u32>().ok().zip(d.parse::<u32>().ok()));
    parsed
        .and_then(|(numerator, denominator)| Ratio::new(numerator.into(), denominator.into()).ok())
        .ok_or_else(|| tree.expected("an integer, or a fraction such as 17/2"))
}

/// The policy's defaults, with the case's choices.
fn knobs(policy: &Policy, members: Members<'_>) -> Result<BTreeMap<String, String>, PolicyError> {
    let defaults = policy.knobs.iter();
    let mut knobs: BTreeMap<_, _> = defaults
        .map(|(name, knob)| (name.clone(), knob.default.clone()))
        .collect();
    let Some(tree) = members.get("knobs") else {
        return Ok(knobs);
    };
    for (name, tree) in tree.map()?.iter() {
        let Some(knob) = policy.knobs.get(name) else {
            return Err(tree.expected(format!(
                "no knob {name:?}: the policy has none of that name"
            )));
        };
        let values: Vec<&str> = knob.values.iter().map(String::as_str).collect();
        knobs.insert(name.to_owned(), tree.word(&values)?.to_owned());
    }
    Ok(knobs)
}
