//! Why a score is not computed.

use crate::policy::RatioOverflow;
use stella_verify::manifest::EngineVersion;
use stella_verify::node::NodeError;

/// A score is not computed. Nothing partial is returned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The manifest names an engine that this build does not have.
    #[error("engine version {0} is not one of this build; use a build that has it")]
    Version(EngineVersion),
    /// An input is not the one the manifest names. The caller loaded the wrong one.
    #[error("{member} of the manifest is {stated}, the input given is {given}")]
    Input {
        /// The manifest's member.
        member: &'static str,
        /// What it says.
        stated: String,
        /// What was given.
        given: String,
    },
    /// The manifest sets a knob that the policy does not declare.
    #[error("knob {0:?} is not declared by the policy; remove it or add it to the policy's knobs")]
    Knob(String),
    /// The manifest sets a knob to a value that the policy does not declare.
    #[error("knob {name:?} cannot be {value:?}; the policy declares {declared}")]
    KnobValue {
        /// The knob.
        name: String,
        /// Its value in the manifest.
        value: String,
        /// Values the policy declares.
        declared: String,
    },
    /// A rule's exact amount is too large. The policy's author is to multiply fewer amounts.
    #[error("rule {rule:?}: {problem}")]
    Amount {
        /// The rule, gate or aggregation.
        rule: String,
        /// What happened.
        problem: RatioOverflow,
    },
    /// More nodes than a computation may have.
    #[error("the computation has more than {limit} nodes; split the artifact")]
    TooManyNodes {
        /// The limit.
        limit: usize,
    },
    /// A node cannot be written: a defect of the engine.
    #[error("a proof node cannot be written: {0}")]
    Node(#[from] NodeError),
    /// The index gave out a place that it does not know: a defect of the snapshot's loader.
    #[error("the snapshot has no {what} at place {place}")]
    Index {
        /// What is missing.
        what: &'static str,
        /// Where.
        place: u32,
    },
    /// A worker thread died: a defect of the engine.
    #[error("a worker thread died")]
    Thread,
}
