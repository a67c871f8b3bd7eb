//! The log's service over a real connection: what each method promises, and each refusal.

use crate::support::TestServer;
use stella_client::{ClientError, Connection, LogTrust, PinStore, VerifyingLog};
use stella_proto::admin::GetStatusRequest;
use stella_proto::ledger as wire;
use stella_proto::reason::Reason;
use stella_verify::checkpoint::Origin;
use stella_verify::event::EventHeader;
use stella_verify::hash::{PayloadCommitment, Salt};
use stella_verify::merkle::leaf_hash;
use stella_verify::units::LeafIndex;
use tokio_stream::StreamExt as _;

fn event(stream: &str, payload: &str, expected: Option<u64>) -> wire::NewEvent {
    wire::NewEvent {
        stream: stream.to_owned(),
        r#type: "build.finished".to_owned(),
        payload: payload.to_owned().into(),
        expected_position: expected,
    }
}

fn batch(request_id: &str, events: Vec<wire::NewEvent>) -> wire::AppendRequest {
    wire::AppendRequest {
        request_id: request_id.to_owned(),
        events,
    }
}

async fn append(connection: &Connection, request: wire::AppendRequest) -> wire::AppendResponse {
    connection
        .ledger()
        .append(request)
        .await
        .unwrap()
        .into_inner()
}

async fn refused(connection: &Connection, request: wire::AppendRequest) -> Reason {
    let status = connection.ledger().append(request).await.unwrap_err();
    ClientError::from(status).reason()
}

