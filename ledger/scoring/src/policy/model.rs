//! A policy, parsed and checked.

use super::facts::Fact;
use super::severity::SeverityPolicy;
use super::vex::VexPolicy;
use std::collections::{BTreeMap, BTreeSet};
use stella_verify::hash::PolicyHash;
use stella_verify::node::Scope;
use stella_verify::units::BasisPoints;

/// `schema` of every policy.
pub const POLICY_SCHEMA: &str = "stella.policy/v1";

/// Highest total: 100.00.
pub const MAX_TOTAL: BasisPoints = BasisPoints::new(10_000);

/// How findings become a score, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name; rules and gates are named within it.
    pub name: String,
    /// One sentence; may be empty.
    pub description: String,
    /// Which of several severities prevails.
    pub severity: SeverityPolicy,
    /// Which of several VEX statements prevails.
    pub vex: VexPolicy,
    /// Kinds of advisories whose findings count; others are found and listed with no score.
    pub scored_kinds: BTreeSet<String>,
    /// Settings that a manifest's `knobs` may choose.
    pub knobs: BTreeMap<String, Knob>,
    /// Named weights that add up to 10000; empty when the policy has none.
    pub weights: BTreeMap<String, BasisPoints>,
    /// Rules in the order of their application; the place is the rule index of emission order.
    pub rules: Vec<Rule>,
    /// From findings to a component.
    pub component: Aggregation,
    /// From components to the scan.
    pub scan: Aggregation,
    /// What makes a scan fail.
    pub gates: Vec<Gate>,
    pub(super) canonical: Vec<u8>,
    pub(super) hash: PolicyHash,
}

impl Policy {
    /// Canonical JSON (RFC 8785) of the document: what is hashed and stored.
    #[must_use]
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    /// SHA-256 of [`Policy::canonical`].
    #[must_use]
    pub const fn hash(&self) -> PolicyHash {
        self.hash
    }

    /// Rules of a scope, with their places in the policy.
    pub fn rules_of(&self, scope: Scope) -> impl Iterator<Item = (RuleIndex, &Rule)> {
        (self.rules.iter().enumerate())
            .filter(move |(_, rule)| rule.scope == scope)
            .map(|(place, rule)| (RuleIndex(u32::try_from(place).unwrap_or(u32::MAX)), rule))
    }
}

/// Place of a rule in its policy, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(pub u32);

/// A setting that the manifest may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knob {
    /// What may be chosen.
    pub values: Vec<String>,
    /// What holds otherwise.
    pub default: String,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// What its total is of.
    pub scope: Scope,
    /// When it applies; always when absent.
    pub when: Option<Condition>,
    /// What it does to the total.
    pub effect: Effect,
}

/// What a rule does to the total; the result is rounded once and held to 0-10000.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The total becomes the amount.
    Set(Amount),
    /// The amount is added; it may be negative.
    Add(Amount),
    /// The total is multiplied; 10000 leaves it as it is.
    Multiply(Amount),
    /// The total is at most the amount.
    Cap(Amount),
    /// The total is at least the amount.
    Floor(Amount),
    /// A decision table sets the total, and the decision becomes a fact.
    Decide(DecisionTable),
}

impl Effect {
    /// Name in policies and nodes.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Set(_) => "set",
            Self::Add(_) => "add",
            Self::Multiply(_) => "multiply",
            Self::Cap(_) => "cap",
            Self::Floor(_) => "floor",
            Self::Decide(_) => "decide",
        }
    }
}

/// Something a rule reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactRef {
    /// A fact that the engine establishes.
    Engine(Fact),
    /// `knob.<name>`: a setting.
    Knob(String),
    /// `decision.<rule>`: what an earlier decision table of the same scope decided.
    Decision(String),
    /// `total`: the running total, in basis points.
    Total,
}

impl FactRef {
    /// Name in policies and nodes.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Engine(fact) => fact.name().to_owned(),
            Self::Knob(name) => format!("knob.{name}"),
            Self::Decision(rule) => format!("decision.{rule}"),
            Self::Total => "total".to_owned(),
        }
    }
}

