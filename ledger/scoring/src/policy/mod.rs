//! Policies: how facts become a score, as data.
//!
//! A policy is a YAML or JSON document whose canonical JSON is hashed; the hash stands in the scan
//! manifest. Rules run in order on a running total of basis points (0 to 10000, shown as 0-100).
//! Every rule's result is an exact fraction, rounded once ([`Ratio::round_half_up`]) and held to
//! the range; a rule that rests on an unknown fact changes nothing and says so.
//!
//! In scope: the language, its evaluation, the built-in policies, `stella policy check|show|test`.
//! Out of scope: where facts come from and which nodes record them (the engine).

mod builtin;
mod cases;
mod error;
mod eval;
mod facts;
mod model;
mod parse;
mod ratio;
mod report;
mod severity;
mod tree;
mod vex;
mod yaml;

pub use builtin::{BUILT_IN, BuiltIn, built_in};
pub use cases::{CaseError, CaseOutcome, CaseReport, Cases, test};
pub use error::{Place, PolicyError, PolicyProblem};
pub use eval::{Applied, Holds, Outcome, Situation, apply, holds};
pub use facts::{Fact, FactKind, FactValue, Facts, Unit};
pub use model::{
    Aggregation, Amount, Comparison, Condition, DecisionTable, Effect, FactRef, Gate, Knob,
    MAX_TOTAL, POLICY_SCHEMA, Policy, Rule, RuleIndex,
};
pub use parse::CanonicalPolicyError;
pub use ratio::{Ratio, RatioOverflow};
pub use report::{check, show};
pub use severity::{Precedence, Rated, SeverityPolicy, Trust, VectorScore, scheme_name};
pub use vex::{Prevailing, VexKey, VexPolicy};
