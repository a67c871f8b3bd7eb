//! Bulk appends: the window, the order of acknowledgements, and what is said after a failure.

use super::{event, patient, range, trust};
use crate::support::TestServer;
use std::collections::BTreeSet;
use std::time::Duration;
use stella_client::{Appender, Connection, EventPayload, RetryPolicy, VerifyingLog, Window, bulk};
use stella_proto::reason::Reason;

/// Every payload of the log, each once.
async fn payloads(connection: &Connection, count: u64) -> BTreeSet<String> {
    let mut log = VerifyingLog::new(connection, trust(connection).await, None);
    let read = log.events(range(0, count)).await.unwrap();
    let text = |payload: &EventPayload| match payload {
        EventPayload::Present(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        EventPayload::Erased => panic!("nothing was erased"),
    };
    let all: Vec<String> = read
        .events
        .iter()
        .map(|event| text(&event.payload))
        .collect();
    let once: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(once.len(), all.len(), "an event stands there twice");
    once
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_acknowledged_in_order_and_stand_there_once() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let appender = Appender::new(&connection, patient());
    let (mut bulk, mut answers) = bulk(appender, Window::default());
    let told = tokio::spawn(async move {
        let mut leaves = 0;
        for number in 0.. {
            let Some(answer) = answers.next().await else {
                break;
            };
            let answer = answer.unwrap();
            assert_eq!(answer.batch, number);
            leaves += answer.appended.leaves.end.get() - answer.appended.leaves.start.get();
        }
        leaves
    });
    for batch in 0..200 {
        let events = (0..5)
            .map(|number| event(format!("{batch}/{number}")))
            .collect();
        assert_eq!(bulk.push(events).await.unwrap(), batch);
    }
    drop(bulk);
    assert_eq!(told.await.unwrap(), 1000);
    assert_eq!(payloads(&connection, 1000).await.len(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn pushing_waits_while_the_window_is_full_and_a_failure_is_told() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    // Gone, and it does not come back.
    drop(server.stop().await);
    let policy = RetryPolicy {
        deadline: Duration::from_secs(2),
        ..patient()
    };
    let window = Window {
        batches: 3,
        bytes: 1000,
    };
    let (mut bulk, mut answers) = bulk(Appender::new(&connection, policy), window);
    for _ in 0..3 {
        bulk.push(vec![event("small")]).await.unwrap();
    }
    let full = tokio::time::timeout(Duration::from_millis(200), bulk.push(vec![event("more")]));
    assert!(full.await.is_err(), "the window of three batches is full");
    // Once the first has failed nothing more is sent.
    let stopped = bulk.push(vec![event("more")]).await.unwrap_err();
    assert_eq!(stopped.reason(), Reason::Unavailable);
    drop(bulk);
    for number in 0..3 {
        let failed = answers.next().await.unwrap().unwrap_err();
        assert_eq!(failed.batch, number);
        assert_eq!(failed.events.len(), 1);
        assert!(!failed.request_id.is_empty());
    }
    assert!(answers.next().await.is_none());
}
