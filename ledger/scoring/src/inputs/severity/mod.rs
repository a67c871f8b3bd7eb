//! Severities and decision points that are joined to a vulnerability by its id.

pub mod cve;
pub mod join;

use crate::model::{SeverityFact, SsvcFact};

/// What one record states about a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityRecord {
    /// The vulnerability.
    pub id: Box<str>,
    /// Its severities, sorted.
    pub severities: Vec<SeverityFact>,
    /// CISA's decision points.
    pub ssvc: Option<SsvcFact>,
}
