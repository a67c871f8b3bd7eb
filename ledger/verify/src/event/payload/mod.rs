//! Payloads that are canonical JSON, one type each (FORMATS.md section 4).
//!
//! `rule.applied` is not here: its payload is protobuf, [`RuleApplied`](super::RuleApplied).

mod access;
mod footprint;
mod input;
mod job;
mod known;
mod request;
mod retention;
mod scan;
mod scan_id;
mod signed;

pub use access::{AccessDenied, AdminAct, EventPrincipal, PrincipalKind, UnknownPrincipalKind};
pub use footprint::ScanFootprint;
pub use input::{
    PolicyPublished, PolicyRegistered, SnapshotImported, SnapshotPublished, SnapshotRemoved,
};
pub use job::{JobCancelled, JobEnded, JobOutcome, JobProgress, JobResult, JobStarted};
pub use known::check_payload;
pub use request::RequestAnswered;
pub use retention::PayloadErased;
pub use scan::{ManifestRegistered, ReplayedSnapshots, RootSealed, ScanRequested, ScoreReplayed};
pub use scan_id::{ScanId, ScanIdError};
pub use signed::ProofSigned;

use crate::json::{FieldError, JsonError};
use crate::manifest::ManifestError;
use crate::snapshot::SnapshotError;

/// Bytes are not the payload of an event of this type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// Not canonical JSON of a hashed object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing, wrong or unknown.
    #[error("event payload: {0}")]
    Field(#[from] FieldError),
    /// The manifest inside is not one.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The snapshot header inside is not one.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

#[cfg(test)]
mod tests;
