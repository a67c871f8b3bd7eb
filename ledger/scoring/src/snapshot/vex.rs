//! A loaded VEX snapshot.

use std::collections::BTreeMap;

use stella_verify::hash::SnapshotHash;
use stella_verify::snapshot::{Snapshot, SnapshotHeader, SnapshotKind};

use super::derive::{Kind, Record};
use super::feed::LoadError;
use crate::inputs::vex::packages_of;
use crate::matching::{fit, package_key};
use crate::model::{RowKey, VexApplication, VexQuery, VexSnapshot, VexStatement};

/// A VEX snapshot in memory: statements by package.
#[derive(Debug)]
pub struct VexIndex {
    header: SnapshotHeader,
    hash: SnapshotHash,
    /// Sorted by first row.
    statements: Vec<VexStatement>,
    /// (ecosystem, package, place of a statement), sorted.
    packages: Vec<(Box<str>, Box<str>, usize)>,
}

impl VexIndex {
    /// Loads a records file, verifying all of it.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load(bytes: &[u8]) -> Result<Self, LoadError> {
        let mut snapshot = Snapshot::open(bytes)?;
        let header = snapshot.header().clone();
        if header.kind() != SnapshotKind::Excititor {
            return Err(LoadError::Kind(header.kind()));
        }
        // Rows of one statement are apart, since they are sorted by package.
        let mut missing: BTreeMap<&[u8], Vec<RowKey>> = BTreeMap::new();
        let mut statements = Vec::new();
        while let Some((key, bytes)) = snapshot.next()? {
            let rows_error = || LoadError::Rows {
                entry: key.to_entry().into(),
            };
            if let Some(rows) = missing.get_mut(bytes) {
                if rows.pop().as_ref() != Some(&key) {
                    return Err(rows_error());
                }
                continue;
            }
            let (mut rows, statement) = read(&key, bytes)?;
            rows.reverse();
            if rows.pop().as_ref() != Some(&key) {
                return Err(rows_error());
            }
            missing.insert(bytes, rows);
            statements.push(statement);
        }
        if let Some(row) = missing.values().find_map(|rows| rows.last()) {
            return Err(LoadError::Rows {
                entry: row.to_entry().into(),
            });
        }
        Ok(Self::new(header, statements))
    }

    fn new(header: SnapshotHeader, statements: Vec<VexStatement>) -> Self {
        let mut packages = Vec::new();
        for (place, statement) in statements.iter().enumerate() {
            for purl in packages_of(&statement.products) {
                let (ecosystem, package) = package_key(purl);
                packages.push((ecosystem.into(), package.into(), place));
            }
        }
        packages.sort_unstable();
        packages.dedup();
        Self {
            hash: header.hash(),
            header,
            statements,
            packages,
        }
    }

    /// The snapshot's header.
    #[must_use]
    pub const fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// All statements, in row order.
    #[must_use]
    pub fn statements(&self) -> &[VexStatement] {
        &self.statements
    }

    /// Places of statements about a package.
    fn about<'i>(
        &'i self,
        ecosystem: &'i str,
        package: &'i str,
    ) -> impl Iterator<Item = usize> + 'i {
        let first = self
            .packages
            .partition_point(|(a, b, _)| (&**a, &**b) < (ecosystem, package));
        let rest = self.packages.get(first..).unwrap_or_default();
        rest.iter()
            .take_while(move |(a, b, _)| (&**a, &**b) == (ecosystem, package))
            .map(|(_, _, place)| *place)
    }
}

fn read(key: &RowKey, bytes: &[u8]) -> Result<(Vec<RowKey>, VexStatement), LoadError> {
    let unknown = || LoadError::Unknown {
        entry: key.to_entry().into(),
    };
    let kind = Kind::of(key).ok_or_else(unknown)?;
    let record = kind.read(bytes).map_err(|error| LoadError::Record {
        entry: key.to_entry().into(),
        reason: error.0,
    })?;
    let rows = record.rows();
    match record {
        Record::Vex(record) => record
            .into_statement()
            .map(|statement| (rows, statement))
            .ok_or_else(unknown),
        _ => Err(unknown()),
    }
}

impl VexSnapshot for VexIndex {
    fn hash(&self) -> SnapshotHash {
        self.hash
    }

    fn applications(&self, query: VexQuery<'_>) -> Vec<VexApplication<'_>> {
        let mut places: Vec<usize> = std::iter::once(query.component)
            .chain(query.artifacts)
            .flat_map(|purl| {
                let (ecosystem, package) = package_key(purl);
                self.about(&ecosystem, &package).collect::<Vec<_>>()
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        places
            .into_iter()
            .filter_map(|place| {
                let statement = self.statements.get(place)?;
                Some(VexApplication {
                    statement,
                    fit: fit(statement, query)?,
                })
            })
            .collect()
    }
}
