//! Bills of materials: CycloneDX JSON 1.2-1.7, SPDX JSON 2.2 and 2.3, and in-toto attestations that
//! carry either. The format is detected from the document.
//!
//! Every component keeps its JSON pointer. For an attestation, pointers are into the decoded
//! in-toto statement, so they begin with `/predicate`.
//!
//! In scope: what matching and scoring need of a component. Out of scope: licences, hashes,
//! services, compositions, and validation against the formats' schemas.

mod cyclonedx;
mod document;
mod graph;
mod spdx;
mod warnings;

use stella_verify::hash::{BlobDigest, sha256};

use super::decompress;
use super::json::{self, DocumentError};
use crate::model::{Bom, JsonPointer};
use document::Document;

/// Reads a bill of materials, gzipped or not, of any supported format.
///
/// # Errors
/// [`DocumentError`]: the bytes are not JSON, no supported format, or beyond a bound of
/// [`crate::limits`]. The document's writer is at fault, or the wrong file was given.
pub fn read(bytes: &[u8]) -> Result<Bom, DocumentError> {
    let bytes = decompress(bytes)?;
    let digest = BlobDigest::new(sha256(&bytes));
    let document: Document<'_> = json::parse(&bytes)?;
    read_document(document, digest, &JsonPointer::root())
}

fn read_document(
    document: Document<'_>,
    digest: BlobDigest,
    place: &JsonPointer,
) -> Result<Bom, DocumentError> {
    if document.spdx_version.get().is_some() {
        return spdx::read(document, digest, place);
    }
    if document.bom_format.get().is_some() || document.spec_version.get().is_some() {
        return cyclonedx::read(document, digest, place);
    }
    Err(DocumentError::content(
        place.clone(),
        unknown_format(&document),
    ))
}

/// Says what a document of no supported format seems to be.
fn unknown_format(document: &Document<'_>) -> &'static str {
    if document.spdx_tag_version.get().is_some() {
        "SPDX JSON writes `spdxVersion`; this has `SPDXVersion`, the tag-value form's name"
    } else if document.spdx_id_3.get().is_some() {
        "this is SPDX 3 (JSON-LD); CycloneDX JSON and SPDX JSON 2.2 or 2.3 are read"
    } else {
        "not a bill of materials: none of `bomFormat`, `spdxVersion` or a DSSE `payload` is a string"
    }
}
