//! Where components and advisories meet.

use super::{
    AdvisoryIndex, AffectedIndex, ComponentIndex, PackageKey, RangeIndex, Version, Warning,
};
use crate::purl::Purl;

/// An advisory that affects a package at a version, before components are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageMatch {
    /// Which advisory.
    pub advisory: AdvisoryIndex,
    /// The package under which it was found; with the advisory it names the snapshot row.
    pub package: PackageKey,
    /// Which entry of the advisory's `affected`; the first that matches.
    pub affected: AffectedIndex,
    /// What in that entry matched.
    pub by: MatchedBy,
    /// Versions with the fix that are newer than the component's: the least of each affected
    /// branch, ascending in the ecosystem's order, from all entries for this package.
    pub fixed: Vec<Version>,
}

/// What made an advisory match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchedBy {
    /// The version stands in the entry's `versions`.
    Listed,
    /// The version lies in a range.
    InRange {
        /// Which range of the entry.
        range: RangeIndex,
        /// Where the affected stretch begins.
        introduced: Version,
        /// Where it ends.
        until: Until,
    },
}

/// End of an affected stretch of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// Affected before this version.
    Fixed(Version),
    /// Affected up to and with this version.
    LastAffected(Version),
    /// The range has no end.
    Open,
}

/// One flaw record affecting one package of the bill of materials, wherever it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The package URL, canonical.
    pub purl: Purl,
    /// The components that have this purl, in document order; at least one.
    pub components: Vec<ComponentIndex>,
    /// How the advisory affects it.
    pub package: PackageMatch,
}

/// All that matching a bill of materials found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BomMatches {
    /// Sorted by (purl, advisory index), which is (purl, source, id); unique in that pair.
    pub matches: Vec<Match>,
    /// Components that could not be matched, and why; sorted.
    pub warnings: Vec<Warning>,
}
