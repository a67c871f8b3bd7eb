//! What the engine asks of a loaded snapshot.

use stella_verify::hash::SnapshotHash;

use super::{
    Advisory, AdvisoryIndex, Bom, BomMatches, EpssFact, KevFact, SeverityFact, SsvcFact,
    VexApplication,
};
use crate::purl::Purl;

/// Advisories that speak of one flaw: connected through their ids and aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasGroup {
    /// The group's name: its least CVE id, else its least GHSA id, else its least id.
    pub name: Box<str>,
    /// Its advisories, sorted.
    pub members: Vec<AdvisoryIndex>,
    /// All ids and aliases of its advisories, sorted.
    pub names: Vec<Box<str>>,
    /// Flaws that its advisories pass on together with others, sorted. What is known of them (how
    /// severe, how likely, exploited) is known of the group; a VEX statement about one of them says
    /// nothing of the rest, so these are no names.
    pub upstream: Vec<Box<str>>,
}

impl AliasGroup {
    /// The ids under which facts of the flaw are looked up: its names, then its upstream flaws.
    pub fn fact_names(&self) -> impl DoubleEndedIterator<Item = &Box<str>> {
        self.names.iter().chain(&self.upstream)
    }
}

/// A loaded feed snapshot (kind `concelier`): a pure function of the snapshot's records.
pub trait FeedSnapshot {
    /// Its hash.
    fn hash(&self) -> SnapshotHash;

    /// The advisory at a place that this snapshot gave out.
    fn advisory(&self, index: AdvisoryIndex) -> Option<&Advisory>;

    /// The flaw an advisory belongs to. Every advisory is in exactly one group; a withdrawn
    /// advisory is alone in its.
    fn alias_group(&self, index: AdvisoryIndex) -> Option<&AliasGroup>;

    /// All matches between a bill of materials and this snapshot.
    fn match_bom(&self, bom: &Bom) -> BomMatches;

    /// EPSS of a CVE id.
    fn epss(&self, id: &str) -> Option<EpssFact>;

    /// KEV entry of a CVE id.
    fn kev(&self, id: &str) -> Option<KevFact>;

    /// Severities that other records state for a vulnerability id (severity joins, and OSV records
    /// without packages), sorted. An advisory's own are in [`Advisory::severities`].
    fn severities(&self, id: &str) -> Vec<SeverityFact>;

    /// SSVC decision points for a CVE id.
    fn ssvc(&self, id: &str) -> Option<SsvcFact>;
}

/// A finding, as VEX statements are asked about it.
#[derive(Debug, Clone, Copy)]
pub struct VexQuery<'a> {
    /// What was scanned: the manifest's `artifactPurl` and the SBOM's subject, where known.
    pub artifacts: &'a [Purl],
    /// The component.
    pub component: &'a Purl,
    /// All names of the flaw: the alias group's.
    pub names: &'a [Box<str>],
}

/// A loaded VEX snapshot (kind `excititor`).
pub trait VexSnapshot {
    /// Its hash.
    fn hash(&self) -> SnapshotHash;

    /// Every statement that applies to a finding, in row order. No precedence is applied.
    fn applications(&self, query: VexQuery<'_>) -> Vec<VexApplication<'_>>;
}
