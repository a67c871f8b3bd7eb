//! Replays over a real connection: which inputs are used, what is appended, what is answered.

use crate::support::TestServer;
use crate::support::world::{HIGH, LOW, advisory, bill, epss, files, import, import_as, submit};
use serde_json::json;
use stella_client::{ClientError, Connection};
use stella_proto::proof::ListProofsRequest;
use stella_proto::reason::Reason;
use stella_proto::scan::Scan;
use stella_proto::score::{ReplayScoreRequest, ReplayScoreResponse};
use stella_proto::snapshot as snap;
use tokio_stream::StreamExt as _;

fn of(scan: &Scan) -> ReplayScoreRequest {
    ReplayScoreRequest {
        scan_id: scan.scan_id.clone(),
        ..ReplayScoreRequest::default()
    }
}

async fn replay(connection: &Connection, request: ReplayScoreRequest) -> ReplayScoreResponse {
    let answer = connection.scores().replay_score(request).await;
    answer.unwrap().into_inner()
}

async fn tree_size(connection: &Connection) -> u64 {
    let request = stella_proto::admin::GetStatusRequest {};
    let status = connection.admin().get_status(request).await.unwrap();
    status.into_inner().tree_size
}

async fn roots(connection: &Connection, scan: &Scan) -> Vec<String> {
    let request = ListProofsRequest {
        scan_id: scan.scan_id.clone(),
        ..ListProofsRequest::default()
    };
    let listed = connection.proofs().list_proofs(request).await.unwrap();
    let proofs = listed.into_inner().proofs.into_iter();
    proofs.map(|proof| proof.root_hash).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_against_another_feed_is_a_new_root_of_the_same_scan() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let first = [advisory("RUSTSEC-2026-0001", "alpha", "2.0.0", LOW)];
    let old = import(&connection, files(&first)).await;
    let scan = submit(&connection, &bill("app", &["alpha", "beta", "gamma"])).await;
    let second = [
        advisory("RUSTSEC-2026-0001", "alpha", "2.0.0", HIGH),
        advisory("RUSTSEC-2026-0002", "beta", "2.0.0", LOW),
    ];
    let new = import(&connection, files(&second)).await;

    let answer = replay(&connection, of(&scan)).await;
    assert_eq!(answer.status, "computed");
    assert_eq!(answer.concelier_snapshot_hash, new);
    assert_eq!(answer.original_root_hash, scan.root_hash);
    assert_ne!(answer.replayed_root_hash, scan.root_hash);
    assert_ne!(answer.replayed_manifest_hash, scan.manifest_hash);
    assert!(answer.replayed_score_bps > answer.original_score_bps);
    let findings = answer.findings.unwrap();
    assert_eq!(
        (
            findings.added,
            findings.removed,
            findings.rescored,
            findings.unchanged
        ),
        (1, 0, 1, 0)
    );
    assert!(answer.replay_id.starts_with("replay-") && answer.duration_us > 0);
    assert_eq!(
        roots(&connection, &scan).await,
        [scan.root_hash.clone(), answer.replayed_root_hash.clone()],
        "the new root stands under the scan"
    );

    // The same again: nothing new to compute, one event that says equal.
    let before = tree_size(&connection).await;
    let again = replay(&connection, of(&scan)).await;
    assert_eq!(
        (again.status.as_str(), again.verified_equal),
        ("verified", true)
    );
    assert_eq!(again.replayed_root_hash, answer.replayed_root_hash);
    assert_eq!(tree_size(&connection).await, before + 1);

    // A named snapshot, and the original ones: the first root, in one event each.
    let named = ReplayScoreRequest {
        concelier_snapshot_hash: old.clone(),
        ..of(&scan)
    };
    let original = ReplayScoreRequest {
        use_original_snapshots: true,
        ..of(&scan)
    };
    for request in [named, original] {
        let answer = replay(&connection, request).await;
        assert_eq!(
            (answer.status.as_str(), answer.verified_equal),
            ("verified", true)
        );
        assert_eq!(answer.replayed_root_hash, scan.root_hash);
        assert_eq!(answer.concelier_snapshot_hash, old);
        assert_eq!(answer.findings.unwrap().unchanged, 1);
    }
    assert_eq!(tree_size(&connection).await, before + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_appends_nothing() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(
        &connection,
        files(&[advisory("RUSTSEC-2026-0001", "alpha", "2.0.0", LOW)]),
    )
    .await;
    let scan = submit(&connection, &bill("app", &["alpha"])).await;
    import(
        &connection,
        files(&[advisory("RUSTSEC-2026-0001", "alpha", "2.0.0", HIGH)]),
    )
    .await;
    let before = tree_size(&connection).await;
    let dry = ReplayScoreRequest {
        dry_run: true,
        ..of(&scan)
    };
    let tried = replay(&connection, dry).await;
    assert_eq!(tried.status, "dry-run");
    assert!(tried.replay_id.is_empty() && tried.proof_bundle_ref.is_empty());
    assert_eq!(tree_size(&connection).await, before);
    let done = replay(&connection, of(&scan)).await;
    assert_eq!(tried.replayed_root_hash, done.replayed_root_hash);
    assert_eq!(tried.replayed_score_bps, done.replayed_score_bps);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_scan_does_not_use_leaves_it_unchanged() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let alpha = advisory("RUSTSEC-2026-0001", "alpha", "2.0.0", LOW);
    import(&connection, files(std::slice::from_ref(&alpha))).await;
    let scan = submit(&connection, &bill("app", &["alpha", "beta"])).await;
    let skip = || ReplayScoreRequest {
        skip_unchanged: true,
        ..of(&scan)
    };
    let world = |more: Vec<serde_json::Value>, scores: &[(&str, &str)]| {
        let mut all = files(&[vec![alpha.clone()], more].concat());
        all.push(("epss.csv".to_owned(), epss(scores).into_bytes()));
        all
    };
    // Another package, another CVE: one event, the old root.
    let other = advisory("RUSTSEC-2026-0009", "elsewhere", "2.0.0", HIGH);
    let feed = import(
        &connection,
        world(vec![other.clone()], &[("CVE-1999-0001", "0.90000")]),
    )
    .await;
    let before = tree_size(&connection).await;
    let answer = replay(&connection, skip()).await;
    assert_eq!(answer.status, "unchanged");
    assert_eq!(answer.replayed_root_hash, scan.root_hash);
    assert_eq!(answer.concelier_snapshot_hash, feed);
    assert_eq!(tree_size(&connection).await, before + 1);
    // It is true: computing it gives the same score and findings.
    let dry = ReplayScoreRequest {
        dry_run: true,
        ..of(&scan)
    };
    let computed = replay(&connection, dry).await;
    let findings = computed.findings.unwrap();
    assert_eq!(computed.replayed_score_bps, scan.score_bps);
    assert_eq!(
        (findings.added, findings.removed, findings.rescored),
        (0, 0, 0)
    );

    // Each of these reaches the scan: its package, a CVE of its flaw, an alias of its flaw.
    let beta = advisory("RUSTSEC-2026-0002", "beta", "0.1.0", LOW);
    let mut alias = advisory("GHSA-xxxx", "elsewhere", "2.0.0", HIGH);
    alias["aliases"] = json!(["CVE-2026-0001"]);
    let reaching = [
        world(vec![other.clone(), beta], &[]),
        world(vec![other.clone()], &[("CVE-2026-0001", "0.70000")]),
        world(vec![other, alias], &[]),
    ];
    for feed in reaching {
        import(&connection, feed).await;
        let answer = replay(&connection, skip()).await;
        assert_eq!(answer.status, "computed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_replays_have_names() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(
        &connection,
        files(&[advisory("RUSTSEC-2026-0001", "alpha", "2.0.0", LOW)]),
    )
    .await;
    let scan = submit(&connection, &bill("app", &["alpha"])).await;
    let nowhere = format!("sha256:{}", "ab".repeat(32));
    let cases = [
        (
            ReplayScoreRequest {
                scan_id: "scan-00000000000000000000".to_owned(),
                ..ReplayScoreRequest::default()
            },
            Reason::ScanNotFound,
        ),
        (
            ReplayScoreRequest {
                concelier_snapshot_hash: nowhere.clone(),
                ..of(&scan)
            },
            Reason::SnapshotNotFound,
        ),
        (
            ReplayScoreRequest {
                lattice_policy_hash: nowhere.clone(),
                ..of(&scan)
            },
            Reason::PolicyNotFound,
        ),
        (
            ReplayScoreRequest {
                engine_version: Some(999),
                ..of(&scan)
            },
            Reason::BadManifest,
        ),
        (
            ReplayScoreRequest {
                use_original_snapshots: true,
                lattice_policy_hash: nowhere,
                ..of(&scan)
            },
            Reason::InvalidArgument,
        ),
    ];
    for (request, reason) in cases {
        let status = connection.scores().replay_score(request).await.unwrap_err();
        assert_eq!(ClientError::from(status).reason(), reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_policy_is_current_and_snapshots_are_compared() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let old = import(
        &connection,
        files(&[advisory("RUSTSEC-2026-0001", "alpha", "2.0.0", LOW)]),
    )
    .await;
    let scan = submit(&connection, &bill("app", &["alpha"])).await;
    let policy = stella_scoring::policy::BUILT_IN[1].text;
    let request = snap::RegisterPolicyRequest {
        policy: policy.as_bytes().to_vec().into(),
        ..snap::RegisterPolicyRequest::default()
    };
    let mut snapshots = connection.snapshots();
    let hash = snapshots
        .register_policy(request)
        .await
        .unwrap()
        .into_inner()
        .hash;
    assert_ne!(
        replay(&connection, of(&scan)).await.lattice_policy_hash,
        hash
    );
    let request = snap::PublishPolicyRequest {
        hash: hash.clone(),
        ..snap::PublishPolicyRequest::default()
    };
    let published = snapshots
        .publish_policy(request)
        .await
        .unwrap()
        .into_inner();
    assert!(published.policy.unwrap().current);
    let answer = replay(&connection, of(&scan)).await;
    assert_eq!(
        (answer.lattice_policy_hash, answer.status.as_str()),
        (hash, "computed")
    );

    let mut withdrawn = advisory("RUSTSEC-2026-0001", "alpha", "2.0.0", LOW);
    withdrawn["withdrawn"] = json!("2026-02-01T00:00:00Z");
    let added = advisory("RUSTSEC-2026-0003", "elsewhere", "2.0.0", LOW);
    let new = import(&connection, files(&[withdrawn, added])).await;
    for (scan_id, rows) in [("", 2), (scan.scan_id.as_str(), 1)] {
        let request = snap::DiffSnapshotsRequest {
            old_hash: old.clone(),
            new_hash: new.clone(),
            scan_id: scan_id.to_owned(),
            tree_size: None,
        };
        let mut answers = snapshots
            .diff_snapshots(request)
            .await
            .unwrap()
            .into_inner();
        let (mut changes, mut totals) = (Vec::new(), Vec::new());
        while let Some(answer) = answers.next().await {
            let answer = answer.unwrap();
            changes.extend(answer.changes);
            totals.extend(answer.totals);
        }
        assert_eq!((changes.len(), totals.len()), (rows, 2), "{changes:?}");
        assert_eq!(changes[0].kind(), snap::RowChangeKind::Withdrawn);
        assert_eq!(changes[0].package, "alpha");
    }
    // A VEX snapshot cannot be compared with a feed.
    let vex = import_as(&connection, snap::SnapshotKind::Excititor, Vec::new()).await;
    let request = snap::DiffSnapshotsRequest {
        old_hash: old,
        new_hash: vex,
        scan_id: String::new(),
        tree_size: None,
    };
    let status = snapshots.diff_snapshots(request).await.unwrap_err();
    assert_eq!(ClientError::from(status).reason(), Reason::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_share_what_did_not_change() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let mut advisories: Vec<_> = (0..3000)
        .map(|n| {
            let mut advisory = advisory(
                &format!("RUSTSEC-2026-{n:04}"),
                &format!("p{n}"),
                "2.0.0",
                LOW,
            );
            advisory["details"] = json!(format!("{n} ").repeat(200));
            advisory
        })
        .collect();
    import(&connection, files(&advisories)).await;
    let size = |server: &TestServer| {
        let blobs = walk(&server.directory.path().join("blobs"));
        (blobs.len(), blobs.iter().sum::<u64>())
    };
    let (count, bytes) = size(&server);
    advisories[1500]["summary"] = json!("another text");
    let hash = import(&connection, files(&advisories)).await;
    let (more, grown) = size(&server);
    // One chunk, the chunk with the header, the list.
    assert!(more - count <= 4, "{count} blobs, then {more}");
    assert!((grown - bytes) * 2 < bytes, "{bytes} bytes, then {grown}");
    // The order of the files is nothing.
    advisories.reverse();
    assert_eq!(import(&connection, files(&advisories)).await, hash);
    assert_eq!(size(&server), (more, grown));
    let request = snap::GetSnapshotRequest {
        hash,
        tree_size: None,
    };
    let shown = connection
        .snapshots()
        .get_snapshot(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (shown.tables[0].table.as_str(), shown.tables[0].rows),
        ("advisory", 3000)
    );
}

fn walk(folder: &std::path::Path) -> Vec<u64> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&entry.path()));
        } else {
            found.push(entry.metadata().unwrap().len());
        }
    }
    found
}
