//! Every lie is found out, under the right name.

use super::liar::{Liar, Lie};
use super::{append, patient, range, trust};
use crate::support::TestServer;
use std::path::Path;
use stella_client::{ClientError, PinStore, VerifyingLog};
use stella_proto::reason::Reason;
use stella_verify::units::LeafIndex;

/// Asserts that an answer was not believed.
#[track_caller]
fn disbelieved<T>(lie: Lie, what: &str, answer: Result<T, ClientError>) {
    match answer {
        Err(ClientError::Unverified(_)) => (),
        Err(other) => panic!("{lie:?}, {what}: {other:?}"),
        Ok(_) => panic!("{lie:?}, {what}: was believed"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lie_is_believed() {
    let server = TestServer::start().await;
    append(&server, 0, 20).await;
    let honest = server.connect().await;
    let trusted = trust(&honest).await;
    let (liar, connection) = Liar::before(&honest).await;
    append(&server, 20, 13).await;
    let mut log = VerifyingLog::new(&connection, trusted.clone(), None);
    let index = LeafIndex::new(25);
    log.prove(index).await.unwrap();
    log.events(range(3, 30)).await.unwrap();

    for lie in [
        Lie::WrongRoot,
        Lie::ShortProof,
        Lie::OtherSize,
        Lie::OldCheckpoint,
    ] {
        liar.tell(lie);
        disbelieved(lie, "proof", log.prove(index).await);
    }
    liar.tell(Lie::WrongRoot);
    disbelieved(Lie::WrongRoot, "checkpoint", log.checkpoint().await);
    for lie in [
        Lie::ShortProof,
        Lie::Reordered,
        Lie::Renumbered,
        Lie::SwappedPayloads,
        Lie::Erased,
        Lie::Missing,
        Lie::Added,
    ] {
        liar.tell(lie);
        disbelieved(lie, "events", log.events(range(3, 30)).await);
    }
    for lie in [
        Lie::WrongRoot,
        Lie::OldCheckpoint,
        Lie::Reordered,
        Lie::Renumbered,
        Lie::SwappedPayloads,
        Lie::Erased,
        Lie::Added,
    ] {
        liar.tell(Lie::Nothing);
        let log = VerifyingLog::new(&connection, trusted.clone(), None);
        let mut tail = log.tail(LeafIndex::new(3), patient()).await.unwrap();
        liar.tell(lie);
        disbelieved(lie, "tail", tail.next().await);
        // The step was not taken: an honest answer goes on from the same place.
        liar.tell(Lie::Nothing);
        assert_eq!(tail.next().await.unwrap().events.len(), 30, "{lie:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_checkpoint_never_becomes_the_remembered_one() {
    let server = TestServer::start().await;
    append(&server, 0, 20).await;
    let honest = server.connect().await;
    let (liar, connection) = Liar::before(&honest).await;
    append(&server, 20, 13).await;
    let folder = tempfile::tempdir().unwrap();
    let pins = PinStore::new(folder.path());
    let trusted = trust(&honest).await;
    let mut log = VerifyingLog::new(&connection, trusted.clone(), Some(pins.clone()));
    let newest = log.checkpoint().await.unwrap();
    let remembered = pins.load(&trusted.origin).unwrap();
    // A replica may lag: the checkpoint is true, and said to be the smaller one that it is.
    liar.tell(Lie::OldCheckpoint);
    let old = log.checkpoint().await.unwrap();
    assert_eq!((old.head().size.get(), newest.head().size.get()), (20, 33));
    assert_eq!(pins.load(&trusted.origin).unwrap(), remembered);
    // What is asked of it beyond that is refused.
    let beyond = log.events(range(3, 30)).await.unwrap_err();
    assert_eq!(beyond.reason(), Reason::BeyondTreeSize);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_histories_under_one_key_are_a_fork() {
    let server = TestServer::start().await;
    append(&server, 0, 20).await;
    let directory = server.stop().await;
    let copy = tempfile::tempdir().unwrap();
    copy_folder(directory.path(), copy.path());
    let (left, right) = (
        TestServer::over(directory).await,
        TestServer::over(copy).await,
    );
    append(&left, 20, 5).await;
    append(&right, 1000, 9).await;
    let (left, right) = (left.connect().await, right.connect().await);
    let trusted = trust(&left).await;
    let (liar, connection) = Liar::before(&left).await;
    let folder = tempfile::tempdir().unwrap();
    let pins = PinStore::new(folder.path());
    let mut log = VerifyingLog::new(&connection, trusted.clone(), Some(pins.clone()));
    let mut tail = log
        .clone()
        .tail(LeafIndex::new(0), patient())
        .await
        .unwrap();
    assert_eq!(tail.next().await.unwrap().events.len(), 25);
    let remembered = pins.load(&trusted.origin).unwrap();

    liar.turn_to(&right);
    let answers = [
        log.checkpoint().await.map(drop),
        log.prove(LeafIndex::new(3)).await.map(drop),
        log.events(range(0, 10)).await.map(drop),
    ];
    for answer in answers {
        let error = answer.unwrap_err();
        assert!(matches!(error, ClientError::Fork(_)), "{error:?}");
        assert_eq!(error.meaning().exit, 20);
    }
    // What was remembered stays as evidence.
    assert_eq!(pins.load(&trusted.origin).unwrap(), remembered);
    // A tail that reconnects to the other history is refused too.
    let log = VerifyingLog::new(&connection, trusted, Some(pins));
    let mut tail = log.tail(LeafIndex::new(20), patient()).await.unwrap();
    let error = tail.next().await.unwrap_err();
    assert!(matches!(error, ClientError::Fork(_)), "{error:?}");
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
