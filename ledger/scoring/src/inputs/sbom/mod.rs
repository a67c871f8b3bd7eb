//! Bills of materials: CycloneDX JSON 1.2-1.7, SPDX JSON 2.2 and 2.3, and in-toto attestations that
//! carry either. The format is detected from the document.
//!
//! Every component keeps its JSON pointer. For an attestation, pointers are into the decoded
//! in-toto statement, so they begin with `/predicate`.
//!
//! In scope: what matching and scoring need of a component. Out of scope: licences, hashes,
//! services, compositions, and validation against the formats' schemas.

mod attestation;
mod cyclonedx;
mod document;
mod graph;
mod source;
mod spdx;
mod warnings;

use stella_verify::dsse::{EnvelopeError, VerifyError};
use stella_verify::hash::{BlobDigest, sha256};

use super::decompress;
use super::json::{self, DocumentError, Object};
use crate::model::{Bom, JsonPointer, Warning, WarningCode};
pub use attestation::Signed;
use document::Document;

/// Why a bill of materials was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SbomError {
    /// The bytes are not JSON, no supported format, or beyond a bound of [`crate::limits`]. The
    /// document's writer is at fault, or the wrong file was given.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// It has a payload like an attestation and is no envelope.
    #[error("the attestation is not a DSSE envelope: {0}")]
    Envelope(EnvelopeError),
    /// No given key signed the attestation: the wrong key was given, or it was tampered with.
    #[error("the attestation's signature: {0}")]
    Signature(VerifyError),
    /// A signature was asked for, and this is a plain document.
    #[error("a signature was asked for, and the document is not an attestation")]
    Unsigned,
}

/// Reads a bill of materials, gzipped or not, of any supported format. An attestation's signature
/// is not checked; its warning says so.
///
/// # Errors
/// [`SbomError`].
pub fn read(bytes: &[u8]) -> Result<Bom, SbomError> {
    read_signed(bytes, Signed::Unchecked)
}

/// As [`read`], with a demand on the attestation's signature.
///
/// What is read does not depend on the demand: the warning that the signature is unchecked stands in
/// every proof over an attestation, because no manifest names a key. The same inputs give the same
/// proof, whoever checked the signature before.
///
/// # Errors
/// [`SbomError`].
pub fn read_signed(bytes: &[u8], signed: Signed<'_>) -> Result<Bom, SbomError> {
    let bytes = decompress(bytes).map_err(DocumentError::from)?;
    let digest = BlobDigest::new(sha256(&bytes));
    let document: Document<'_> = json::parse(&bytes)?;
    let root = JsonPointer::root();
    if document.payload.get().is_none() {
        let Signed::Unchecked = signed else {
            return Err(SbomError::Unsigned);
        };
        return Ok(read_statement(document, digest, &root)?);
    }
    let payload = attestation::open(&bytes, signed)?;
    let statement: Document<'_> = json::parse(&payload)?;
    let mut bom = read_statement(statement, digest, &root)?;
    bom.warnings.push(Warning {
        pointer: root,
        code: WarningCode::SignatureUnchecked,
        detail: "".into(),
    });
    bom.warnings.sort_unstable();
    Ok(bom)
}

/// A document, or an in-toto statement whose predicate is one; older tools put it one level deeper,
/// in `Data`.
fn read_statement(
    document: Document<'_>,
    digest: BlobDigest,
    place: &JsonPointer,
) -> Result<Bom, DocumentError> {
    if document.statement_type.get().is_none() {
        return read_document(&document, digest, place);
    }
    let place = place.member("predicate");
    let Object::Is(mut predicate) = document.predicate else {
        return Err(DocumentError::content(place, "not an object"));
    };
    match std::mem::take(&mut predicate.data) {
        Object::Is(data) => read_document(&data, digest, &place.member("Data")),
        _ => read_document(&predicate, digest, &place),
    }
}

fn read_document(
    document: &Document<'_>,
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
        unknown_format(document),
    ))
}

/// Says what a document of no supported format seems to be.
fn unknown_format(document: &Document<'_>) -> &'static str {
    if document.tag_version.get().is_some() {
        "SPDX JSON writes `spdxVersion`; this has `SPDXVersion`, the tag-value form's name"
    } else if document.context.get().is_some() {
        "this is SPDX 3 (JSON-LD); CycloneDX JSON and SPDX JSON 2.2 or 2.3 are read"
    } else {
        "not a bill of materials: none of `bomFormat`, `spdxVersion` or a DSSE `payload` is a string"
    }
}

#[cfg(test)]
mod tests;
