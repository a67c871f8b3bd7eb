//! Access tokens and the keys of their issuers.

use std::sync::LazyLock;
use stella_server::{KeySet, Scopes, TokenRules};
use stella_verify::base64;
use stella_verify::keys::{EnvelopeSigner as _, SigningKey};
use stella_verify::units::UnixMillis;

/// A key that no other token is signed with, and the set of it.
static ISSUER: LazyLock<Option<(SigningKey, KeySet)>> = LazyLock::new(|| {
    let signer = SigningKey::from_seed(&[0xa5; 32]).ok()?;
    let x = url(signer.public_key().spki_der().get(12..)?);
    let set = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#);
    let keys = KeySet::parse(set.as_bytes()).ok()?;
    Some((signer, keys))
});

/// Nobody forges a token; whatever claims its issuer signs, they give a caller or a refusal.
pub(super) fn access_token(data: &[u8]) {
    assert!(ISSUER.is_some(), "the set of one key is one");
    let Some((signer, keys)) = &*ISSUER else {
        return;
    };
    let rules = TokenRules::new("issuer", "audience");
    let verify = |token: &str| rules.verify(keys, token, UnixMillis::new(0));
    if let Ok(text) = core::str::from_utf8(data) {
        assert!(verify(text).is_err(), "a forged token");
    }
    // Signing is slow, and what is no object is refused as one.
    if !data.starts_with(b"{") {
        return;
    }
    let signed = format!("{}.{}", url(br#"{"alg":"EdDSA"}"#), url(data));
    if let Ok(signature) = signer.sign(signed.as_bytes())
        && let Ok((caller, _)) = verify(&format!("{signed}.{}", url(&signature)))
    {
        assert!(!caller.name().starts_with("stella:"));
        assert!(caller.scopes() == caller.scopes().iter().collect::<Scopes>());
    }
}

pub(super) fn key_set(data: &[u8]) {
    // Whatever is read or refused, nothing panics.
    drop(KeySet::parse(data));
}

fn url(bytes: &[u8]) -> String {
    let text = base64::encode(bytes).replace('+', "-").replace('/', "_");
    text.trim_end_matches('=').to_owned()
}
