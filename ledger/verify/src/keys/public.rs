//! Public keys.

use super::rsa::RsaPublicKey;
use super::{PemError, ed25519, pem};
use crate::hash::{from_hex, sha256, to_hex};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use p256::pkcs8::der::asn1::{AnyRef, UintRef};
use p256::pkcs8::der::{Decode as _, Encode as _, Reader as _, SliceReader};
use p256::pkcs8::{EncodePublicKey as _, ObjectIdentifier, SubjectPublicKeyInfoRef};

const PUBLIC_LABEL: &str = "PUBLIC KEY";

/// RFC 8410 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// RFC 5480 2.1.1.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// RFC 5480 2.1.1.1, secp256r1.
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// RFC 5480 2.1.1.1, secp384r1.
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// RFC 3279 2.3.1, rsaEncryption.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Why bytes are not a public key that this verifier takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the PEM of a public key.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// Not DER of a SubjectPublicKeyInfo.
    #[error("the key is not a DER SubjectPublicKeyInfo")]
    Der,
    /// An algorithm or curve that is not supported.
    #[error("key algorithm {oid} is not supported; give Ed25519, EC P-256, EC P-384 or RSA")]
    Algorithm {
        /// The object identifier found.
        oid: String,
    },
    /// The right algorithm, but no acceptable key: not on its curve, too small, or of small order.
    #[error("the key is not an acceptable {algorithm} key")]
    Unacceptable {
        /// Which algorithm it says it is of.
        algorithm: Algorithm,
    },
}

/// How a key verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA on P-256 with SHA-256 (FIPS 186-5).
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384 (FIPS 186-5).
    EcdsaP384Sha384,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017).
    RsaPkcs1Sha256,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            Self::RsaPkcs1Sha256 => "rsa-pkcs1-sha256",
        })
    }
}

/// SHA-256 of a key's canonical SubjectPublicKeyInfo: what `keyid` hints at, in 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = crate::hash::HashParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        from_hex(text).map(Self)
    }
}

/// A public key with its algorithm. Two are equal when they are the same key.
#[derive(Debug, Clone)]
pub struct PublicKey {
    material: Material,
    spki: Vec<u8>,
    id: KeyId,
}

/// The key as the pure-Rust provider uses it.
#[derive(Debug, Clone)]
pub(super) enum Material {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Rsa(RsaPublicKey),
}

impl PublicKey {
    /// Reads a `-----BEGIN PUBLIC KEY-----` block.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        Self::from_spki_der(&pem::decode(text, PUBLIC_LABEL)?)
    }

    /// Reads the DER of a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| KeyError::Der)?;
        let material = material(&spki)?;
        // A curve point may be given compressed; one key has one id, so it is written out in full.
        let canonical = match &material {
            Material::P256(key) => key
                .to_public_key_der()
                .ok()
                .map(|der| der.as_bytes().to_vec()),
            Material::P384(key) => key
                .to_public_key_der()
                .ok()
                .map(|der| der.as_bytes().to_vec()),
            Material::Ed25519(_) | Material::Rsa(_) => spki.to_der().ok(),
        };
        let spki = canonical.ok_or(KeyError::Der)?;
        let id = KeyId(sha256(&spki));
        Ok(Self { material, spki, id })
    }

    /// The key as a `-----BEGIN PUBLIC KEY-----` block.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(&self.spki, PUBLIC_LABEL)
    }

    /// The canonical SubjectPublicKeyInfo, which other providers read.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// SHA-256 of the canonical SubjectPublicKeyInfo.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// How this key verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Ed25519(_) => Algorithm::Ed25519,
            Material::P256(_) => Algorithm::EcdsaP256Sha256,
            Material::P384(_) => Algorithm::EcdsaP384Sha384,
            Material::Rsa(_) => Algorithm::RsaPkcs1Sha256,
        }
    }

    pub(super) const fn material(&self) -> &Material {
        &self.material
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for PublicKey {}

fn material(spki: &SubjectPublicKeyInfoRef<'_>) -> Result<Material, KeyError> {
    let key = spki.subject_public_key.as_bytes().ok_or(KeyError::Der)?;
    let (oid, parameters) = (spki.algorithm.oid, spki.algorithm.parameters);
    if oid == EC_PUBLIC_KEY {
        let curve = parameters.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
        return curve_key(curve.ok_or(KeyError::Der)?, key);
    }
    if oid == ED25519 {
        let unacceptable = KeyError::Unacceptable {
            algorithm: Algorithm::Ed25519,
        };
        if parameters.is_some() {
            return Err(KeyError::Der);
        }
        let bytes = key.try_into().ok();
        let key = bytes
            .and_then(|bytes| ed25519::key(bytes).ok())
            .ok_or(unacceptable)?;
        return Ok(Material::Ed25519(key));
    }
    if oid == RSA {
        if parameters != Some(AnyRef::NULL) {
            return Err(KeyError::Der);
        }
        return rsa_key(key).map(Material::Rsa);
    }
    Err(unsupported(oid))
}

fn curve_key(curve: ObjectIdentifier, point: &[u8]) -> Result<Material, KeyError> {
    let unacceptable = |algorithm| KeyError::Unacceptable { algorithm };
    if curve == P256 {
        return p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .map(Material::P256)
            .map_err(|_| unacceptable(Algorithm::EcdsaP256Sha256));
    }
    if curve == P384 {
        return p384::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .map(Material::P384)
            .map_err(|_| unacceptable(Algorithm::EcdsaP384Sha384));
    }
    Err(unsupported(curve))
}

/// RSAPublicKey of RFC 8017 A.1.1: SEQUENCE { modulus INTEGER, publicExponent INTEGER }.
fn rsa_key(der: &[u8]) -> Result<RsaPublicKey, KeyError> {
    let read = || {
        let mut reader = SliceReader::new(der)?;
        let pair = reader.sequence(|sequence| {
            let modulus = UintRef::decode(sequence)?;
            Ok::<_, p256::pkcs8::der::Error>((modulus, UintRef::decode(sequence)?))
        })?;
        reader.finish()?;
        Ok::<_, p256::pkcs8::der::Error>(pair)
    };
    let (modulus, exponent) = read().map_err(|_| KeyError::Der)?;
    RsaPublicKey::new(modulus.as_bytes(), exponent.as_bytes()).map_err(|_| KeyError::Unacceptable {
        algorithm: Algorithm::RsaPkcs1Sha256,
    })
}

fn unsupported(oid: ObjectIdentifier) -> KeyError {
    KeyError::Algorithm {
        oid: alloc::format!("{oid}"),
    }
}
