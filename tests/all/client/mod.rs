//! The client library against a server that is honest, and against one that is not.

mod bulk;
mod honest;
mod hostile;
mod liar;
mod replays;
mod scans;
mod typed;

use crate::support::TestServer;
use bytes::Bytes;
use std::time::Duration;
use stella_client::{Appender, Connection, LogTrust, NewEvent, RetryPolicy};
use stella_proto::admin::GetStatusRequest;
use stella_verify::checkpoint::Origin;
use stella_verify::event::{EventType, StreamName};
use stella_verify::merkle::LeafRange;
use stella_verify::units::LeafIndex;

/// What is trusted of a test server: its own keys.
async fn trust(connection: &Connection) -> LogTrust {
    let status = connection.admin().get_status(GetStatusRequest {}).await;
    let status = status.unwrap().into_inner();
    LogTrust {
        keys: vec![status.vkey.parse().unwrap()],
        origin: Origin::new(&status.origin).unwrap(),
    }
}

fn event(payload: impl Into<Bytes>) -> NewEvent {
    NewEvent {
        stream: StreamName::new("builds".to_owned()).unwrap(),
        event_type: EventType::new("build.finished".to_owned()).unwrap(),
        payload: payload.into(),
        expected: None,
    }
}

/// Short pauses, so that a test that must wait does not wait long.
fn patient() -> RetryPolicy {
    RetryPolicy {
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(100),
        ..RetryPolicy::default()
    }
}

/// Appends events numbered from `first` on.
async fn append(server: &TestServer, first: usize, count: usize) {
    let appender = Appender::new(&server.connect().await, patient());
    let events: Vec<_> = (first..first + count)
        .map(|number| event(format!("event {number}")))
        .collect();
    appender.append(&events).await.unwrap();
}

fn range(start: u64, end: u64) -> LeafRange {
    LeafRange {
        start: LeafIndex::new(start),
        end: LeafIndex::new(end),
    }
}
