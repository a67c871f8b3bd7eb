//! The OSV schema's evaluation of one affected entry.

use std::cmp::Ordering;

use crate::model::{
    Advisory, Affected, EcosystemKind, MatchedBy, Range, RangeEvent, RangeKind, Until, Version,
};
use crate::version::Parsed;

/// A version that is to be evaluated, parsed once.
#[derive(Debug, Clone)]
pub struct Evaluation<'a> {
    text: &'a str,
    kind: EcosystemKind,
    parsed: Option<Parsed>,
}

impl<'a> Evaluation<'a> {
    /// Takes a component's version in an ecosystem family.
    #[must_use]
    pub fn new(kind: EcosystemKind, text: &'a str) -> Self {
        Self {
            text,
            kind,
            parsed: Parsed::new(kind, text),
        }
    }

    /// Whether the ecosystem's order knows the version. If not, only listed versions match.
    #[must_use]
    pub const fn is_ordered(&self) -> bool {
        self.parsed.is_some()
    }
}

/// Whether an affected entry affects the version, and through what: its list first, then its
/// ranges in their order.
#[must_use]
pub fn evaluate(affected: &Affected, version: &Evaluation<'_>) -> Option<MatchedBy> {
    if is_listed(affected, version) {
        return Some(MatchedBy::Listed);
    }
    affected
        .ranges
        .iter()
        .find_map(|range| evaluate_range(range, version))
}

/// Fixed versions newer than the component's, from all ranges of an entry, in no order.
pub fn fixed_versions<'a>(
    affected: &'a Affected,
    version: &'a Evaluation<'_>,
) -> impl Iterator<Item = (Parsed, &'a Version)> {
    affected
        .ranges
        .iter()
        .flat_map(|range| &range.events)
        .filter_map(|event| {
            let RangeEvent::Fixed(fixed) = event else {
                return None;
            };
            let parsed = Parsed::new(version.kind, fixed.as_str())?;
            match version.parsed.as_ref()?.partial_cmp(&parsed)? {
                Ordering::Less => Some((parsed, fixed)),
                _ => None,
            }
        })
}

/// Range bounds of an advisory that are no versions of their ecosystem: ranges with such a bound
/// affect nothing.
pub fn unordered_bounds(advisory: &Advisory) -> impl Iterator<Item = &Version> {
    advisory.affected.iter().flat_map(|affected| {
        let kind = affected.package.ecosystem.kind();
        affected.ranges.iter().flat_map(move |range| {
            let kind = order_of(kind, range.kind);
            range.events.iter().map(bound).filter(move |version| {
                !matches!(version.as_str(), "0" | "*")
                    && Parsed::new(kind, version.as_str()).is_none()
            })
        })
    })
}

/// The order that a range's bounds follow.
fn order_of(ecosystem: EcosystemKind, range: RangeKind) -> EcosystemKind {
    match (ecosystem, range) {
        (EcosystemKind::Unordered, RangeKind::SemVer) => EcosystemKind::SemVerOther,
        (kind, _) => kind,
    }
}

fn bound(event: &RangeEvent) -> &Version {
    match event {
        RangeEvent::Introduced(version)
        | RangeEvent::Fixed(version)
        | RangeEvent::LastAffected(version)
        | RangeEvent::Limit(version) => version,
    }
}

/// Texts are compared first, since that needs no parsing; then versions, because an ecosystem may
/// spell one version in several ways (`1.0` and `1.0.0` on PyPI).
fn is_listed(affected: &Affected, version: &Evaluation<'_>) -> bool {
    if affected.versions.is_empty() {
        return false;
    }
    let text = version.text;
    if affected
        .versions
        .binary_search_by(|listed| listed.as_str().cmp(text))
        .is_ok()
    {
        return true;
    }
    let Some(parsed) = &version.parsed else {
        return false;
    };
    affected
        .versions
        .iter()
        .any(|listed| Parsed::new(version.kind, listed.as_str()).as_ref() == Some(parsed))
}

/// One event with its version parsed; `None` is the version `0` that stands before all others.
struct Bound<'r> {
    version: Option<Parsed>,
    event: &'r RangeEvent,
}

/// Walks the events in version order, as the schema's pseudo-code does. A range with a bound that
/// is no version of the ecosystem cannot be evaluated and affects nothing; the import names such
/// records.
fn evaluate_range(range: &Range, version: &Evaluation<'_>) -> Option<MatchedBy> {
    let kind = order_of(version.kind, range.kind);
    let own;
    let parsed = if kind == version.kind {
        version.parsed.as_ref()?
    } else {
        own = Parsed::new(kind, version.text)?;
        &own
    };
    let bounds = sorted_bounds(range, kind)?;
    if !before_limits(&bounds, parsed) {
        return None;
    }
    let mut since: Option<&Version> = None;
    for bound in &bounds {
        let order = match &bound.version {
            Some(bound) => parsed.partial_cmp(bound)?,
            None => Ordering::Greater,
        };
        match bound.event {
            RangeEvent::Introduced(at) if order != Ordering::Less => since = Some(at),
            RangeEvent::Fixed(_) if order != Ordering::Less => since = None,
            RangeEvent::LastAffected(_) if order == Ordering::Greater => since = None,
            _ => {}
        }
    }
    let introduced = since?.clone();
    Some(MatchedBy::InRange {
        range: range.index,
        introduced,
        until: end(&bounds, parsed),
    })
}

fn sorted_bounds(range: &Range, kind: EcosystemKind) -> Option<Vec<Bound<'_>>> {
    let mut bounds = Vec::with_capacity(range.events.len());
    for event in &range.events {
        let version = match (event, bound(event).as_str()) {
            (RangeEvent::Introduced(_), "0") => None,
            (RangeEvent::Limit(_), "*") => continue,
            (_, text) => Some(Parsed::new(kind, text)?),
        };
        bounds.push(Bound { version, event });
    }
    // Stable: events at one version keep the record's order, except that a last affected version
    // ends a stretch that begins at it.
    bounds.sort_by(|a, b| {
        let order = match (&a.version, &b.version) {
            (Some(a), Some(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        let last = |bound: &Bound<'_>| matches!(bound.event, RangeEvent::LastAffected(_));
        order.then_with(|| last(a).cmp(&last(b)))
    });
    Some(bounds)
}

/// Without limits every version is before them; with several, the version must be before one.
fn before_limits(bounds: &[Bound<'_>], version: &Parsed) -> bool {
    let mut limits = bounds
        .iter()
        .filter(|bound| matches!(bound.event, RangeEvent::Limit(_)))
        .peekable();
    limits.peek().is_none()
        || limits.any(|limit| limit.version.as_ref().is_some_and(|limit| version < limit))
}

/// The first end after `version`.
fn end(bounds: &[Bound<'_>], version: &Parsed) -> Until {
    for bound in bounds {
        let Some(at) = &bound.version else { continue };
        match bound.event {
            RangeEvent::Fixed(fixed) if version < at => return Until::Fixed(fixed.clone()),
            RangeEvent::LastAffected(last) if version <= at => {
                return Until::LastAffected(last.clone());
            }
            _ => {}
        }
    }
    Until::Open
}

#[cfg(test)]
mod tests;
