//! VEX documents: OpenVEX 0.0.1 and 0.2, CSAF 2.0, CycloneDX. The format is detected from the
//! document.
//!
//! A document is taken apart into statements of one form ([`record`]), which are the records of a
//! VEX snapshot. A document is read whole or refused: half of a vendor's statements would say
//! something the vendor did not.
//!
//! In scope: status, justification, products and their parts, time, author. Out of scope: action
//! and impact texts, remediations, and which of several statements prevails (that is policy).

mod csaf;
mod cyclonedx;
mod openvex;
pub mod record;

use serde::Deserialize;
use serde::de::IgnoredAny;
use stella_verify::hash::{BlobDigest, sha256};

use super::json::{self, DocumentError, Text};
use crate::model::JsonPointer;
pub use record::{StatementRecord, packages_of};

/// A document, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexDocument {
    /// Its statements, in document order.
    pub statements: Vec<StatementRecord>,
    /// What of it has no effect here (version ranges of CycloneDX, products without any name).
    pub notes: Vec<Box<str>>,
}

/// Reads a document that is not compressed.
///
/// # Errors
/// [`DocumentError`].
pub fn read(bytes: &[u8]) -> Result<VexDocument, DocumentError> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Probe<'a> {
        #[serde(rename = "@context", borrow)]
        context: Text<'a>,
        statements: Option<IgnoredAny>,
        document: Option<IgnoredAny>,
        #[serde(rename = "bomFormat")]
        bom_format: Text<'a>,
    }
    let probe: Probe<'_> = json::parse(bytes)?;
    let digest = BlobDigest::new(sha256(bytes));
    if probe.document.is_some() {
        csaf::read(bytes, digest)
    } else if probe.bom_format.get().is_some() {
        cyclonedx::read(bytes, digest)
    } else if probe.context.get().is_some() || probe.statements.is_some() {
        openvex::read(bytes, digest)
    } else {
        let reason = "not a VEX document: none of `@context`, `document` and `bomFormat` is there";
        Err(DocumentError::content(JsonPointer::root(), reason))
    }
}
