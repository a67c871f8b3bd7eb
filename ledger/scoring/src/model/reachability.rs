//! Facts about whether the artifact's code can reach a vulnerability.

use stella_verify::hash::BlobDigest;

use super::{JsonPointer, Warning};
use crate::purl::Purl;

/// How near an analysis came to the vulnerable code, farthest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReachabilityLevel {
    /// The analysis looked and found no path.
    Unreachable,
    /// The module is in the build.
    Module,
    /// A vulnerable package of it is imported.
    Package,
    /// A vulnerable symbol is called.
    Symbol,
}

impl ReachabilityLevel {
    /// Every level, farthest first.
    pub const ALL: [Self; 4] = [Self::Unreachable, Self::Module, Self::Package, Self::Symbol];

    /// Name in proofs and in `stella.reachability/v1`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Module => "module",
            Self::Package => "package",
            Self::Symbol => "symbol",
        }
    }

    /// The level of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Something on the way that an attacker must pass: `auth-required`, `feature-flag`, `admin-only`,
/// `non-default-config`, or a name of the user's own that a policy knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gate(pub Box<str>);

/// Calls from an entry point to the vulnerable symbol.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallPath {
    /// Calls on the shortest known path; 0 when the entry point is the vulnerable symbol.
    pub hops: u32,
    /// Gates on that path, sorted.
    pub gates: Vec<Gate>,
}

/// What an analysis says of one vulnerability in one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachabilityFact {
    /// The package: exact purl, or a purl without version for any.
    pub purl: Purl,
    /// An id of the vulnerability (the advisory's or an alias).
    pub vulnerability: Box<str>,
    /// How near.
    pub level: ReachabilityLevel,
    /// The path, where the analysis reports one.
    pub path: Option<CallPath>,
    /// The vulnerable symbol that is reached; empty when unknown.
    pub symbol: Box<str>,
    /// Where it stands in the document, or in which of its values for a stream of values.
    pub pointer: JsonPointer,
}

/// All facts of one document, sorted by (package, purl, vulnerability); one per purl and
/// vulnerability: the nearest level, then the fewest hops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachabilitySet {
    /// SHA-256 of the document's bytes, decompressed.
    pub digest: BlobDigest,
    /// The facts.
    pub facts: Vec<ReachabilityFact>,
    /// What was odd.
    pub warnings: Vec<Warning>,
}

/// Look-up of reachability facts.
pub trait Reachability {
    /// The fact about a package and a vulnerability known by any of `names`.
    fn fact(&self, purl: &Purl, names: &[&str]) -> Option<&ReachabilityFact>;
}

impl Reachability for ReachabilitySet {
    fn fact(&self, purl: &Purl, names: &[&str]) -> Option<&ReachabilityFact> {
        let package = purl.package_text();
        let first = self
            .facts
            .partition_point(|fact| fact.purl.package_text() < package);
        self.facts
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take_while(|fact| fact.purl.package_text() == package)
            .filter(|fact| fact.purl.version().is_none() || fact.purl.version() == purl.version())
            .filter(|fact| names.contains(&&*fact.vulnerability))
            .max_by_key(|fact| (fact.level, core::cmp::Reverse(fact.hops())))
    }
}

impl ReachabilityFact {
    /// Hops of the known path; the largest number when none is known.
    #[must_use]
    pub fn hops(&self) -> u32 {
        self.path.as_ref().map_or(u32::MAX, |path| path.hops)
    }
}
