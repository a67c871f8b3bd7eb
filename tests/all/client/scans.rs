//! Scans as the client submits, finds and verifies them; the lists that come in pages.

use super::{patient, trust};
use crate::support::TestServer;
use crate::support::wire::Wire;
use crate::support::world::{HIGH, LOW, advisory, bill, files, import};
use stella_client::{
    ClientError, Connection, Lists, NewScan, PageSize, Scan, ScanFilter, Scans, ScoreTrust,
    VerifyingScores,
};
use stella_proto::admin::GetStatusRequest;
use stella_proto::reason::Reason;
use stella_verify::dsse::Threshold;
use stella_verify::event::payload::ScanId;
use stella_verify::hash::{BlobDigest, sha256};
use stella_verify::keys::PublicKey;
use stella_verify::snapshot::SnapshotKind;
use stella_verify::units::{BasisPoints, TreeSize, UnixMillis};

pub(super) async fn feed(connection: &Connection, vector: &str) {
    let flaw = advisory("RUSTSEC-2026-0001", "common", "2.0.0", vector);
    import(connection, files(&[flaw])).await;
}

pub(super) fn scan(name: &str) -> NewScan {
    NewScan {
        sbom: bill(name, &["common", name]).into(),
        scanner_version: "1".to_owned(),
        ..NewScan::default()
    }
}

pub(super) async fn size(connection: &Connection) -> TreeSize {
    let status = connection.admin().get_status(GetStatusRequest {}).await;
    TreeSize::new(status.unwrap().into_inner().tree_size)
}

