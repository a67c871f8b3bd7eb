//! Matches, arranged as they are scored: by package, and within it by flaw.

use super::{Context, EngineError};
use crate::model::{Advisory, AliasGroup, Match};
use crate::purl::Purl;
use std::collections::BTreeMap;

/// All matches of one package.
pub(super) struct Matched<'a> {
    pub(super) purl: &'a Purl,
    pub(super) matches: &'a [Match],
}

/// Splits matches, which are sorted by purl, into packages.
pub(super) fn by_purl(matches: &[Match]) -> Vec<Matched<'_>> {
    (matches.chunk_by(|a, b| a.purl == b.purl))
        .filter_map(|matches| {
            Some(Matched {
                purl: &matches.first()?.purl,
                matches,
            })
        })
        .collect()
}

/// One flaw in one package: every advisory that speaks of it and matches.
pub(super) struct Flaw<'a> {
    pub(super) group: &'a AliasGroup,
    /// Sorted by (advisory id, source).
    pub(super) members: Vec<Member<'a>>,
}

/// One advisory that matches.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) advisory: &'a Advisory,
    pub(super) matched: &'a Match,
}

impl<'a> Flaw<'a> {
    /// The advisory whose finding counts: the first of a kind that the policy scores.
    pub(super) fn lead(&self, context: &Context<'_>) -> Option<Member<'a>> {
        let scored = &context.inputs.policy.scored_kinds;
        let mut members = self.members.iter();
        members
            .find(|member| scored.contains(member.advisory.kind.name()))
            .copied()
    }
}

impl<'a> Flaw<'a> {
    /// For advisories that only pass on flaws which are all found in the package by themselves: the
    /// one whose finding counts for the first of those. A distribution's notice about three CVEs adds
    /// nothing to the three.
    pub(super) fn counted_elsewhere(
        &self,
        context: &Context<'_>,
        all: &[Flaw<'a>],
    ) -> Option<Member<'a>> {
        let passes_on = |member: &Member<'_>| member.advisory.upstream.len() > 1;
        if !self.members.iter().all(passes_on) {
            return None;
        }
        let lead_of = |name: &str| {
            let mut others = all.iter().filter(|other| other.group.upstream.is_empty());
            let named = |other: &&Flaw<'a>| other.group.names.iter().any(|have| **have == *name);
            let found = others.find(named);
            found?.lead(context)
        };
        let mut leads = self.group.upstream.iter().map(|name| lead_of(name));
        let first = leads.next()??;
        leads.all(|lead| lead.is_some()).then_some(first)
    }
}

/// The flaws of a package, sorted by name.
pub(super) fn flaws<'a>(
    context: &Context<'a>,
    matched: &Matched<'a>,
) -> Result<Vec<Flaw<'a>>, EngineError> {
    let feed = context.inputs.feed;
    let mut flaws: BTreeMap<&str, Flaw<'a>> = BTreeMap::new();
    for matched in matched.matches {
        let place = matched.package.advisory;
        let missing = |what| EngineError::Index {
            what,
            place: place.0,
        };
        let advisory = feed.advisory(place).ok_or(missing("advisory"))?;
        let group = feed.alias_group(place).ok_or(missing("alias group"))?;
        let flaw = flaws.entry(&group.name).or_insert_with(|| Flaw {
            group,
            members: Vec::new(),
        });
        flaw.members.push(Member { advisory, matched });
    }
    let mut flaws: Vec<_> = flaws.into_values().collect();
    for flaw in &mut flaws {
        flaw.members.sort_by(|a, b| {
            (&a.advisory.id, &a.advisory.source).cmp(&(&b.advisory.id, &b.advisory.source))
        });
    }
    Ok(flaws)
}
