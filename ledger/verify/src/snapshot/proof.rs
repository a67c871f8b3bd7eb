//! Proofs of what a snapshot holds, and of what it does not (FORMATS.md, 7.4).
//!
//! A question is a prefix of rows: some columns, and perhaps how the next one begins. The rows that
//! have a prefix stand together, so a run of rows that a range proof ties to the root, with a
//! neighbour on either side that does not have the prefix, holds all of them. Without any rows
//! between two neighbours there are none.

use super::{Row, RowError, SnapshotError, SnapshotHeader};
use crate::base64;
use crate::hash::{BlobDigest, HashParseError, NodeHash, SnapshotHash, SnapshotRoot, sha256};
use crate::json::{
    ArrayWriter, FieldError, Fields, JsonError, ObjectWriter, SafeInteger, Value, parse_canonical,
    write_hash, write_string,
};
use crate::limits::{MAX_SNAPSHOT_PROOF_ANSWERS, MAX_SNAPSHOT_PROOF_BYTES};
use crate::merkle::{
    LeafRange, NodeReader, ProveError, RangeError, RangeProof, TreeHead, prove_range, verify_range,
};
use crate::units::{LeafIndex, TreeSize};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// `schema` of every proof file.
pub const SNAPSHOT_PROOF_SCHEMA: &str = "stella.snapshot-proof/v1";

/// Columns of a row that a question can name.
const KEY_COLUMNS: usize = 5;

/// What is asked of a snapshot: its rows that begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    columns: Vec<String>,
    starts_with: Option<String>,
}

impl Question {
    /// Rows whose first columns are these, and whose next one begins with `starts_with`, if given.
    ///
    /// # Errors
    /// [`SnapshotProofError::Question`]: no columns, or more than a row has before its record.
    pub fn new(
        columns: Vec<String>,
        starts_with: Option<String>,
    ) -> Result<Self, SnapshotProofError> {
        let named = columns.len() + usize::from(starts_with.is_some());
        if columns.is_empty() || named > KEY_COLUMNS {
            return Err(SnapshotProofError::Question);
        }
        Ok(Self {
            columns,
            starts_with,
        })
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How the next column begins.
    #[must_use]
    pub fn starts_with(&self) -> Option<&str> {
        self.starts_with.as_deref()
    }

    /// Where a row stands: before the rows that are asked for, among them, or after.
    #[must_use]
    pub fn place(&self, row: &Row<'_>) -> core::cmp::Ordering {
        let key = &row.key;
        let columns = [
            key.table.as_str(),
            &key.ecosystem,
            &key.package,
            &key.source,
            &key.id,
        ];
        for (column, wanted) in columns.iter().zip(&self.columns) {
            match (*column).cmp(wanted) {
                core::cmp::Ordering::Equal => {}
                other => return other,
            }
        }
        match (columns.get(self.columns.len()), &self.starts_with) {
            (Some(column), Some(wanted)) if !column.starts_with(wanted.as_str()) => {
                (*column).cmp(wanted)
            }
            _ => core::cmp::Ordering::Equal,
        }
    }
}

/// All rows of a snapshot that a question asks for, with the proof that there are no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// Index of the first row shown, the neighbour before included.
    pub start: LeafIndex,
    /// The row before; `None` at the snapshot's beginning.
    pub before: Option<Row<'static>>,
    /// The rows that were asked for.
    pub rows: Vec<Row<'static>>,
    /// The row after; `None` at the snapshot's end.
    pub after: Option<Row<'static>>,
    /// Around all rows shown.
    pub proof: RangeProof,
}

