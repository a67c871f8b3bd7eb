//! Events as Apache Parquet, for analysis.

use crate::failure::Failure;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::fs::File;
use std::sync::Arc;
use stella_verify::export::{ExportedEvent, ExportedPayload};
use stella_verify::merkle::leaf_hash;

/// The columns: the leaf as it is hashed, what it says, and salt and payload where they are there.
const SCHEMA: &str = "message event {
    required int64 leaf_index (integer(64, false));
    required binary leaf_hash;
    required binary leaf;
    required binary stream (string);
    required int64 position (integer(64, false));
    required int64 time (timestamp(millis, true));
    required binary actor (string);
    required binary type (string);
    required boolean erased;
    optional binary salt;
    optional binary payload;
}";

/// Events in one row group, and bytes of payloads after which it ends with fewer.
const GROUP_EVENTS: usize = 16 * 1024;
const GROUP_BYTES: usize = 32 * 1024 * 1024;

/// Writes events, a row group at a time.
pub(super) struct Writer {
    file: SerializedFileWriter<File>,
    rows: Rows,
}

/// One row group, by columns.
#[derive(Default)]
struct Rows {
    leaf_index: Vec<i64>,
    leaf_hash: Vec<ByteArray>,
    leaf: Vec<ByteArray>,
    stream: Vec<ByteArray>,
    position: Vec<i64>,
    time: Vec<i64>,
    actor: Vec<ByteArray>,
    kind: Vec<ByteArray>,
    erased: Vec<bool>,
    salt: Vec<ByteArray>,
    payload: Vec<ByteArray>,
    /// For salt and payload: 1 where there is one.
    there: Vec<i16>,
    bytes: usize,
}

impl Writer {
    pub(super) fn create(file: File) -> Result<Self, Failure> {
        let schema = parse_message_type(SCHEMA).map_err(failed)?;
        let properties = Arc::new(WriterProperties::builder().build());
        let file = SerializedFileWriter::new(file, Arc::new(schema), properties);
        Ok(Self {
            file: file.map_err(failed)?,
            rows: Rows::default(),
        })
    }

    pub(super) fn take(&mut self, event: &ExportedEvent<'_>) -> Result<(), Failure> {
        self.rows.take(event);
        if self.rows.leaf.len() < GROUP_EVENTS && self.rows.bytes < GROUP_BYTES {
            return Ok(());
        }
        self.end_group().map_err(failed)
    }

    pub(super) fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        self.end_group().map_err(failed)?;
        self.file.close().map(|_| ()).map_err(failed)
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        let rows = std::mem::take(&mut self.rows);
        if rows.leaf.is_empty() {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        column::<Int64Type>(&mut group, &rows.leaf_index, None)?;
        column::<ByteArrayType>(&mut group, &rows.leaf_hash, None)?;
        column::<ByteArrayType>(&mut group, &rows.leaf, None)?;
        column::<ByteArrayType>(&mut group, &rows.stream, None)?;
        column::<Int64Type>(&mut group, &rows.position, None)?;
        column::<Int64Type>(&mut group, &rows.time, None)?;
        column::<ByteArrayType>(&mut group, &rows.actor, None)?;
        column::<ByteArrayType>(&mut group, &rows.kind, None)?;
        column::<BoolType>(&mut group, &rows.erased, None)?;
        column::<ByteArrayType>(&mut group, &rows.salt, Some(&rows.there))?;
        column::<ByteArrayType>(&mut group, &rows.payload, Some(&rows.there))?;
        group.close().map(|_| ())
    }
}

impl Rows {
    fn take(&mut self, event: &ExportedEvent<'_>) {
        let header = &event.header;
        let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
        self.leaf_index.push(event.index.get().cast_signed());
        let hash = leaf_hash(event.leaf).as_bytes().to_vec();
        self.leaf_hash.push(ByteArray::from(hash));
        self.leaf.push(ByteArray::from(event.leaf.to_vec()));
        self.stream.push(text(header.stream.as_str()));
        self.position.push(header.position.get().cast_signed());
        self.time.push(header.time.get().cast_signed());
        self.actor.push(text(header.actor.as_str()));
        self.kind.push(text(header.event_type.as_str()));
        let erased = matches!(event.payload, ExportedPayload::Erased { .. });
        self.erased.push(erased);
        if let ExportedPayload::Present { salt, bytes } = &event.payload {
            self.salt.push(ByteArray::from(salt.as_bytes().to_vec()));
            self.payload.push(ByteArray::from(bytes.to_vec()));
            self.there.push(1);
            self.bytes += bytes.len();
        } else {
            self.there.push(0);
        }
        self.bytes += event.leaf.len();
    }
}

/// Writes the next column of a group.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    there: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let next = group.next_column()?;
    let mut column =
        next.ok_or_else(|| ParquetError::General("the schema has fewer columns".to_owned()))?;
    column.typed::<T>().write_batch(values, there, None)?;
    column.close()
}

fn failed(problem: ParquetError) -> Failure {
    Failure::operational(problem)
}
