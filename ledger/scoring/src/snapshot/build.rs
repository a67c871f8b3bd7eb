//! Building a snapshot from files as users download them.
//!
//! All or nothing: nothing of an import exists until [`Builder::finish`] returns, and it returns a
//! snapshot only if every record could be read, unless the caller says otherwise.

mod detect;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use stella_verify::hash::{BlobDigest, sha256};
use stella_verify::merkle::root_of;
use stella_verify::snapshot::{Row, SnapshotError, SnapshotHeader, SnapshotKind};
use stella_verify::units::TreeSize;

use super::archive::{self, ArchiveError};
use super::derive::{Kind, Record};
use super::records;
use super::report::{ImportNote, ImportReport};
use crate::inputs::vex::{self, VexDocument};
use crate::inputs::{check_members, decompress, epss, kev, severity};
use crate::limits::MAX_ROWS;
use crate::matching::unordered_bounds;
use crate::model::{RowKey, Table};
use detect::{FileKind, detect};

/// What to do when records could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRecords {
    /// Make no snapshot. The default of every import.
    Refuse,
    /// Leave them out; the report names them all.
    LeaveOut,
}

/// Why no snapshot was made.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Records could not be read; the report names each. Repair or remove them, or ask to leave
    /// them out.
    #[error("{} of the records could not be read; nothing was imported", .0.bad.len())]
    BadRecords(Box<ImportReport>),
    /// An archive as a whole could not be read.
    #[error("{place}: {reason}; nothing was imported")]
    Archive {
        /// The file.
        place: Box<str>,
        /// Why.
        reason: ArchiveError,
    },
    /// Two different records claim to be the same: mixed days of one feed, most likely.
    #[error("{first} and {second} hold different records of {entry}; nothing was imported")]
    Conflict {
        /// Canonical JSON of the row's key.
        entry: Box<str>,
        /// Where one record is.
        first: Box<str>,
        /// Where the other is.
        second: Box<str>,
    },
    /// More than [`MAX_ROWS`] rows.
    #[error("a snapshot has at most {MAX_ROWS} rows; nothing was imported")]
    Rows,
    /// The header cannot be written.
    #[error(transparent)]
    Header(#[from] SnapshotError),
}

/// A snapshot, ready to be stored.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its header; the header's hash is the snapshot's.
    pub header: SnapshotHeader,
    /// Its rows and records as a records file (FORMATS.md, 7.1).
    pub records: Vec<u8>,
    /// What was read, left out and skipped.
    pub report: ImportReport,
}

/// Collects records for one snapshot.
#[derive(Debug)]
pub struct Builder {
    kind: SnapshotKind,
    rows: Vec<PendingRow>,
    records: BTreeMap<BlobDigest, Box<[u8]>>,
    sources: BTreeSet<String>,
    report: ImportReport,
}

#[derive(Debug)]
struct PendingRow {
    key: RowKey,
    record: BlobDigest,
    place: Rc<str>,
}

impl Builder {
    /// Begins a snapshot.
    #[must_use]
    pub fn new(kind: SnapshotKind) -> Self {
        Self {
            kind,
            rows: Vec::new(),
            records: BTreeMap::new(),
            sources: BTreeSet::new(),
            report: ImportReport::default(),
        }
    }

    /// Adds a file: an OSV or CVE record, an archive of them, an EPSS file, a KEV catalogue, a CVE
    /// join; each gzipped or not. `place` is how reports name it and has no part in the snapshot.
    ///
    /// What cannot be read is kept for [`finish`](Self::finish) to report.
    ///
    /// # Errors
    /// [`ImportError::Archive`]: the archive as a whole is damaged or beyond a bound.
    pub fn add(&mut self, place: &str, bytes: &[u8]) -> Result<(), ImportError> {
        if !archive::is_zip(bytes) {
            self.add_file(place, bytes);
            return Ok(());
        }
        archive::read(bytes, |name, content| {
            let place = format!("{place}!{name}");
            match content {
                Ok(content) => self.add_file(&place, &content),
                Err(error) => self.report.bad(place, error),
            }
        })
        .map_err(|reason| ImportError::Archive {
            place: place.into(),
            reason,
        })
    }

