//! The keys of an issuer (JWK Set, RFC 7517 5).

use super::error::TokenError;
use super::token::TokenAlgorithm;
use stella_verify::base64::decode_url;
use stella_verify::json::{Object, Value, parse_strict};
use stella_verify::keys::{KeyNumbers, PublicKey};

/// Largest set in bytes.
pub(super) const MAX_KEY_SET_BYTES: usize = 256 * 1024;

/// Most keys in a set.
const MAX_KEYS: usize = 64;

/// Bytes are not a set of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// More than is read.
    #[error("a set of keys has at most 256 KiB and 64 keys")]
    TooLarge,
    /// Not an object with an array `keys`.
    #[error("it is not a JSON Web Key Set (RFC 7517 section 5)")]
    Malformed,
    /// No key of a kind that may sign tokens.
    #[error("it has no public key that tokens may be signed with: Ed25519, P-256, P-384 or RSA")]
    Empty,
}

/// The public keys of an issuer.
#[derive(Debug, Clone, Default)]
pub struct KeySet(Vec<Jwk>);

#[derive(Debug, Clone)]
struct Jwk {
    kid: Option<String>,
    /// The one algorithm that the issuer uses the key for, if it says so.
    algorithm: Option<String>,
    key: PublicKey,
}

impl KeySet {
    /// Reads a set. Keys of other kinds and for other uses are passed over, as RFC 7517 5 asks;
    /// private keys and shared secrets are never read.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        if bytes.len() > MAX_KEY_SET_BYTES {
            return Err(KeySetError::TooLarge);
        }
        let set = parse_strict(bytes).map_err(|_| KeySetError::Malformed)?;
        let keys = set.as_object().and_then(|set| set.get("keys"));
        let keys = keys
            .and_then(Value::as_array)
            .ok_or(KeySetError::Malformed)?;
        if keys.len() > MAX_KEYS {
            return Err(KeySetError::TooLarge);
        }
        let read: Vec<Jwk> = keys
            .iter()
            .filter_map(Value::as_object)
            .filter_map(jwk)
            .collect();
        if read.is_empty() {
            return Err(KeySetError::Empty);
        }
        Ok(Self(read))
    }

    /// The one key that a token says it is signed with. A token that names none is taken only where
    /// there is one key of its kind: nothing is tried out.
    pub(super) fn find(
        &self,
        kid: Option<&str>,
        algorithm: TokenAlgorithm,
    ) -> Result<&PublicKey, TokenError> {
        let fits = |jwk: &&Jwk| {
            let named = kid.is_none_or(|kid| jwk.kid.as_deref() == Some(kid));
            let meant = jwk.algorithm.as_deref();
            let meant = meant.is_none_or(|name| name.parse() == Ok(algorithm));
            // The key's kind decides, never the token's word for it.
            named && meant && jwk.key.algorithm() == algorithm.of_key()
        };
        let mut fitting = self.0.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(&one.key),
            _ => Err(TokenError::UnknownKey),
        }
    }
}

fn jwk(object: &Object) -> Option<Jwk> {
    let text = |name| object.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    if let Some(operations) = object.get("key_ops").and_then(Value::as_array) {
        let verifies = |operation: &Value| operation.as_str() == Some("verify");
        operations.iter().find(|operation| verifies(operation))?;
    }
    let number = |name| text(name).and_then(|digits| decode_url(digits).ok());
    let key = match (text("kty")?, text("crv")) {
        ("OKP", Some("Ed25519")) => {
            PublicKey::from_numbers(KeyNumbers::Ed25519 { x: &number("x")? })
        }
        ("EC", Some("P-256")) => PublicKey::from_numbers(KeyNumbers::P256 {
            x: &number("x")?,
            y: &number("y")?,
        }),
        ("EC", Some("P-384")) => PublicKey::from_numbers(KeyNumbers::P384 {
            x: &number("x")?,
            y: &number("y")?,
        }),
        ("RSA", _) => PublicKey::from_numbers(KeyNumbers::Rsa {
            n: &number("n")?,
            e: &number("e")?,
        }),
        _ => return None,
    };
    Some(Jwk {
        kid: text("kid").map(str::to_owned),
        algorithm: text("alg").map(str::to_owned),
        key: key.ok()?,
    })
}
