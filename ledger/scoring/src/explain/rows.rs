//! Rows of an outline.

use stella_verify::hash::NodeId;
use stella_verify::json::Object;
use stella_verify::node::EvidenceRef;
use stella_verify::units::BasisPoints;

/// An input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputRow {
    /// `sbom`, `feed`, `vex`, `policy` or `reachability`.
    pub name: String,
    /// Its digest or snapshot hash.
    pub digest: String,
    /// What its node says of it.
    pub says: Object,
    /// Its node.
    pub node: NodeId,
}

/// A kind of warning about an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarningRow {
    /// Which kind.
    pub code: String,
    /// How many.
    pub count: i64,
    /// The first places.
    pub evidence: Vec<EvidenceRef>,
    /// Its node.
    pub node: NodeId,
}

/// A component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentRow {
    /// The package.
    pub purl: String,
    /// Its total.
    pub total: BasisPoints,
    /// What it adds to the scan.
    pub contribution: BasisPoints,
    /// Rules of component scope.
    pub rules: Vec<RuleRow>,
    /// Its findings, greatest share first.
    pub findings: Vec<FindingRow>,
    /// The node that states its total.
    pub node: NodeId,
}

/// A finding that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRow {
    /// Its id, `sha256:...`.
    pub id: String,
    /// The package.
    pub purl: String,
    /// The advisory.
    pub advisory: String,
    /// The flaw's name.
    pub flaw: String,
    /// Its total.
    pub total: BasisPoints,
    /// What it adds to its component.
    pub contribution: BasisPoints,
    /// Its exact part of the component's contribution to the scan.
    pub share: BasisPoints,
    /// Its rules, in the policy's order.
    pub rules: Vec<RuleRow>,
    /// What is known of it: matches, the alias group, severity, EPSS, ...
    pub facts: Vec<FactRow>,
    /// The node that states its total.
    pub node: NodeId,
}

/// One application of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRow {
    /// The rule's name in the policy.
    pub rule: String,
    /// Change of the total.
    pub delta: BasisPoints,
    /// The total after it.
    pub total: BasisPoints,
    /// Whether it took effect.
    pub applied: bool,
    /// Why not: `condition`, `unknown`, `no-row`; empty when it did.
    pub because: String,
    /// The unknown facts.
    pub missing: Vec<String>,
    /// What it read.
    pub reads: Object,
    /// What it produced.
    pub says: Object,
    /// The rule in the policy.
    pub evidence: Vec<EvidenceRef>,
    /// Its node.
    pub node: NodeId,
}

/// A fact of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactRow {
    /// `match`, `alias-group`, `fact.severity`, ...
    pub what: String,
    /// What it was read from.
    pub reads: Object,
    /// What it says.
    pub says: Object,
    /// Where it was read.
    pub evidence: Vec<EvidenceRef>,
    /// Its node.
    pub node: NodeId,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateRow {
    /// Its name.
    pub id: String,
    /// Whether it makes the scan fail.
    pub fails: bool,
    /// What it read.
    pub reads: Object,
    /// Its node.
    pub node: NodeId,
}
