//! Every reason that a caller can meet, provoked over the wire; the others with why they are not.

use crate::http::call;
use crate::scoring::{feed, import, sbom, submit};
use crate::support::{TOKEN, TestServer};
use std::collections::BTreeSet;
use stella_client::{ClientError, Connection};
use stella_proto::google::longrunning::DeleteOperationRequest;
use stella_proto::ledger::{AppendRequest, GetInclusionProofRequest, NewEvent};
use stella_proto::proof::{GetNodeRequest, GetProofRootRequest};
use stella_proto::reason::Reason;
use stella_proto::replay::{GetOperationRequest, StartBatchReplayRequest};
use stella_proto::scan::{GetScanRequest, SubmitScanRequest};
use stella_proto::snapshot as snap;
use tonic::Status;

/// What nobody provokes from outside, and where it is tested instead.
const ELSEWHERE: &[(Reason, &str)] = &[
    (
        Reason::SnapshotRemoved,
        "takes a removal: the tests of removing snapshots",
    ),
    (
        Reason::SnapshotInUse,
        "takes a removal: the tests of removing snapshots",
    ),
    (
        Reason::RequestIdExpired,
        "takes seven days: the log's tests move the clock",
    ),
    (
        Reason::QueueFull,
        "takes a disk slower than the network: the log's tests have one",
    ),
    (
        Reason::ResourceExhausted,
        "takes load beyond the limits: limits.rs",
    ),
    (
        Reason::NotReady,
        "takes a ledger that is being opened: opening.rs",
    ),
    (
        Reason::ProjectionBehind,
        "takes a fold that lags: the index's tests hold it back",
    ),
    (
        Reason::OperationCancelled,
        "stands in an operation, not in an answer: the batch's tests",
    ),
    (
        Reason::ReplayDiffers,
        "takes another engine under the same number",
    ),
    (Reason::VerificationFailed, "is what a client finds"),
    (Reason::ForkDetected, "is what a client finds"),
    (
        Reason::LogTruncated,
        "keeps a log from being opened: the recovery's tests",
    ),
    (
        Reason::LogDamaged,
        "takes a flipped byte: the command line's tests",
    ),
    (
        Reason::BlobDamaged,
        "takes a flipped byte: the command line's tests",
    ),
    (Reason::LogPoisoned, "takes a failing disk: the log's tests"),
    (
        Reason::DirectoryInUse,
        "is the second process's: the command line's tests",
    ),
    (
        Reason::WrongKey,
        "keeps a log from being opened: the command line's tests",
    ),
    (
        Reason::Storage,
        "takes a full disk: the command line's tests",
    ),
    (
        Reason::Unavailable,
        "takes a server that stops: the service's tests",
    ),
    (
        Reason::DeadlineExceeded,
        "takes a server that is too slow: limits.rs",
    ),
    (Reason::Internal, "would be a fault"),
    (
        Reason::PermissionDenied,
        "takes callers with scopes: access.rs, for every call",
    ),
    (
        Reason::PayloadErased,
        "takes a retention event: the log's tests, and bundles",
    ),
];

const NOTHING: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> Status {
    answer.unwrap_err()
}

async fn append(
    connection: &Connection,
    id: &str,
    kind: &str,
    at: Option<u64>,
    size: usize,
) -> Result<(), Status> {
    let event = NewEvent {
        stream: "s".to_owned(),
        r#type: kind.to_owned(),
        payload: vec![0; size].into(),
        expected_position: at,
    };
    let request = AppendRequest {
        request_id: id.to_owned(),
        events: vec![event],
    };
    connection.ledger().append(request).await.map(|_| ())
}

