//! The compact form of a signed token (RFC 7515 3.1), taken apart but not believed.

use super::error::TokenError;
use stella_verify::base64::decode_url;
use stella_verify::json::{Object, Value, parse_strict};
use stella_verify::keys::Algorithm;

/// Largest token in bytes. Headers of HTTP end near there anyway.
pub(super) const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// How a token is signed. What is not here, `none` and shared secrets above all, has no spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// Ed25519 (RFC 8037), also spelt `Ed25519` (RFC 9864).
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl TokenAlgorithm {
    /// Every one, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::EdDsa, Self::Es256, Self::Es384, Self::Rs256];

    fn of(name: &str) -> Option<Self> {
        match name {
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "ES256" => Some(Self::Es256),
            "ES384" => Some(Self::Es384),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }

    /// The algorithm of the keys that can sign so: a key of another kind never verifies.
    pub(super) const fn of_key(self) -> Algorithm {
        match self {
            Self::EdDsa => Algorithm::Ed25519,
            Self::Es256 => Algorithm::EcdsaP256Sha256,
            Self::Es384 => Algorithm::EcdsaP384Sha384,
            Self::Rs256 => Algorithm::RsaPkcs1Sha256,
        }
    }
}

impl std::str::FromStr for TokenAlgorithm {
    type Err = UnknownAlgorithm;
    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        Self::of(text).ok_or(UnknownAlgorithm)
    }
}

/// A text names no algorithm that tokens may be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not one of EdDSA, ES256, ES384, RS256")]
pub struct UnknownAlgorithm;

/// A token taken apart.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) algorithm: TokenAlgorithm,
    /// Which key the signer says it was.
    pub(super) kid: Option<String>,
    /// What is signed: header and claims as they were sent.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
    claims: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Takes a token apart. Its claims stay unread until its signature was verified.
    pub(super) fn parse(text: &'a str) -> Result<Self, TokenError> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLarge);
        }
        let three = TokenError::Malformed("it does not have three parts");
        let (signed, signature) = text.rsplit_once('.').ok_or(three)?;
        let (header, claims) = signed.split_once('.').ok_or(three)?;
        if claims.contains('.') {
            return Err(three);
        }
        let bytes = |part| decode_url(part).map_err(|_| TokenError::Malformed("not base64url"));
        let header = object(&bytes(header)?)?;
        if header.get("crit").is_some() {
            return Err(TokenError::Critical);
        }
        check_type(&header)?;
        let algorithm = header.get("alg").and_then(Value::as_str);
        let algorithm = algorithm.ok_or(TokenError::Malformed("alg is missing"))?;
        let kid = match header.get("kid") {
            None => None,
            Some(kid) => Some(
                kid.as_str()
                    .ok_or(TokenError::Malformed("kid is not a string"))?
                    .to_owned(),
            ),
        };
        Ok(Self {
            algorithm: TokenAlgorithm::of(algorithm).ok_or(TokenError::Algorithm)?,
            kid,
            signed: signed.as_bytes(),
            signature: bytes(signature)?,
            claims: bytes(claims)?,
        })
    }

    /// The claims; only for whoever has verified the signature.
    pub(super) fn claims(&self) -> Result<Object, TokenError> {
        object(&self.claims)
    }
}

/// An access token says nothing of its type, `JWT` (RFC 7519 5.1) or `at+jwt` (RFC 9068 2.1); an
/// identity token or a logout token with a type of its own is not one.
fn check_type(header: &Object) -> Result<(), TokenError> {
    let Some(kind) = header.get("typ") else {
        return Ok(());
    };
    let kind = kind.as_str().unwrap_or_default().to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    match kind {
        "jwt" | "at+jwt" => Ok(()),
        _ => Err(TokenError::Type),
    }
}

/// A JSON object; a member that stands twice is refused, since readers differ over which counts.
fn object(bytes: &[u8]) -> Result<Object, TokenError> {
    match parse_strict(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(TokenError::Malformed("a part is not a JSON object")),
    }
}
