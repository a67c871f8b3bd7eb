//! Advisories as the matcher and the engine use them: OSV records, parsed and reduced.

use core::fmt;

use super::row::unpackaged;
use super::{PackageKey, RowKey, SeverityFact};

/// Place of an advisory in its snapshot, in order of (source, id).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdvisoryIndex(pub u32);

/// Place of an entry in an advisory's `affected` array, as in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AffectedIndex(pub u32);

/// Place of a range in an affected entry's `ranges` array, as in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RangeIndex(pub u32);

/// An advisory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// Its id in its source: `RUSTSEC-2026-0001`, `GHSA-...`, `GO-...`, `CVE-...`.
    pub id: Box<str>,
    /// Other ids of the same flaw, sorted and without duplicates.
    pub aliases: Vec<Box<str>>,
    /// Ids of the flaws that it passes on (OSV `upstream`: a distribution's record names the CVEs
    /// that it fixes), sorted and without duplicates. With one, it speaks of that flaw; with
    /// several, of none of them alone.
    pub upstream: Vec<Box<str>>,
    /// One line; may be empty.
    pub summary: Box<str>,
    /// When it was withdrawn, as the record writes it. A withdrawn advisory matches nothing.
    pub withdrawn: Option<Box<str>>,
    /// What it reports.
    pub kind: AdvisoryKind,
    /// Severities that the record itself states, for the whole record.
    pub severities: Vec<SeverityFact>,
    /// What it affects, in the record's order.
    pub affected: Vec<Affected>,
    /// Who publishes the snapshot row that holds it.
    pub source: Box<str>,
}

impl Advisory {
    /// The row under which the record stands for `package`; `None` for a record without packages.
    #[must_use]
    pub fn row(&self, package: Option<&PackageKey>) -> RowKey {
        match package {
            Some(package) => RowKey {
                table: super::Table::Advisory,
                ecosystem: package.ecosystem.as_str().to_owned().into(),
                package: package.name.to_string().into(),
                source: self.source.to_string().into(),
                id: self.id.to_string().into(),
            },
            None => unpackaged(super::Table::Alias, &self.source, &self.id),
        }
    }
}

/// What an advisory reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdvisoryKind {
    /// A vulnerability.
    Vulnerability,
    /// Malicious code in a published package (`MAL-` records).
    Malicious,
    /// RUSTSEC informational: nobody maintains the package.
    Unmaintained,
    /// RUSTSEC informational: the API lets safe code break memory safety.
    Unsound,
    /// RUSTSEC informational: anything else.
    Notice,
}

impl AdvisoryKind {
    /// Name in proofs and policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vulnerability => "vulnerability",
            Self::Malicious => "malicious",
            Self::Unmaintained => "unmaintained",
            Self::Unsound => "unsound",
            Self::Notice => "notice",
        }
    }

    /// Whether it informs only: matched, not scored unless the policy says so.
    #[must_use]
    pub const fn is_informational(self) -> bool {
        matches!(self, Self::Unmaintained | Self::Unsound | Self::Notice)
    }
}

/// One entry of an advisory's `affected` array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// Place in the record.
    pub index: AffectedIndex,
    /// The package.
    pub package: PackageKey,
    /// Ranges of versions, GIT ranges left out.
    pub ranges: Vec<Range>,
    /// Versions named one by one, sorted as text.
    pub versions: Vec<Version>,
    /// Severities for this package alone (OSV: they stand instead of the record's).
    pub severities: Vec<SeverityFact>,
}

/// A version as a record or a component writes it. It has no order of its own: the ecosystem has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub Box<str>);

impl Version {
    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a range's versions are ordered (OSV `ranges[].type`; GIT ranges are not kept).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RangeKind {
    /// SemVer 2.0.
    SemVer,
    /// The ecosystem's own order.
    Ecosystem,
}

/// One entry of `ranges`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Place in the record.
    pub index: RangeIndex,
    /// Its order.
    pub kind: RangeKind,
    /// Its events as in the record.
    pub events: Vec<RangeEvent>,
}

/// One event of a range (OSV `ranges[].events[]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeEvent {
    /// Affected from this version on; the text `0` stands before every version.
    Introduced(Version),
    /// No longer affected from this version on.
    Fixed(Version),
    /// Affected up to this version, and not after it.
    LastAffected(Version),
    /// The range says nothing of this version and later ones; `*` is no limit.
    Limit(Version),
}
