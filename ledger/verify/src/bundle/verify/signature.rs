//! `signatureValid`: trusted keys signed the manifest and the root.

use super::super::{BundleFiles, MANIFEST_ENVELOPE_FILE, ROOT_ENVELOPE_FILE};
use super::{Finding, Parts, TrustInput, fail};
use crate::dsse::{Envelope, EnvelopeError, IN_TOTO_PAYLOAD_TYPE};
use crate::keys::{KeyId, PublicKey};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(super) fn signatures(
    files: &BundleFiles<'_>,
    parts: &Parts,
    trust: &TrustInput<'_>,
) -> Finding {
    if trust.keys.is_empty() {
        return Err(fail("no trusted public key was given"));
    }
    let manifest = (
        MANIFEST_ENVELOPE_FILE,
        files.manifest_envelope,
        &parts.manifest_envelope,
    );
    let root = (
        ROOT_ENVELOPE_FILE,
        files.root_envelope,
        &parts.root_envelope,
    );
    let mut signed_by = BTreeSet::new();
    for (name, bytes, envelope) in [manifest, root] {
        let signers = signers(bytes, envelope, trust);
        signed_by.extend(signers.map_err(|reason| fail(format!("{name}: {reason}")))?);
    }
    let ids: Vec<String> = signed_by.iter().map(KeyId::to_string).collect();
    Ok(format!(
        "manifest and root are signed by {}",
        ids.join(", ")
    ))
}

/// The trusted keys that signed one envelope, which must be written in the one form.
fn signers(
    bytes: &[u8],
    envelope: &Result<Envelope, EnvelopeError>,
    trust: &TrustInput<'_>,
) -> Result<BTreeSet<KeyId>, String> {
    let envelope = envelope.as_ref().map_err(ToString::to_string)?;
    if envelope.to_bytes() != bytes {
        return Err("the envelope is not in canonical form".into());
    }
    if !envelope.is_in_key_order() {
        return Err("the signatures are not in ascending order of keyid, each there once".into());
    }
    if envelope.unverified_payload_type() != IN_TOTO_PAYLOAD_TYPE {
        return Err(format!("the payload type is not {IN_TOTO_PAYLOAD_TYPE}"));
    }
    let signers = envelope.signers(trust.keys, trust.provider);
    for (signature, signer) in envelope.signatures().iter().zip(&signers) {
        // The hint is not signed; a wrong one is a changed byte, and would mislead people.
        let hint = signature.key_id.as_deref();
        if signer.is_some_and(|key| hint != Some(&key.id().to_string())) {
            return Err("a signature's keyid is not the id of the key that made it".into());
        }
    }
    let keys: BTreeSet<KeyId> = signers.into_iter().flatten().map(PublicKey::id).collect();
    let (found, required) = (keys.len(), trust.threshold.get());
    if found < required {
        return Err(format!(
            "{found} of {required} required trusted keys signed"
        ));
    }
    Ok(keys)
}