    /// Makes the snapshot.
    ///
    /// # Errors
    /// [`ImportError`]; nothing was made.
    pub fn finish(mut self, bad: BadRecords) -> Result<Imported, ImportError> {
        self.report.sort();
        if bad == BadRecords::Refuse && !self.report.bad.is_empty() {
            return Err(ImportError::BadRecords(Box::new(self.report)));
        }
        self.rows
            .sort_unstable_by(|a, b| (&a.key, &a.place).cmp(&(&b.key, &b.place)));
        self.check_conflicts()?;
        self.rows.dedup_by(|later, first| later.key == first.key);
        if self.rows.len() > MAX_ROWS {
            return Err(ImportError::Rows);
        }
        let rows: Vec<Row<'static>> = self
            .rows
            .into_iter()
            .map(|row| Row {
                key: row.key,
                record: row.record,
            })
            .collect();
        let root = root_of(rows.iter().map(Row::leaf_hash));
        let size = TreeSize::new(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        let sources = self.sources.into_iter().collect();
        let header = SnapshotHeader::new(self.kind, sources, size, root)?;
        let records = records::write(&header, &rows, &self.records);
        Ok(Imported {
            header,
            records,
            report: self.report,
        })
    }

    fn add_file(&mut self, place: &str, bytes: &[u8]) {
        let bytes = match decompress(bytes) {
            Ok(bytes) => bytes,
            Err(error) => return self.report.bad(place, error),
        };
        let kind = detect(self.kind, place, &bytes);
        if kind.is_json()
            && let Err(error) = check_members(&bytes)
        {
            return self.report.bad(place, error);
        }
        match kind {
            FileKind::Record(kind) => self.add_record(kind, place, &bytes),
            FileKind::Epss => self.add_epss(place, &bytes),
            FileKind::Kev => match kev::split(&bytes) {
                Ok(records) => {
                    for (index, record) in records.iter().enumerate() {
                        let place = format!("{place}:/vulnerabilities/{index}");
                        self.add_record(Kind::Kev, &place, record);
                    }
                }
                Err(error) => self.report.bad(place, error),
            },
            FileKind::Join => match severity::join::split(&bytes) {
                Ok(lines) => self.add_lines(Kind::Join, place, &lines),
                Err(error) => self.report.bad(place, error),
            },
            FileKind::Vex => match vex::read(&bytes) {
                Ok(document) => self.add_vex(place, document),
                Err(error) => self.report.bad(place, error),
            },
            FileKind::Skipped => self.report.skipped.push(place.into()),
            FileKind::Unknown(reason) => self.report.bad(place, reason),
        }
    }

    fn add_epss(&mut self, place: &str, bytes: &[u8]) {
        match epss::split(bytes) {
            Ok(file) => {
                // The model is content: another model's scores mean something else.
                let model = file.model.unwrap_or("unknown");
                self.sources.insert(format!("{}:{model}", epss::SOURCE));
                self.add_lines(Kind::Epss, place, &file.lines);
            }
            Err(error) => self.report.bad(place, error),
        }
    }

    fn add_vex(&mut self, place: &str, document: VexDocument) {
        for text in document.notes {
            self.report.notes.push(ImportNote {
                place: place.into(),
                text,
            });
        }
        for statement in document.statements {
            let place = format!("{place}:{}", statement.place);
            self.add_record(Kind::Vex, &place, &statement.to_bytes());
        }
    }

    fn add_lines(&mut self, kind: Kind, place: &str, lines: &[(usize, &str)]) {
        for (number, line) in lines {
            self.add_record(kind, &format!("{place}:{number}"), line.as_bytes());
        }
    }

    fn add_record(&mut self, kind: Kind, place: &str, bytes: &[u8]) {
        let record = match kind.read(bytes) {
            Ok(record) => record,
            Err(error) => return self.report.bad(place, error),
        };
        let keys = record.rows();
        let Some(table) = keys.first().map(|key| key.table) else {
            return;
        };
        if let Record::Advisory(advisory) = &record {
            for bound in unordered_bounds(advisory) {
                let text = format!("a range is not evaluated: {bound}");
                self.report.notes.push(ImportNote {
                    place: place.into(),
                    text: text.into(),
                });
            }
        }
        self.report.count(table);
        if table != Table::Epss {
            self.sources.insert(kind.source().to_owned());
        }
        let digest = BlobDigest::new(sha256(bytes));
        self.records.entry(digest).or_insert_with(|| bytes.into());
        let place: Rc<str> = place.into();
        self.rows.extend(keys.into_iter().map(|key| PendingRow {
            key,
            record: digest,
            place: place.clone(),
        }));
    }

    /// Rows with one key must stand for one record. Records that share an id under different
    /// packages are accepted: feeds are published by ecosystem, and not all of them give a flaw's
    /// record the same bytes in each.
    fn check_conflicts(&self) -> Result<(), ImportError> {
        for (first, second) in self.rows.iter().zip(self.rows.iter().skip(1)) {
            if first.key == second.key && first.record != second.record {
                return Err(ImportError::Conflict {
                    entry: second.key.to_entry().into(),
                    first: (&*first.place).into(),
                    second: (&*second.place).into(),
                });
            }
        }
        Ok(())
    }
}
