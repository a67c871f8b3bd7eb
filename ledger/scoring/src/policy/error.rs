//! What can be wrong with a policy file, and where.

use std::fmt;

/// Place of something in a policy file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// JSON pointer (RFC 6901) into the document.
    pub pointer: String,
    /// Line, from 1; 0 when the document has no lines (canonical JSON from a store).
    pub line: u32,
    /// Column in characters, from 1; 0 likewise.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}", self.line, self.column)?;
            if !self.pointer.is_empty() {
                write!(f, " ({})", self.pointer)?;
            }
            return Ok(());
        }
        match self.pointer.as_str() {
            "" => f.write_str("the document"),
            pointer => f.write_str(pointer),
        }
    }
}

/// A policy is refused. The author of the file is to change what stands at the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct PolicyError {
    /// Where.
    pub place: Place,
    /// What.
    pub problem: PolicyProblem,
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyProblem {
    /// Not YAML.
    #[error("not YAML: {0}")]
    Syntax(String),
    /// Larger, deeper or longer than a policy may be.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// YAML that has no JSON form or more than one reading.
    #[error("{0} is not allowed in a policy")]
    Unsupported(&'static str),
    /// The same member twice.
    #[error("member {0:?} occurs twice")]
    Duplicate(String),
    /// A member that does not belong here.
    #[error("unknown member {member:?}; expected one of: {expected}")]
    UnknownMember {
        /// What stands there.
        member: String,
        /// What may.
        expected: String,
    },
    /// A member that must be here.
    #[error("member {0:?} is missing")]
    Missing(&'static str),
    /// Another type or value is needed.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What may stand there.
        expected: String,
        /// What does.
        found: String,
    },
    /// An integer outside its range.
    #[error("{value} is not between {least} and {most}")]
    Range {
        /// The integer.
        value: i64,
        /// Smallest allowed.
        least: i64,
        /// Largest allowed.
        most: i64,
    },
    /// A rule reads a fact that its scope does not have.
    #[error("fact {fact:?} does not exist in scope {scope}")]
    FactScope {
        /// The fact.
        fact: String,
        /// The scope of the rule.
        scope: &'static str,
    },
    /// Weights that do not add up.
    #[error("weights add up to {0}, not to 10000")]
    Weights(i64),
    /// Something that must be ordered is not.
    #[error("{0}")]
    Order(&'static str),
    /// A name that is used twice.
    #[error("{0:?} is defined twice")]
    Redefined(String),
    /// A rule names something that is not defined, or is defined later.
    #[error("{0:?} is not defined before its use")]
    Undefined(String),
}
