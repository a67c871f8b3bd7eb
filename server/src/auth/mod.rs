//! Who calls, and what the caller may do.
//!
//! ```text
//! request -> AuthLayer -> table: what does this method need?
//!                      -> Policy: who is this?  (token, API key, JWT of an issuer, certificate)
//!                      -> Caller { name, tenant, scopes } in the request's extensions
//! ```
//!
//! One table ([`table`]) says which scope each gRPC method and each HTTP route needs; what has no
//! row is answered by nothing. Nobody downstream asks again: a [`Caller`] behind the layer may do
//! what it called.

mod api_keys;
mod caller;
mod certificate;
mod denial;
mod jwt;
mod layer;
mod policy;
mod principals;
mod scope;
pub(crate) mod table;
mod tenant;

pub use api_keys::ApiKeys;
pub use caller::{Caller, CallerNameError};
pub(crate) use certificate::ClientCertificate;
pub(crate) use denial::Denial;
pub use jwt::{
    DEFAULT_LEEWAY, EndpointError, Issuer, KeySet, KeySetError, KeySource, TokenAlgorithm,
    TokenError, TokenRules, UnknownAlgorithm,
};
pub(crate) use layer::{AuthLayer, denied, is_grpc, refused};
pub use policy::Policy;
pub use principals::{ApiKey, PrincipalsError};
pub use scope::{Scope, Scopes, UnknownScope};
pub use tenant::{TenantName, TenantNameError};
