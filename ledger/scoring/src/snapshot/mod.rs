//! Snapshots: immutable, content-addressed sets of feed records or VEX statements (FORMATS.md, 7).
//!
//! ```text
//!   files as downloaded -> Builder -> Snapshot { header, rows, records } -> records file (7.1)
//!                                                         |
//!                                                         v
//!                                              FeedIndex / VexIndex   (caches of an engine version)
//! ```
//!
//! The header's hash is the snapshot's identity; it depends on the records only, not on the
//! archives, file names or order they came in. An index is a pure function of the records and can
//! be rebuilt at any time.

mod archive;
mod build;
mod coverage;
mod derive;
mod diff;
mod feed;
mod questions;
mod records;
mod report;
mod uses;
mod vex;

pub use archive::ArchiveError;
pub use build::{BadRecords, Builder, ImportError, Imported};
pub use coverage::uncovered_lines;
pub use diff::{DiffError, DiffTotals, RowChange, RowChangeKind, diff, visit_differences};
pub use feed::{FeedIndex, LoadError};
pub use questions::{
    LoadedRows, QuestionError, name_questions, package_questions, package_uses, row_question,
};
pub use records::{chunks, count_rows};
pub use report::{BadRecord, ImportNote, ImportReport};
pub use stella_verify::snapshot::{RecordsError, Snapshot};
pub use uses::{footprint, touched, uses_of_row};
pub use vex::VexIndex;
