//! Which payload an event of which type has.

use super::{
    AccessDenied, AdminAct, JobCancelled, JobEnded, JobProgress, JobStarted, ManifestRegistered,
    PayloadErased, PayloadError, PolicyPublished, PolicyRegistered, ProofSigned, RequestAnswered,
    RootSealed, ScanFootprint, ScanRequested, ScoreReplayed, SnapshotImported, SnapshotPublished,
    SnapshotRemoved,
};
use crate::event::EventType;

type Parse = fn(&[u8]) -> Result<(), PayloadError>;

/// Whether bytes are the payload of an event of a type: `None` where FORMATS.md section 4 does not
/// say what such a payload looks like (another's type, or `rule.applied`, which is no JSON).
#[must_use]
pub fn check_payload(event_type: &str, payload: &[u8]) -> Option<Result<(), PayloadError>> {
    let (_, parse) = PARSERS
        .iter()
        .find(|(known, _)| known.as_str() == event_type)?;
    Some(parse(payload))
}

macro_rules! parsers {
    ($($event_type:ident => $payload:ty,)*) => {
        &[$((EventType::$event_type, |bytes| <$payload>::parse(bytes).map(drop))),*]
    };
}

const PARSERS: &[(EventType<&str>, Parse)] = parsers! {
    ACCESS_DENIED => AccessDenied,
    ADMIN_CANCEL_REBUILD => AdminAct,
    ADMIN_REBUILD => AdminAct,
    ADMIN_REMOVE_SNAPSHOT => AdminAct,
    JOB_CANCELLED => JobCancelled,
    JOB_ENDED => JobEnded,
    JOB_PROGRESS => JobProgress,
    JOB_STARTED => JobStarted,
    MANIFEST_REGISTERED => ManifestRegistered,
    PAYLOAD_ERASED => PayloadErased,
    POLICY_PUBLISHED => PolicyPublished,
    POLICY_REGISTERED => PolicyRegistered,
    PROOF_SIGNED => ProofSigned,
    REQUEST_ANSWERED => RequestAnswered,
    ROOT_SEALED => RootSealed,
    SCAN_FOOTPRINT => ScanFootprint,
    SCAN_REQUESTED => ScanRequested,
    SCORE_REPLAYED => ScoreReplayed,
    SNAPSHOT_IMPORTED => SnapshotImported,
    SNAPSHOT_PUBLISHED => SnapshotPublished,
    SNAPSHOT_REMOVED => SnapshotRemoved,
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