pub(super) async fn scores(connection: &Connection) -> VerifyingScores {
    let status = connection.admin().get_status(GetStatusRequest {}).await;
    let pem = status.unwrap().into_inner().signing_key_pem;
    let trusted = ScoreTrust {
        keys: vec![PublicKey::from_pem(&pem).unwrap()],
        threshold: Threshold::ONE,
        log: trust(connection).await,
    };
    VerifyingScores::new(connection, trusted)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_submitted_once_under_a_key_and_its_score_verifies() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    feed(&connection, LOW).await;
    let scans = Scans::new(&connection, patient());
    let first = scans.submit_as("one", &scan("a")).await.unwrap();
    assert!(!first.existing);
    let before = size(&connection).await;
    assert_eq!(scans.submit_as("one", &scan("a")).await.unwrap(), first);
    assert_eq!(size(&connection).await, before, "nothing was appended");
    let other = scans.submit_as("one", &scan("b")).await.unwrap_err();
    assert_eq!(other.reason(), Reason::RequestIdReused);
    // Under another key it is the same scan, and that it was asked for again is an event.
    let again = scans.submit(&scan("a")).await.unwrap();
    assert_eq!(
        (again.scan.id, again.existing),
        (first.scan.id.clone(), true)
    );
    assert!(size(&connection).await > before);

    let found = scans.get(&first.scan.id, Some(first.scan.tree)).await;
    assert_eq!(found.unwrap(), first.scan);
    let none: ScanId = "scan-00000000000000000000".parse().unwrap();
    let none = scans.get(&none, None).await.unwrap_err();
    assert_eq!(none.reason(), Reason::ScanNotFound);

    let scores = scores(&connection).await;
    let shown = scores.scored(&first.scan).await.unwrap();
    assert_eq!(shown.manifest, shown.submitted);
    let sbom = BlobDigest::new(sha256(&scan("a").sbom));
    assert_eq!(shown.submitted.sbom_digest, sbom);
    let mut lie = first.scan.clone();
    let sealed = lie.sealed.as_mut().unwrap();
    sealed.score = BasisPoints::new(sealed.score.get() + 1);
    let lie = scores.scored(&lie).await.unwrap_err();
    assert!(matches!(lie, ClientError::Unverified(_)), "{lie}");
    // The score of another document under the name of this one, and this name for the other.
    let other = scans.submit(&scan("b")).await.unwrap().scan;
    for lie in [
        Scan {
            sealed: other.sealed,
            ..first.scan.clone()
        },
        Scan {
            id: first.scan.id,
            ..other
        },
    ] {
        let refused = scores.scored(&lie).await.unwrap_err();
        let known = [Reason::VerificationFailed, Reason::ProofNotFound];
        assert!(known.contains(&refused.reason()), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_several_pages_walks_all_exactly_once() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    feed(&connection, LOW).await;
    let scans = Scans::new(&connection, patient());
    let mut submitted = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        submitted.push(scans.submit(&scan(name)).await.unwrap().scan.id);
    }
    submitted.reverse();
    let mut pages = scans.list(&ScanFilter::default()).of(PageSize::new(3));
    let mut walked = Vec::new();
    let mut lengths = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        lengths.push(page.len());
        walked.extend(page.into_iter().map(|scan| scan.id));
        // What comes meanwhile is behind the tree of the first page.
        scans
            .submit(&scan(&format!("later{}", lengths.len())))
            .await
            .unwrap();
    }
    assert_eq!((walked, lengths), (submitted.clone(), vec![3, 3, 1]));
    assert!(pages.next().await.unwrap().is_none());
    let all = scans
        .list(&ScanFilter::default())
        .of(PageSize::new(4))
        .all();
    let all = all.await.unwrap();
    assert_eq!(all.len(), 10);

    let with = |package: &str| ScanFilter {
        package: Some(package.to_owned()),
        ..ScanFilter::default()
    };
    let found = scans.list(&with("pkg:cargo/d")).all().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, submitted[3]);
    let artifact = ScanFilter {
        artifact: Some(found[0].artifact),
        ..ScanFilter::default()
    };
    let same = scans.list(&artifact).of(PageSize::new(2)).all().await;
    assert_eq!(same.unwrap(), found);
    let early = ScanFilter {
        at: Some(TreeSize::new(1)),
        ..ScanFilter::default()
    };
    assert!(scans.list(&early).all().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_policies_and_proofs_are_walked_alike() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    feed(&connection, LOW).await;
    feed(&connection, HIGH).await;
    let scans = Scans::new(&connection, patient());
    let a = scans.submit(&scan("a")).await.unwrap().scan;
    let b = scans.submit(&scan("b")).await.unwrap().scan;
    let (lists, one) = (Lists::new(&connection, patient()), PageSize::new(1));
    let feeds = lists.snapshots(Some(SnapshotKind::Concelier), None).of(one);
    let feeds = feeds.all().await.unwrap();
    let current: Vec<_> = feeds.iter().map(|feed| feed.current).collect();
    assert_eq!(current, [true, false]);
    let whole = lists.snapshots(None, None).of(one).all().await.unwrap();
    assert_eq!(whole[..2], feeds);
    assert!(
        whole[2..]
            .iter()
            .all(|vex| vex.kind == SnapshotKind::Excititor)
    );
    let policies = lists.policies(None).of(one).all().await.unwrap();
    assert!(!policies.is_empty());
    let proofs = lists.proofs(&a.id, None).of(one).all().await.unwrap();
    let sealed = a.sealed.unwrap();
    assert_eq!(proofs.len(), 1);
    assert_eq!(
        (proofs[0].root, proofs[0].manifest),
        (sealed.root, a.manifest)
    );
    let day = UnixMillis::new(a.created.get() + 86_400_000);
    let period = lists.sealed(UnixMillis::ZERO..day, None).of(one);
    let roots: Vec<_> = (period.all().await.unwrap().iter())
        .map(|proof| proof.root)
        .collect();
    assert_eq!(roots, [sealed.root, b.sealed.unwrap().root]);
    let never = lists.sealed(UnixMillis::ZERO..UnixMillis::new(1), None);
    assert!(never.all().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_in_a_submission_submits_once() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    feed(&connection, LOW).await;
    let wire = Wire::to(&server.url).await;
    let through = Connection::to(&wire.url, Some(crate::support::TOKEN)).await;
    let scans = Scans::new(&through.unwrap(), patient());
    // The connection is in use before it breaks.
    scans.submit(&scan("a")).await.unwrap();
    wire.mute();
    let broken = scans.clone();
    let submitting = tokio::spawn(async move { broken.submit(&scan("b")).await });
    let direct = Scans::new(&connection, patient());
    let listed = || async { direct.list(&ScanFilter::default()).all().await.unwrap() };
    let sealed = loop {
        let newest = listed().await;
        if newest.len() == 2 && newest[0].sealed.is_some() {
            break newest[0].clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    let before = size(&connection).await;
    assert!(!submitting.is_finished(), "the answer is lost");
    wire.cut();
    let submitted = submitting.await.unwrap().unwrap();
    assert_eq!(submitted.scan.id, sealed.id);
    assert!(!submitted.existing, "it is answered as the first time");
    assert_eq!(
        size(&connection).await,
        before,
        "nothing was appended twice"
    );
    assert_eq!(listed().await.len(), 2);
}
