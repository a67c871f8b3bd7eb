//! Batches of replays as the client starts, follows, lists and cancels them.

use super::patient;
use super::scans::{feed, scan, scores};
use crate::support::wire::Wire;
use crate::support::world::{HIGH, LOW};
use crate::support::{TOKEN, TestServer};
use std::num::NonZero;
use std::time::Duration;
use stella_client::{
    BatchInputs, BatchOutcome, BatchScans, Connection, NewBatch, OperationName, OperationStatus,
    PageSize, Replays, Scans,
};
use stella_proto::reason::Reason;
use stella_verify::event::payload::ScanId;

/// Scans under a feed that was replaced since.
async fn world(connection: &Connection, count: usize) -> Vec<ScanId> {
    feed(connection, LOW).await;
    let scans = Scans::new(connection, patient());
    let mut names = Vec::new();
    for number in 0..count {
        let submitted = scans.submit(&scan(&format!("p{number}"))).await;
        names.push(submitted.unwrap().scan.id);
    }
    feed(connection, HIGH).await;
    names
}

/// One after the other.
fn slowly() -> NewBatch {
    NewBatch {
        concurrency: NonZero::new(1),
        ..NewBatch::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_started_once_watched_to_its_end_and_listed() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let scans = world(&connection, 7).await;
    let replays = Replays::new(&connection, patient());
    let started = replays.start_as("nightly", &slowly()).await.unwrap();
    let name = started.operation.name;
    assert!(!started.existing);
    let mut watch = replays.watch(&name);
    let mut completed = 0;
    let mut last = None;
    while let Some(operation) = watch.next().await.unwrap() {
        assert!(operation.progress.completed >= completed, "it never falls");
        completed = operation.progress.completed;
        last = Some(operation);
    }
    let ended = last.unwrap();
    assert_eq!(ended.status, OperationStatus::Finished);
    assert_eq!((ended.progress.total, ended.progress.computed), (7, 7));
    assert!(ended.ended.is_some());
    assert!(watch.next().await.unwrap().is_none());
    assert_eq!(replays.wait(&name).await.unwrap(), ended);
    assert_eq!(replays.get(&name).await.unwrap(), ended);

    let again = replays.start_as("nightly", &slowly()).await.unwrap();
    assert_eq!((&again.operation, again.existing), (&ended, true));
    let other = replays.start_as("nightly", &NewBatch::default()).await;
    assert_eq!(other.unwrap_err().reason(), Reason::RequestIdReused);

    for size in [PageSize::default(), PageSize::new(3)] {
        let results = replays.results(&name).of(size).all().await.unwrap();
        let mut replayed: Vec<_> = results.iter().map(|result| result.scan.clone()).collect();
        replayed.sort();
        let mut expected: Vec<_> = scans.iter().map(ScanId::to_string).collect();
        expected.sort();
        assert_eq!(replayed, expected);
        for result in results {
            assert!(
                matches!(result.outcome, BatchOutcome::Computed(score) if score.after > score.before),
                "{result:?}"
            );
        }
    }

    // The newest score of a scan is that of its replay, of the same document under another feed.
    let finder = Scans::new(&connection, patient());
    let replayed = finder.get(&scans[0], None).await.unwrap();
    let shown = scores(&connection).await.scored(&replayed).await.unwrap();
    assert_eq!(shown.submitted.hash(), replayed.manifest);
    assert_eq!(shown.statement.manifest, shown.manifest.hash());
    assert_ne!(
        shown.manifest.concelier_snapshot,
        shown.submitted.concelier_snapshot
    );
    assert_eq!(Some(shown.manifest.concelier_snapshot), ended.concelier);

    let original = NewBatch {
        scans: BatchScans::Named(vec![
            scans[0].clone(),
            "scan-00000000000000000000".parse().unwrap(),
        ]),
        inputs: BatchInputs::Original,
        ..NewBatch::default()
    };
    let second = replays.start(&original).await.unwrap().operation.name;
    let second = replays.wait(&second).await.unwrap();
    assert_eq!((second.progress.verified, second.progress.failed), (1, 1));
    assert_eq!(second.concelier, None);
    let results = replays.results(&second.name).all().await.unwrap();
    let failed = results
        .iter()
        .find(|result| result.scan != scans[0].to_string());
    assert!(matches!(
        failed.unwrap().outcome,
        BatchOutcome::Failed {
            reason: Some(Reason::ScanNotFound),
            ..
        }
    ));
    let listed = replays.list().of(PageSize::new(1)).all().await.unwrap();
    assert_eq!(listed, [second, ended]);

    let nobody = NewBatch {
        scans: BatchScans::Named(Vec::new()),
        ..NewBatch::default()
    };
    let nobody = replays.start(&nobody).await.unwrap_err();
    assert_eq!(nobody.reason(), Reason::InvalidArgument);
    let unknown = OperationName::new("batch-none").unwrap();
    for refused in [
        replays.get(&unknown).await,
        replays.wait(&unknown).await,
        replays.cancel(&unknown).await,
    ] {
        assert_eq!(refused.unwrap_err().reason(), Reason::NotFound);
    }
    OperationName::new("").unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_cancelled_once() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    world(&connection, 40).await;
    let replays = Replays::new(&connection, patient());
    let name = replays.start(&slowly()).await.unwrap().operation.name;
    let asked = replays.cancel_as("stop", &name).await.unwrap();
    let ended = replays.wait(&name).await.unwrap();
    // It may have been done before it heard.
    if asked.status == OperationStatus::Cancelling {
        assert!(ended.status.done());
        let whole = ended.progress.completed == ended.progress.total;
        assert!(whole || ended.status == OperationStatus::Cancelled);
    }
    assert_eq!(replays.cancel_as("stop", &name).await.unwrap(), ended);
    assert_eq!(replays.cancel(&name).await.unwrap(), ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_starts_one_batch_and_the_watch_goes_on() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    world(&connection, 20).await;
    let wire = Wire::to(&server.url).await;
    let through = Connection::to(&wire.url, Some(TOKEN)).await.unwrap();
    let (replays, direct) = (
        Replays::new(&through, patient()),
        Replays::new(&connection, patient()),
    );
    direct.list().all().await.unwrap();
    replays.list().all().await.unwrap();
    wire.mute();
    let broken = replays.clone();
    let starting = tokio::spawn(async move { broken.start(&slowly()).await });
    while direct.list().all().await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    wire.cut();
    let started = starting.await.unwrap().unwrap();
    assert!(started.existing, "the first try had started it");
    assert_eq!(direct.list().all().await.unwrap().len(), 1);

    let name = started.operation.name;
    let mut watch = replays.watch(&name);
    watch.next().await.unwrap().unwrap();
    wire.mute();
    let ended = direct.wait(&name).await.unwrap();
    wire.cut();
    let mut last = None;
    while let Some(operation) = watch.next().await.unwrap() {
        last = Some(operation);
    }
    // The end may have been told before the wire was mute.
    assert!(last.is_none_or(|last| last == ended));
}
