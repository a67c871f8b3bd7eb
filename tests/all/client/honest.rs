//! What an honest server answers comes through, verified.

use super::{append, event, patient, range, trust};
use crate::support::wire::Wire;
use crate::support::{TOKEN, TestServer, scored};
use std::sync::Arc;
use std::time::Duration;
use stella_client::{
    Appender, ClientError, ConnectOptions, Connection, EventPayload, ExportStream, PinStore,
    RetryPolicy, ScoreTrust, VerifyingLog, VerifyingScores,
};
use stella_proto::admin::GetStatusRequest;
use stella_proto::audit::ExportEventsRequest;
use stella_proto::proof::DownloadBundleRequest;
use stella_proto::reason::Reason;
use stella_proto::snapshot::prove_snapshot_request::Subject;
use stella_verify::dsse::Threshold;
use stella_verify::hash::{NodeId, ProofRoot};
use stella_verify::keys::PublicKey;
use stella_verify::units::LeafIndex;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_keeps_its_key_and_is_appended_once() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let appender = Appender::with_ids(&connection, patient(), Arc::new(|| Ok("one".to_owned())));
    let events = [event("a"), event("b")];
    let first = appender.append(&events).await.unwrap();
    let again = appender.append(&events).await.unwrap();
    assert_eq!((first.leaves, first.duplicate), (range(0, 2), false));
    assert_eq!((again.leaves, again.duplicate), (range(0, 2), true));
    let other = appender.append(&[event("c")]).await.unwrap_err();
    assert_eq!(other.reason(), Reason::RequestIdReused);
    let drawn = Appender::new(&connection, patient());
    let third = drawn.append(&events).await.unwrap();
    let fourth = drawn.append(&events).await.unwrap();
    assert_eq!((third.leaves, fourth.leaves), (range(2, 4), range(4, 6)));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_run_of_events_is_shown_to_be_the_logs() {
    let server = TestServer::start().await;
    append(&server, 0, 700).await;
    let connection = server.connect().await;
    let pins = tempfile::tempdir().unwrap();
    let pins = PinStore::new(pins.path());
    let mut log = VerifyingLog::new(&connection, trust(&connection).await, Some(pins));
    for (start, end) in [(0, 700), (0, 1), (699, 700), (255, 513), (64, 64), (1, 600)] {
        let read = log.events(range(start, end)).await.unwrap();
        assert_eq!(read.events.len() as u64, end - start);
        for (place, event) in (start..).zip(&read.events) {
            assert_eq!(event.index.get(), place);
            let text = format!("event {place}");
            assert_eq!(event.payload, EventPayload::Present(text.into()));
        }
    }
    let stream = ExportStream::start(&connection, ExportEventsRequest::default()).await;
    let mut seen = 0;
    let trusted = trust(&connection).await;
    let export = stream
        .unwrap()
        .verified(&trusted, |_| seen += 1)
        .await
        .unwrap();
    assert_eq!((export.range, seen), (range(0, 700), 700));
    let beyond = log.events(range(600, 701)).await.unwrap_err();
    assert_eq!(beyond.reason(), Reason::BeyondTreeSize);
    let backwards = log.events(range(10, 9)).await.unwrap_err();
    assert_eq!(backwards.reason(), Reason::BeyondTreeSize);
    let huge = log.events(range(0, 1 << 40)).await.unwrap_err();
    assert_eq!(huge.reason(), Reason::TooLarge);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_goes_on_behind_the_last_step_when_the_server_comes_back() {
    let server = TestServer::start().await;
    append(&server, 0, 300).await;
    let address = server.url.clone();
    let connection = server.connect().await;
    let log = VerifyingLog::new(&connection, trust(&connection).await, None);
    let mut tail = log.tail(LeafIndex::new(100), patient()).await.unwrap();
    let mut seen = 100;
    let mut take = |events: &[stella_client::LogEvent]| {
        for event in events {
            assert_eq!(event.index.get(), seen);
            seen += 1;
        }
        seen
    };
    while take(&tail.next().await.unwrap().events) < 300 {}
    let directory = server.stop().await;
    let back = tokio::spawn(async move {
        let server = TestServer::at(directory, address.trim_start_matches("http://")).await;
        append(&server, 300, 50).await;
        server
    });
    while take(&tail.next().await.unwrap().events) < 350 {}
    assert_eq!(tail.position().get(), 350);
    let server = back.await.unwrap();
    // A tail that begins at the very end waits for what comes.
    let connection = server.connect().await;
    let log = VerifyingLog::new(&connection, trust(&connection).await, None);
    let mut tail = log.tail(LeafIndex::new(350), patient()).await.unwrap();
    append(&server, 350, 1).await;
    assert_eq!(tail.next().await.unwrap().events.len(), 1);
    let log = VerifyingLog::new(&connection, trust(&connection).await, None);
    let beyond = log.tail(LeafIndex::new(400), patient()).await.unwrap_err();
    assert_eq!(beyond.reason(), Reason::BeyondTreeSize);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_without_news_is_not_time_away() {
    let server = TestServer::start().await;
    append(&server, 0, 1).await;
    let wire = Wire::to(&server.url).await;
    let through = Connection::to(&wire.url, Some(TOKEN)).await.unwrap();
    let policy = RetryPolicy {
        deadline: Duration::from_secs(2),
        ..patient()
    };
    let log = VerifyingLog::new(&through, trust(&through).await, None);
    let mut tail = log.tail(LeafIndex::new(1), policy).await.unwrap();
    let next = tokio::spawn(async move { tail.next().await.map(|step| step.events.len()) });
    // Longer than a server may be away.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(!next.is_finished());
    wire.cut();
    append(&server, 1, 1).await;
    assert_eq!(next.await.unwrap().unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_notices_a_connection_that_nobody_ended() {
    let server = TestServer::start().await;
    append(&server, 0, 1).await;
    let wire = Wire::to(&server.url).await;
    let options = ConnectOptions::default()
        .token(TOKEN)
        .keepalive(Duration::from_millis(200));
    let through = Connection::with(&wire.url, &options).await.unwrap();
    let log = VerifyingLog::new(&through, trust(&through).await, None);
    let mut tail = log.tail(LeafIndex::new(1), patient()).await.unwrap();
    wire.forget();
    append(&server, 1, 1).await;
    let next = tokio::time::timeout(Duration::from_secs(20), tail.next()).await;
    let next = next.expect("the tail hangs on a connection without a peer");
    assert_eq!(next.unwrap().events.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_verify_down_to_the_snapshots_rows() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let scan = scored(&connection, "1.2.3").await;
    let status = connection.admin().get_status(GetStatusRequest {}).await;
    let pem = status.unwrap().into_inner().signing_key_pem;
    let trusted = ScoreTrust {
        keys: vec![PublicKey::from_pem(&pem).unwrap()],
        threshold: Threshold::ONE,
        log: trust(&connection).await,
    };
    let scores = VerifyingScores::new(&connection, trusted.clone());
    let root: ProofRoot = scan.root_hash.parse().unwrap();
    let statement = scores.root(root).await.unwrap();
    assert_eq!(statement.score.get(), scan.score_bps);
    let nodes = scores.nodes(&statement).await.unwrap();
    assert_eq!(nodes.len() as u64, scan.node_count);
    let last = nodes.last().unwrap().clone().seal();
    assert_eq!(*scores.node(last.id()).await.unwrap(), *last.node());
    let manifest = scores.manifest(&scan.scan_id, &statement).await.unwrap();
    assert_eq!(manifest.hash().to_string(), scan.manifest_hash);
    let rows = scores
        .snapshot_rows(
            manifest.concelier_snapshot,
            Subject::Purl("pkg:cargo/demo-lib".to_owned()),
        )
        .await
        .unwrap();
    assert!(rows.answers().iter().any(|answer| !answer.rows.is_empty()));
    let request = DownloadBundleRequest {
        scan_id: scan.scan_id.clone(),
        include_chain: true,
        ..DownloadBundleRequest::default()
    };
    let bundle = scores.bundle(request.clone(), None).await.unwrap();
    assert!(bundle.report.verified());

    // Somebody else's key: nothing of it is believed.
    let mut other = trusted.clone();
    other.keys = vec![another_key()];
    let others = VerifyingScores::new(&connection, other);
    for error in [
        others.root(root).await.unwrap_err(),
        others.bundle(request, None).await.unwrap_err(),
    ] {
        assert!(matches!(error, ClientError::Unverified(_)), "{error}");
    }
    let nothing = scores.node(NodeId::new([7; 32])).await.unwrap_err();
    assert_eq!(nothing.reason(), Reason::NodeNotFound);
}

fn another_key() -> PublicKey {
    let pem = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEA9Ud/9pvcm11RISX0Ta7/AJmNjxoZFa5LUrUV0Jn8Qqg=\n\
        -----END PUBLIC KEY-----\n";
    PublicKey::from_pem(pem).unwrap()
}
