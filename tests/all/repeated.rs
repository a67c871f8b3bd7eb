//! Repeated request ids of imports, policies and cancelled batches: once is once.

use crate::support::TestServer;
use crate::support::world::{HIGH, advisory, bill, files, import, submit};
use stella_client::{ClientError, Connection};
use stella_proto::admin::GetStatusRequest;
use stella_proto::reason::Reason;
use stella_proto::replay::{CancelOperationRequest, StartBatchReplayRequest};
use stella_proto::snapshot as snap;
use stella_proto::snapshot::import_snapshot_request::Part;

fn reason(status: tonic::Status) -> Reason {
    ClientError::from(status).reason()
}

async fn size(connection: &Connection) -> u64 {
    let status = connection.admin().get_status(GetStatusRequest {}).await;
    status.unwrap().into_inner().tree_size
}

/// Imports one advisory under a request id.
async fn import_once(
    connection: &Connection,
    id: &str,
    fixed: &str,
) -> Result<snap::ImportSnapshotResponse, tonic::Status> {
    let header = snap::ImportHeader {
        kind: snap::SnapshotKind::Concelier.into(),
        publish: true,
        request_id: id.to_owned(),
    };
    let mut parts = vec![Part::Header(header)];
    for (name, bytes) in files(&[advisory("RUSTSEC-2026-0001", "a", fixed, HIGH)]) {
        parts.push(Part::File(snap::SourceFile { name }));
        parts.push(Part::Chunk(bytes.into()));
    }
    let messages: Vec<_> = (parts.into_iter())
        .map(|part| snap::ImportSnapshotRequest { part: Some(part) })
        .collect();
    let mut client = connection.snapshots();
    let answer = client.import_snapshot(tokio_stream::iter(messages)).await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_import_imports_nothing_again() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let first = import_once(&connection, "i-1", "2.0.0").await.unwrap();
    // Something else becomes current; the repetition must not undo that.
    let later = import_once(&connection, "i-2", "3.0.0").await.unwrap();
    let before = size(&connection).await;
    let again = import_once(&connection, "i-1", "2.0.0").await.unwrap();
    assert_eq!(
        again.snapshot.unwrap().hash,
        first.snapshot.clone().unwrap().hash
    );
    assert_eq!(size(&connection).await, before, "nothing was appended");
    let list = snap::ListSnapshotsRequest {
        kind: snap::SnapshotKind::Concelier.into(),
        ..snap::ListSnapshotsRequest::default()
    };
    let listed = connection.snapshots().list_snapshots(list).await.unwrap();
    let mut listed = listed.into_inner().snapshots.into_iter();
    let current = listed.find(|snapshot| snapshot.current).unwrap();
    assert_eq!(current.hash, later.snapshot.unwrap().hash);

    let other = import_once(&connection, "i-1", "4.0.0").await.unwrap_err();
    assert_eq!(reason(other), Reason::RequestIdReused);
    assert_eq!(size(&connection).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_policy_is_registered_and_published_once() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let mut client = connection.snapshots();
    let register = |policy: &str| snap::RegisterPolicyRequest {
        policy: policy.as_bytes().to_vec().into(),
        request_id: "r-1".to_owned(),
    };
    let [one, another, ..] = stella_scoring::policy::BUILT_IN;
    let first = client.register_policy(register(another.text)).await;
    let hash = first.unwrap().into_inner().hash;
    let before = size(&connection).await;
    let again = client.register_policy(register(another.text)).await;
    assert_eq!(again.unwrap().into_inner().hash, hash);
    assert_eq!(size(&connection).await, before);
    let other = client.register_policy(register(one.text)).await;
    assert_eq!(reason(other.unwrap_err()), Reason::RequestIdReused);

    let publish = snap::PublishPolicyRequest {
        hash: hash.clone(),
        request_id: "p-1".to_owned(),
    };
    let first = client.publish_policy(publish.clone()).await.unwrap();
    let before = size(&connection).await;
    let again = client.publish_policy(publish).await.unwrap();
    assert_eq!(again.into_inner(), first.into_inner());
    assert_eq!(size(&connection).await, before);
    let other = snap::PublishPolicyRequest {
        hash,
        request_id: "r-1".to_owned(),
    };
    let other = client.publish_policy(other).await.unwrap_err();
    assert_eq!(reason(other), Reason::RequestIdReused, "of another method");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_cancellation_is_recorded_once() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let advisories = [advisory("RUSTSEC-2026-0001", "a", "2.0.0", HIGH)];
    import(&connection, files(&advisories)).await;
    for n in 0..2 {
        submit(&connection, &bill(&format!("app-{n}"), &["a"])).await;
    }
    let mut client = connection.replays();
    let mut names = Vec::new();
    for _ in 0..2 {
        let batch = StartBatchReplayRequest {
            recompute_unchanged: true,
            ..StartBatchReplayRequest::default()
        };
        let started = client.start_batch_replay(batch).await.unwrap();
        names.push(started.into_inner().operation.unwrap().name);
    }
    let cancel = |name: &str| CancelOperationRequest {
        name: name.to_owned(),
        request_id: "c-1".to_owned(),
    };
    client.cancel_operation(cancel(&names[0])).await.unwrap();
    let ended = || async {
        let mut watched = connection.replays();
        let request = stella_proto::replay::WatchOperationRequest {
            name: names[0].clone(),
        };
        let mut states = watched.watch_operation(request).await.unwrap().into_inner();
        while states.message().await.unwrap().is_some() {}
    };
    ended().await;
    let again = client.cancel_operation(cancel(&names[0])).await.unwrap();
    assert_eq!(again.into_inner().operation.unwrap().name, names[0]);
    let other = client
        .cancel_operation(cancel(&names[1]))
        .await
        .unwrap_err();
    assert_eq!(reason(other), Reason::RequestIdReused);
}