/// A statement about facts; *unknown* when it rests on an unknown fact (Kleene's three values).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All hold.
    All(Vec<Condition>),
    /// One holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// The fact is known; never unknown itself.
    Known(FactRef),
    /// The fact is unknown; never unknown itself.
    Unknown(FactRef),
    /// The flag is set.
    Flag(FactRef, bool),
    /// The word is one of these.
    Word(FactRef, Vec<String>),
    /// The set has one of these words.
    Contains(FactRef, Vec<String>),
    /// The number compares with the bound, in the fact's unit.
    Number(FactRef, Comparison, i64),
}

/// How a number compares with a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// At or above it.
    AtLeast,
    /// At or below it.
    AtMost,
    /// Above it.
    Above,
    /// Below it.
    Below,
}

/// An exact fraction of basis points; unknown when it rests on an unknown fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// A number of basis points.
    Fixed(BasisPoints),
    /// A weight of the policy.
    Weight(BasisPoints),
    /// A numeric fact on the scale of scores.
    Fact(FactRef),
    /// An amount for each word; `otherwise` for other words.
    Table {
        /// The word.
        fact: FactRef,
        /// Its amounts.
        amounts: BTreeMap<String, BasisPoints>,
        /// Amount of words that are not listed.
        otherwise: Option<BasisPoints>,
    },
    /// The amount of the highest step that the number reaches.
    Bucket {
        /// The number.
        fact: FactRef,
        /// Amount below the first step.
        below: BasisPoints,
        /// Steps, ascending, in the fact's unit.
        steps: Vec<(i64, BasisPoints)>,
    },
    /// Product over the words of a set of the amount of each; `otherwise` for words not listed.
    Members {
        /// The set.
        fact: FactRef,
        /// Factors.
        amounts: BTreeMap<String, BasisPoints>,
        /// Factor of words that are not listed.
        otherwise: BasisPoints,
    },
    /// The sum.
    Sum(Vec<Amount>),
    /// The product, 10000 being 1.
    Product(Vec<Amount>),
    /// The mean of those that are known.
    Mean(Vec<Amount>),
    /// The greatest of those that are known.
    Greatest(Vec<Amount>),
    /// The least of those that are known.
    Least(Vec<Amount>),
    /// The first that is known.
    First(Vec<Amount>),
    /// One or the other.
    If {
        /// The condition; the amount is unknown when it is.
        condition: Box<Condition>,
        /// When it holds.
        then: Box<Amount>,
        /// When it does not.
        otherwise: Box<Amount>,
    },
}

/// A decision table: the first row whose every cell fits decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionTable {
    /// The columns.
    pub facts: Vec<FactRef>,
    /// The rows: a word or `None` (any) for each column, and the decision.
    pub rows: Vec<(Vec<Option<String>>, String)>,
    /// Total that each decision sets.
    pub amounts: BTreeMap<String, BasisPoints>,
}

/// How totals of contributors become one total. Deltas of contributors always add up exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aggregation {
    /// The greatest; ties go to the least id.
    Max,
    /// Each total times its band's weight, capped; shared out by largest remainder.
    WeightedSum {
        /// Bands: least total, weight; descending by total.
        bands: Vec<(BasisPoints, BasisPoints)>,
        /// Highest sum.
        cap: BasisPoints,
    },
    /// The worst counts whole; each further one, from worst to least, fills the given share of its
    /// part of what is left to 10000.
    Spread {
        /// Share, in basis points.
        share: BasisPoints,
    },
}

impl Aggregation {
    /// Name in policies and nodes.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::WeightedSum { .. } => "weighted-sum",
            Self::Spread { .. } => "spread",
        }
    }
}

/// Something that makes a scan fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Its name.
    pub id: String,
    /// Over scan facts and the score; unknown does not fail.
    pub fail_when: Condition,
}
