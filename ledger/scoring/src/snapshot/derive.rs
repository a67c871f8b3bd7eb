//! From a record's bytes to the rows it stands under. Import and loading share this, so a snapshot
//! whose rows do not follow from its records is found out.

use std::fmt;

use crate::inputs::{epss, kev, osv, severity, vex};
use crate::model::{Advisory, EpssFact, KevFact, RowKey, Table};

/// A record, read.
#[derive(Debug, Clone)]
pub(super) enum Record {
    /// Tables `advisory` and `alias`.
    Advisory(Box<Advisory>),
    /// Table `epss`.
    Epss(EpssFact),
    /// Table `kev`.
    Kev(KevFact),
    /// Table `severity`.
    Severity(RowKey, severity::SeverityRecord),
    /// Table `vex`.
    Vex(Box<vex::StatementRecord>),
}

/// Why a record could not be read, with its place; the record's publisher is at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordError(pub(super) Box<str>);

impl<E: std::error::Error> From<E> for RecordError {
    fn from(error: E) -> Self {
        Self(error.to_string().into())
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kinds of records, as (table, source) tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Osv,
    Epss,
    Kev,
    Cve,
    Join,
    Vex,
}

impl Kind {
    /// The kind of the record that a row stands for.
    pub(super) fn of(key: &RowKey) -> Option<Self> {
        Some(match (key.table, &*key.source) {
            (Table::Advisory | Table::Alias, osv::SOURCE) => Self::Osv,
            (Table::Epss, epss::SOURCE) => Self::Epss,
            (Table::Kev, kev::SOURCE) => Self::Kev,
            (Table::Severity, severity::cve::SOURCE) => Self::Cve,
            (Table::Severity, severity::join::SOURCE) => Self::Join,
            (Table::Vex, _) => Self::Vex,
            _ => return None,
        })
    }

    /// The source's name in the header, and in rows that name no author.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::Osv => osv::SOURCE,
            Self::Epss => epss::SOURCE,
            Self::Kev => kev::SOURCE,
            Self::Cve => severity::cve::SOURCE,
            Self::Join => severity::join::SOURCE,
            Self::Vex => "vex",
        }
    }

    /// Reads a record of this kind.
    pub(super) fn read(self, bytes: &[u8]) -> Result<Record, RecordError> {
        Ok(match self {
            Self::Osv => Record::Advisory(Box::new(osv::read(bytes)?)),
            Self::Epss => Record::Epss(epss::read_line(std::str::from_utf8(bytes)?)?),
            Self::Kev => Record::Kev(kev::read(bytes)?),
            Self::Cve => {
                let (row, record) = severity::cve::read(bytes)?;
                Record::Severity(row, record)
            }
            Self::Join => {
                let (row, record) = severity::join::read_line(std::str::from_utf8(bytes)?)?;
                Record::Severity(row, record)
            }
            Self::Vex => Record::Vex(Box::new(vex::StatementRecord::parse(bytes)?)),
        })
    }
}

impl Record {
    /// The rows it stands under, sorted.
    pub(super) fn rows(&self) -> Vec<RowKey> {
        match self {
            Self::Advisory(advisory) => osv::rows(advisory),
            Self::Epss(fact) => vec![fact.row.clone()],
            Self::Kev(fact) => vec![fact.row.clone()],
            Self::Severity(row, _) => vec![row.clone()],
            Self::Vex(record) => record.rows(),
        }
    }
}
