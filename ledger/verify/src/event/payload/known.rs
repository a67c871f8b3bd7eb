//! Which payload an event of which type has.

use super::{
    AccessDenied, AdminAct, JobCancelled, JobEnded, JobProgress, JobStarted, ManifestRegistered,
    PayloadErased, PayloadError, PolicyPublished, PolicyRegistered, ProofSigned, RequestAnswered,
    RootSealed, ScanFootprint, ScanRequested, ScoreReplayed, SnapshotImported, SnapshotPublished,
    SnapshotRemoved,
};

type Parse = fn(&[u8]) -> Result<(), PayloadError>;

/// Whether bytes are the payload of an event of a type: `None` where FORMATS.md section 4 does not
/// say what such a payload looks like (another's type, or `rule.applied`, which is no JSON).
#[must_use]
pub fn check_payload(event_type: &str, payload: &[u8]) -> Option<Result<(), PayloadError>> {
    let (_, parse) = PARSERS.iter().find(|(known, _)| *known == event_type)?;
    Some(parse(payload))
}

macro_rules! parsers {
    ($($event_type:literal => $payload:ty,)*) => {
        &[$(($event_type, |bytes| <$payload>::parse(bytes).map(drop))),*]
    };
}

const PARSERS: &[(&str, Parse)] = parsers! {
    "access.denied" => AccessDenied,
    "admin.cancel-rebuild" => AdminAct,
    "admin.rebuild" => AdminAct,
    "admin.remove-snapshot" => AdminAct,
    "job.cancelled" => JobCancelled,
    "job.ended" => JobEnded,
    "job.progress" => JobProgress,
    "job.started" => JobStarted,
    "manifest.registered" => ManifestRegistered,
    "payload.erased" => PayloadErased,
    "policy.published" => PolicyPublished,
    "policy.registered" => PolicyRegistered,
    "proof.signed" => ProofSigned,
    "request.answered" => RequestAnswered,
    "root.sealed" => RootSealed,
    "scan.footprint" => ScanFootprint,
    "scan.requested" => ScanRequested,
    "score.replayed" => ScoreReplayed,
    "snapshot.imported" => SnapshotImported,
    "snapshot.published" => SnapshotPublished,
    "snapshot.removed" => SnapshotRemoved,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_judged_by_its_type() {
        let payload = br#"{"job":"batch-00","schema":"stella.job-cancelled/v1"}"#;
        assert_eq!(check_payload("job.cancelled", payload), Some(Ok(())));
        assert!(matches!(check_payload("job.ended", payload), Some(Err(_))));
        assert_eq!(check_payload("build.finished", payload), None);
    }
}
