//! Which tokens are taken, and whom they are of.

use super::error::TokenError;
use super::key_set::KeySet;
use super::token::{Token, TokenAlgorithm};
use crate::auth::caller::Caller;
use crate::auth::scope::{Scope, Scopes};
use crate::auth::tenant::TenantName;
use std::time::Duration;
use stella_verify::event::payload::PrincipalKind;
use stella_verify::json::{Object, Value};
use stella_verify::keys::PureRust;
use stella_verify::units::UnixMillis;

/// How far clocks may be apart unless said otherwise.
pub const DEFAULT_LEEWAY: Duration = Duration::from_mins(1);

/// Which tokens are taken (RFC 7519, RFC 8725).
#[derive(Debug, Clone)]
pub struct TokenRules {
    /// What `iss` must be, byte for byte.
    pub issuer: String,
    /// What `aud` must be, or name among others.
    pub audience: String,
    /// How tokens may be signed.
    pub algorithms: Vec<TokenAlgorithm>,
    /// How far the issuer's clock and ours may be apart.
    pub leeway: Duration,
    /// The claim that names the caller's tenant; a token without it is of the default tenant.
    pub tenant_claim: String,
}

impl TokenRules {
    /// Every algorithm, the default leeway, the tenant in `tenant`.
    #[must_use]
    pub fn new(issuer: &str, audience: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            algorithms: TokenAlgorithm::ALL.to_vec(),
            leeway: DEFAULT_LEEWAY,
            tenant_claim: "tenant".to_owned(),
        }
    }

    /// Whom a token is of, and when it ends. No claim is read before the signature was verified.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify(
        &self,
        keys: &KeySet,
        token: &str,
        now: UnixMillis,
    ) -> Result<(Caller, UnixMillis), TokenError> {
        let token = Token::parse(token)?;
        if !self.algorithms.contains(&token.algorithm) {
            return Err(TokenError::Algorithm);
        }
        let key = keys.find(token.kid.as_deref(), token.algorithm)?;
        key.verify_jose(&PureRust, token.signed, &token.signature)
            .map_err(|_| TokenError::Signature)?;
        let claims = token.claims()?;
        if claims.get("iss").and_then(Value::as_str) != Some(self.issuer.as_str()) {
            return Err(TokenError::Issuer);
        }
        if !names(claims.get("aud"), &self.audience) {
            return Err(TokenError::Audience);
        }
        let end = self.check_times(&claims, now)?;
        Ok((self.caller(&claims)?, end))
    }

    /// When the token ends, leeway included.
    fn check_times(&self, claims: &Object, now: UnixMillis) -> Result<UnixMillis, TokenError> {
        let leeway = u64::try_from(self.leeway.as_millis()).unwrap_or(u64::MAX);
        let end = time(claims, "exp")?.ok_or(TokenError::Malformed("exp is missing"))?;
        let end = UnixMillis::new(end.get().saturating_add(leeway));
        if now >= end {
            return Err(TokenError::Expired);
        }
        let latest = UnixMillis::new(now.get().saturating_add(leeway));
        for claim in ["nbf", "iat"] {
            if time(claims, claim)?.is_some_and(|time| time > latest) {
                return Err(TokenError::NotYet);
            }
        }
        Ok(end)
    }

    fn caller(&self, claims: &Object) -> Result<Caller, TokenError> {
        let name = claims.get("sub").and_then(Value::as_str);
        let name = name.ok_or(TokenError::Malformed("sub is missing"))?;
        let tenant = match claims.get(&self.tenant_claim) {
            None => TenantName::default(),
            Some(tenant) => tenant
                .as_str()
                .and_then(|tenant| tenant.parse().ok())
                .ok_or(TokenError::Tenant)?,
        };
        let caller = Caller::new(name, tenant, scopes(claims)).map_err(|_| TokenError::Subject)?;
        Ok(caller.known_by(PrincipalKind::Jwt))
    }
}

/// Whether `aud` (RFC 7519 4.1.3), a string or several, names an audience.
fn names(audience: Option<&Value>, wanted: &str) -> bool {
    match audience {
        Some(Value::String(one)) => one == wanted,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(wanted)),
        _ => false,
    }
}

/// A NumericDate (RFC 7519 2): seconds since 1970, with a fraction if need be.
fn time(claims: &Object, claim: &'static str) -> Result<Option<UnixMillis>, TokenError> {
    let wrong = TokenError::Malformed("a time is not a number of seconds");
    let millis = match claims.get(claim) {
        None => return Ok(None),
        Some(Value::Integer(seconds)) => u64::try_from(seconds.get())
            .ok()
            .and_then(|seconds| seconds.checked_mul(1000)),
        Some(Value::Double(seconds)) => Duration::try_from_secs_f64(seconds.get())
            .ok()
            .and_then(|time| u64::try_from(time.as_millis()).ok()),
        Some(_) => None,
    };
    millis.map(UnixMillis::new).map(Some).ok_or(wrong)
}

/// Our scopes of `scope`, separated by spaces (RFC 9068 2.2.3), and of `scp`, a list or separated by
/// spaces as some issuers write it. A token may carry scopes of other services.
fn scopes(claims: &Object) -> Scopes {
    let mut found: Vec<Scope> = Vec::new();
    for value in ["scope", "scp"].iter().filter_map(|name| claims.get(name)) {
        let several = match value {
            Value::Array(several) => several.as_slice(),
            one => std::slice::from_ref(one),
        };
        let words = several
            .iter()
            .filter_map(Value::as_str)
            .flat_map(|text| text.split(' '));
        found.extend(words.filter_map(|word| word.parse::<Scope>().ok()));
    }
    found.into_iter().collect()
}
