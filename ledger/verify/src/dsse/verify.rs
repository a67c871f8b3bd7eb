//! Counting the trusted keys that signed.

use super::{Envelope, pae};
use crate::keys::{KeyId, PublicKey, SignatureProvider};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroUsize;

/// How many distinct trusted keys must have signed; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold(NonZeroUsize);

/// A threshold of no keys would accept everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a threshold is at least 1")]
pub struct ThresholdError;

impl Threshold {
    /// One trusted key is enough.
    pub const ONE: Self = Self(NonZeroUsize::MIN);

    /// Checks the number.
    ///
    /// # Errors
    /// [`ThresholdError`] for 0.
    pub fn new(keys: usize) -> Result<Self, ThresholdError> {
        NonZeroUsize::new(keys).map(Self).ok_or(ThresholdError)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0.get()
    }
}

/// Why an envelope is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Fewer trusted keys signed than are required.
    #[error("{verified} of {required} required trusted keys signed this envelope")]
    Threshold {
        /// Distinct trusted keys with a valid signature.
        verified: usize,
        /// How many the caller requires.
        required: usize,
    },
}

/// A payload with the trusted keys that signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEnvelope {
    payload_type: String,
    payload: Vec<u8>,
    keys: BTreeSet<KeyId>,
}

impl VerifiedEnvelope {
    /// What the payload is.
    #[must_use]
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The very bytes that were verified.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The distinct trusted keys that signed.
    #[must_use]
    pub const fn keys(&self) -> &BTreeSet<KeyId> {
        &self.keys
    }
}

impl Envelope {
    /// Verifies that at least `threshold` distinct keys of `trusted` signed.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(
        self,
        trusted: &[PublicKey],
        threshold: Threshold,
        provider: &dyn SignatureProvider,
    ) -> Result<VerifiedEnvelope, VerifyError> {
        let signers = self.signers(trusted, provider);
        let keys: BTreeSet<KeyId> = signers.into_iter().flatten().map(PublicKey::id).collect();
        let (verified, required) = (keys.len(), threshold.get());
        if verified < required {
            return Err(VerifyError::Threshold { verified, required });
        }
        let (payload_type, payload) = self.into_payload();
        Ok(VerifiedEnvelope {
            payload_type,
            payload,
            keys,
        })
    }

    /// For each signature, the trusted key that made it.
    #[must_use]
    pub fn signers<'k>(
        &self,
        trusted: &'k [PublicKey],
        provider: &dyn SignatureProvider,
    ) -> Vec<Option<&'k PublicKey>> {
        let message = pae(self.unverified_payload_type(), self.unverified_payload());
        let signer = |signature: &[u8]| {
            trusted
                .iter()
                .find(|key| provider.verify(key, &message, signature).is_ok())
        };
        self.signatures()
            .iter()
            .map(|item| signer(&item.signature))
            .collect()
    }
}
