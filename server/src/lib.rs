//! The service: use cases over the ledger and the engine, gRPC and HTTP on one port.

mod app;
mod auth;
mod blocking;
mod dispatch;
pub mod documents;
mod grpc;
mod http;
mod keys;
mod refusal;
mod serve;
mod tls;
mod trace;

pub use app::{
    App, AppOptions, ErrorDocument, FindingsDeltaDocument, FsckReport, OWN_ANCHOR,
    OperationDocument, ProgressDocument, ReplayDocument, ResultDocument, ScoreDeltaDocument,
    ScoreProofDocument, Source, VerifyProofDocument, dev_token, fsck_directory,
};
pub use auth::{
    ApiKey, ApiKeys, AuthLayer, Caller, CallerNameError, DEFAULT_LEEWAY, EndpointError, Issuer,
    KeySet, KeySetError, KeySource, Policy, PrincipalsError, Scope, Scopes, TenantName,
    TenantNameError, TokenAlgorithm, TokenError, TokenRules, UnknownAlgorithm, UnknownScope,
};
pub use keys::Keys;
pub use refusal::Refusal;
pub use serve::{Embedded, serve, serve_tls};
pub use tls::{ClientAuth, PeerCertificates, Tls, TlsError, TlsFiles};
