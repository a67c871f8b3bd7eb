//! OAuth 2 access tokens: JSON Web Tokens (RFC 7519, RFC 9068) under the rules of RFC 8725.
//!
//! ```text
//! text -> size -> three parts -> header (strict JSON) -> algorithm allowed? -> key by kid and kind
//!      -> signature -> claims (strict JSON) -> issuer, audience, times -> Caller
//! ```
//!
//! The signatures are those of the verifier, so nothing is linked for them. A token never chooses
//! how it is verified: `alg` must be allowed and fit the kind of the key that the issuer published,
//! keys inside a token are not read, and neither `none` nor a shared secret has a spelling here.

mod cache;
mod error;
mod fetch;
mod key_set;
mod roots;
mod rules;
mod source;
mod token;

pub use error::TokenError;
pub use fetch::EndpointError;
pub use key_set::{KeySet, KeySetError};
pub use rules::{DEFAULT_LEEWAY, TokenRules};
pub use source::KeySource;
pub use token::{TokenAlgorithm, UnknownAlgorithm};

use super::caller::Caller;
use cache::Cache;
use std::sync::{Mutex, PoisonError};
use stella_verify::units::UnixMillis;

/// The bearers of one issuer's tokens.
#[derive(Debug)]
pub struct Issuer {
    rules: TokenRules,
    keys: KeySource,
    cache: Mutex<Cache>,
}

impl Issuer {
    /// Takes the tokens that `rules` describe, signed with `keys`.
    #[must_use]
    pub fn new(rules: TokenRules, keys: KeySource) -> Self {
        Self {
            rules,
            keys,
            cache: Mutex::default(),
        }
    }

    /// Where its keys come from.
    #[must_use]
    pub fn keys(&self) -> &KeySource {
        &self.keys
    }

    /// Whether a text has the form of a token at all; other credentials have no dots.
    pub(super) fn might_be(text: &str) -> bool {
        text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Whose a token is; `digest` is its SHA-256.
    ///
    /// [`TokenError::UnknownKey`] asks for [`KeySource::refresh`] and one more try.
    pub(super) fn identify(
        &self,
        token: &str,
        digest: [u8; 32],
        now: UnixMillis,
    ) -> Result<Caller, TokenError> {
        let known = self.keys.known();
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(caller) = cache().get(known.generation, &digest, now) {
            return Ok(caller);
        }
        let verified = self.rules.verify(&known.keys, token, now)?;
        let caller = verified.0.clone();
        cache().put(known.generation, digest, verified, now);
        Ok(caller)
    }
}
