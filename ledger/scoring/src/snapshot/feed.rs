//! A loaded feed snapshot.

use std::collections::BTreeMap;

use stella_verify::hash::SnapshotHash;
use stella_verify::snapshot::{RecordsError, Snapshot, SnapshotHeader, SnapshotKind};

use super::derive::{Kind, Record};
use crate::inputs::epss;
use crate::inputs::severity::SeverityRecord;
use crate::matching::{AliasGroups, PackageIndex, match_bom};
use crate::model::{
    Advisory, AdvisoryIndex, AliasGroup, Bom, BomMatches, Ecosystem, EpssFact, EpssScore,
    FeedSnapshot, KevFact, PackageMatch, RowKey, SeverityFact, SsvcFact,
};
use crate::purl::Purl;

/// Why a records file could not be loaded as a feed snapshot.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is damaged or forged.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// It is a VEX snapshot.
    #[error("this is a snapshot of kind {0}, another is needed")]
    Kind(SnapshotKind),
    /// A row names a table or source that this version does not know.
    #[error("row {entry} is of a table or source that this version does not know")]
    Unknown {
        /// Canonical JSON of the row's key.
        entry: Box<str>,
    },
    /// A record cannot be read by this version.
    #[error("row {entry}: {reason}")]
    Record {
        /// Canonical JSON of the row's key.
        entry: Box<str>,
        /// Why.
        reason: Box<str>,
    },
    /// The rows are not those that the records stand under: the snapshot was not made by an import.
    #[error("row {entry} does not follow from its record, or a row of that record is missing")]
    Rows {
        /// Canonical JSON of the row's key.
        entry: Box<str>,
    },
}

/// A feed snapshot in memory: advisories by package, facts by vulnerability id.
#[derive(Debug)]
pub struct FeedIndex {
    header: SnapshotHeader,
    hash: SnapshotHash,
    /// Sorted by (source, id).
    advisories: Vec<Advisory>,
    packages: PackageIndex,
    groups: AliasGroups,
    /// Sorted by id.
    epss: Vec<(Box<str>, EpssScore, EpssScore)>,
    /// Sorted by id.
    kev: Vec<KevFact>,
    /// Sorted by (id, row).
    severities: Vec<SeverityRecord>,
}

impl FeedIndex {
    /// Loads a records file, verifying all of it.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load(bytes: &[u8]) -> Result<Self, LoadError> {
        let mut snapshot = Snapshot::open(bytes)?;
        let header = snapshot.header().clone();
        if header.kind() != SnapshotKind::Concelier {
            return Err(LoadError::Kind(header.kind()));
        }
        let mut loader = Loader::default();
        while let Some((key, record)) = snapshot.next()? {
            loader.take(&key, record)?;
        }
        loader.finish(header)
    }

    /// The snapshot's header.
    #[must_use]
    pub const fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// All advisories, sorted by (source, id), withdrawn ones included.
    #[must_use]
    pub fn advisories(&self) -> &[Advisory] {
        &self.advisories
    }

    /// Every ecosystem of which an advisory stands, sorted.
    pub(super) fn ecosystems(&self) -> &[Ecosystem] {
        self.packages.ecosystems()
    }

    /// Advisories that affect one package; empty when it cannot be looked up.
    #[must_use]
    pub fn match_purl(&self, purl: &Purl) -> Vec<PackageMatch> {
        match crate::matching::lookup(purl, crate::matching::Origin::default()) {
            Ok(lookup) => self.packages.matches(&self.advisories, &lookup).matches,
            Err(_) => Vec::new(),
        }
    }

    fn records_of(&self, id: &str) -> impl Iterator<Item = &SeverityRecord> {
        let first = self.severities.partition_point(|record| *record.id < *id);
        let rest = self.severities.get(first..).unwrap_or_default();
        rest.iter().take_while(move |record| *record.id == *id)
    }
}

impl FeedSnapshot for FeedIndex {
    fn hash(&self) -> SnapshotHash {
        self.hash
    }

    fn advisory(&self, index: AdvisoryIndex) -> Option<&Advisory> {
        self.advisories.get(usize::try_from(index.0).ok()?)
    }

    fn alias_group(&self, index: AdvisoryIndex) -> Option<&AliasGroup> {
        self.groups.of(index)
    }

