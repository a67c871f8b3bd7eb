//! Payloads that are no more.

use super::PayloadError;
use crate::json::{ArrayWriter, FieldError, Fields, ObjectWriter, SafeInteger, parse_canonical};
use crate::units::LeafIndex;
use alloc::string::String;
use alloc::vec::Vec;

const ERASED_SCHEMA: &str = "stella.payload-erased/v1";

/// `payload.erased`: these leaves' payloads and salts are gone; the leaves and every proof stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadErased {
    leaves: Vec<LeafIndex>,
    reason: String,
}

impl PayloadErased {
    /// Names the leaves, which are sorted and freed of duplicates here.
    ///
    /// # Errors
    /// [`PayloadError::Field`] when there is none, or an index is beyond 2^53-1.
    pub fn new(mut leaves: Vec<LeafIndex>, reason: String) -> Result<Self, PayloadError> {
        leaves.sort_unstable();
        leaves.dedup();
        let last = leaves.last().copied();
        if last
            .and_then(|leaf| SafeInteger::try_from(leaf.get()).ok())
            .is_none()
        {
            return Err(FieldError::value("leaves", "at least one index, up to 2^53-1").into());
        }
        Ok(Self { leaves, reason })
    }

    /// The leaves, ascending.
    #[must_use]
    pub fn leaves(&self) -> &[LeafIndex] {
        &self.leaves
    }

    /// Why they were erased, for people.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96 + self.reason.len() + self.leaves.len() * 12);
        let mut object = ObjectWriter::new(&mut out);
        let mut leaves = ArrayWriter::new(object.member("leaves"));
        for leaf in &self.leaves {
            // In range: the constructor checked the largest.
            SafeInteger::try_from(leaf.get())
                .unwrap_or(SafeInteger::ZERO)
                .write(leaves.item());
        }
        leaves.end();
        object.text("reason", &self.reason);
        object.text("schema", ERASED_SCHEMA);
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, ERASED_SCHEMA)?;
        let index = |item: &crate::json::Value| u64::try_from(item.as_integer()?.get()).ok();
        let leaves: Option<Vec<u64>> = fields.array("leaves")?.iter().map(index).collect();
        let sorted = leaves.filter(|leaves| leaves.is_sorted_by(|left, right| left < right));
        let leaves = sorted
            .ok_or_else(|| FieldError::value("leaves", "ascending leaf indexes, each once"))?;
        let reason = fields.text("reason")?;
        fields.finish()?;
        Self::new(
            leaves.into_iter().map(LeafIndex::new).collect(),
            reason.into(),
        )
    }
}