async fn trust(connection: &Connection) -> LogTrust {
    let status = connection
        .admin()
        .get_status(GetStatusRequest {})
        .await
        .unwrap()
        .into_inner();
    LogTrust {
        keys: vec![status.vkey.parse().unwrap()],
        origin: Origin::new(&status.origin).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_can_be_read_and_proved_and_survives_a_restart() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let first = append(&connection, batch("r1", vec![event("a", "one", Some(0))])).await;
    let second = append(
        &connection,
        batch(
            "r2",
            vec![event("a", "two", Some(1)), event("b", "x", None)],
        ),
    )
    .await;
    assert_eq!(
        (first.first_index, second.first_index, second.count),
        (0, 1, 2)
    );
    assert!(second.tree_size >= 3);
    let mut log = VerifyingLog::new(&connection, trust(&connection).await, None);
    let proved = log.prove(LeafIndex::new(1)).await.unwrap();
    let events = read(&connection).await;
    assert_eq!(leaf_hash(&events[1].leaf), proved.included.leaf());
    let header = EventHeader::decode(&events[1].leaf).unwrap();
    assert_eq!((header.stream.as_str(), header.position.get()), ("a", 1));
    let salt = Salt::new(events[1].salt.as_ref().try_into().unwrap());
    assert_eq!(PayloadCommitment::of(&salt, b"two"), header.payload);

    let before = log.checkpoint().await.unwrap();
    drop((connection, log));
    let server = TestServer::over(server.stop().await).await;
    let connection = server.connect().await;
    assert_eq!(read(&connection).await, events);
    let mut log = VerifyingLog::new(&connection, trust(&connection).await, None);
    assert_eq!(log.checkpoint().await.unwrap().head(), before.head());
}

async fn read(connection: &Connection) -> Vec<wire::Event> {
    let request = wire::ReadEventsRequest {
        from: 0,
        limit: 0,
        tree_size: None,
    };
    let mut answers = connection
        .ledger()
        .read_events(request)
        .await
        .unwrap()
        .into_inner();
    let mut events = Vec::new();
    while let Some(answer) = answers.next().await {
        events.extend(answer.unwrap().events);
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_answered_as_the_first_time() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let request = batch("once", vec![event("a", "one", None)]);
    let first = append(&connection, request.clone()).await;
    let again = append(&connection, request).await;
    assert!(!first.duplicate && again.duplicate);
    assert_eq!(first.first_index, again.first_index);
    let other = batch("once", vec![event("a", "two", None)]);
    assert_eq!(refused(&connection, other).await, Reason::RequestIdReused);
    assert_eq!(read(&connection).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_names_and_append_nothing() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    append(&connection, batch("", vec![event("a", "one", None)])).await;
    let wrong = batch("", vec![event("a", "two", Some(7))]);
    assert_eq!(
        refused(&connection, wrong).await,
        Reason::WrongExpectedPosition
    );
    assert_eq!(
        refused(&connection, batch("", vec![])).await,
        Reason::InvalidArgument
    );
    let mut own = event("a", "{}", None);
    own.r#type = "root.sealed".to_owned();
    assert_eq!(
        refused(&connection, batch("", vec![own])).await,
        Reason::EventTypeReserved
    );
    let large = event("a", &"x".repeat(2 * 1024 * 1024), None);
    assert_eq!(
        refused(&connection, batch("", vec![large])).await,
        Reason::TooLarge
    );
    let anonymous = server.anonymous().await;
    let request = batch("", vec![event("a", "two", None)]);
    assert_eq!(refused(&anonymous, request).await, Reason::Unauthenticated);
    assert_eq!(read(&anonymous).await.len(), 1);

    let beyond = wire::GetInclusionProofRequest {
        leaf_index: 1,
        tree_size: None,
    };
    let status = connection
        .ledger()
        .get_inclusion_proof(beyond)
        .await
        .unwrap_err();
    assert_eq!(ClientError::from(status).reason(), Reason::BeyondTreeSize);
    let beyond = wire::GetInclusionProofRequest {
        leaf_index: 0,
        tree_size: Some(99),
    };
    let status = connection
        .ledger()
        .get_inclusion_proof(beyond)
        .await
        .unwrap_err();
    assert_eq!(ClientError::from(status).reason(), Reason::BeyondTreeSize);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_batches_is_acknowledged_as_one() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let batches: Vec<_> = (0..50)
        .map(|n| wire::AppendStreamRequest {
            append: Some(batch(&format!("s{n}"), vec![event("a", "x", Some(n))])),
        })
        .collect();
    let answer = connection
        .ledger()
        .append_stream(tokio_stream::iter(batches))
        .await;
    let answer = answer.unwrap().into_inner();
    assert_eq!((answer.requests, answer.events), (50, 50));
    assert!(answer.tree_size >= 50);
    let wrong = wire::AppendStreamRequest {
        append: Some(batch("", vec![event("a", "x", Some(3))])),
    };
    let status = connection
        .ledger()
        .append_stream(tokio_stream::iter([wrong]))
        .await
        .unwrap_err();
    assert_eq!(status.metadata().get("acknowledged-requests").unwrap(), "0");
    assert_eq!(
        ClientError::from(status).reason(),
        Reason::WrongExpectedPosition
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_sees_what_was_there_and_what_comes_with_its_checkpoint() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    append(&connection, batch("", vec![event("a", "0", None)])).await;
    let request = wire::TailRequest { from: 0 };
    let mut tail = connection
        .ledger()
        .tail(request)
        .await
        .unwrap()
        .into_inner();
    append(&connection, batch("", vec![event("a", "1", None)])).await;
    let mut seen = 0;
    while seen < 2 {
        let step = tail.next().await.unwrap().unwrap();
        for event in &step.events {
            assert_eq!(event.leaf_index, seen);
            seen += 1;
        }
        let signed = stella_verify::checkpoint::SignedCheckpoint::open(
            &step.checkpoint,
            &trust(&connection).await.keys,
            None,
        );
        assert!(signed.unwrap().head().size.get() >= seen);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_does_not_continue_the_remembered_one_is_a_fork() {
    let pins = tempfile::tempdir().unwrap();
    let server = TestServer::start().await;
    let connection = server.connect().await;
    for n in 0..3 {
        append(
            &connection,
            batch("", vec![event("a", &n.to_string(), None)]),
        )
        .await;
    }
    let trusted = trust(&connection).await;
    let store = PinStore::new(pins.path());
    let mut log = VerifyingLog::new(&connection, trusted.clone(), Some(store.clone()));
    log.checkpoint().await.unwrap();
    drop((connection, log));
    let directory = server.stop().await;
    // The same keys and origin over another history, as after restoring an old copy.
    for folder in ["log", "index"] {
        std::fs::remove_dir_all(directory.path().join(folder)).unwrap();
    }
    let server = TestServer::over(directory).await;
    let connection = server.connect().await;
    append(&connection, batch("", vec![event("b", "other", None)])).await;
    let mut log = VerifyingLog::new(&connection, trusted, Some(store));
    let shorter = log.checkpoint().await.unwrap_err();
    assert_eq!(shorter.reason(), Reason::ForkDetected, "{shorter}");
    for n in 0..5 {
        append(
            &connection,
            batch("", vec![event("b", &n.to_string(), None)]),
        )
        .await;
    }
    let longer = log.checkpoint().await.unwrap_err();
    assert_eq!(longer.reason(), Reason::ForkDetected, "{longer}");
}
