//! Rows: what a snapshot's root is computed over.

use crate::hash::{BlobDigest, LeafHash};
use crate::json::{ArrayWriter, JsonError, Value, parse_canonical, write_hash, write_string};
use crate::merkle::leaf_hash;
use crate::node::UnknownWord;
use alloc::borrow::Cow;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// Bytes are not a snapshot row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// Not canonical JSON of a hashed object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Not an array of as many strings as the format has columns.
    #[error("a snapshot row is an array of {columns} strings")]
    Shape {
        /// 6 for a row, 5 for a key.
        columns: usize,
    },
    /// The first column is no table of the format.
    #[error("a snapshot row begins with advisory, alias, epss, kev, severity or vex")]
    Table,
    /// The last column is not an id.
    #[error("a snapshot row ends with the sha256: id of its record")]
    Record,
}

/// What kind of record a row stands for. Ordered as the words are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// An OSV record, under each package it names.
    Advisory,
    /// A name that an advisory shares with others.
    Alias,
    /// An EPSS line.
    Epss,
    /// An entry of the known-exploited list.
    Kev,
    /// A severity joined from another source.
    Severity,
    /// A VEX statement.
    Vex,
}

impl Table {
    /// The word that stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Alias => "alias",
            Self::Epss => "epss",
            Self::Kev => "kev",
            Self::Severity => "severity",
            Self::Vex => "vex",
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Table {
    type Err = UnknownWord;
    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let tables = [
            Self::Advisory,
            Self::Alias,
            Self::Epss,
            Self::Kev,
            Self::Severity,
            Self::Vex,
        ];
        tables
            .into_iter()
            .find(|table| table.as_str() == word)
            .ok_or(UnknownWord)
    }
}

/// Where a row stands: its first five columns. The derived order is the snapshot's: column by
/// column, as UTF-8 bytes. Columns that do not apply are empty strings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey<'a> {
    /// Kind of record.
    pub table: Table,
    /// Ecosystem of the package, as OSV spells it.
    pub ecosystem: Cow<'a, str>,
    /// Name of the package.
    pub package: Cow<'a, str>,
    /// Which source the record came from.
    pub source: Cow<'a, str>,
    /// The record's id in that source.
    pub id: Cow<'a, str>,
}

impl RowKey<'_> {
    /// Canonical JSON of the five columns: how a proof node's `entry` names a row.
    #[must_use]
    pub fn to_entry(&self) -> String {
        let mut out = Vec::with_capacity(96);
        let mut array = ArrayWriter::new(&mut out);
        self.write_columns(&mut array);
        array.end();
        // Written from strings, so it is UTF-8.
        String::from_utf8(out).unwrap_or_default()
    }

    /// Reads what [`to_entry`](Self::to_entry) writes.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn parse_entry(entry: &str) -> Result<RowKey<'static>, RowError> {
        let value = parse_canonical(entry.as_bytes())?;
        let [table, ecosystem, package, source, id] = columns(&value)?;
        key(table, [ecosystem, package, source, id])
    }

    fn write_columns(&self, array: &mut ArrayWriter<'_>) {
        write_string(array.item(), self.table.as_str());
        for column in [&self.ecosystem, &self.package, &self.source, &self.id] {
            write_string(array.item(), column);
        }
    }
}

/// One leaf of a snapshot: where it stands, and which record stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// Where it stands; unique in a snapshot.
    pub key: RowKey<'a>,
    /// The record: an OSV file's bytes, a CSV line without its line end, or the canonical JSON of an
    /// array element.
    pub record: BlobDigest,
}

impl Row<'_> {
    /// Appends the canonical bytes: an array of six strings.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut array = ArrayWriter::new(out);
        self.key.write_columns(&mut array);
        write_hash(array.item(), self.record.as_bytes());
        array.end();
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        self.write(&mut out);
        out
    }

    /// Its leaf in the snapshot's tree.
    #[must_use]
    pub fn leaf_hash(&self) -> LeafHash {
        leaf_hash(&self.to_bytes())
    }

    /// Reads a row's canonical bytes.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn parse(bytes: &[u8]) -> Result<Row<'static>, RowError> {
        let value = parse_canonical(bytes)?;
        let [table, ecosystem, package, source, id, record] = columns(&value)?;
        Ok(Row {
            key: key(table, [ecosystem, package, source, id])?,
            record: record.parse().map_err(|_| RowError::Record)?,
        })
    }
}

fn columns<const N: usize>(value: &Value) -> Result<[&str; N], RowError> {
    let shape = RowError::Shape { columns: N };
    let items = value.as_array().ok_or(shape.clone())?;
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    texts.and_then(|texts| texts.try_into().ok()).ok_or(shape)
}

fn key(table: &str, columns: [&str; 4]) -> Result<RowKey<'static>, RowError> {
    let table = table.parse().map_err(|_| RowError::Table)?;
    let [ecosystem, package, source, id] = columns.map(|column| Cow::Owned(column.to_string()));
    Ok(RowKey {
        table,
        ecosystem,
        package,
        source,
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(columns: [String; 4], record: [u8; 32]) {
            let [ecosystem, package, source, id] = columns.map(Cow::Owned);
            let key = RowKey { table: Table::Kev, ecosystem, package, source, id };
            let entry = key.to_entry();
            let read = RowKey::parse_entry(&entry);
            prop_assert_eq!(read.as_ref(), Ok(&key));
            let row = Row { key, record: BlobDigest::new(record) };
            let read = Row::parse(&row.to_bytes());
            prop_assert_eq!(read, Ok(row));
        }
    }

    #[test]
    fn tables_are_ordered_as_their_words() {
        let words = ["advisory", "alias", "epss", "kev", "severity", "vex"];
        let tables = words.map(|word| word.parse::<Table>().unwrap());
        assert!(words.is_sorted() && tables.is_sorted());
        assert!("osv".parse::<Table>().is_err());
    }
}
