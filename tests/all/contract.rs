//! What the contract says above its methods: request ids, pages, operations, field violations.

use crate::scoring::{feed, sbom};
use crate::support::TestServer;
use crate::support::world::{HIGH, advisory, bill, files, import, submit};
use prost::Message as _;
use stella_client::{ClientError, Connection};
use stella_proto::admin::{GetStatusRequest, RebuildRequest, RebuildResult};
use stella_proto::google::longrunning as operations;
use stella_proto::google::longrunning::operation::Result as Ended;
use stella_proto::proof::{ListProofsRequest, ListSealedProofsRequest};
use stella_proto::reason::Reason;
use stella_proto::replay::StartBatchReplayRequest;
use stella_proto::scan::{ListScansRequest, SubmitScanRequest};
use stella_proto::score::ReplayScoreRequest;
use stella_proto::snapshot as snap;
use tonic_types::StatusExt as _;

fn reason(status: tonic::Status) -> Reason {
    ClientError::from(status).reason()
}

async fn size(connection: &Connection) -> u64 {
    let status = connection.admin().get_status(GetStatusRequest {}).await;
    status.unwrap().into_inner().tree_size
}

async fn world(connection: &Connection, scans: usize) -> Vec<String> {
    let advisories = [advisory("RUSTSEC-2026-0001", "a", "2.0.0", HIGH)];
    import(connection, files(&advisories)).await;
    let mut found = Vec::new();
    for n in 0..scans {
        let scan = submit(connection, &bill(&format!("app-{n}"), &["a"])).await;
        found.push(scan.scan_id);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_of_one_tree_and_their_tokens_of_one_request() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let scans = world(&connection, 5).await;
    let mut client = connection.scans();
    let mut request = ListScansRequest {
        page_size: 2,
        ..ListScansRequest::default()
    };
    let first = client
        .list_scans(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first.scans.len(), 2);
    let token = first.next_page_token.clone();
    // What is submitted meanwhile is not in the list that is being read.
    submit(&connection, &bill("later", &["a"])).await;
    let mut seen: Vec<String> = first.scans.into_iter().map(|scan| scan.scan_id).collect();
    request.page_token = first.next_page_token;
    while !request.page_token.is_empty() {
        let page = client
            .list_scans(request.clone())
            .await
            .unwrap()
            .into_inner();
        seen.extend(page.scans.into_iter().map(|scan| scan.scan_id));
        request.page_token = page.next_page_token;
    }
    let newest_first: Vec<String> = scans.into_iter().rev().collect();
    assert_eq!(seen, newest_first);

    // Another filter, another method, another letter: not this token.
    let mut wrong = Vec::new();
    for (since, package) in [(1, ""), (0, "pkg:cargo/a")] {
        wrong.push(ListScansRequest {
            page_token: token.clone(),
            since_unix_ms: since,
            package: package.to_owned(),
            ..ListScansRequest::default()
        });
    }
    let altered = if token.ends_with('A') { "B" } else { "A" };
    wrong.push(ListScansRequest {
        page_token: format!("{}{altered}", &token[..token.len() - 1]),
        ..ListScansRequest::default()
    });
    wrong.push(ListScansRequest {
        page_token: token.clone(),
        tree_size: Some(1),
        ..ListScansRequest::default()
    });
    for request in wrong {
        let status = client.list_scans(request).await.unwrap_err();
        assert_eq!(reason(status), Reason::InvalidArgument);
    }
    let policies = snap::ListPoliciesRequest {
        page_token: token,
        ..snap::ListPoliciesRequest::default()
    };
    let status = connection.snapshots().list_policies(policies).await;
    assert_eq!(reason(status.unwrap_err()), Reason::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_roots_and_a_scans_own_come_in_pages() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let scans = world(&connection, 3).await;
    let replay = ReplayScoreRequest {
        scan_id: scans[0].clone(),
        ..ReplayScoreRequest::default()
    };
    let advisories = [advisory("RUSTSEC-2026-0001", "a", "3.0.0", HIGH)];
    import(&connection, files(&advisories)).await;
    connection.scores().replay_score(replay).await.unwrap();
    let mut client = connection.proofs();
    let mut request = ListSealedProofsRequest {
        to_unix_ms: u64::MAX,
        page_size: 1,
        ..ListSealedProofsRequest::default()
    };
    let mut roots = Vec::new();
    loop {
        let page = client
            .list_sealed_proofs(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert!(page.proofs.len() <= 1);
        roots.extend(page.proofs.into_iter().map(|proof| proof.root_hash));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(roots.len(), 4);
    let mut request = ListProofsRequest {
        scan_id: scans[0].clone(),
        page_size: 1,
        ..ListProofsRequest::default()
    };
    let first = client
        .list_proofs(request.clone())
        .await
        .unwrap()
        .into_inner();
    request.page_token = first.next_page_token;
    let second = client.list_proofs(request).await.unwrap().into_inner();
    assert_eq!(first.proofs[0].root_hash, roots[0]);
    assert_eq!(second.proofs[0].root_hash, roots[3]);
    assert!(second.next_page_token.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_submission_answers_as_the_first_time_whatever_is_current() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let imported = crate::scoring::import(&connection, feed("june")).await;
    let june = imported.unwrap().hash;
    let request = SubmitScanRequest {
        sbom: sbom(&["h2@0.4.20"]).into(),
        knobs: [("a", "1"), ("b", "2"), ("c", "3")]
            .map(|(k, v)| (k.into(), v.into()))
            .into(),
        request_id: "submit-1".to_owned(),
        ..SubmitScanRequest::default()
    };
    // The engine knows no such settings: a refusal is not remembered.
    let status = connection
        .scans()
        .submit_scan(request.clone())
        .await
        .unwrap_err();
    assert_eq!(reason(status), Reason::BadManifest);
    let request = SubmitScanRequest {
        knobs: std::collections::HashMap::new(),
        ..request
    };
    let first = connection
        .scans()
        .submit_scan(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(!first.existing);
    crate::scoring::import(&connection, feed("september"))
        .await
        .unwrap();
    let before = size(&connection).await;
    let again = connection
        .scans()
        .submit_scan(request.clone())
        .await
        .unwrap()
        .into_inner();
    let (first_scan, again_scan) = (first.scan.unwrap(), again.scan.unwrap());
    assert_eq!(again_scan.scan_id, first_scan.scan_id);
    assert_eq!(again_scan.root_hash, first_scan.root_hash);
    assert_eq!(again_scan.tree_size, first_scan.tree_size);
    assert_eq!(again.existing, first.existing);
    assert_eq!(size(&connection).await, before, "nothing was appended");

    let other = SubmitScanRequest {
        sbom: sbom(&["h2@0.4.21"]).into(),
        ..request
    };
    let status = connection.scans().submit_scan(other).await.unwrap_err();
    assert_eq!(reason(status), Reason::RequestIdReused);
    let publish = snap::PublishSnapshotRequest {
        hash: june,
        request_id: "submit-1".to_owned(),
    };
    let status = connection.snapshots().publish_snapshot(publish).await;
    assert_eq!(
        reason(status.unwrap_err()),
        Reason::RequestIdReused,
        "of another method"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_publication_publishes_nothing_again() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let june = crate::scoring::import(&connection, feed("june"))
        .await
        .unwrap()
        .hash;
    let mut client = connection.snapshots();
    let publish = |hash: &str, id: &str| snap::PublishSnapshotRequest {
        hash: hash.to_owned(),
        request_id: id.to_owned(),
    };
    // June is current: with an id that is remembered all the same.
    let first = client
        .publish_snapshot(publish(&june, "p-1"))
        .await
        .unwrap()
        .into_inner();
    let september = crate::scoring::import(&connection, feed("september"))
        .await
        .unwrap()
        .hash;
    let before = size(&connection).await;
    let again = client
        .publish_snapshot(publish(&june, "p-1"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, first, "as of then, when it was current");
    assert_eq!(size(&connection).await, before);
    let list = snap::ListSnapshotsRequest {
        kind: snap::SnapshotKind::Concelier.into(),
        ..snap::ListSnapshotsRequest::default()
    };
    let listed = client.list_snapshots(list).await.unwrap().into_inner();
    let current = listed.snapshots.into_iter().find(|of| of.current).unwrap();
    assert_eq!(current.hash, september);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_replay_tells_what_it_recorded() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let scans = world(&connection, 1).await;
    let mut client = connection.scores();
    let replay = |id: &str, original| ReplayScoreRequest {
        scan_id: scans[0].clone(),
        request_id: id.to_owned(),
        use_original_snapshots: original,
        ..ReplayScoreRequest::default()
    };
    let verified = client
        .replay_score(replay("r-1", true))
        .await
        .unwrap()
        .into_inner();
    let advisories = [advisory("RUSTSEC-2026-0001", "a", "3.0.0", HIGH)];
    import(&connection, files(&advisories)).await;
    let computed = client
        .replay_score(replay("r-2", false))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        [&*verified.status, &*computed.status],
        ["verified", "computed"]
    );
    let advisories = [advisory("RUSTSEC-2026-0009", "b", "3.0.0", HIGH)];
    import(&connection, files(&advisories)).await;
    let before = size(&connection).await;
    for (request, first) in [
        (replay("r-1", true), verified),
        (replay("r-2", false), computed),
    ] {
        let mut again = client.replay_score(request).await.unwrap().into_inner();
        again.duration_us = first.duration_us;
        again.tree_size = first.tree_size;
        assert_eq!(again, first);
    }
    assert_eq!(size(&connection).await, before);
    let status = client.replay_score(replay("r-1", false)).await.unwrap_err();
    assert_eq!(reason(status), Reason::RequestIdReused);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_is_operations_that_can_be_waited_for_and_not_deleted() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    world(&connection, 2).await;
    let mut client = connection.operations();
    let mut replays = connection.replays();
    let started = replays.start_batch_replay(StartBatchReplayRequest::default());
    let batch = started
        .await
        .unwrap()
        .into_inner()
        .long_running
        .unwrap()
        .name;
    let rebuild = RebuildRequest {
        request_id: "again".to_owned(),
        ..RebuildRequest::default()
    };
    let first = connection
        .admin()
        .rebuild(rebuild.clone())
        .await
        .unwrap()
        .into_inner();
    let same = connection
        .admin()
        .rebuild(rebuild.clone())
        .await
        .unwrap()
        .into_inner();
    let name = first.operation.unwrap().name;
    assert_eq!(same.operation.unwrap().name, name);
    let other = RebuildRequest {
        at_tree_size: Some(1),
        ..rebuild
    };
    let status = connection.admin().rebuild(other).await.unwrap_err();
    assert_eq!(reason(status), Reason::RequestIdReused);
    for name in [&batch, &name] {
        let wait = operations::WaitOperationRequest {
            name: name.clone(),
            timeout: None,
        };
        let waited = client.wait_operation(wait).await.unwrap().into_inner();
        assert!(waited.done, "{name}");
        let Some(Ended::Response(response)) = waited.result else {
            panic!("{name} failed");
        };
        if name.starts_with("rebuild-") {
            let made = RebuildResult::decode(response.value.as_slice()).unwrap();
            assert!(made.tree_size > 0);
        }
        let delete = operations::DeleteOperationRequest { name: name.clone() };
        let status = client.delete_operation(delete).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::Unimplemented);
        assert_eq!(reason(status), Reason::MethodNotSupported);
        let cancel = operations::CancelOperationRequest { name: name.clone() };
        client.cancel_operation(cancel).await.unwrap();
        let get = operations::GetOperationRequest { name: name.clone() };
        let still = client.get_operation(get).await.unwrap().into_inner();
        assert!(
            matches!(still.result, Some(Ended::Response(_))),
            "it stays as it is"
        );
    }
    let mut request = operations::ListOperationsRequest {
        page_size: 1,
        filter: "done=true".to_owned(),
        ..operations::ListOperationsRequest::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = client
            .list_operations(request.clone())
            .await
            .unwrap()
            .into_inner();
        listed.extend(page.operations.into_iter().map(|of| of.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(listed, [batch, name]);
    let missing = operations::GetOperationRequest {
        name: "rebuild-none".to_owned(),
    };
    let status = client.get_operation(missing).await.unwrap_err();
    assert_eq!(reason(status), Reason::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_at_fault_is_named_in_the_details() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let request = ListScansRequest {
        artifact_digest: "sha256:short".to_owned(),
        ..ListScansRequest::default()
    };
    let status = connection.scans().list_scans(request).await.unwrap_err();
    let details = status.get_error_details();
    let violations = &details.bad_request().unwrap().field_violations;
    assert_eq!(violations[0].field, "artifact_digest");
    assert!(!violations[0].description.contains("artifact_digest"));
    assert_eq!(details.error_info().unwrap().reason, "INVALID_ARGUMENT");
}
