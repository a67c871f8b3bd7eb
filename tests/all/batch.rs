//! Batches of replays over a real connection.

use crate::support::TestServer;
use crate::support::world::{HIGH, LOW, advisory, bill, files, import, submit};
use stella_client::{ClientError, Connection};
use stella_proto::reason::Reason;
use stella_proto::replay as wire;
use tokio_stream::StreamExt as _;

/// Scans of one package each, and a feed that speaks of all of them.
async fn world(connection: &Connection, scans: usize) -> (Vec<String>, Vec<serde_json::Value>) {
    let advisories: Vec<_> = (0..scans)
        .map(|n| {
            advisory(
                &format!("RUSTSEC-2026-{n:04}"),
                &format!("p{n}"),
                "2.0.0",
                LOW,
            )
        })
        .collect();
    import(connection, files(&advisories)).await;
    let mut names = Vec::new();
    for n in 0..scans {
        let package = format!("p{n}");
        let bill = bill(&format!("app{n}"), &[&package, "common"]);
        names.push(submit(connection, &bill).await.scan_id);
    }
    (names, advisories)
}

async fn start(
    connection: &Connection,
    request: wire::StartBatchReplayRequest,
) -> wire::StartBatchReplayResponse {
    let answer = connection.replays().start_batch_replay(request).await;
    answer.unwrap().into_inner()
}

async fn wait(connection: &Connection, name: &str) -> wire::Operation {
    let request = wire::WatchOperationRequest {
        name: name.to_owned(),
    };
    let watched = connection.replays().watch_operation(request).await;
    let mut answers = watched.unwrap().into_inner();
    let mut last = wire::Operation::default();
    while let Some(answer) = answers.next().await {
        let operation = answer.unwrap().operation.unwrap();
        let (before, now) = (
            last.progress.unwrap_or_default(),
            operation.progress.unwrap(),
        );
        assert!(before.completed <= now.completed, "progress never falls");
        last = operation;
    }
    assert!(last.done);
    last
}

async fn results(connection: &Connection, name: &str) -> Vec<wire::BatchResult> {
    let mut results = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = wire::GetOperationRequest {
            name: name.to_owned(),
            page_size: 3,
            page_token,
        };
        let answer = connection
            .replays()
            .get_operation(request)
            .await
            .unwrap()
            .into_inner();
        assert!(answer.results.len() <= 3);
        results.extend(answer.results);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            results.sort_by(|a, b| a.scan_id.cmp(&b.scan_id));
            return results;
        }
    }
}

