//! Verifying a note against keys the caller trusts.

use super::key::{KeyId, KeyMaterial, VerifierKey};
use super::name::KeyName;
use super::parse::{Note, NoteSignature, NoteText};
use crate::cosignature::{self, CosignatureTime};
use alloc::vec::Vec;
use ed25519_dalek::{Signature, VerifyingKey};

/// Why a note is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A line bears the name and id of a trusted key, but that key did not sign this text. The
    /// note was changed or the line forged: other good signatures on it do not help.
    #[error("the signature of the trusted key {name}+{id} does not verify")]
    BadSignature {
        /// The key's name.
        name: KeyName,
        /// The key's id.
        id: KeyId,
    },
    /// No trusted key signed: perhaps the note's keys are newer than the caller's.
    #[error("the note has no signature of a trusted key")]
    NoTrustedSignature,
}

/// What a verified signature says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureMeaning {
    /// The key signed the text (Ed25519).
    Text,
    /// A cosigner saw this checkpoint, consistent with all before, at the time (cosignature/v1).
    Cosignature(CosignatureTime),
}

/// A signature that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSignature {
    /// Name of the trusted key.
    pub name: KeyName,
    /// Id of the trusted key.
    pub id: KeyId,
    /// What it says.
    pub meaning: SignatureMeaning,
}

/// A note that at least one trusted key signed: only [`Note::open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedNote {
    note: Note,
    verified: Vec<VerifiedSignature>,
}

impl VerifiedNote {
    /// The text that was signed.
    #[must_use]
    pub const fn text(&self) -> &NoteText {
        self.note.unverified_text()
    }

    /// Who signed: each trusted key at most once, in the order of the lines. Never empty.
    #[must_use]
    pub fn verified(&self) -> &[VerifiedSignature] {
        &self.verified
    }

    /// The note as it was read, with the lines of keys unknown to the caller.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }
}

impl Note {
    /// Verifies the note against `trusted` keys.
    ///
    /// Lines of other keys are ignored, also when only name or only id is known, and so are
    /// lines of trusted keys of a type that cannot be verified here. Every line of a trusted key
    /// must verify, repeated ones too; at least one must be there.
    pub fn open(self, trusted: &[VerifierKey]) -> Result<VerifiedNote, OpenError> {
        let mut verified: Vec<VerifiedSignature> = Vec::new();
        for line in self.signatures() {
            let Some(meaning) = verify_line(self.unverified_text(), line, trusted)? else {
                continue;
            };
            let known = |seen: &VerifiedSignature| seen.name == line.name && seen.id == line.id;
            if !verified.iter().any(known) {
                let (name, id) = (line.name.clone(), line.id);
                verified.push(VerifiedSignature { name, id, meaning });
            }
        }
        if verified.is_empty() {
            return Err(OpenError::NoTrustedSignature);
        }
        Ok(VerifiedNote {
            note: self,
            verified,
        })
    }
}

/// What a line says; `None` when no trusted key can judge it.
fn verify_line(
    text: &NoteText,
    line: &NoteSignature,
    trusted: &[VerifierKey],
) -> Result<Option<SignatureMeaning>, OpenError> {
    let mut judged = false;
    for key in trusted {
        if *key.name() != line.name || key.id() != line.id {
            continue;
        }
        let meaning = match key.material() {
            KeyMaterial::Ed25519(key) => verify_text(key, text, &line.signature),
            KeyMaterial::CosignatureV1(key) => cosignature::verify_line(key, text, &line.signature)
                .map(SignatureMeaning::Cosignature),
            KeyMaterial::Unknown { .. } => continue,
        };
        // Two keys may share name and id by chance; the line is good if one of them made it.
        if meaning.is_some() {
            return Ok(meaning);
        }
        judged = true;
    }
    if judged {
        let (name, id) = (line.name.clone(), line.id);
        return Err(OpenError::BadSignature { name, id });
    }
    Ok(None)
}

fn verify_text(key: &VerifyingKey, text: &NoteText, signature: &[u8]) -> Option<SignatureMeaning> {
    let signature = Signature::from_slice(signature).ok()?;
    key.verify_strict(text.as_str().as_bytes(), &signature)
        .ok()?;
    Some(SignatureMeaning::Text)
}
