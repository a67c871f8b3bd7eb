//! Bills of materials within in-toto attestations: a DSSE envelope around a statement, or a bare
//! statement, whose predicate is the document.

use stella_verify::dsse::{Envelope, EnvelopeError, Threshold, VerifyError};
use stella_verify::keys::{PublicKey, PureRust};

use super::SbomError;
use crate::inputs::json::DocumentError;
use crate::model::JsonPointer;

/// What is asked of an attestation's signature.
#[derive(Debug, Clone, Copy)]
pub enum Signed<'k> {
    /// It is not checked. Documents without signature are accepted.
    Unchecked,
    /// One of these keys must have signed. A document that is no envelope is refused.
    By(&'k [PublicKey]),
}

/// Opens an envelope; gives the payload.
pub(super) fn open(bytes: &[u8], signed: Signed<'_>) -> Result<Vec<u8>, SbomError> {
    let envelope = Envelope::parse(bytes)?;
    let payload_type = envelope.unverified_payload_type();
    if !is_in_toto(payload_type) {
        let reason = format!("the payload is {payload_type}, not an in-toto statement");
        let place = JsonPointer::root().member("payloadType");
        return Err(DocumentError::content(place, reason).into());
    }
    Ok(match signed {
        Signed::Unchecked => envelope.unverified_payload().to_vec(),
        Signed::By(keys) => envelope
            .verify(keys, Threshold::ONE, &PureRust)?
            .payload()
            .to_vec(),
    })
}

/// The media type of in-toto statements, also with a suffix for the predicate.
fn is_in_toto(payload_type: &str) -> bool {
    payload_type
        .strip_prefix("application/vnd.in-toto")
        .is_some_and(|rest| rest.ends_with("+json"))
}

impl From<EnvelopeError> for SbomError {
    fn from(error: EnvelopeError) -> Self {
        Self::Envelope(error)
    }
}

impl From<VerifyError> for SbomError {
    fn from(error: VerifyError) -> Self {
        Self::Signature(error)
    }
}
