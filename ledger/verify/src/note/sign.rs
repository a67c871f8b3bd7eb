//! Signing notes.

use super::key::{SignatureType, VerifierKey};
use super::name::KeyName;
use super::parse::{Note, NoteError, NoteSignature, NoteText};
use alloc::string::String;
use alloc::vec::Vec;
use ed25519_dalek::{Signer as _, SigningKey};

/// Why a note was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The text cannot stand in a note.
    #[error(transparent)]
    Text(#[from] NoteError),
    /// The key cannot be reached or refuses to sign: the operator's hardware or service.
    #[error("the signer is unavailable: {0}")]
    Unavailable(String),
}

/// A private key that signs notes, wherever it is kept.
pub trait NoteSigner {
    /// The key that verifies what this one signs; gives the signature line its name and id.
    fn verifier_key(&self) -> &VerifierKey;

    /// Signs the text, which is the whole message: what follows the key id in the line.
    fn sign(&self, text: &NoteText) -> Result<Vec<u8>, SignError>;
}

/// An Ed25519 private key in memory (type 0x01). Cleared when dropped; never printed.
pub struct Ed25519Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Ed25519Signer {
    /// The key of a 32-byte seed (RFC 8032 5.1.5, "private key"). The seed must come from a
    /// cryptographic generator.
    #[must_use]
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::of_signing_key(name, SignatureType::ED25519, &key);
        Self { key, verifier }
    }
}

impl core::fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Ed25519Signer({})", self.verifier)
    }
}

impl NoteSigner for Ed25519Signer {
    fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    fn sign(&self, text: &NoteText) -> Result<Vec<u8>, SignError> {
        Ok(self.key.sign(text.as_str().as_bytes()).to_bytes().to_vec())
    }
}

impl Note {
    /// Signs `text` with every signer, in their order.
    ///
    /// Two keys of one log sign together while one replaces the other.
    pub fn sign(
        text: NoteText,
        first: &dyn NoteSigner,
        others: &[&dyn NoteSigner],
    ) -> Result<Self, SignError> {
        let signature = line(first, &text)?;
        let mut note = Self::new(text, signature);
        for signer in others {
            let signature = line(*signer, note.unverified_text())?;
            note.add(signature)?;
        }
        Ok(note)
    }
}

fn line(signer: &dyn NoteSigner, text: &NoteText) -> Result<NoteSignature, SignError> {
    let key = signer.verifier_key();
    Ok(NoteSignature {
        name: key.name().clone(),
        id: key.id(),
        signature: signer.sign(text)?,
    })
}
