//! A score in the formats of its neighbours: JSON, SARIF 2.1.0, CycloneDX, CSV, in-toto `vulns`.
//!
//! All are functions of the computation and of what the caller says about the run; nothing reads a
//! clock. Scores are printed from integers.

mod csv;
mod cyclonedx;
mod json;
mod sarif;
mod vulns;

pub use csv::csv;
pub use cyclonedx::cyclonedx;
pub use json::json;
pub use sarif::sarif;
pub use vulns::{VULNS_PREDICATE_TYPE, vulns_predicate, vulns_statement};

use crate::cvss::{CvssVector, CvssVersion};
use crate::engine::SeverityOutcome;
use crate::explain::score_text;
use stella_verify::json::{Double, SafeInteger, Text, Value};
use stella_verify::units::BasisPoints;

/// What the caller says about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunContext {
    /// Version of the program, as its users know it.
    pub tool_version: String,
    /// Name of the bill of materials, as its user named it: a path or URI.
    pub sbom_name: String,
    /// When the run started and ended, `YYYY-MM-DDTHH:MM:SS.sssZ`.
    pub times: (String, String),
    /// When the feed snapshot was made or published, likewise.
    pub feed_updated: String,
}

fn text(value: &str) -> Value {
    Value::String(Text::Owned(value.to_owned()))
}

fn count(value: usize) -> Value {
    Value::Integer(SafeInteger::try_from(value as u64).unwrap_or(SafeInteger::ZERO))
}

/// Basis points as the integer that they are.
pub(crate) fn points(amount: BasisPoints) -> Value {
    Value::Integer(SafeInteger::new(amount.get()).unwrap_or(SafeInteger::ZERO))
}

/// A score as a JSON number of points, for documents that are never hashed.
pub(crate) fn score(total: BasisPoints) -> Value {
    decimal(&score_text(total))
}

/// A decimal text as a JSON number, for documents that are never hashed.
fn decimal(text: &str) -> Value {
    let number = text.parse().ok().and_then(Double::new);
    number.map_or(Value::Null, Value::Double)
}

/// Version of the prevailing vector, when there is one.
fn version(severity: &SeverityOutcome) -> Option<CvssVersion> {
    let vector = severity.vector.parse::<CvssVector>().ok()?;
    Some(vector.version())
}

/// EPSS in 1/100000 as the decimal that FIRST prints: `0.97123`.
fn epss_text(probability: u32) -> String {
    format!("{}.{:05}", probability / 100_000, probability % 100_000)
}
