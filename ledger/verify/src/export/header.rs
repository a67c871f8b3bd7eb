//! The header of an export: all that its events are held against.

use super::{EXPORT_MAGIC, ExportError};
use crate::base64;
use crate::hash::NodeHash;
use crate::json::{ArrayWriter, FieldError, Fields, ObjectWriter, parse_canonical, write_string};
use crate::limits::{MAX_PROOF_HASHES, MAX_RANGE_HASHES};
use crate::merkle::{ConsistencyProof, LeafRange, RangeProof};
use crate::units::LeafIndex;
use alloc::string::String;
use alloc::vec::Vec;

const SCHEMA: &str = "stella.audit-export/v1";

/// What an export says of itself before its events. A claim until verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportHeader {
    /// The leaves exported; at least one.
    pub range: LeafRange,
    /// A signed checkpoint of a tree that ends where the range begins or before; `None` stands for
    /// the empty tree.
    pub opening: Option<String>,
    /// A signed checkpoint of a tree that has the whole range.
    pub closing: String,
    /// That the leaves are exactly those of the closing tree at the range.
    pub range_proof: RangeProof,
    /// That the closing tree continues the opening one.
    pub consistency: ConsistencyProof,
}

impl ExportHeader {
    /// The first bytes of the file: magic, length, canonical JSON.
    ///
    /// # Errors
    /// [`ExportError::Integer`] for an index beyond 2^53-1.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ExportError> {
        let mut json = Vec::with_capacity(2048);
        let mut header = ObjectWriter::new(&mut json);
        header.text("closing", &self.closing);
        write_hashes(header.member("consistencyProof"), self.consistency.hashes());
        header.integer("from", self.range.start.get().try_into()?);
        header.optional_text("opening", self.opening.as_deref());
        write_hashes(header.member("rangeProof"), self.range_proof.hashes());
        header.text("schema", SCHEMA);
        header.integer("to", self.range.end.get().try_into()?);
        header.end();
        let length =
            u32::try_from(json.len()).map_err(|_| ExportError::TooLarge { what: "header" })?;
        let mut out = Vec::with_capacity(EXPORT_MAGIC.len() + 4 + json.len());
        out.extend_from_slice(EXPORT_MAGIC);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&json);
        Ok(out)
    }

    /// Reads the canonical JSON.
    ///
    /// # Errors
    /// [`ExportError::Json`] or [`ExportError::Field`].
    pub fn parse(json: &[u8]) -> Result<Self, ExportError> {
        let value = parse_canonical(json)?;
        let mut fields = Fields::of_schema(&value, SCHEMA)?;
        let range_proof = hashes(&mut fields, "rangeProof", MAX_RANGE_HASHES)?;
        let consistency = hashes(&mut fields, "consistencyProof", MAX_PROOF_HASHES)?;
        let header = Self {
            range: LeafRange {
                start: LeafIndex::new(fields.integer_as("from")?),
                end: LeafIndex::new(fields.integer_as("to")?),
            },
            opening: fields.optional_text("opening")?.map(Into::into),
            closing: fields.text("closing")?.into(),
            range_proof: RangeProof::new(range_proof),
            consistency: ConsistencyProof::new(consistency),
        };
        fields.finish()?;
        if header.range.start >= header.range.end {
            return Err(FieldError::value("to", "greater than from").into());
        }
        Ok(header)
    }
}

/// Hashes as an array of base64.
pub(crate) fn write_hashes(out: &mut Vec<u8>, hashes: &[NodeHash]) {
    let mut items = ArrayWriter::new(out);
    for hash in hashes {
        write_string(items.item(), &base64::encode(hash.as_bytes()));
    }
    items.end();
}

/// At most `limit` hashes from an array of base64.
pub(crate) fn hashes(
    fields: &mut Fields<'_>,
    name: &'static str,
    limit: usize,
) -> Result<Vec<NodeHash>, FieldError> {
    let items = fields.array(name)?;
    if items.len() > limit {
        return Err(FieldError::value(
            name,
            "as many hashes as a proof may have",
        ));
    }
    let hash = |item: &crate::json::Value| {
        let bytes = base64::decode(item.as_str()?).ok()?;
        NodeHash::try_from(bytes.as_slice()).ok()
    };
    let hashes: Option<Vec<_>> = items.iter().map(hash).collect();
    hashes.ok_or_else(|| FieldError::value(name, "base64 of 32 bytes each"))
}
