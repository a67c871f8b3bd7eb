//! Who computes a verification: pure Rust by default, a platform's library where one is wanted.

use super::ed25519;
use super::public::{Material, PublicKey};

/// Why a signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The key is not one that may verify: not on its curve, too small, or of small order.
    #[error("the public key is not acceptable")]
    Key,
    /// The signature is not one of this key over this message.
    #[error("the signature does not verify")]
    Invalid,
}

/// Verifies signatures; the key says by which algorithm.
pub trait SignatureProvider {
    /// Verifies one signature over a message.
    ///
    /// # Errors
    /// [`SignatureError`].
    fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError>;
}

/// The provider that needs nothing but this crate.
#[derive(Debug, Clone, Copy, Default)]
pub struct PureRust;

impl SignatureProvider for PureRust {
    fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        use p256::ecdsa::signature::Verifier as _;
        let invalid = SignatureError::Invalid;
        match key.material() {
            Material::Ed25519(key) => {
                let signature = signature.try_into().map_err(|_| invalid)?;
                ed25519::verify_with(key, message, signature)
            }
            Material::P256(key) => {
                let signature = p256::ecdsa::DerSignature::from_bytes(signature);
                key.verify(message, &signature.map_err(|_| invalid)?)
                    .map_err(|_| invalid)
            }
            Material::P384(key) => {
                let signature = p384::ecdsa::DerSignature::from_bytes(signature);
                key.verify(message, &signature.map_err(|_| invalid)?)
                    .map_err(|_| invalid)
            }
            Material::Rsa(key) => key.verify(message, signature),
        }
    }
}
