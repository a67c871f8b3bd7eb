//! The envelope as JSON.

use super::pae;
use crate::base64;
use crate::json::{
    ArrayWriter, FieldError, Fields, JsonError, ObjectWriter, Value, parse_strict, write_string,
};
use crate::keys::{EnvelopeSigner, SignError};
use crate::limits::{MAX_ENVELOPE_BYTES, MAX_ENVELOPE_SIGNATURES};
use alloc::string::String;
use alloc::vec::Vec;

/// Bytes are not an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Larger than [`MAX_ENVELOPE_BYTES`].
    #[error("an envelope has at most {MAX_ENVELOPE_BYTES} bytes")]
    TooLarge,
    /// Not unambiguous JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing or of the wrong type.
    #[error("envelope: {0}")]
    Field(#[from] FieldError),
    /// The specification asks for at least one signature.
    #[error("the envelope has no signature")]
    Unsigned,
    /// More than [`MAX_ENVELOPE_SIGNATURES`].
    #[error("the envelope has more than {MAX_ENVELOPE_SIGNATURES} signatures")]
    TooManySignatures,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeSignature {
    /// Unauthenticated hint at the key; absent when the writer gave none or an empty one.
    pub key_id: Option<String>,
    /// Over [`pae`] of the envelope's type and payload.
    pub signature: Vec<u8>,
}

/// A payload, its type and signatures over both. Nothing here is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<EnvelopeSignature>,
}

impl Envelope {
    /// Signs a payload with every signer; signatures stand in ascending order of key id, and a key
    /// that is given twice signs once, so that the same signers make the same envelope.
    ///
    /// # Errors
    /// [`SignError`]: nothing was signed.
    pub fn sign(
        payload_type: &str,
        payload: Vec<u8>,
        first: &dyn EnvelopeSigner,
        others: &[&dyn EnvelopeSigner],
    ) -> Result<Self, SignError> {
        let message = pae(payload_type, &payload);
        let sign = |signer: &dyn EnvelopeSigner| {
            let key_id = Some(alloc::format!("{}", signer.public_key().id()));
            Ok(EnvelopeSignature {
                key_id,
                signature: signer.sign(&message)?,
            })
        };
        let mut signatures = Vec::from([sign(first)?]);
        for signer in others {
            signatures.push(sign(*signer)?);
        }
        signatures.sort_by(|a, b| a.key_id.cmp(&b.key_id));
        signatures.dedup_by(|a, b| a.key_id == b.key_id);
        Ok(Self {
            payload_type: payload_type.into(),
            payload,
            signatures,
        })
    }

    /// Puts an envelope together from signatures that were made before, in the order given.
    ///
    /// # Errors
    /// [`EnvelopeError::Unsigned`] or [`EnvelopeError::TooManySignatures`].
    pub fn of_signatures(
        payload_type: &str,
        payload: Vec<u8>,
        signatures: Vec<EnvelopeSignature>,
    ) -> Result<Self, EnvelopeError> {
        check_count(signatures.len())?;
        Ok(Self {
            payload_type: payload_type.into(),
            payload,
            signatures,
        })
    }

    /// Whether the signatures stand in strictly ascending order of the key ids they state, none
    /// without one: the order of every envelope in a bundle.
    #[must_use]
    pub fn is_in_key_order(&self) -> bool {
        let stated = |signature: &EnvelopeSignature| signature.key_id.is_some();
        self.signatures.iter().all(stated)
            && self.signatures.is_sorted_by(|a, b| a.key_id < b.key_id)
    }

    /// Reads an envelope: base64 as [`base64::decode_either`] takes it; unknown members are ignored,
    /// as the specification asks.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_ENVELOPE_BYTES {
            return Err(EnvelopeError::TooLarge);
        }
        Self::from_value(&parse_strict(bytes)?)
    }

    /// Reads an envelope from parsed JSON.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn from_value(value: &Value) -> Result<Self, EnvelopeError> {
        let object = value.as_object();
        let object = object.ok_or_else(|| FieldError::value("envelope", "an object"))?;
        let mut fields = Fields::new(object);
        let payload_type = fields.text("payloadType")?.into();
        let payload = decode(fields.text("payload")?, "payload")?;
        let items = fields.array("signatures")?;
        check_count(items.len())?;
        let signatures = items.iter().map(signature).collect::<Result<_, _>>()?;
        Ok(Self {
            payload_type,
            payload,
            signatures,
        })
    }

    /// The canonical bytes: RFC 8785 and padded standard base64.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.payload.len() * 4 / 3 + 512);
        let mut object = ObjectWriter::new(&mut out);
        object.text("payload", &base64::encode(&self.payload));
        object.text("payloadType", &self.payload_type);
        let mut items = ArrayWriter::new(object.member("signatures"));
        for signature in &self.signatures {
            let mut item = ObjectWriter::new(items.item());
            item.optional_text("keyid", signature.key_id.as_deref());
            write_string(item.member("sig"), &base64::encode(&signature.signature));
            item.end();
        }
        items.end();
        object.end();
        out
    }

    /// What the payload says it is; not verified.
    #[must_use]
    pub fn unverified_payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload; not verified.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signatures, in the envelope's order.
    #[must_use]
    pub fn signatures(&self) -> &[EnvelopeSignature] {
        &self.signatures
    }

    pub(super) fn into_payload(self) -> (String, Vec<u8>) {
        (self.payload_type, self.payload)
    }
}

fn check_count(signatures: usize) -> Result<(), EnvelopeError> {
    match signatures {
        0 => Err(EnvelopeError::Unsigned),
        1..=MAX_ENVELOPE_SIGNATURES => Ok(()),
        _ => Err(EnvelopeError::TooManySignatures),
    }
}

fn signature(item: &Value) -> Result<EnvelopeSignature, FieldError> {
    let object = item.as_object();
    let object = object.ok_or_else(|| FieldError::value("signatures", "objects"))?;
    let mut fields = Fields::new(object);
    // Unset, null (protobuf JSON writes it so) and empty mean the same.
    let key_id = match fields.optional("keyid") {
        None | Some(Value::Null) => None,
        Some(_) => fields
            .optional_text("keyid")?
            .filter(|id| !id.is_empty())
            .map(Into::into),
    };
    Ok(EnvelopeSignature {
        key_id,
        signature: decode(fields.text("sig")?, "sig")?,
    })
}

fn decode(text: &str, member: &'static str) -> Result<Vec<u8>, FieldError> {
    base64::decode_either(text).map_err(|_| FieldError::value(member, "base64"))
}