/// Bytes are not a proof file, or prove nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotProofError {
    /// More than [`MAX_SNAPSHOT_PROOF_BYTES`] or [`MAX_SNAPSHOT_PROOF_ANSWERS`].
    #[error(
        "a snapshot proof has at most {MAX_SNAPSHOT_PROOF_BYTES} bytes and {MAX_SNAPSHOT_PROOF_ANSWERS} answers"
    )]
    TooLarge,
    /// Not canonical JSON of a hashed object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing, wrong or unknown.
    #[error("snapshot proof: {0}")]
    Field(#[from] FieldError),
    /// A row is none.
    #[error("snapshot proof: {0}")]
    Row(#[from] RowError),
    /// A hash is none.
    #[error("snapshot proof: {0}")]
    Hash(#[from] HashParseError),
    /// The header is none.
    #[error(transparent)]
    Header(#[from] SnapshotError),
    /// The header is of another snapshot than the caller's.
    #[error("the proof is of snapshot {found}, not {wanted}")]
    OtherSnapshot {
        /// Of the proof.
        found: SnapshotHash,
        /// The caller's.
        wanted: SnapshotHash,
    },
    /// A question names no column, or more than five.
    #[error("a question names one to five columns")]
    Question,
    /// A row that is shown as an answer does not begin as asked, or a neighbour does.
    #[error("answer {answer}: a row stands on the wrong side of its question")]
    Side {
        /// Place of the answer, from 0.
        answer: usize,
    },
    /// A neighbour is missing that must be shown.
    #[error("answer {answer}: the run ends inside the snapshot without a neighbour")]
    Neighbour {
        /// Place of the answer, from 0.
        answer: usize,
    },
    /// The rows are not a run of the snapshot.
    #[error("answer {answer}: {problem}")]
    Range {
        /// Place of the answer, from 0.
        answer: usize,
        /// Why.
        problem: RangeError,
    },
    /// A record is not the one a row names, or of no row shown.
    #[error("a record of the proof belongs to none of its rows")]
    Record,
}

/// What a snapshot is proved to hold. Only [`verify_snapshot_proof`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSnapshotProof {
    header: SnapshotHeader,
    answers: Vec<Answer>,
    records: BTreeMap<BlobDigest, Vec<u8>>,
}

impl VerifiedSnapshotProof {
    /// The snapshot.
    #[must_use]
    pub const fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// Questions with exactly the snapshot's rows for each.
    #[must_use]
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// Records that stand in the proof, each that of a row.
    #[must_use]
    pub const fn records(&self) -> &BTreeMap<BlobDigest, Vec<u8>> {
        &self.records
    }
}

/// Answers a question from all rows of a snapshot, sorted, and the tree over them.
///
/// # Errors
/// As `nodes`; [`ProveError::RangeOutsideTree`] when the tree has fewer leaves than `rows`.
pub fn answer<N: NodeReader>(
    question: Question,
    rows: &[Row<'static>],
    nodes: &N,
) -> Result<Answer, ProveError<N::Error>> {
    let first = rows.partition_point(|row| question.place(row).is_lt());
    let end = rows.partition_point(|row| question.place(row).is_le());
    let (start, stop) = (first.saturating_sub(1), (end + 1).min(rows.len()));
    let index = |place: usize| LeafIndex::new(u64::try_from(place).unwrap_or(u64::MAX));
    let size = TreeSize::new(index(rows.len()).get());
    let range = LeafRange {
        start: index(start),
        end: index(stop),
    };
    let shown = |place: usize| rows.get(place).cloned();
    Ok(Answer {
        start: range.start,
        before: first.checked_sub(1).and_then(shown),
        rows: rows.get(first..end).unwrap_or_default().to_vec(),
        after: shown(end),
        proof: prove_range(range, size, nodes)?,
        question,
    })
}

/// Writes a proof file. `records` are those of rows among the answers, or none.
#[must_use]
pub fn write_snapshot_proof(
    header: &SnapshotHeader,
    answers: &[Answer],
    records: &BTreeMap<BlobDigest, &[u8]>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    let mut object = ObjectWriter::new(&mut out);
    let mut list = ArrayWriter::new(object.member("answers"));
    for answer in answers {
        write_answer(list.item(), answer);
    }
    list.end();
    header.write(object.member("header"));
    let mut list = ArrayWriter::new(object.member("records"));
    for record in records.values() {
        write_string(list.item(), &base64::encode(record));
    }
    list.end();
    object.text("schema", SNAPSHOT_PROOF_SCHEMA);
    object.end();
    out
}

fn write_answer(out: &mut Vec<u8>, answer: &Answer) {
    let mut object = ObjectWriter::new(out);
    if let Some(row) = &answer.after {
        row.write(object.member("after"));
    }
    if let Some(row) = &answer.before {
        row.write(object.member("before"));
    }
    let mut columns = ArrayWriter::new(object.member("columns"));
    for column in &answer.question.columns {
        write_string(columns.item(), column);
    }
    columns.end();
    let mut hashes = ArrayWriter::new(object.member("hashes"));
    for hash in answer.proof.hashes() {
        write_hash(hashes.item(), hash.as_bytes());
    }
    hashes.end();
    let mut rows = ArrayWriter::new(object.member("rows"));
    for row in &answer.rows {
        row.write(rows.item());
    }
    rows.end();
    // In range: a snapshot's count is a safe integer.
    let start = SafeInteger::try_from(answer.start.get()).unwrap_or(SafeInteger::ZERO);
    object.integer("start", start);
    object.optional_text("startsWith", answer.question.starts_with());
    object.end();
}

/// Reads a proof file and checks all of it. `wanted` is the snapshot's hash from a source the caller
/// trusts: a verified manifest, or the log.
///
/// # Errors
/// [`SnapshotProofError`].
pub fn verify_snapshot_proof(
    bytes: &[u8],
    wanted: &SnapshotHash,
) -> Result<VerifiedSnapshotProof, SnapshotProofError> {
    if bytes.len() > MAX_SNAPSHOT_PROOF_BYTES {
        return Err(SnapshotProofError::TooLarge);
    }
    let value = parse_canonical(bytes)?;
    let mut fields = Fields::of_schema(&value, SNAPSHOT_PROOF_SCHEMA)?;
    let header = SnapshotHeader::from_value(fields.any("header")?)?;
    let answers = fields.array("answers")?;
    let records = fields.array("records")?;
    fields.finish()?;
    if answers.len() > MAX_SNAPSHOT_PROOF_ANSWERS {
        return Err(SnapshotProofError::TooLarge);
    }
    let found = header.hash();
    if found != *wanted {
        let wanted = *wanted;
        return Err(SnapshotProofError::OtherSnapshot { found, wanted });
    }
    let answers: Vec<Answer> = answers.iter().map(read_answer).collect::<Result<_, _>>()?;
    let head = TreeHead {
        size: header.rows(),
        root: header.root(),
    };
    for (place, answer) in answers.iter().enumerate() {
        check(place, answer, head)?;
    }
    let records = read_records(records, &answers)?;
    Ok(VerifiedSnapshotProof {
        header,
        answers,
        records,
    })
}

/// Checks that an answer holds exactly the rows that the snapshot has for its question.
fn check(
    place: usize,
    answer: &Answer,
    head: TreeHead<SnapshotRoot>,
) -> Result<(), SnapshotProofError> {
    let question = &answer.question;
    let right_side = answer.rows.iter().all(|row| question.place(row).is_eq())
        && answer
            .before
            .as_ref()
            .is_none_or(|row| question.place(row).is_lt())
        && answer
            .after
            .as_ref()
            .is_none_or(|row| question.place(row).is_gt());
    if !right_side {
        return Err(SnapshotProofError::Side { answer: place });
    }
    let shown = (answer.before.iter())
        .chain(&answer.rows)
        .chain(&answer.after);
    let leaves = shown.map(Row::leaf_hash);
    let included = verify_range(answer.start, leaves, head, &answer.proof).map_err(|problem| {
        SnapshotProofError::Range {
            answer: place,
            problem,
        }
    })?;
    let range = included.range();
    let whole_left = answer.before.is_some() || range.start == LeafIndex::ZERO;
    let whole_right = answer.after.is_some() || range.end.get() == head.size.get();
    if whole_left && whole_right {
        Ok(())
    } else {
        Err(SnapshotProofError::Neighbour { answer: place })
    }
}

fn read_answer(value: &Value) -> Result<Answer, SnapshotProofError> {
    let object = value
        .as_object()
        .ok_or_else(|| FieldError::value("answers", "objects"))?;
    let mut fields = Fields::new(object);
    let after = fields.optional("after").map(read_row).transpose()?;
    let before = fields.optional("before").map(read_row).transpose()?;
    let text = |item: &Value| item.as_str().map(ToString::to_string);
    let columns: Option<Vec<_>> = fields.array("columns")?.iter().map(text).collect();
    let columns = columns.ok_or_else(|| FieldError::value("columns", "strings"))?;
    let mut hashes = Vec::new();
    for item in fields.array("hashes")? {
        let id = item
            .as_str()
            .ok_or_else(|| FieldError::value("hashes", "ids"))?;
        hashes.push(id.parse::<NodeHash>()?);
    }
    let rows = fields.array("rows")?.iter().map(read_row);
    let rows = rows.collect::<Result<_, _>>()?;
    let start = LeafIndex::new(fields.integer_as("start")?);
    let starts_with = fields.optional_text("startsWith")?.map(ToString::to_string);
    fields.finish()?;
    Ok(Answer {
        question: Question::new(columns, starts_with)?,
        start,
        before,
        rows,
        after,
        proof: RangeProof::new(hashes),
    })
}

fn read_row(value: &Value) -> Result<Row<'static>, SnapshotProofError> {
    // Written again, so that one reader of rows decides what a row is.
    Ok(Row::parse(&crate::json::canonicalize(value))?)
}

fn read_records(
    values: &[Value],
    answers: &[Answer],
) -> Result<BTreeMap<BlobDigest, Vec<u8>>, SnapshotProofError> {
    let mut records = BTreeMap::new();
    let mut last = None;
    for value in values {
        let record = (value.as_str())
            .and_then(|text| base64::decode(text).ok())
            .ok_or_else(|| FieldError::value("records", "base64"))?;
        let digest = BlobDigest::new(sha256(&record));
        let mut rows = answers.iter().flat_map(|answer| &answer.rows);
        // Ascending by id, each once: one proof, one spelling.
        if last.is_some_and(|last| last >= digest) || !rows.any(|row| row.record == digest) {
            return Err(SnapshotProofError::Record);
        }
        last = Some(digest);
        records.insert(digest, record);
    }
    Ok(records)
}

#[cfg(test)]
mod tests;
