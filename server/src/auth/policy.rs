//! How callers are told apart, and what each may do.

use super::api_keys::ApiKeys;
use super::caller::Caller;
use super::certificate::ClientCertificate;
use super::denial::Denial;
use super::jwt::{Issuer, TokenError};
use super::scope::Scopes;
use super::table::{Need, needed};
use super::tenant::TenantName;
use http::{HeaderMap, Method, header};
use std::sync::Arc;
use stella_ledger::clock::{Clock, SystemClock};
use stella_verify::event::payload::PrincipalKind;
use stella_verify::hash::sha256;

/// What a caller shows to say who it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    /// The request's.
    pub(super) headers: &'a HeaderMap,
    /// The one that was verified when the connection was made.
    pub(super) certificate: Option<&'a ClientCertificate>,
}

/// How callers are told apart. The default knows nobody.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Everyone is this caller: a ledger inside the same process.
    trusted: Option<Caller>,
    /// One token for everything, by its SHA-256, so that comparing takes no time that depends on it.
    token: Option<([u8; 32], Caller)>,
    api_keys: Option<Arc<ApiKeys>>,
    issuer: Option<Arc<Issuer>>,
    /// Whether reading needs no token (`serve --dev`, loopback only).
    open_reads: bool,
    clock: Arc<dyn Clock>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            trusted: None,
            token: None,
            api_keys: None,
            issuer: None,
            open_reads: false,
            clock: Arc::new(SystemClock),
        }
    }
}

impl Policy {
    /// Everyone is `caller`: for a ledger inside the same process.
    #[must_use]
    pub fn trusted(caller: Caller) -> Self {
        Self {
            trusted: Some(caller),
            ..Self::default()
        }
    }

    /// One token for everything; its bearer is `name`, on the default tenant. Others may read if
    /// `open_reads`.
    #[must_use]
    pub fn token(token: &str, name: &str, open_reads: bool) -> Self {
        let caller = Caller::new(name, TenantName::default(), Scopes::all())
            .map(|caller| caller.known_by(PrincipalKind::Token));
        Self {
            // A name that could not stand in an event lets nobody in.
            token: caller.ok().map(|caller| (sha256(token.as_bytes()), caller)),
            open_reads,
            ..Self::default()
        }
    }

    /// The same, and whoever the file of principals knows, by a key or by a certificate.
    #[must_use]
    pub fn with_api_keys(self, keys: ApiKeys) -> Self {
        Self {
            api_keys: Some(Arc::new(keys)),
            ..self
        }
    }

    /// The same, and whoever an issuer of tokens vouches for.
    #[must_use]
    pub fn with_issuer(self, issuer: Issuer) -> Self {
        Self {
            issuer: Some(Arc::new(issuer)),
            ..self
        }
    }

    /// What tells the time of calls.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Who issues tokens.
    pub(super) fn issuer(&self) -> Option<&Arc<Issuer>> {
        self.issuer.as_ref()
    }

    /// Decides over a call to `path` by what its caller shows. [`Denial::UnknownKey`] may turn into
    /// something else once the issuer's keys were asked for again.
    pub(super) fn admit(
        &self,
        method: &Method,
        path: &str,
        shown: Shown<'_>,
    ) -> Result<Caller, Denial> {
        let Some(need) = needed(method, path) else {
            return Err(Denial::Nowhere(method.clone(), path.to_owned()));
        };
        match self.identify(shown)? {
            Some(caller) => match need.scope() {
                Some(scope) if !caller.may(scope) => Err(Denial::Scope(caller, scope)),
                _ => Ok(caller),
            },
            None => match need {
                Need::Read(scope) if !self.open_reads => Err(Denial::Anonymous(scope)),
                Need::Write(scope) => Err(Denial::Anonymous(scope)),
                Need::Read(_) | Need::Open => Ok(Caller::anonymous()),
            },
        }
    }

