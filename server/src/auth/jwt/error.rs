//! Why a token is not taken.

/// Why a token is not taken. The words are for its bearer: none says more than the bearer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Refused before it is looked at.
    #[error("the token is larger than a token may be")]
    TooLarge,
    /// Not three parts of base64url, or its parts are not JSON objects with the members they must
    /// have, each once.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// `typ` names another kind of token.
    #[error("the token is of another type than an access token")]
    Type,
    /// `crit` asks for something that is not understood (RFC 7515 4.1.11).
    #[error("the token has critical extensions, and none is understood")]
    Critical,
    /// `alg` is not one that this server was told to take; never `none`, never a shared secret.
    #[error("the token is signed with an algorithm that is not allowed")]
    Algorithm,
    /// No key of the issuer fits; its keys may have changed.
    #[error("the token is signed with a key that is not known")]
    UnknownKey,
    /// The signature is not one of the key over the token.
    #[error("the token's signature does not verify")]
    Signature,
    /// `iss` is somebody else.
    #[error("the token is of another issuer")]
    Issuer,
    /// `aud` does not name this server.
    #[error("the token is for another audience")]
    Audience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies ahead.
    #[error("the token is not valid yet")]
    NotYet,
    /// `sub` cannot be the actor of events.
    #[error("the token's subject cannot name a caller")]
    Subject,
    /// The claim of the tenant is not a tenant's name.
    #[error("the token's tenant is not a tenant's name")]
    Tenant,
}
