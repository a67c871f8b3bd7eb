//! What a score uses of a feed snapshot, and what an update touches (FORMATS.md, 7.5).
//!
//! Why disjoint sets mean an unchanged score: which advisories match follows from the rows of the
//! bill's packages. What is known of a match follows from its alias group and the rows for the
//! group's names. A group changes only through a record that was added, removed or changed and that
//! shares a name with it, before or after; all names of such records are touched.

use stella_verify::snapshot::{Footprint, Table, UseKey};

use super::derive::{Kind, Record};
use super::diff::{DiffError, visit_differences};
use crate::engine::Finding;
use crate::matching::{EcosystemChoice, Release, bom_packages};
use crate::model::{Bom, RowKey};

/// What a computation over `bom` used: every package that is looked up, found or not, and every
/// name of the flaws that were found.
#[must_use]
pub fn footprint(bom: &Bom, findings: &[Finding]) -> Footprint {
    let lookups = (bom_packages(bom).into_iter()).filter_map(|package| package.lookup.ok());
    let packages = lookups.flat_map(|lookup| {
        let family = family(&lookup.ecosystems).to_owned();
        (lookup.names.into_iter()).map(move |name| UseKey::package(&family, &name))
    });
    let names = findings.iter().flat_map(|finding| {
        let aliases = (finding.aliases.iter().chain(&finding.upstream)).map(|alias| &**alias);
        aliases
            .chain([&*finding.advisory_id])
            .map(UseKey::name)
            .collect::<Vec<_>>()
    });
    packages.chain(names).collect()
}

/// The part of an ecosystem's name that all of a choice share.
pub(super) fn family(choice: &EcosystemChoice) -> &str {
    match choice {
        EcosystemChoice::One(ecosystem) => ecosystem.as_str(),
        EcosystemChoice::Release(Release::Named(name)) => name,
        EcosystemChoice::Release(Release::Ubuntu(_)) => "Ubuntu",
        EcosystemChoice::Release(Release::Suse(_)) => "SUSE",
    }
}

/// What the difference of two feed snapshots touches.
///
/// # Errors
/// [`DiffError`].
pub fn touched(old: &[u8], new: &[u8]) -> Result<Footprint, DiffError> {
    let mut keys = Vec::new();
    visit_differences(old, new, |key, before, after| {
        uses_of_row(key, [before, after], |used| keys.push(used));
    })?;
    Ok(keys.into_iter().collect())
}

/// Everything through which a row with these records can be looked up.
pub fn uses_of_row(key: &RowKey, records: [Option<&[u8]>; 2], mut visit: impl FnMut(UseKey)) {
    match key.table {
        Table::Advisory | Table::Alias => {
            if key.table == Table::Advisory {
                visit(UseKey::package(&key.ecosystem, &key.package));
            }
            visit(UseKey::name(&key.id));
            for bytes in records.into_iter().flatten() {
                let record = Kind::of(key).and_then(|kind| kind.read(bytes).ok());
                if let Some(Record::Advisory(advisory)) = record {
                    let names = advisory.aliases.iter().chain(&advisory.upstream);
                    names.for_each(|name| visit(UseKey::name(name)));
                }
            }
        }
        // The id of a joined severity is the vulnerability's, then its provider and version.
        Table::Epss | Table::Kev | Table::Severity => {
            visit(UseKey::name(key.id.split('|').next().unwrap_or(&key.id)));
        }
        // A statement is looked up by its package and by the names of the flaw.
        Table::Vex => {
            visit(UseKey::package(&key.ecosystem, &key.package));
            for bytes in records.into_iter().flatten() {
                let record = Kind::of(key).and_then(|kind| kind.read(bytes).ok());
                if let Some(Record::Vex(statement)) = record {
                    (statement.vulnerabilities.iter()).for_each(|id| visit(UseKey::name(id)));
                }
            }
        }
    }
}
