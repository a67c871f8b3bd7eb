//! The kinds of keys, envelopes and bundles.
//!
//! | kind | members | result |
//! |---|---|---|
//! | `dsse` | envelope, publicKeysPem\[\], threshold? | payloadType, payload, keys\[\] (ids) |
//! | `ed25519` | publicKey, message, signature | |
//! | `signature` | publicKeyPem, message, signature | algorithm, keyId |
//! | `bundle` | path or bundle (bytes), publicKeysPem\[\], vkeys\[\], origin?, threshold?, time? | report |
//!
//! An `envelope` is an object, its JSON as text, or that as bytes; each is read alike. A `time` is
//! `YYYY-MM-DDTHH:MM:SS.sssZ`. A text among `publicKeysPem` or `vkeys` that is no key refuses the case.

use super::case::{KeyTexts, OriginText, bytes, members, number, optional_text, text, text_list};
use super::{CaseFailure, Members, ReadFile};
use crate::base64;
use crate::bundle::{self, Outcome, TrustInput};
use crate::dsse::{Envelope, Threshold};
use crate::keys::{PublicKey, PureRust, SignatureProvider as _, ed25519};
use crate::time::parse_time;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use serde_json::Value;

type CaseResult = Result<Members, CaseFailure>;

/// Whether enough trusted keys signed an envelope.
pub(super) fn dsse(case: &Members) -> CaseResult {
    let envelope = envelope(case)?;
    let (pems, threshold) = (text_list(case, "publicKeysPem")?, threshold(case)?);
    let keys = public_keys(&pems)?;
    let envelope = Envelope::parse(&envelope).map_err(CaseFailure::refused)?;
    let verified = envelope
        .verify(&keys, threshold, &PureRust)
        .map_err(CaseFailure::refused)?;
    let mut result = members([
        ("payloadType", verified.payload_type().into()),
        ("payload", base64::encode(verified.payload())),
    ]);
    let keys = verified
        .keys()
        .iter()
        .map(|key| Value::String(key.to_string()));
    result.insert("keys".into(), keys.collect());
    Ok(result)
}

/// Whether a raw Ed25519 key signed a message, by the strict rules of [`ed25519`].
pub(super) fn ed25519(case: &Members) -> CaseResult {
    let key = bytes(case, "publicKey")?;
    let message = bytes(case, "message")?;
    let signature = bytes(case, "signature")?;
    let key = fixed(&key, "a public key")?;
    let signature = fixed(&signature, "a signature")?;
    ed25519::verify_strict(key, &message, signature).map_err(CaseFailure::refused)?;
    Ok(Members::new())
}

/// Whether a key of any supported algorithm signed a message.
pub(super) fn signature(case: &Members) -> CaseResult {
    let key = text(case, "publicKeyPem")?;
    let message = bytes(case, "message")?;
    let signature = bytes(case, "signature")?;
    let key = PublicKey::from_pem(key).map_err(CaseFailure::refused)?;
    PureRust
        .verify(&key, &message, &signature)
        .map_err(CaseFailure::refused)?;
    Ok(members([
        ("algorithm", key.algorithm().to_string()),
        ("keyId", key.id().to_string()),
    ]))
}

/// Whether a proof bundle verifies.
pub(super) fn bundle(case: &Members, files: ReadFile<'_>) -> CaseResult {
    let archive = match optional_text(case, "path")? {
        Some(path) => files(path).map_err(CaseFailure::Malformed)?,
        None => bytes(case, "bundle")?,
    };
    // The whole form of the case before anything in it is judged.
    let pems = text_list(case, "publicKeysPem")?;
    let (log_keys, origin) = (KeyTexts::of(case)?, OriginText::of(case)?);
    let now = optional_text(case, "time")?.map(parse_time).transpose();
    let now = now.map_err(|error| CaseFailure::Malformed(error.to_string()))?;
    let threshold = threshold(case)?;
    let keys = public_keys(&pems)?;
    let (log_keys, origin) = (log_keys.parse()?, origin.parse()?);
    let trust = TrustInput {
        threshold,
        log_origin: origin.as_ref(),
        now,
        ..TrustInput::new(&keys, &log_keys)
    };
    let report = bundle::verify(&archive, &trust);
    if report.verified() {
        let json = serde_json::from_slice(&report.to_json()).map_err(CaseFailure::refused)?;
        return Ok(core::iter::once(("report".into(), json)).collect());
    }
    let failed = report
        .checks()
        .iter()
        .filter(|check| check.outcome == Outcome::Fail);
    let reasons = failed.map(|check| format!("{}: {}", check.name, check.message));
    Err(CaseFailure::Refused(
        reasons.collect::<Vec<String>>().join("; "),
    ))
}

fn envelope(case: &Members) -> Result<Vec<u8>, CaseFailure> {
    match case.get("envelope") {
        Some(Value::String(text)) if text.trim_start().starts_with('{') => {
            Ok(text.clone().into_bytes())
        }
        _ => bytes(case, "envelope"),
    }
}

fn threshold(case: &Members) -> Result<Threshold, CaseFailure> {
    if matches!(case.get("threshold"), None | Some(Value::Null)) {
        return Ok(Threshold::ONE);
    }
    let keys = usize::try_from(number(case, "threshold")?).unwrap_or(usize::MAX);
    Threshold::new(keys).map_err(|error| CaseFailure::Malformed(error.to_string()))
}

fn public_keys(pems: &[&str]) -> Result<Vec<PublicKey>, CaseFailure> {
    pems.iter()
        .map(|pem| PublicKey::from_pem(pem).map_err(CaseFailure::refused))
        .collect()
}

/// Bytes of fixed length: of another, the case is refused, not malformed.
fn fixed<'a, const N: usize>(bytes: &'a [u8], what: &str) -> Result<&'a [u8; N], CaseFailure> {
    let length = bytes.len();
    bytes
        .try_into()
        .map_err(|_| CaseFailure::Refused(format!("{what} has {N} bytes, not {length}")))
}