fn counts(operation: &wire::Operation) -> [u64; 6] {
    let at = operation.progress.unwrap();
    [
        at.total,
        at.completed,
        at.computed,
        at.verified,
        at.unchanged,
        at.failed,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_computes_what_an_update_touches_and_nothing_else() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let (scans, mut advisories) = world(&connection, 12).await;
    advisories[4] = advisory("RUSTSEC-2026-0004", "p4", "2.0.0", HIGH);
    import(&connection, files(&advisories)).await;
    let request = wire::StartBatchReplayRequest {
        request_id: "nightly".to_owned(),
        max_concurrency: 3,
        ..wire::StartBatchReplayRequest::default()
    };
    let started = start(&connection, request.clone()).await;
    assert!(!started.existing);
    let name = started.operation.unwrap().name;
    let ended = wait(&connection, &name).await;
    assert_eq!(
        (counts(&ended), ended.status.as_str()),
        ([12, 12, 1, 0, 11, 0], "finished")
    );
    let done = results(&connection, &name).await;
    let computed: Vec<_> = done
        .iter()
        .filter(|result| result.status == "computed")
        .collect();
    assert_eq!(computed[0].scan_id, scans[4]);
    assert!(computed[0].replayed_score_bps > computed[0].original_score_bps);

    // The same request is the same batch; another one under its id is refused.
    let again = start(&connection, request.clone()).await;
    assert!(again.existing);
    assert_eq!(again.operation.unwrap().name, name);
    let other = wire::StartBatchReplayRequest {
        max_concurrency: 4,
        ..request
    };
    let status = connection
        .replays()
        .start_batch_replay(other)
        .await
        .unwrap_err();
    assert_eq!(ClientError::from(status).reason(), Reason::RequestIdReused);

    // Nothing changed since: all are unchanged, also the one that was computed.
    let next = start(&connection, wire::StartBatchReplayRequest::default()).await;
    let ended = wait(&connection, &next.operation.unwrap().name).await;
    assert_eq!(counts(&ended), [12, 12, 0, 0, 12, 0]);
    // Computing all the same gives the same roots, in some order, on some threads.
    let all = wire::StartBatchReplayRequest {
        recompute_unchanged: true,
        scan_ids: scans[3..6].to_vec(),
        ..wire::StartBatchReplayRequest::default()
    };
    let next = start(&connection, all).await.operation.unwrap().name;
    assert_eq!(counts(&wait(&connection, &next).await), [3, 3, 2, 1, 0, 0]);

    // A batch is still there after a restart.
    let listed = |connection: Connection| async move {
        let request = wire::ListOperationsRequest::default();
        let answer = connection.replays().list_operations(request).await.unwrap();
        answer.into_inner().operations
    };
    let before = listed(connection.clone()).await;
    assert_eq!(before.len(), 3);
    drop(connection);
    let server = TestServer::over(server.stop().await).await;
    let connection = server.connect().await;
    assert_eq!(listed(connection.clone()).await, before);
    assert_eq!(results(&connection, &name).await, done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_fails_does_not_fail_the_batch() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let (scans, _) = world(&connection, 2).await;
    let unknown = "scan-00000000000000000000".to_owned();
    let request = wire::StartBatchReplayRequest {
        scan_ids: vec![
            scans[0].clone(),
            unknown.clone(),
            "nonsense".to_owned(),
            scans[0].clone(),
        ],
        use_original_snapshots: true,
        ..wire::StartBatchReplayRequest::default()
    };
    let name = start(&connection, request).await.operation.unwrap().name;
    let ended = wait(&connection, &name).await;
    assert_eq!(counts(&ended), [3, 3, 0, 1, 0, 2]);
    for result in results(&connection, &name).await {
        if result.scan_id == scans[0] {
            assert_eq!(result.status, "verified");
        } else {
            assert_eq!(result.error_code, "SCAN_NOT_FOUND");
            assert!(!result.error_message.is_empty());
        }
    }
    let missing = wire::GetOperationRequest {
        name: "batch-none".to_owned(),
        ..wire::GetOperationRequest::default()
    };
    let status = connection
        .replays()
        .get_operation(missing)
        .await
        .unwrap_err();
    assert_eq!(ClientError::from(status).reason(), Reason::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_can_be_cancelled_and_goes_on_after_a_stop() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let (_, mut advisories) = world(&connection, 40).await;
    for (n, advisory) in advisories.iter_mut().enumerate() {
        *advisory = self::advisory(
            &format!("RUSTSEC-2026-{n:04}"),
            &format!("p{n}"),
            "2.0.0",
            HIGH,
        );
    }
    import(&connection, files(&advisories)).await;
    let one = || wire::StartBatchReplayRequest {
        max_concurrency: 1,
        ..wire::StartBatchReplayRequest::default()
    };
    let name = start(&connection, one()).await.operation.unwrap().name;
    // Stopped in the middle, or before it began: what is left is done at the next open.
    drop(connection);
    let server = TestServer::over(server.stop().await).await;
    let connection = server.connect().await;
    let ended = wait(&connection, &name).await;
    assert_eq!(ended.status, "finished");
    let [total, completed, computed, ..] = counts(&ended);
    assert_eq!(
        (total, completed, computed),
        (40, 40, 40),
        "each is computed once"
    );

    let all = wire::StartBatchReplayRequest {
        recompute_unchanged: true,
        ..one()
    };
    let name = start(&connection, all).await.operation.unwrap().name;
    let request = wire::CancelOperationRequest {
        name: name.clone(),
        ..wire::CancelOperationRequest::default()
    };
    let answer = connection
        .replays()
        .cancel_operation(request.clone())
        .await
        .unwrap();
    let asked = answer.into_inner().operation.unwrap();
    let ended = wait(&connection, &name).await;
    let [total, completed, ..] = counts(&ended);
    // It may have been done before it heard.
    if asked.status == "cancelling" && completed < total {
        assert_eq!(ended.status, "cancelled");
    }
    let answer = connection
        .replays()
        .cancel_operation(request)
        .await
        .unwrap();
    assert_eq!(
        answer.into_inner().operation.unwrap(),
        ended,
        "what is done stays as it is"
    );
}
