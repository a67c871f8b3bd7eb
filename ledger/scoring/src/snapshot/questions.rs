//! What to ask of a snapshot about a package or a vulnerability (FORMATS.md, 7.4).

use std::collections::{BTreeMap, BTreeSet};

use stella_verify::hash::{BlobDigest, SnapshotRoot};
use stella_verify::merkle::MemoryTree;
use stella_verify::snapshot::{
    Question, RecordsError, Row, RowError, RowKey, Snapshot, SnapshotHeader, SnapshotKind,
    SnapshotProofError, Table, UseKey,
};

use super::uses::family;
use crate::inputs::{epss, kev, severity};
use crate::matching::{EcosystemChoice, Origin, lookup, package_key};
use crate::model::Ecosystem;
use crate::purl::Purl;

/// A version that every package can be looked up with: which rows it has does not depend on it.
const ANY_VERSION: &str = "0";

/// All rows of a snapshot, and the tree over them.
#[derive(Debug)]
pub struct LoadedRows<'a> {
    header: SnapshotHeader,
    rows: Vec<Row<'static>>,
    tree: MemoryTree<SnapshotRoot>,
    records: BTreeMap<BlobDigest, &'a [u8]>,
}

impl<'a> LoadedRows<'a> {
    /// Loads a records file, verifying all of it.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn load(bytes: &'a [u8]) -> Result<Self, RecordsError> {
        let mut snapshot = Snapshot::open(bytes)?;
        let mut loaded = Self {
            header: snapshot.header().clone(),
            rows: Vec::new(),
            tree: MemoryTree::default(),
            records: BTreeMap::new(),
        };
        while let Some((row, record)) = snapshot.next_row()? {
            loaded.tree.push(row.leaf_hash());
            loaded.records.insert(row.record, record);
            loaded.rows.push(row);
        }
        Ok(loaded)
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// The rows, in order.
    #[must_use]
    pub fn rows(&self) -> &[Row<'static>] {
        &self.rows
    }

    /// The tree over the rows.
    #[must_use]
    pub const fn tree(&self) -> &MemoryTree<SnapshotRoot> {
        &self.tree
    }

    /// A record by its digest.
    #[must_use]
    pub fn record(&self, digest: &BlobDigest) -> Option<&'a [u8]> {
        self.records.get(digest).copied()
    }

    /// Every ecosystem under which advisories stand.
    fn ecosystems(&self) -> BTreeSet<&str> {
        let advisories = (self.rows.iter()).filter(|row| row.key.table == Table::Advisory);
        advisories.map(|row| &*row.key.ecosystem).collect()
    }
}

/// A package that cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// The purl names no package of an ecosystem that advisories speak of.
    #[error("this package cannot be looked up: {0}")]
    Lookup(Box<str>),
    /// An entry is not the canonical JSON of five columns.
    #[error(transparent)]
    Row(#[from] RowError),
    /// A question names no column, or more than five.
    #[error(transparent)]
    Proof(#[from] SnapshotProofError),
}

/// The questions whose answers are all rows of a package: of a feed snapshot one for each ecosystem
/// and name under which it is looked up, of a VEX snapshot one.
///
/// # Errors
/// [`QuestionError`].
pub fn package_questions(
    loaded: &LoadedRows<'_>,
    purl: &Purl,
) -> Result<Vec<Question>, QuestionError> {
    if loaded.header.kind() == SnapshotKind::Excititor {
        let (ecosystem, name) = package_key(purl);
        return Ok(vec![exact(["vex", &ecosystem, &name])?]);
    }
    let purl = purl.with_version(ANY_VERSION);
    let found = lookup(&purl, Origin::default())
        .map_err(|problem| QuestionError::Lookup(problem.detail))?;
    let ecosystems: Vec<String> = match &found.ecosystems {
        EcosystemChoice::One(ecosystem) => vec![ecosystem.as_str().to_owned()],
        EcosystemChoice::Release(release) => (loaded.ecosystems().into_iter())
            .filter(|name| release.includes(&Ecosystem::parse(name)))
            .map(str::to_owned)
            .collect(),
    };
    if ecosystems.is_empty() {
        let what = format!("the snapshot has no ecosystem for {}", purl.as_str());
        return Err(QuestionError::Lookup(what.into()));
    }
    let mut questions = Vec::new();
    for ecosystem in &ecosystems {
        for name in &found.names {
            questions.push(exact(["advisory", ecosystem, name])?);
        }
    }
    Ok(questions)
}

/// Under which keys a package stands in footprints, whatever its version and the snapshot.
///
/// # Errors
/// [`QuestionError`].
pub fn package_uses(purl: &Purl) -> Result<Vec<UseKey>, QuestionError> {
    let purl = purl.with_version(ANY_VERSION);
    let found = lookup(&purl, Origin::default())
        .map_err(|problem| QuestionError::Lookup(problem.detail))?;
    let family = family(&found.ecosystems);
    let names = found.names.iter();
    Ok(names.map(|name| UseKey::package(family, name)).collect())
}

/// The questions whose answers are all rows of a vulnerability id that stand under no package, and
/// its advisories, a question for each: that there are no others under some package only that
/// package's own question shows.
#[must_use]
pub fn name_questions(loaded: &LoadedRows<'_>, id: &str) -> Vec<Question> {
    if loaded.header.kind() == SnapshotKind::Excititor {
        return Vec::new();
    }
    let join = format!("{id}|");
    let whole = [
        [Table::Epss.as_str(), epss::SOURCE],
        [Table::Kev.as_str(), kev::SOURCE],
        [Table::Severity.as_str(), severity::cve::SOURCE],
        [Table::Alias.as_str(), crate::inputs::osv::SOURCE],
    ];
    let whole = whole.map(|[table, source]| exact([table, "", "", source, id]));
    let columns = [Table::Severity.as_str(), "", "", severity::join::SOURCE];
    let joined = Question::new(columns.map(str::to_owned).to_vec(), Some(join));
    let advisories = (loaded.rows.iter())
        .filter(|row| row.key.table == Table::Advisory && row.key.id == id)
        .map(|row| row_question(&row.key.to_entry()).ok());
    let questions = whole.into_iter().chain([joined]).map(Result::ok);
    questions.chain(advisories).flatten().collect()
}

/// The question for one row, named by an `entry` of a proof node.
///
/// # Errors
/// [`QuestionError`].
pub fn row_question(entry: &str) -> Result<Question, QuestionError> {
    let key = RowKey::parse_entry(entry)?;
    let columns = [
        key.table.as_str(),
        &key.ecosystem,
        &key.package,
        &key.source,
        &key.id,
    ];
    Ok(exact(columns)?)
}

fn exact<const N: usize>(columns: [&str; N]) -> Result<Question, SnapshotProofError> {
    Question::new(columns.map(str::to_owned).to_vec(), None)
}
