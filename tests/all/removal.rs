//! Removing snapshots over a real connection: what keeps one, what goes, what stays.

use crate::support::TestServer;
use crate::support::world::{HIGH, LOW, advisory, bill, files, import, submit};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use stella_client::{ClientError, Connection};
use stella_proto::reason::Reason;
use stella_proto::scan::SubmitScanRequest;
use stella_proto::score::ReplayScoreRequest;
use stella_proto::snapshot as wire;
use stella_server::fsck_directory;

/// A feed large enough to have chunks of its own and chunks that it shares: `touched` packages from
/// the beginning have another severity.
fn feed(touched: usize) -> Vec<(String, Vec<u8>)> {
    let advisories: Vec<_> = (0..600)
        .map(|n| {
            let vector = if n < touched { HIGH } else { LOW };
            let mut one = advisory(
                &format!("RUSTSEC-2026-{n:04}"),
                &format!("p{n:04}"),
                "2.0.0",
                vector,
            );
            // Long enough for several chunks.
            one["details"] = format!("{n:04} ").repeat(400).into();
            one
        })
        .collect();
    files(&advisories)
}

async fn remove(
    connection: &Connection,
    hash: &str,
) -> Result<wire::RemoveSnapshotResponse, ClientError> {
    let request = wire::RemoveSnapshotRequest {
        hash: hash.to_owned(),
    };
    let answer = connection.snapshots().remove_snapshot(request).await?;
    Ok(answer.into_inner())
}

async fn refused(connection: &Connection, hash: &str) -> (Reason, String) {
    let refusal = remove(connection, hash).await.unwrap_err();
    (refusal.reason(), refusal.to_string())
}

async fn get(
    connection: &Connection,
    hash: &str,
) -> Result<wire::GetSnapshotResponse, ClientError> {
    let request = wire::GetSnapshotRequest {
        hash: hash.to_owned(),
        tree_size: None,
    };
    let answer = connection.snapshots().get_snapshot(request).await?;
    Ok(answer.into_inner())
}

/// Feed snapshots, newest first.
async fn listed(connection: &Connection, tree_size: Option<u64>) -> Vec<String> {
    let request = wire::ListSnapshotsRequest {
        kind: wire::SnapshotKind::Concelier.into(),
        tree_size,
        ..wire::ListSnapshotsRequest::default()
    };
    let answer = connection.snapshots().list_snapshots(request).await;
    let snapshots = answer.unwrap().into_inner().snapshots.into_iter();
    snapshots.map(|snapshot| snapshot.hash).collect()
}

async fn tree_size(connection: &Connection) -> u64 {
    let request = stella_proto::admin::GetStatusRequest {};
    let status = connection.admin().get_status(request).await.unwrap();
    status.into_inner().tree_size
}

fn skipping(scan: &str) -> ReplayScoreRequest {
    ReplayScoreRequest {
        scan_id: scan.to_owned(),
        skip_unchanged: true,
        ..ReplayScoreRequest::default()
    }
}