    fn match_bom(&self, bom: &Bom) -> BomMatches {
        match_bom(bom, &self.packages, &self.advisories)
    }

    fn epss(&self, id: &str) -> Option<EpssFact> {
        let place = self
            .epss
            .binary_search_by(|(have, _, _)| (**have).cmp(id))
            .ok()?;
        let (_, score, percentile) = self.epss.get(place)?;
        Some(EpssFact {
            score: *score,
            percentile: *percentile,
            row: epss::row(id),
        })
    }

    fn kev(&self, id: &str) -> Option<KevFact> {
        let place = self
            .kev
            .binary_search_by(|have| (*have.row.id).cmp(id))
            .ok()?;
        self.kev.get(place).cloned()
    }

    fn severities(&self, id: &str) -> Vec<SeverityFact> {
        let mut facts: Vec<_> = self
            .records_of(id)
            .flat_map(|record| record.severities.iter().cloned())
            .collect();
        facts.sort_unstable();
        facts
    }

    fn ssvc(&self, id: &str) -> Option<SsvcFact> {
        self.records_of(id).find_map(|record| record.ssvc.clone())
    }
}

#[derive(Default)]
struct Loader<'a> {
    advisories: Vec<Advisory>,
    /// By OSV record: the rows that follow from it and are still to come, last first. Rows are sorted
    /// by package first, so those of one record are apart.
    missing: BTreeMap<&'a [u8], Vec<RowKey>>,
    epss: Vec<(Box<str>, EpssScore, EpssScore)>,
    kev: Vec<KevFact>,
    severities: Vec<SeverityRecord>,
}

impl<'a> Loader<'a> {
    fn take(&mut self, key: &RowKey, bytes: &'a [u8]) -> Result<(), LoadError> {
        let rows_error = || LoadError::Rows {
            entry: key.to_entry().into(),
        };
        let kind = Kind::of(key).ok_or_else(|| LoadError::Unknown {
            entry: key.to_entry().into(),
        })?;
        if kind == Kind::Osv
            && let Some(missing) = self.missing.get_mut(bytes)
        {
            return match missing.pop() {
                Some(expected) if expected == *key => Ok(()),
                _ => Err(rows_error()),
            };
        }
        let record = kind.read(bytes).map_err(|error| LoadError::Record {
            entry: key.to_entry().into(),
            reason: error.0,
        })?;
        let mut missing = record.rows();
        missing.reverse();
        if missing.pop().as_ref() != Some(key) {
            return Err(rows_error());
        }
        match record {
            Record::Advisory(advisory) => {
                self.advisories.push(*advisory);
                self.missing.insert(bytes, missing);
            }
            Record::Epss(fact) => {
                let id = Box::from(&*key.id);
                self.epss.push((id, fact.score, fact.percentile));
            }
            Record::Kev(fact) => self.kev.push(fact),
            Record::Severity(_, record) => self.severities.push(record),
            Record::Vex(_) => {
                return Err(LoadError::Unknown {
                    entry: key.to_entry().into(),
                });
            }
        }
        Ok(())
    }

    fn finish(mut self, header: SnapshotHeader) -> Result<FeedIndex, LoadError> {
        if let Some(row) = self.missing.values().find_map(|rows| rows.last()) {
            return Err(LoadError::Rows {
                entry: row.to_entry().into(),
            });
        }
        // Stable: records that share an id stay in row order.
        self.advisories
            .sort_by(|a, b| (&a.source, &a.id).cmp(&(&b.source, &b.id)));
        // A record without packages matches nothing; what it states of its flaw counts all the same.
        let unpackaged = (self.advisories.iter())
            .filter(|advisory| advisory.affected.is_empty() && advisory.withdrawn.is_none());
        self.severities
            .extend(unpackaged.map(|advisory| SeverityRecord {
                id: advisory.id.clone(),
                severities: advisory.severities.clone(),
                ssvc: None,
            }));
        // Stable: records of one id stay in row order.
        self.severities.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(FeedIndex {
            hash: header.hash(),
            header,
            packages: PackageIndex::new(&self.advisories),
            groups: AliasGroups::new(&self.advisories),
            advisories: self.advisories,
            epss: self.epss,
            kev: self.kev,
            severities: self.severities,
        })
    }
}
