//! `proof.signed`: the signatures over a sealed proof, as made when it was sealed.

use super::{PayloadError, ScanId};
use crate::base64;
use crate::dsse::EnvelopeSignature;
use crate::hash::{ManifestHash, ProofRoot};
use crate::json::{
    ArrayWriter, FieldError, Fields, ObjectWriter, Value, parse_canonical, write_string,
};
use crate::keys::PublicKey;
use crate::limits::MAX_ENVELOPE_SIGNATURES;
use alloc::string::ToString as _;
use alloc::vec::Vec;

const SCHEMA: &str = "stella.proof-signed/v1";

/// `proof.signed`: who signed a sealed proof, and the signatures.
///
/// What is signed follows from the manifest and the seal ([`ScanManifestStatement`] and
/// [`ScoreProofStatement`]), so only what the keys' holders alone can make is recorded. A bundle is
/// built from this, never signed anew: rotating a key changes no bundle.
///
/// [`ScanManifestStatement`]: crate::statement::ScanManifestStatement
/// [`ScoreProofStatement`]: crate::statement::ScoreProofStatement
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofSigned {
    /// The scan.
    pub scan: ScanId,
    /// The computation.
    pub manifest: ManifestHash,
    /// Root over its nodes.
    pub root: ProofRoot,
    /// Over the manifest's statement, in ascending order of key id.
    pub manifest_signatures: Vec<EnvelopeSignature>,
    /// Over the score's statement, by the same keys.
    pub root_signatures: Vec<EnvelopeSignature>,
    /// The keys that signed, in ascending order of their ids. For information: what they are worth
    /// is for whoever verifies to say.
    pub public_keys: Vec<PublicKey>,
}

impl ProofSigned {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        let mut object = ObjectWriter::new(&mut out);
        object.hash("manifestHash", self.manifest.as_bytes());
        write_signatures(
            object.member("manifestSignatures"),
            &self.manifest_signatures,
        );
        let mut keys = ArrayWriter::new(object.member("publicKeys"));
        for key in &self.public_keys {
            write_string(keys.item(), &base64::encode(key.spki_der()));
        }
        keys.end();
        object.hash("rootHash", self.root.as_bytes());
        write_signatures(object.member("rootSignatures"), &self.root_signatures);
        object.text("scanId", self.scan.as_str());
        object.text("schema", SCHEMA);
        object.end();
        out
    }

    /// Reads the canonical bytes; keys and signatures must belong together.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, SCHEMA)?;
        let payload = Self {
            scan: fields.parsed("scanId", "a scan id")?,
            manifest: fields.parsed("manifestHash", "an id")?,
            root: fields.parsed("rootHash", "an id")?,
            manifest_signatures: signatures(&mut fields, "manifestSignatures")?,
            root_signatures: signatures(&mut fields, "rootSignatures")?,
            public_keys: keys(fields.array("publicKeys")?)?,
        };
        fields.finish()?;
        payload.belongs_together()?;
        Ok(payload)
    }

    /// Each key made one signature over each statement, and all stand in the keys' order.
    fn belongs_together(&self) -> Result<(), FieldError> {
        let ids: Vec<_> = self.public_keys.iter().map(PublicKey::id).collect();
        if ids.is_empty() || !ids.is_sorted_by(|a, b| a < b) {
            let expected = "keys in ascending order of their ids, at least one";
            return Err(FieldError::value("publicKeys", expected));
        }
        let made_by_them = |signatures: &[EnvelopeSignature]| {
            let stated = signatures.iter().map(|item| item.key_id.clone());
            stated.eq(ids.iter().map(|id| Some(id.to_string())))
        };
        for (name, signatures) in [
            ("manifestSignatures", &self.manifest_signatures),
            ("rootSignatures", &self.root_signatures),
        ] {
            if !made_by_them(signatures) {
                return Err(FieldError::value(
                    name,
                    "one of each of publicKeys, in order",
                ));
            }
        }
        Ok(())
    }
}

fn write_signatures(out: &mut Vec<u8>, signatures: &[EnvelopeSignature]) {
    let mut items = ArrayWriter::new(out);
    for signature in signatures {
        let mut item = ObjectWriter::new(items.item());
        item.optional_text("keyid", signature.key_id.as_deref());
        write_string(item.member("sig"), &base64::encode(&signature.signature));
        item.end();
    }
    items.end();
}

fn signatures(
    fields: &mut Fields<'_>,
    name: &'static str,
) -> Result<Vec<EnvelopeSignature>, FieldError> {
    let items = fields.array(name)?;
    if items.len() > MAX_ENVELOPE_SIGNATURES {
        return Err(FieldError::value(name, "at most 64 signatures"));
    }
    items.iter().map(signature).collect()
}

fn signature(item: &Value) -> Result<EnvelopeSignature, FieldError> {
    let object = item.as_object();
    let object = object.ok_or_else(|| FieldError::value("signatures", "objects"))?;
    let mut fields = Fields::new(object);
    let signature = EnvelopeSignature {
        key_id: Some(fields.text("keyid")?.into()),
        signature: base64::decode(fields.text("sig")?)
            .map_err(|_| FieldError::value("sig", "padded base64"))?,
    };
    fields.finish()?;
    Ok(signature)
}

fn keys(items: &[Value]) -> Result<Vec<PublicKey>, FieldError> {
    let key = |item: &Value| {
        let der = base64::decode(item.as_str()?).ok()?;
        let key = PublicKey::from_spki_der(&der).ok()?;
        (key.spki_der() == der).then_some(key)
    };
    let keys: Option<Vec<_>> = items.iter().map(key).collect();
    keys.ok_or_else(|| FieldError::value("publicKeys", "padded base64 of DER public keys"))
}
