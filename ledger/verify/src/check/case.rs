//! Taking typed members out of a case.

use super::{CaseFailure, Members};
use crate::base64::decode_either;
use crate::checkpoint::Origin;
use crate::hash::HASH_SIZE;
use crate::note::VerifierKey;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde_json::Value;

fn malformed(name: &str, what: &str) -> CaseFailure {
    CaseFailure::Malformed(format!("member \"{name}\" must be {what}"))
}

/// A string member.
pub fn text<'a>(case: &'a Members, name: &str) -> Result<&'a str, CaseFailure> {
    case.get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| malformed(name, "a string"))
}

/// A string member that may be absent or `null`.
pub fn optional_text<'a>(case: &'a Members, name: &str) -> Result<Option<&'a str>, CaseFailure> {
    match case.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => text(case, name).map(Some),
    }
}

/// A member that is a whole number below 2^64.
pub fn number(case: &Members, name: &str) -> Result<u64, CaseFailure> {
    let number = case.get(name).and_then(Value::as_u64);
    number.ok_or_else(|| malformed(name, "a whole number below 2^64"))
}

/// A member that is an array of strings.
pub fn text_list<'a>(case: &'a Members, name: &str) -> Result<Vec<&'a str>, CaseFailure> {
    let items = case.get(name).and_then(Value::as_array);
    let texts = items.and_then(|items| items.iter().map(Value::as_str).collect());
    texts.ok_or_else(|| malformed(name, "an array of strings"))
}

/// A member that is bytes: base64, or hex after `hex:`.
pub fn bytes(case: &Members, name: &str) -> Result<Vec<u8>, CaseFailure> {
    decode(text(case, name)?).ok_or_else(|| malformed(name, "base64, or hex after \"hex:\""))
}

/// A member that is an array of byte strings.
pub fn bytes_list(case: &Members, name: &str) -> Result<Vec<Vec<u8>>, CaseFailure> {
    let decoded: Option<Vec<_>> = text_list(case, name)?.into_iter().map(decode).collect();
    decoded.ok_or_else(|| malformed(name, "an array of base64, or hex after \"hex:\""))
}

/// A member that is text with lines (a note, a proof file), given as itself or as bytes.
///
/// Such texts always contain a line end, which neither base64 nor hex can.
pub fn text_or_bytes(case: &Members, name: &str) -> Result<Vec<u8>, CaseFailure> {
    let text = text(case, name)?;
    if text.contains('\n') {
        Ok(text.as_bytes().to_vec())
    } else {
        bytes(case, name)
    }
}

/// Bytes that must be a hash: of another length, the case is refused, not malformed.
pub fn hash32(bytes: &[u8]) -> Result<[u8; HASH_SIZE], CaseFailure> {
    bytes.try_into().map_err(|_| {
        CaseFailure::Refused(format!("a hash has {HASH_SIZE} bytes, not {}", bytes.len()))
    })
}

/// The verifier keys of a case, as texts: that they are texts is the case's form, that they are
/// keys is part of what is checked.
pub(super) struct KeyTexts<'a>(Vec<&'a str>);

impl<'a> KeyTexts<'a> {
    pub(super) fn of(case: &'a Members) -> Result<Self, CaseFailure> {
        Ok(Self(text_list(case, "vkeys")?))
    }

    pub(super) fn parse(&self) -> Result<Vec<VerifierKey>, CaseFailure> {
        let keys = self.0.iter();
        keys.map(|text| text.parse().map_err(CaseFailure::refused))
            .collect()
    }
}

/// The origin of a case, if it asks for one.
pub(super) struct OriginText<'a>(Option<&'a str>);

impl<'a> OriginText<'a> {
    pub(super) fn of(case: &'a Members) -> Result<Self, CaseFailure> {
        Ok(Self(optional_text(case, "origin")?))
    }

    pub(super) fn parse(&self) -> Result<Option<Origin>, CaseFailure> {
        let origin = self.0.map(Origin::new).transpose();
        origin.map_err(CaseFailure::refused)
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    match text.strip_prefix("hex:") {
        Some(digits) => decode_hex(digits),
        None => decode_either(text).ok(),
    }
}

fn decode_hex(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = digits.chars().map(hex_value).collect();
    let digits = digits?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    Some(
        pairs
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect(),
    )
}

fn hex_value(digit: char) -> Option<u8> {
    digit
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// A result with the members given.
pub fn members<const N: usize>(members: [(&str, String); N]) -> Members {
    members
        .into_iter()
        .map(|(name, value)| (name.into(), Value::String(value)))
        .collect()
}