/// Each status with the reason that it must carry.
async fn provoked(
    server: &TestServer,
    connection: &Connection,
    root: &str,
) -> Vec<(Reason, Status)> {
    let mut found = Vec::new();
    let scans = |request| async move { refused(connection.scans().submit_scan(request).await) };
    let bad_sbom = SubmitScanRequest {
        sbom: "{}".into(),
        ..SubmitScanRequest::default()
    };
    found.push((Reason::BadSbom, scans(bad_sbom).await));
    let knob = SubmitScanRequest {
        sbom: sbom(&["h2@0.4.20"]).into(),
        knobs: [("nobody".to_owned(), "1".to_owned())].into(),
        ..SubmitScanRequest::default()
    };
    found.push((Reason::BadManifest, scans(knob).await));
    let unknown = |policy: &str, feed: &str| SubmitScanRequest {
        sbom: sbom(&["h2@0.4.20"]).into(),
        lattice_policy_hash: policy.to_owned(),
        concelier_snapshot_hash: feed.to_owned(),
        ..SubmitScanRequest::default()
    };
    found.push((Reason::PolicyNotFound, scans(unknown(NOTHING, "")).await));
    found.push((Reason::SnapshotNotFound, scans(unknown("", NOTHING)).await));
    found.push((
        Reason::InvalidArgument,
        scans(unknown("sha256:1", "")).await,
    ));

    append(connection, "once", "a", None, 1).await.unwrap();
    let mut appended = async |reason, id: &str, kind: &str, at, size| {
        let answer = append(connection, id, kind, at, size).await;
        found.push((reason, refused(answer)));
    };
    appended(Reason::RequestIdReused, "once", "b", None, 1).await;
    appended(Reason::EventTypeReserved, "", "root.sealed", None, 1).await;
    appended(Reason::WrongExpectedPosition, "", "a", Some(9), 1).await;
    appended(Reason::TooLarge, "", "a", None, 2 << 20).await;

    let inclusion = GetInclusionProofRequest {
        leaf_index: 1 << 40,
        tree_size: None,
    };
    let answer = connection.ledger().get_inclusion_proof(inclusion).await;
    found.push((Reason::BeyondTreeSize, refused(answer)));
    let scan = GetScanRequest {
        scan_id: "scan-00000000000000000000".to_owned(),
        tree_size: None,
    };
    found.push((
        Reason::ScanNotFound,
        refused(connection.scans().get_scan(scan).await),
    ));
    let proof = GetProofRootRequest {
        root_hash: NOTHING.to_owned(),
        tree_size: None,
    };
    let answer = connection.proofs().get_proof_root(proof).await;
    found.push((Reason::ProofNotFound, refused(answer)));
    assert_ne!(root, NOTHING);
    let node = GetNodeRequest {
        node_id: NOTHING.to_owned(),
        tree_size: None,
    };
    found.push((
        Reason::NodeNotFound,
        refused(connection.proofs().get_node(node).await),
    ));
    let operation = GetOperationRequest {
        name: "batch-none".to_owned(),
        ..GetOperationRequest::default()
    };
    let answer = connection.replays().get_operation(operation).await;
    found.push((Reason::NotFound, refused(answer)));
    let delete = DeleteOperationRequest {
        name: "batch-none".to_owned(),
    };
    let answer = connection.operations().delete_operation(delete).await;
    found.push((Reason::MethodNotSupported, refused(answer)));
    let policy = snap::RegisterPolicyRequest {
        policy: "rules: 7".into(),
        ..snap::RegisterPolicyRequest::default()
    };
    let answer = connection.snapshots().register_policy(policy).await;
    found.push((Reason::BadPolicy, refused(answer)));
    let anonymous = server.anonymous().await;
    let batch = StartBatchReplayRequest::default();
    let answer = anonymous.replays().start_batch_replay(batch).await;
    found.push((Reason::Unauthenticated, refused(answer)));
    found
}

#[expect(clippy::too_many_lines, reason = "one table, a row a reason")]
#[tokio::test(flavor = "multi_thread")]
async fn every_reason_is_provoked_or_accounted_for() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(&connection, feed("june")).await.unwrap();
    let scan = submit(&connection, sbom(&["h2@0.4.20"])).await.unwrap();
    let mut met = BTreeSet::new();
    for (reason, status) in provoked(&server, &connection, &scan.root_hash).await {
        assert_eq!(status.code(), reason.meaning().grpc, "{}", reason.name());
        assert_eq!(ClientError::from(status).reason(), reason);
        met.insert(reason);
    }
    let refusal = import(
        &connection,
        vec![("bad.json".to_owned(), b"{\"id\": 7}".to_vec())],
    )
    .await;
    assert_eq!(refusal.unwrap_err().reason(), Reason::SnapshotBadRecord);
    met.insert(Reason::SnapshotBadRecord);

    let url = server.url.clone();
    let submission = format!(
        "{{\"sbom\":{}}}",
        String::from_utf8(sbom(&["h2@0.4.20"])).unwrap()
    );
    let over_http = tokio::task::spawn_blocking(move || {
        let bearer = format!("authorization: Bearer {TOKEN}");
        let scans = "/api/v1/scanner/scans";
        let cases = [
            (Reason::ScanExists, "POST", scans.to_owned(), submission),
            (
                Reason::MethodNotAllowed,
                "PATCH",
                scans.to_owned(),
                String::new(),
            ),
            (
                Reason::BadSbom,
                "POST",
                scans.to_owned(),
                "{\"sbom\":{}}".to_owned(),
            ),
            (
                Reason::NodeNotFound,
                "GET",
                format!("/api/v1/nodes/{NOTHING}"),
                String::new(),
            ),
            (
                Reason::ProofNotFound,
                "GET",
                format!("/api/v1/proofs/{NOTHING}"),
                String::new(),
            ),
            (
                Reason::SnapshotNotFound,
                "GET",
                format!("/api/v1/snapshots/{NOTHING}"),
                String::new(),
            ),
            (
                Reason::PolicyNotFound,
                "GET",
                format!("/api/v1/policies/{NOTHING}"),
                String::new(),
            ),
            (
                Reason::NotFound,
                "GET",
                "/api/v1/operations/batch-none".to_owned(),
                String::new(),
            ),
            (
                Reason::InvalidArgument,
                "GET",
                format!("{scans}?page_size=x"),
                String::new(),
            ),
            (
                Reason::BeyondTreeSize,
                "GET",
                format!("{scans}?tree_size=99999"),
                String::new(),
            ),
        ];
        cases.map(|(reason, method, path, body)| {
            let answer = call(&url, method, &path, &[&bearer], body.as_bytes());
            assert_eq!(answer.status, reason.meaning().http, "{method} {path}");
            assert_eq!(answer.json()["code"], reason.name(), "{method} {path}");
            reason
        })
    });
    met.extend(over_http.await.unwrap());
    for (reason, why) in ELSEWHERE {
        assert!(
            met.insert(*reason),
            "{} is provoked, though it {why}",
            reason.name()
        );
    }
    let missing: Vec<_> = Reason::ALL.iter().filter(|of| !met.contains(of)).collect();
    assert!(
        missing.is_empty(),
        "provoke them here, or say why not: {missing:?}"
    );
}