    /// Who calls; nobody in particular without credentials. A token, good or bad, comes before a
    /// certificate: it was chosen for this call, the certificate for the connection.
    fn identify(&self, shown: Shown<'_>) -> Result<Option<Caller>, Denial> {
        if let Some(caller) = &self.trusted {
            return Ok(Some(caller.clone()));
        }
        let Some(token) = bearer(shown.headers)? else {
            return Ok(shown.certificate.and_then(|certificate| {
                let keys = self.api_keys.as_ref()?;
                keys.by_certificate(certificate, self.clock.now())
            }));
        };
        let digest = sha256(token.as_bytes());
        if let Some((known, caller)) = &self.token
            && *known == digest
        {
            return Ok(Some(caller.clone()));
        }
        let now = self.clock.now();
        let keys = self.api_keys.as_ref();
        if let Some(caller) = keys.and_then(|keys| keys.by_key(&digest, now)) {
            return Ok(Some(caller));
        }
        match &self.issuer {
            Some(issuer) if Issuer::might_be(token) => {
                let outcome = issuer.identify(token, digest, now);
                outcome.map(Some).map_err(|error| match error {
                    TokenError::UnknownKey => Denial::UnknownKey,
                    other => Denial::Credentials(other.to_string()),
                })
            }
            _ => Err(Denial::Credentials(
                "the token is not one of this server".to_owned(),
            )),
        }
    }
}

/// The token of `authorization: Bearer <token>` (RFC 6750, section 2.1), given at most once.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Denial> {
    let wrong =
        || Denial::Credentials("send one header `authorization: Bearer <token>`".to_owned());
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = given.next() else {
        return Ok(None);
    };
    if given.next().is_some() {
        return Err(wrong());
    }
    let text = value.to_str().map_err(|_| wrong())?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Scope;
    use http::HeaderValue;

    const READ: &str = "/stella.scan.v1.ScanService/GetScan";
    const WRITE: &str = "/stella.scan.v1.ScanService/SubmitScan";
    const REPLAY: &str = "/stella.score.v1.ScoreService/ReplayScore";

    fn outcome(policy: &Policy, path: &str, lines: &[&str]) -> Result<String, Denial> {
        let method = if path.starts_with("/stella.") {
            Method::POST
        } else {
            Method::GET
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(line).unwrap());
        }
        let shown = Shown {
            headers: &headers,
            certificate: None,
        };
        let caller = policy.admit(&method, path, shown)?;
        Ok(caller.name().to_string())
    }

    fn bad<T>(outcome: &Result<T, Denial>) -> bool {
        matches!(outcome, Err(Denial::Credentials(_)))
    }

    #[test]
    fn one_token_for_everything() {
        let named = |name: &str| Ok(name.to_owned());
        for open_reads in [false, true] {
            let policy = Policy::token("secret", "dev", open_reads);
            let ask = |path, lines: &[&str]| outcome(&policy, path, lines);
            let none = Err(Denial::Anonymous(Scope::ScannerScans));
            assert_eq!(ask(WRITE, &[]), none);
            for wrong in ["Bearer wrong", "secret", "Basic secret", "Bearer", ""] {
                assert!(bad(&ask(WRITE, &[wrong])), "{wrong}");
                assert!(bad(&ask(READ, &[wrong])), "{wrong}");
                assert!(bad(&ask("/checkpoint", &[wrong])), "{wrong}");
            }
            assert!(bad(&ask(READ, &["Bearer secret", "Bearer secret"])));
            assert_eq!(ask(WRITE, &["Bearer secret"]), named("dev"));
            assert_eq!(ask(WRITE, &["bearer secret"]), named("dev"));
            assert_eq!(ask("/checkpoint", &[]), named("anonymous"));
            let nowhere = Denial::Nowhere(Method::GET, "/nowhere".to_owned());
            assert_eq!(ask("/nowhere", &["Bearer secret"]), Err(nowhere));
            let proofs = Err(Denial::Anonymous(Scope::ScannerProofs));
            assert_eq!(ask(REPLAY, &[]), proofs, "a replay is nobody's reading");
            let read = if open_reads {
                named("anonymous")
            } else {
                proofs
            };
            assert_eq!(ask(READ, &[]), read);
        }
    }

    #[test]
    fn who_can_be_nobody_gets_in_nowhere() {
        let policy = Policy::token("secret", "stella:engine", false);
        assert!(bad(&outcome(&policy, WRITE, &["Bearer secret"])));
        assert!(bad(&outcome(&Policy::default(), READ, &["Bearer x"])));
    }
}
