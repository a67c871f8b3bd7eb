//! Advisories by package. A look-up costs the logarithm of the feed plus the entries found, so
//! time per component does not grow with the feed.

use std::cmp::Ordering;

use super::evaluate::{Evaluation, evaluate, fixed_versions};
use super::lookup::{EcosystemChoice, Lookup};
use crate::model::{
    Advisory, AdvisoryIndex, Affected, Ecosystem, MatchedBy, PackageMatch, Version,
};
use crate::version::Parsed;

/// Affected entries of advisories that are not withdrawn, sorted by (ecosystem, name, advisory,
/// place). Holds places only: the names are the advisories' own.
#[derive(Debug, Default)]
pub struct PackageIndex {
    entries: Vec<Entry>,
    /// Every ecosystem that occurs, sorted.
    ecosystems: Vec<Ecosystem>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    advisory: u32,
    affected: u32,
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Sorted by advisory, one for each id.
    pub matches: Vec<PackageMatch>,
    /// Some advisory names the package, but the version has no place in the ecosystem's order.
    pub unordered: bool,
}

impl PackageIndex {
    /// Indexes `advisories`; look-ups must be given the same slice.
    #[must_use]
    pub fn new(advisories: &[Advisory]) -> Self {
        let mut entries = Vec::new();
        let mut ecosystems: Vec<&Ecosystem> = Vec::new();
        for (advisory, index) in advisories.iter().zip(0_u32..) {
            if advisory.withdrawn.is_some() {
                continue;
            }
            for (affected, place) in advisory.affected.iter().zip(0_u32..) {
                entries.push(Entry {
                    advisory: index,
                    affected: place,
                });
                ecosystems.push(&affected.package.ecosystem);
            }
        }
        // Stable, and pushed in order of (advisory, place).
        entries.sort_by(|a, b| key(advisories, *a).cmp(&key(advisories, *b)));
        ecosystems.sort_unstable();
        ecosystems.dedup();
        Self {
            entries,
            ecosystems: ecosystems.into_iter().cloned().collect(),
        }
    }

    /// Every ecosystem that occurs, sorted.
    #[must_use]
    pub fn ecosystems(&self) -> &[Ecosystem] {
        &self.ecosystems
    }

    /// Evaluates every affected entry for the looked-up package.
    #[must_use]
    pub fn matches(&self, advisories: &[Advisory], lookup: &Lookup) -> Found {
        let evaluation = Evaluation::new(lookup.kind, &lookup.version);
        let mut found = Found::default();
        let ecosystems: Vec<&Ecosystem> = match &lookup.ecosystems {
            EcosystemChoice::One(ecosystem) => vec![ecosystem],
            EcosystemChoice::Release(release) => self
                .ecosystems
                .iter()
                .filter(|ecosystem| release.includes(ecosystem))
                .collect(),
        };
        for ecosystem in ecosystems {
            for name in &lookup.names {
                self.package(
                    advisories,
                    ecosystem.as_str(),
                    name,
                    &evaluation,
                    &mut found,
                );
            }
        }
        found.matches.sort_by_key(|found| found.advisory);
        // A release may be several ecosystems, and its records may share an id: one is one finding.
        let id = |found: &PackageMatch| {
            let index = usize::try_from(found.advisory.0).ok()?;
            advisories
                .get(index)
                .map(|advisory| (&advisory.source, &advisory.id))
        };
        found
            .matches
            .dedup_by(|later, first| id(later) == id(first));
        found
    }

    fn package(
        &self,
        advisories: &[Advisory],
        ecosystem: &str,
        name: &str,
        evaluation: &Evaluation<'_>,
        found: &mut Found,
    ) {
        let wanted = (ecosystem, name);
        let first = self
            .entries
            .partition_point(|entry| key(advisories, *entry) < Some(wanted));
        let rest = self.entries.get(first..).unwrap_or_default();
        let count = rest.partition_point(|entry| key(advisories, *entry) == Some(wanted));
        let entries = rest.get(..count).unwrap_or_default();
        found.unordered |= !entries.is_empty() && !evaluation.is_ordered();
        for entries in entries.chunk_by(|a, b| a.advisory == b.advisory) {
            let affected: Vec<&Affected> = entries
                .iter()
                .filter_map(|entry| affected(advisories, *entry))
                .collect();
            let Some(advisory) = entries.first().map(|entry| AdvisoryIndex(entry.advisory)) else {
                continue;
            };
            found
                .matches
                .extend(match_entries(advisory, &affected, evaluation));
        }
    }
}

/// Evaluates one advisory's entries for one package.
fn match_entries(
    advisory: AdvisoryIndex,
    entries: &[&Affected],
    evaluation: &Evaluation<'_>,
) -> Option<PackageMatch> {
    let (entry, by): (&Affected, MatchedBy) = entries
        .iter()
        .find_map(|entry| Some((*entry, evaluate(entry, evaluation)?)))?;
    let mut fixed: Vec<(Parsed, &Version)> = entries
        .iter()
        .flat_map(|entry| fixed_versions(entry, evaluation))
        .collect();
    fixed.sort_by(|(a, a_text), (b, b_text)| {
        a.partial_cmp(b)
            .unwrap_or(Ordering::Equal)
            .then_with(|| a_text.cmp(b_text))
    });
    fixed.dedup_by(|(later, _), (first, _)| later == first);
    Some(PackageMatch {
        advisory,
        package: entry.package.clone(),
        affected: entry.index,
        by,
        fixed: fixed
            .into_iter()
            .map(|(_, version)| version.clone())
            .collect(),
    })
}

fn affected(advisories: &[Advisory], entry: Entry) -> Option<&Affected> {
    let advisory = advisories.get(usize::try_from(entry.advisory).ok()?)?;
    advisory.affected.get(usize::try_from(entry.affected).ok()?)
}

fn key(advisories: &[Advisory], entry: Entry) -> Option<(&str, &str)> {
    let package = &affected(advisories, entry)?.package;
    Some((package.ecosystem.as_str(), &package.name))
}
