//! Which advisories speak of one flaw.

use std::collections::BTreeMap;

use crate::model::{Advisory, AdvisoryIndex, AliasGroup};

/// The partition of a snapshot's advisories into flaws: two advisories that share an id or alias
/// are in one group, and so are those they are linked to by others.
///
/// A withdrawn advisory links nothing: it was withdrawn because what it says does not hold. OSV's
/// `related` links nothing either: it names other flaws.
#[derive(Debug, Default)]
pub struct AliasGroups {
    groups: Vec<AliasGroup>,
    /// For each advisory, the place of its group.
    group_of: Vec<usize>,
}

impl AliasGroups {
    /// Groups `advisories`. The result does not depend on anything but their ids and aliases.
    #[must_use]
    pub fn new(advisories: &[Advisory]) -> Self {
        let mut sets = DisjointSets::new(advisories.len());
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, advisory) in advisories.iter().enumerate() {
            if advisory.withdrawn.is_some() {
                continue;
            }
            for name in names(advisory) {
                let known = *first.entry(name).or_insert(place);
                sets.join(known, place);
            }
        }
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for place in 0..advisories.len() {
            members.entry(sets.find(place)).or_default().push(place);
        }
        let mut out = Self {
            groups: Vec::new(),
            group_of: vec![0; advisories.len()],
        };
        for places in members.into_values() {
            for place in &places {
                if let Some(slot) = out.group_of.get_mut(*place) {
                    *slot = out.groups.len();
                }
            }
            out.groups.push(group(advisories, &places));
        }
        out
    }

    /// The group of an advisory.
    #[must_use]
    pub fn of(&self, index: AdvisoryIndex) -> Option<&AliasGroup> {
        let place = self.group_of.get(usize::try_from(index.0).ok()?)?;
        self.groups.get(*place)
    }
}

/// The names of the flaw that an advisory speaks of. A single upstream id is one: `DEBIAN-CVE-1`
/// has no aliases, and is about `CVE-1`.
fn names(advisory: &Advisory) -> impl Iterator<Item = &str> {
    let own = match advisory.upstream.as_slice() {
        [one] => Some(&**one),
        _ => None,
    };
    (std::iter::once(&*advisory.id))
        .chain(advisory.aliases.iter().map(|alias| &**alias))
        .chain(own)
}

fn group(advisories: &[Advisory], places: &[usize]) -> AliasGroup {
    let mut all: Vec<Box<str>> = places
        .iter()
        .filter_map(|place| advisories.get(*place))
        .flat_map(names)
        .map(Into::into)
        .collect();
    all.sort_unstable();
    all.dedup();
    let least = |prefix: &str| all.iter().find(|name| name.starts_with(prefix));
    let name = least("CVE-")
        .or_else(|| least("GHSA-"))
        .or_else(|| all.first());
    let passed_on = (places.iter())
        .filter_map(|place| advisories.get(*place))
        .flat_map(|advisory| &advisory.upstream);
    let mut upstream: Vec<Box<str>> = (passed_on)
        .filter(|name| all.binary_search(name).is_err())
        .cloned()
        .collect();
    upstream.sort_unstable();
    upstream.dedup();
    AliasGroup {
        name: name.cloned().unwrap_or_default(),
        upstream,
        members: places
            .iter()
            .map(|place| AdvisoryIndex(u32::try_from(*place).unwrap_or(u32::MAX)))
            .collect(),
        names: all,
    }
}

/// Disjoint sets; the root of a set is its least member, so results do not depend on the order of
/// joins.
struct DisjointSets {
    parent: Vec<usize>,
}

impl DisjointSets {
    fn new(count: usize) -> Self {
        Self {
            parent: (0..count).collect(),
        }
    }

    fn find(&mut self, member: usize) -> usize {
        let mut at = member;
        while let Some(parent) = self.parent.get(at).copied() {
            if parent == at {
                break;
            }
            // Halving: every second member on the way points to its grandparent afterwards.
            let grandparent = self.parent.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.parent.get_mut(at) {
                *slot = grandparent;
            }
            at = grandparent;
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        if let Some(slot) = self.parent.get_mut(a.max(b)) {
            *slot = a.min(b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AdvisoryKind;

    fn advisory(id: &str, aliases: &[&str], withdrawn: bool) -> Advisory {
        Advisory {
            id: id.into(),
            aliases: aliases.iter().map(|alias| (*alias).into()).collect(),
            upstream: Vec::new(),
            summary: "".into(),
            withdrawn: withdrawn.then(|| "2024".into()),
            kind: AdvisoryKind::Vulnerability,
            severities: Vec::new(),
            affected: Vec::new(),
            source: "osv".into(),
        }
    }

    #[test]
    fn advisories_are_linked_through_names_and_each_other() {
        let advisories = [
            advisory("GHSA-a", &["CVE-2"], false),
            advisory("GHSA-z", &[], false),
            advisory("GO-1", &["CVE-3", "GHSA-a"], false),
            advisory("PYSEC-1", &["CVE-3"], false),
            advisory("PYSEC-2", &["CVE-3", "GHSA-z"], true),
        ];
        let groups = AliasGroups::new(&advisories);
        let of = |place| groups.of(AdvisoryIndex(place)).unwrap();
        assert_eq!(&*of(0).name, "CVE-2");
        assert_eq!(
            of(0).members,
            [AdvisoryIndex(0), AdvisoryIndex(2), AdvisoryIndex(3)]
        );
        assert_eq!(of(0), of(3));
        assert_eq!(&*of(1).name, "GHSA-z");
        assert_eq!(of(1).members.len(), 1, "a withdrawn advisory links nothing");
        assert_eq!(of(4).members, [AdvisoryIndex(4)]);
    }

    #[test]
    fn one_upstream_flaw_is_the_flaw_and_several_are_not() {
        let mut debian = advisory("DEBIAN-CVE-1", &[], false);
        debian.upstream = vec!["CVE-1".into()];
        let mut both = advisory("DSA-1", &[], false);
        both.upstream = vec!["CVE-1".into(), "CVE-2".into()];
        let advisories = [debian, both, advisory("GHSA-1", &["CVE-1"], false)];
        let groups = AliasGroups::new(&advisories);
        let of = |place| groups.of(AdvisoryIndex(place)).unwrap();
        assert_eq!(&*of(0).name, "CVE-1");
        assert_eq!(of(0).members, [AdvisoryIndex(0), AdvisoryIndex(2)]);
        assert!(of(0).upstream.is_empty());
        assert_eq!((&*of(1).name, of(1).names.len()), ("DSA-1", 1));
        assert_eq!(of(1).upstream, ["CVE-1".into(), "CVE-2".into()]);
        let names: Vec<&str> = of(1).fact_names().map(|name| &**name).collect();
        assert_eq!(names, ["DSA-1", "CVE-1", "CVE-2"]);
    }
}