/// Every file below a folder, with its bytes.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.clone(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_needed_is_kept_and_what_is_not_goes_for_good() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let first = import(&connection, feed(0)).await;
    let scan = submit(&connection, &bill("app", &["p0590"])).await;
    let second = import(&connection, feed(1)).await;
    // The scan holds against the second feed, too; no manifest names that.
    let held = connection
        .scores()
        .replay_score(skipping(&scan.scan_id))
        .await;
    assert_eq!(held.unwrap().into_inner().status, "unchanged");
    let third = import(&connection, feed(2)).await;
    let before = tree_size(&connection).await;
    let blobs = server.directory.path().join("blobs/sha256");
    let whole = contents(&blobs);

    let (reason, why) = refused(&connection, &third).await;
    assert_eq!(reason, Reason::SnapshotInUse);
    assert!(why.contains("current"), "{why}");
    let (reason, why) = refused(&connection, &first).await;
    assert_eq!(reason, Reason::SnapshotInUse);
    assert!(why.contains(&scan.scan_id), "{why}");
    let unknown = format!("sha256:{}", "7".repeat(64));
    assert_eq!(
        refused(&connection, &unknown).await.0,
        Reason::SnapshotNotFound
    );
    assert_eq!(
        tree_size(&connection).await,
        before,
        "a refusal is no event"
    );

    let removed = remove(&connection, &second).await.unwrap();
    assert!(
        !removed.existing && removed.deleted_blobs >= 2,
        "{removed:?}"
    );
    let left = contents(&blobs);
    let deleted = whole.len() - left.len();
    assert_eq!(deleted as u64, removed.deleted_blobs);
    assert!(deleted * 2 < whole.len(), "most chunks are shared");
    for other in [&first, &third] {
        get(&connection, other).await.unwrap();
    }
    let again = remove(&connection, &second).await.unwrap();
    assert!(again.existing && again.deleted_blobs == 0);
    // Who did it, and what was done; a second time nothing is done.
    assert_eq!(tree_size(&connection).await, before + 2);

    // It is not listed, except as of then, and naming it says what became of it.
    assert_eq!(listed(&connection, None).await, [&*third, &*first]);
    assert_eq!(
        listed(&connection, Some(before)).await,
        [&*third, &*second, &*first]
    );
    naming_is_refused(&connection, &scan.scan_id, [&first, &second]).await;
    // What held against it is judged against the feed before it.
    let held = connection
        .scores()
        .replay_score(skipping(&scan.scan_id))
        .await;
    assert_eq!(held.unwrap().into_inner().status, "unchanged");

    // A crash between the event and the deletions: the next open deletes what is left.
    drop(connection);
    let directory = server.stop().await;
    for (path, bytes) in &whole {
        std::fs::write(path, bytes).unwrap();
    }
    let server = TestServer::over(directory).await;
    assert!(contents(&blobs).keys().eq(left.keys()));
    let connection = server.connect().await;

    // The same files bring it back, under the same hash.
    assert_eq!(import(&connection, feed(1)).await, second);
    assert_eq!(
        listed(&connection, None).await,
        [&*second, &*third, &*first]
    );
    get(&connection, &second).await.unwrap();
    remove(&connection, &third).await.unwrap();
    drop(connection);
    let directory = server.stop().await;
    // Every blob that is named is there, and folding anew gives the same projections.
    let report = fsck_directory(directory.path(), &|_, _| ()).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
}

async fn naming_is_refused(connection: &Connection, scan: &str, [there, gone]: [&str; 2]) {
    let reason = |status: tonic::Status| ClientError::from(status).reason();
    let shown = get(connection, gone).await.unwrap_err();
    assert_eq!(shown.reason(), Reason::SnapshotRemoved);
    let replay = ReplayScoreRequest {
        scan_id: scan.to_owned(),
        concelier_snapshot_hash: gone.to_owned(),
        ..ReplayScoreRequest::default()
    };
    let refusal = connection.scores().replay_score(replay).await.unwrap_err();
    assert_eq!(reason(refusal), Reason::SnapshotRemoved);
    let publish = wire::PublishSnapshotRequest {
        hash: gone.to_owned(),
        ..wire::PublishSnapshotRequest::default()
    };
    let refusal = connection.snapshots().publish_snapshot(publish).await;
    assert_eq!(reason(refusal.unwrap_err()), Reason::SnapshotRemoved);
    let diff = wire::DiffSnapshotsRequest {
        old_hash: there.to_owned(),
        new_hash: gone.to_owned(),
        scan_id: String::new(),
        tree_size: None,
    };
    let refusal = connection.snapshots().diff_snapshots(diff).await;
    assert_eq!(reason(refusal.unwrap_err()), Reason::SnapshotRemoved);
    let scan = SubmitScanRequest {
        sbom: bill("other", &["p0001"]).into(),
        concelier_snapshot_hash: gone.to_owned(),
        ..SubmitScanRequest::default()
    };
    let refusal = connection.scans().submit_scan(scan).await.unwrap_err();
    assert_eq!(reason(refusal), Reason::SnapshotRemoved);
}
