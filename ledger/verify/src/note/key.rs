//! Keys that verify notes, and their text form.

use super::name::{KeyName, KeyNameError};
use crate::base64;
use crate::hash::sha256_parts;
use crate::keys::ed25519;
use alloc::vec::Vec;
use core::fmt;
use ed25519_dalek::{SigningKey, VerifyingKey};

/// The signature type identifier byte (signed-note, "Signature types").
///
/// Open: any byte can be carried, only the named ones can be verified here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureType(u8);

impl SignatureType {
    /// Ed25519 over the note's text.
    pub const ED25519: Self = Self(0x01);
    /// Ed25519 cosignature with a time (tlog-cosignature v1).
    pub const COSIGNATURE_V1: Self = Self(0x04);

    /// Names a byte as signature type.
    #[must_use]
    pub const fn new(byte: u8) -> Self {
        Self(byte)
    }

    /// The byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0
    }
}

/// The four bytes that, with the name, tell which key made a signature.
///
/// A hint for finding the key, no proof of it: two keys with one id are easy to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// Names four bytes (big-endian) as key id.
    #[must_use]
    pub const fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// SHA-256(name || 0x0A || type || public key)\[:4\], the id of Ed25519 and cosigner keys.
    #[must_use]
    pub fn of(name: &KeyName, signature_type: SignatureType, public_key: &[u8]) -> Self {
        let parts: [&[u8]; 4] = [
            name.as_str().as_bytes(),
            b"\n",
            &[signature_type.byte()],
            public_key,
        ];
        let [a, b, c, d, ..] = sha256_parts(&parts);
        Self([a, b, c, d])
    }

    /// The four bytes, big-endian.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    /// Eight lower-case hex digits, as in a verifier key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// Why a text is not a verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifierKeyError {
    /// Not three parts joined by `+`, or one of them spelt otherwise.
    #[error("a verifier key is <name>+<8 lower-case hex digits>+<base64 of type and key>")]
    Format,
    /// The first part is not a key name.
    #[error(transparent)]
    Name(#[from] KeyNameError),
    /// The id is not that of this name, type and key: a copying mistake, or another key's id.
    #[error("the verifier key has id {found}, its name and key give {expected}")]
    IdMismatch {
        /// The id in the text.
        found: KeyId,
        /// The id computed.
        expected: KeyId,
    },
    /// Not 32 bytes that are a point of the curve in its one spelling, or a point of small order,
    /// under which anything may verify.
    #[error("not a usable Ed25519 public key")]
    PublicKey,
}

/// A public key under a name, for one signature type; as text a `vkey`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    material: KeyMaterial,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyMaterial {
    Ed25519(VerifyingKey),
    CosignatureV1(VerifyingKey),
    /// Kept to be shown and written again; verifies nothing.
    Unknown {
        signature_type: SignatureType,
        public_key: Vec<u8>,
    },
}

impl VerifierKey {
    /// An Ed25519 key (type 0x01) from its 32 bytes.
    pub fn ed25519(name: KeyName, public_key: &[u8; 32]) -> Result<Self, VerifierKeyError> {
        let id = KeyId::of(&name, SignatureType::ED25519, public_key);
        let material = KeyMaterial::Ed25519(usable_point(public_key)?);
        Ok(Self { name, id, material })
    }

    /// A cosigner's Ed25519 key (type 0x04) from its 32 bytes.
    pub fn cosignature_v1(name: KeyName, public_key: &[u8; 32]) -> Result<Self, VerifierKeyError> {
        let id = KeyId::of(&name, SignatureType::COSIGNATURE_V1, public_key);
        let material = KeyMaterial::CosignatureV1(usable_point(public_key)?);
        Ok(Self { name, id, material })
    }

    /// The key that verifies what `key` signs. Clamping keeps a private key's point from ever
    /// being weak.
    pub(crate) fn of_signing_key(
        name: KeyName,
        signature_type: SignatureType,
        key: &SigningKey,
    ) -> Self {
        let key = key.verifying_key();
        let id = KeyId::of(&name, signature_type, key.as_bytes());
        let material = match signature_type {
            SignatureType::COSIGNATURE_V1 => KeyMaterial::CosignatureV1(key),
            _ => KeyMaterial::Ed25519(key),
        };
        Self { name, id, material }
    }

    /// The key's name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key's id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What kind of signature the key is for.
    #[must_use]
    pub const fn signature_type(&self) -> SignatureType {
        match &self.material {
            KeyMaterial::Ed25519(_) => SignatureType::ED25519,
            KeyMaterial::CosignatureV1(_) => SignatureType::COSIGNATURE_V1,
            KeyMaterial::Unknown { signature_type, .. } => *signature_type,
        }
    }

    /// The public key's bytes, without the type.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        match &self.material {
            KeyMaterial::Ed25519(key) | KeyMaterial::CosignatureV1(key) => key.as_bytes(),
            KeyMaterial::Unknown { public_key, .. } => public_key,
        }
    }

    pub(super) const fn material(&self) -> &KeyMaterial {
        &self.material
    }
}

fn usable_point(public_key: &[u8]) -> Result<VerifyingKey, VerifierKeyError> {
    let bytes = public_key
        .try_into()
        .map_err(|_| VerifierKeyError::PublicKey)?;
    ed25519::key(bytes).map_err(|_| VerifierKeyError::PublicKey)
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = Vec::with_capacity(33);
        typed.push(self.signature_type().byte());
        typed.extend_from_slice(self.public_key());
        write!(f, "{}+{}+{}", self.name, self.id, base64::encode(&typed))
    }
}

impl core::str::FromStr for VerifierKey {
    type Err = VerifierKeyError;

    fn from_str(text: &str) -> Result<Self, VerifierKeyError> {
        // Base64 has '+' among its digits, a name does not: only the first two separate.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VerifierKeyError::Format);
        };
        let name = KeyName::new(name)?;
        let id = parse_id(id).ok_or(VerifierKeyError::Format)?;
        let typed = base64::decode(key).map_err(|_| VerifierKeyError::Format)?;
        let (signature_type, public_key) = typed.split_first().ok_or(VerifierKeyError::Format)?;
        let signature_type = SignatureType(*signature_type);
        let material = match signature_type {
            SignatureType::ED25519 => KeyMaterial::Ed25519(usable_point(public_key)?),
            SignatureType::COSIGNATURE_V1 => KeyMaterial::CosignatureV1(usable_point(public_key)?),
            // How their ids are made is each type's own affair, so the id is taken as it stands.
            _ => {
                let public_key = public_key.to_vec();
                let material = KeyMaterial::Unknown {
                    signature_type,
                    public_key,
                };
                return Ok(Self { name, id, material });
            }
        };
        let expected = KeyId::of(&name, signature_type, public_key);
        if id != expected {
            return Err(VerifierKeyError::IdMismatch {
                found: id,
                expected,
            });
        }
        Ok(Self { name, id, material })
    }
}

fn parse_id(text: &str) -> Option<KeyId> {
    let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 8 || !text.bytes().all(lower_hex) {
        return None;
    }
    Some(KeyId(u32::from_str_radix(text, 16).ok()?.to_be_bytes()))
}
