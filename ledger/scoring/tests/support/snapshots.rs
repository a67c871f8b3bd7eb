//! Snapshots that are stated, not loaded.

use super::*;

/// A feed snapshot whose matches are stated, not found.
#[derive(Clone, Default)]
pub struct Feed {
    pub name: String,
    pub advisories: Vec<Advisory>,
    pub groups: Vec<AliasGroup>,
    pub matches: BomMatches,
    pub epss: BTreeMap<String, EpssFact>,
    pub kev: BTreeMap<String, KevFact>,
    pub severities: BTreeMap<String, Vec<SeverityFact>>,
    pub ssvc: BTreeMap<String, SsvcFact>,
}

impl FeedSnapshot for Feed {
    fn hash(&self) -> SnapshotHash {
        SnapshotHash::new(sha256(self.name.as_bytes()))
    }

    fn advisory(&self, index: AdvisoryIndex) -> Option<&Advisory> {
        self.advisories.get(index.0 as usize)
    }

    fn alias_group(&self, index: AdvisoryIndex) -> Option<&AliasGroup> {
        self.groups
            .iter()
            .find(|group| group.members.contains(&index))
    }

    fn match_bom(&self, _: &Bom) -> BomMatches {
        self.matches.clone()
    }

    fn epss(&self, id: &str) -> Option<EpssFact> {
        self.epss.get(id).cloned()
    }

    fn kev(&self, id: &str) -> Option<KevFact> {
        self.kev.get(id).cloned()
    }

    fn severities(&self, id: &str) -> Vec<SeverityFact> {
        self.severities.get(id).cloned().unwrap_or_default()
    }

    fn ssvc(&self, id: &str) -> Option<SsvcFact> {
        self.ssvc.get(id).cloned()
    }
}

/// A VEX snapshot: statements by vulnerability.
#[derive(Clone, Default)]
pub struct Vex {
    pub name: String,
    pub statements: Vec<(VexStatement, VexFit)>,
}

impl VexSnapshot for Vex {
    fn hash(&self) -> SnapshotHash {
        SnapshotHash::new(sha256(self.name.as_bytes()))
    }

    fn applications(&self, query: VexQuery<'_>) -> Vec<VexApplication<'_>> {
        (self.statements.iter())
            .filter(|(statement, _)| {
                statement
                    .vulnerabilities
                    .iter()
                    .any(|id| query.names.contains(id))
            })
            .map(|(statement, fit)| VexApplication {
                statement,
                fit: *fit,
            })
            .collect()
    }
}
