//! A server that is killed and started again under load, and a client that loses nothing.

use crate::support::{Server, run_in};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use stella_client::{
    Appender, Connection, EventPayload, LogTrust, NewEvent, PinStore, RetryPolicy, VerifyingLog,
    Window, bulk,
};
use stella_proto::admin::GetStatusRequest;
use stella_verify::checkpoint::Origin;
use stella_verify::event::{EventType, StreamName};
use stella_verify::merkle::LeafRange;
use stella_verify::units::LeafIndex;

const BATCHES: u64 = 600;
const BATCH: u64 = 4;

/// After how many acknowledged batches the server is killed.
const KILLS: [u64; 3] = [50, 250, 450];

fn event(number: u64) -> NewEvent {
    NewEvent {
        stream: StreamName::new(format!("load/{}", number % 3)).unwrap(),
        event_type: EventType::new("load".to_owned()).unwrap(),
        payload: number.to_string().into(),
        expected: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_appender_outlives_kills_and_every_event_stands_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "ledger");
    let url = server.url.clone();
    let address = url.trim_start_matches("http://").to_owned();
    let token = std::fs::read_to_string(folder.path().join("ledger/dev-token")).unwrap();
    let connection = Connection::to(&url, Some(token.trim())).await.unwrap();
    let policy = RetryPolicy {
        first_pause: Duration::from_millis(50),
        longest_pause: Duration::from_millis(500),
        deadline: Duration::from_mins(2),
        ..RetryPolicy::default()
    };
    let window = Window {
        batches: 16,
        ..Window::default()
    };
    let (mut bulk, mut answers) = bulk(Appender::new(&connection, policy), window);
    let acknowledged = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&acknowledged);
    let told = tokio::spawn(async move {
        let mut places = BTreeSet::new();
        while let Some(answer) = answers.next().await {
            let answer = answer.unwrap();
            let first = answer.batch * BATCH;
            for (number, leaf) in (first..first + BATCH).zip(answer.appended.leaves.start.get()..) {
                places.insert((leaf, number.to_string()));
            }
            count.fetch_add(1, Ordering::SeqCst);
        }
        places
    });
    let killer = tokio::task::spawn_blocking({
        let folder = folder.path().to_owned();
        move || {
            let mut server = server;
            for kill in KILLS {
                while acknowledged.load(Ordering::SeqCst) < kill {
                    std::thread::sleep(Duration::from_millis(2));
                }
                // As a crash: nothing is finished, nothing is said.
                drop(server);
                server = Server::start_at(&folder, "ledger", &address);
            }
            server
        }
    });
    for batch in 0..BATCHES {
        let events = (batch * BATCH..(batch + 1) * BATCH).map(event).collect();
        bulk.push(events).await.unwrap();
    }
    drop(bulk);
    let (places, server) = (told.await.unwrap(), killer.await.unwrap());
    assert_eq!(places.len() as u64, BATCHES * BATCH);

    let key = run_in(
        folder.path(),
        &["keys", "show", "log", "--public", "--data-dir", "ledger"],
    );
    let status = connection.admin().get_status(GetStatusRequest {}).await;
    let trust = LogTrust {
        keys: vec![key.good().stdout.trim().parse().unwrap()],
        origin: Origin::new(&status.unwrap().into_inner().origin).unwrap(),
    };
    let pins = PinStore::new(folder.path().join("pins"));
    let mut log = VerifyingLog::new(&connection, trust, Some(pins));
    let everything = LeafRange {
        start: LeafIndex::new(0),
        end: LeafIndex::new(log.checkpoint().await.unwrap().head().size.get()),
    };
    let read = log.events(everything).await.unwrap();
    let stored: BTreeSet<(u64, String)> = read
        .events
        .iter()
        .map(|event| match &event.payload {
            EventPayload::Present(text) => {
                (event.index.get(), String::from_utf8(text.to_vec()).unwrap())
            }
            EventPayload::Erased => panic!("nothing was erased"),
        })
        .collect();
    // Every acknowledged event at its index, and nothing else: no batch twice, none in part.
    assert_eq!(stored, places);
    drop(server);
}
