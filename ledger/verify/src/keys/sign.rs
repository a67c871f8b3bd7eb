//! Signing envelopes.

use super::{KeyError, PemError, PublicKey, pem};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, KeypairBytes,
};

const PRIVATE_LABEL: &str = "PRIVATE KEY";

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The key cannot be reached or refuses to sign: the operator's hardware or service.
    #[error("the signer is unavailable: {reason}")]
    Unavailable {
        /// What the signer said.
        reason: String,
    },
}

/// A private key that signs envelopes, wherever it is kept.
pub trait EnvelopeSigner {
    /// The key that verifies what this one signs.
    fn public_key(&self) -> &PublicKey;

    /// Signs a message (the pre-authentication encoding of an envelope).
    ///
    /// # Errors
    /// [`SignError`].
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// Why a text is not a private key that this signer takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// Not the PEM of a private key.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// Not PKCS #8 of an Ed25519 key.
    #[error("the private key is not an unencrypted PKCS #8 Ed25519 key")]
    Pkcs8,
    /// Its public key has no acceptable form.
    #[error(transparent)]
    Public(#[from] KeyError),
}

/// An Ed25519 private key in memory. Cleared when dropped; never printed.
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    public: PublicKey,
}

impl SigningKey {
    /// The key of a 32-byte seed (RFC 8032 5.1.5), which must come from a cryptographic generator.
    ///
    /// # Errors
    /// [`PrivateKeyError::Public`]; no seed is known to give such a key.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, PrivateKeyError> {
        Self::new(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Reads an unencrypted `-----BEGIN PRIVATE KEY-----` block (PKCS #8, RFC 8410).
    ///
    /// # Errors
    /// [`PrivateKeyError`].
    pub fn from_pem(text: &str) -> Result<Self, PrivateKeyError> {
        let der = pem::decode(text, PRIVATE_LABEL)?;
        let key = ed25519_dalek::SigningKey::from_pkcs8_der(&der);
        Self::new(key.map_err(|_| PrivateKeyError::Pkcs8)?)
    }

    /// The key as an unencrypted `-----BEGIN PRIVATE KEY-----` block: keep it from other eyes.
    ///
    /// # Errors
    /// [`PrivateKeyError::Pkcs8`] when it cannot be encoded.
    pub fn to_pem(&self) -> Result<String, PrivateKeyError> {
        // Without the public key beside it (version 1): some readers know no other form.
        let alone = KeypairBytes {
            secret_key: self.key.to_bytes(),
            public_key: None,
        };
        let der = alone.to_pkcs8_der().map_err(|_| PrivateKeyError::Pkcs8)?;
        Ok(pem::encode(der.as_bytes(), PRIVATE_LABEL))
    }

    fn new(key: ed25519_dalek::SigningKey) -> Result<Self, PrivateKeyError> {
        let spki = key
            .verifying_key()
            .to_public_key_der()
            .map_err(|_| PrivateKeyError::Pkcs8)?;
        Ok(Self {
            public: PublicKey::from_spki_der(spki.as_bytes())?,
            key,
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.id())
    }
}

impl EnvelopeSigner for SigningKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.key.sign(message).to_bytes().to_vec())
    }
}
