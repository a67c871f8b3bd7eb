//! What an import says about the files it was given.

use std::collections::BTreeMap;
use std::fmt;

use crate::model::Table;

/// A record that could not be read, and is in no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BadRecord {
    /// The file as the caller named it; an archive's entry after a `!`, a line after a `:`.
    pub place: Box<str>,
    /// Why, with a JSON pointer where there is one.
    pub reason: Box<str>,
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// Something worth knowing about a record that was imported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImportNote {
    /// The file, as in [`BadRecord::place`].
    pub place: Box<str>,
    /// What.
    pub text: Box<str>,
}

/// Outcome of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Records read, by table; one that was given several times counts each time.
    pub read: BTreeMap<Table, u64>,
    /// Records that could not be read, sorted, all of them.
    pub bad: Vec<BadRecord>,
    /// Files and archive entries that hold no records (an index, a licence), sorted.
    pub skipped: Vec<Box<str>>,
    /// Notes, sorted.
    pub notes: Vec<ImportNote>,
}

impl ImportReport {
    pub(super) fn count(&mut self, table: Table) {
        let count = self.read.entry(table).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn bad(&mut self, place: impl Into<Box<str>>, reason: impl fmt::Display) {
        self.bad.push(BadRecord {
            place: place.into(),
            reason: reason.to_string().into(),
        });
    }

    pub(super) fn sort(&mut self) {
        self.bad.sort_unstable();
        self.skipped.sort_unstable();
        self.notes.sort_unstable();
    }
}
