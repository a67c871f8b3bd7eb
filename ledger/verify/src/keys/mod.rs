//! Public keys that verify envelopes, and the private key that signs ours.
//!
//! A key is read from the PEM of its SubjectPublicKeyInfo (RFC 5280 4.1.2.7, RFC 7468 13) and fixes
//! its algorithm with it: no signature chooses how it is verified. A key's id is the SHA-256 of its
//! canonical SPKI, so one key has one id however its PEM was spelt.
//!
//! | key | algorithm | signature |
//! |---|---|---|
//! | Ed25519 | RFC 8032, strict (see [`ed25519`]) | 64 bytes |
//! | EC P-256 | ECDSA with SHA-256 | ASN.1 DER |
//! | EC P-384 | ECDSA with SHA-384 | ASN.1 DER |
//! | RSA 2048-8192 | RSASSA-PKCS1-v1_5 with SHA-256 (see [`rsa`]) | as long as the modulus |
//!
//! In scope: keys and signatures. Out of scope: who may sign what and when (anchors), certificates.

pub mod ed25519;
mod jose;
mod pem;
mod provider;
mod public;
pub mod rsa;
mod sign;

pub use jose::KeyNumbers;
pub use pem::PemError;
pub use provider::{PureRust, SignatureError, SignatureProvider};
pub use public::{Algorithm, KeyError, KeyId, PublicKey};
pub use sign::{EnvelopeSigner, PrivateKeyError, SignError, SigningKey};

#[cfg(test)]
mod tests;
