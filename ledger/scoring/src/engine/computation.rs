//! What an engine returns, whatever its version.

use crate::model::{
    AdvisoryKind, JsonPointer, ReachabilityLevel, Scope, ScoreTenths, SeverityWord, VexStatus,
    Warning,
};
use crate::policy::Applied;
use crate::purl::Purl;
use stella_verify::hash::{FindingId, ManifestHash, NodeId, ProofRoot};
use stella_verify::manifest::EngineVersion;
use stella_verify::node::SealedNode;
use stella_verify::units::BasisPoints;

/// One deterministic run over a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computation {
    /// Identity of the computation.
    pub manifest: ManifestHash,
    /// The engine that ran.
    pub engine: EngineVersion,
    /// The proof nodes in emission order.
    pub nodes: Vec<SealedNode>,
    /// Root over them.
    pub root: ProofRoot,
    /// The score of the scan.
    pub score: BasisPoints,
    /// Findings, sorted by (purl, advisory id).
    pub findings: Vec<Finding>,
    /// Components with a finding that counts, sorted by purl.
    pub components: Vec<ComponentScore>,
    /// Gates, in the policy's order.
    pub gates: Vec<GateOutcome>,
    /// What was odd about the bill of materials and its matching, sorted.
    pub warnings: Vec<Warning>,
}

impl Computation {
    /// Whether no gate fails.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.gates.iter().all(|gate| !gate.fails)
    }
}

/// An advisory that affects a package of the artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// SHA-256 of the canonical JSON of `[purl, advisoryId]`.
    pub id: FindingId,
    /// The package.
    pub purl: Purl,
    /// The advisory.
    pub advisory_id: Box<str>,
    /// Who publishes it.
    pub source: Box<str>,
    /// What it reports.
    pub kind: AdvisoryKind,
    /// One line; may be empty.
    pub summary: Box<str>,
    /// Name of the flaw: its alias group's.
    pub flaw: Box<str>,
    /// Other names of the flaw, sorted, the advisory's own id left out.
    pub aliases: Vec<Box<str>>,
    /// Flaws that it passes on together with others, sorted; the facts of them all are its own.
    pub upstream: Vec<Box<str>>,
    /// Places of the package in the bill of materials, in document order.
    pub components: Vec<JsonPointer>,
    /// The fewest dependency steps from the artifact to one of those places; `None`: unknown.
    pub depth: Option<u32>,
    /// The strongest scope of those places.
    pub scope: Scope,
    /// Versions with the fix, ascending in the ecosystem's order.
    pub fixed: Vec<Box<str>>,
    /// The finding that counts for the same flaw in the same package, when this one does not.
    pub duplicate_of: Option<FindingId>,
    /// The prevailing severity; `None`: unknown, which is not zero. Only for findings that count.
    pub severity: Option<SeverityOutcome>,
    /// EPSS probability in 1/100000.
    pub epss: Option<u32>,
    /// Listed as known exploited; and whether ransomware uses it.
    pub kev: Option<bool>,
    /// SSVC decision points.
    pub ssvc: SsvcOutcome,
    /// The prevailing VEX statement.
    pub vex: Option<VexOutcome>,
    /// What the reachability analysis says.
    pub reachability: Option<ReachabilityLevel>,
    /// The total; `None` for a finding that does not count (a duplicate, or a kind of advisory that
    /// the policy does not score).
    pub score: Option<BasisPoints>,
    /// Its rules, in the policy's order.
    pub rules: Vec<RuleStep>,
    /// The node that states the total, or, for a finding that does not count, its match.
    pub node: NodeId,
}

/// The prevailing severity of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityOutcome {
    /// The score that counts, when there is one.
    pub score: Option<ScoreTenths>,
    /// The rating.
    pub word: Option<SeverityWord>,
    /// The vector; empty when only a rating is stated.
    pub vector: Box<str>,
    /// Who states it.
    pub provider: Box<str>,
}

/// SSVC decision points of a finding, as CISA states them; `None` where it does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SsvcOutcome {
    /// `none`, `poc` or `active`.
    pub exploitation: Option<Box<str>>,
    /// `no` or `yes`.
    pub automatable: Option<Box<str>>,
    /// `partial` or `total`.
    pub technical_impact: Option<Box<str>>,
}

impl SsvcOutcome {
    /// The decision points by name, absent ones left out.
    pub fn stated(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("automatable", &self.automatable),
            ("exploitation", &self.exploitation),
            ("technicalImpact", &self.technical_impact),
        ];
        (all.into_iter()).filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// The prevailing VEX statement of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexOutcome {
    /// Its status.
    pub status: VexStatus,
    /// Why, where it says so.
    pub justification: Option<Box<str>>,
    /// Whether other statements that apply disagree.
    pub conflict: bool,
}

/// One application of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleStep {
    /// The rule.
    pub rule: Box<str>,
    /// Change of the total.
    pub delta: BasisPoints,
    /// The total after it.
    pub total: BasisPoints,
    /// Whether it took effect.
    pub applied: Applied,
    /// Its node.
    pub node: NodeId,
}

/// What a contributor adds to a total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution<T> {
    /// Who contributes.
    pub of: T,
    /// Its own total.
    pub total: BasisPoints,
    /// What it adds; the contributions of an aggregate add up to it exactly.
    pub delta: BasisPoints,
    /// The node.
    pub node: NodeId,
}

/// A component with findings that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentScore {
    /// The package.
    pub purl: Purl,
    /// Its total.
    pub total: BasisPoints,
    /// What its findings add, greatest total first.
    pub findings: Vec<Contribution<FindingId>>,
    /// Rules of component scope.
    pub rules: Vec<RuleStep>,
    /// What it adds to the scan.
    pub contribution: BasisPoints,
    /// The node that states its total.
    pub node: NodeId,
}

/// What came of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateOutcome {
    /// The gate.
    pub id: Box<str>,
    /// Whether it makes the scan fail.
    pub fails: bool,
    /// Its node.
    pub node: NodeId,
}
