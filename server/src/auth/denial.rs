//! Why a call may not pass.

use super::caller::Caller;
use super::jwt::TokenError;
use super::scope::Scope;
use crate::refusal::Refusal;
use http::{HeaderValue, Method};
use stella_proto::reason::Reason;

/// Why a call may not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denial {
    /// Nothing answers there.
    Nowhere(Method, String),
    /// Nobody in particular asks for what not everybody may have.
    Anonymous(Scope),
    /// The credentials are not good; why, as far as their bearer may know.
    Credentials(String),
    /// The token is signed with a key that its issuer has not published yet, as far as is known.
    UnknownKey,
    /// The caller may not do this.
    Scope(Caller, Scope),
    /// The caller is of a tenant that has no ledger here.
    Tenant(Caller),
}

impl Denial {
    /// The row of the table of refusals.
    pub(crate) const fn reason(&self) -> Reason {
        match self {
            Self::Nowhere(..) => Reason::NotFound,
            Self::Anonymous(_) | Self::Credentials(_) | Self::UnknownKey => Reason::Unauthenticated,
            Self::Scope(..) | Self::Tenant(_) => Reason::PermissionDenied,
        }
    }

    /// The value of `WWW-Authenticate` (RFC 6750, section 3).
    pub(super) fn challenge(&self) -> Option<HeaderValue> {
        match self {
            Self::Nowhere(..) | Self::Tenant(_) => None,
            Self::Anonymous(_) => Some(HeaderValue::from_static("Bearer realm=\"stella\"")),
            Self::Credentials(_) | Self::UnknownKey => Some(HeaderValue::from_static(
                "Bearer realm=\"stella\", error=\"invalid_token\"",
            )),
            Self::Scope(_, scope) => {
                let text = format!(
                    "Bearer realm=\"stella\", error=\"insufficient_scope\", scope=\"{scope}\""
                );
                HeaderValue::from_str(&text).ok()
            }
        }
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Nowhere(method, path) => super::table::nobody(&method, &path),
            Denial::Anonymous(scope) => Self::new(
                Reason::Unauthenticated,
                format!("this call needs a token with the scope {scope}"),
            ),
            Denial::Credentials(why) => Self::new(Reason::Unauthenticated, why),
            Denial::UnknownKey => {
                Self::new(Reason::Unauthenticated, TokenError::UnknownKey.to_string())
            }
            Denial::Scope(caller, scope) => {
                let message = format!(
                    "this call needs the scope {scope}, which {} lacks",
                    caller.name()
                );
                Self::new(Reason::PermissionDenied, message)
            }
            // The same words for every tenant that is not served, whether it ever was or not.
            Denial::Tenant(caller) => {
                let message = format!("{} is of a tenant that has nothing here", caller.name());
                Self::new(Reason::PermissionDenied, message)
            }
        }
    }
}
