//! A feed under construction.

use super::*;

/// Builds a feed: advisories with their places in the document.
pub struct Builder {
    pub feed: Feed,
    pub components: Vec<Component>,
}

impl Builder {
    pub fn new() -> Self {
        Self {
            feed: Feed {
                name: "feed".into(),
                ..Feed::default()
            },
            components: Vec::new(),
        }
    }

    /// A component; its place is the order of calls.
    pub fn component(&mut self, purl: &str, scope: Scope, depth: u32) -> ComponentIndex {
        let place = self.components.len();
        let purl: Purl = purl.parse().unwrap();
        self.components.push(Component {
            pointer: JsonPointer::root().member("components").element(place),
            name: purl.name().into(),
            version: purl.version().map(Into::into),
            purl: Some(purl),
            depth: DependencyDepth::Steps(depth),
            scope,
            source: None,
        });
        ComponentIndex(place as u32)
    }

    /// An advisory that matches components, all of one purl.
    pub fn advisory(
        &mut self,
        id: &str,
        kind: AdvisoryKind,
        at: &[ComponentIndex],
        fixed: &[&str],
    ) -> AdvisoryIndex {
        let index = AdvisoryIndex(self.feed.advisories.len() as u32);
        let purl = self.components[at[0].0 as usize].purl.clone().unwrap();
        let package = PackageKey {
            ecosystem: Ecosystem::parse(purl.kind()),
            name: purl.name().into(),
        };
        self.feed.advisories.push(Advisory {
            id: id.into(),
            aliases: Vec::new(),
            upstream: Vec::new(),
            summary: format!("Flaw {id}").into(),
            withdrawn: None,
            kind,
            severities: Vec::new(),
            affected: vec![Affected {
                index: AffectedIndex(0),
                package: package.clone(),
                ranges: Vec::new(),
                versions: Vec::new(),
                severities: Vec::new(),
            }],
            source: "osv".into(),
        });
        self.feed.matches.matches.push(Match {
            purl,
            components: at.to_vec(),
            package: PackageMatch {
                advisory: index,
                package,
                affected: AffectedIndex(0),
                by: MatchedBy::InRange {
                    range: RangeIndex(0),
                    introduced: Version("0".into()),
                    until: match fixed.first() {
                        Some(version) => Until::Fixed(Version((*version).into())),
                        None => Until::Open,
                    },
                },
                fixed: fixed
                    .iter()
                    .map(|version| Version((*version).into()))
                    .collect(),
            },
        });
        index
    }

    /// Says that advisories speak of one flaw.
    pub fn group(&mut self, members: &[AdvisoryIndex], names: &[&str]) {
        self.feed.groups.push(AliasGroup {
            upstream: Vec::new(),
            name: names[0].into(),
            members: members.to_vec(),
            names: names.iter().map(|name| (*name).into()).collect(),
        });
    }

    pub fn finish(mut self) -> (Feed, Vec<Component>) {
        self.feed
            .matches
            .matches
            .sort_by(|a, b| (&a.purl, a.package.advisory).cmp(&(&b.purl, b.package.advisory)));
        (self.feed, self.components)
    }
}
