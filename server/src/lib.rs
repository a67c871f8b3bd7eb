//! The service: use cases over the ledger and the engine, gRPC and HTTP on one port.

mod app;
mod auth;
mod blocking;
mod connections;
mod deadline;
mod denials;
mod dispatch;
pub mod documents;
mod front;
mod grpc;
mod http;
mod keys;
mod limits;
mod metrics;
mod pushback;
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
    ApiKey, ApiKeys, Caller, CallerNameError, DEFAULT_LEEWAY, EndpointError, Issuer, KeySet,
    KeySetError, KeySource, Policy, PrincipalsError, Scope, Scopes, TenantName, TenantNameError,
    TokenAlgorithm, TokenError, TokenRules, UnknownAlgorithm, UnknownScope,
};
pub use front::Front;
pub use keys::Keys;
pub use limits::{Limits, Rate};
pub use metrics::Metrics;
pub use refusal::Refusal;
pub use serve::{
    Embedded, ServeError, ServeOptions, serve, serve_open, serve_tls, serve_while_opening,
};
pub use tls::{ClientAuth, PeerCertificates, Tls, TlsError, TlsFiles};
pub use trace::{OtlpError, Spans};
