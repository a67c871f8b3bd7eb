//! Proofs of what a snapshot holds, as a server makes them and anyone checks them.

use crate::support::TestServer;
use crate::support::world::{LOW, advisory, bill, epss, files, import, submit};
use stella_client::{ClientError, Connection};
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_verify::hash::SnapshotHash;
use stella_verify::manifest::ScanManifest;
use stella_verify::snapshot::{Question, VerifiedSnapshotProof, verify_snapshot_proof};
use wire::prove_snapshot_request::Subject;

async fn prove(connection: &Connection, subject: Subject) -> Vec<u8> {
    let request = wire::ProveSnapshotRequest {
        hash: String::new(),
        with_records: true,
        subject: Some(subject),
        tree_size: None,
    };
    let answer = connection.snapshots().prove_snapshot(request).await;
    answer.unwrap().into_inner().proof.to_vec()
}

fn ids(verified: &VerifiedSnapshotProof) -> Vec<String> {
    let rows = verified.answers().iter().flat_map(|answer| &answer.rows);
    rows.map(|row| row.key.id.to_string()).collect()
}

fn questions(verified: &VerifiedSnapshotProof) -> Vec<&Question> {
    let answers = verified.answers().iter();
    answers.map(|answer| &answer.question).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_absence_and_completeness_verify_against_a_manifest() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let mut feed = files(&[
        advisory("RUSTSEC-2026-0001", "alpha", "2.0.0", LOW),
        advisory("RUSTSEC-2026-0002", "alpha", "3.0.0", LOW),
        advisory("RUSTSEC-2026-0003", "alphabet", "3.0.0", LOW),
    ]);
    feed.push((
        "epss.csv".to_owned(),
        epss(&[("CVE-2026-0001", "0.5")]).into_bytes(),
    ));
    import(&connection, feed).await;
    let scan = submit(&connection, &bill("app", &["alpha"])).await;
    // What the proof is checked against is what the scan's manifest names.
    let request = stella_proto::score::GetManifestRequest {
        scan_id: scan.scan_id,
        ..Default::default()
    };
    let answer = connection
        .scores()
        .get_manifest(request)
        .await
        .unwrap()
        .into_inner();
    let wanted: SnapshotHash = ScanManifest::parse(&answer.manifest)
        .unwrap()
        .concelier_snapshot;
    let cases = [
        (
            Subject::Purl("pkg:cargo/alpha@1.0.0".to_owned()),
            vec!["RUSTSEC-2026-0001", "RUSTSEC-2026-0002"],
        ),
        (Subject::Purl("pkg:cargo/alph".to_owned()), vec![]),
        (
            Subject::Vulnerability("CVE-2026-0001".to_owned()),
            vec!["CVE-2026-0001"],
        ),
        (Subject::Vulnerability("CVE-2026-0009".to_owned()), vec![]),
        (
            Subject::Vulnerability("RUSTSEC-2026-0003".to_owned()),
            vec!["RUSTSEC-2026-0003"],
        ),
        (
            Subject::Entry(
                r#"["advisory","crates.io","alpha","osv","RUSTSEC-2026-0002"]"#.to_owned(),
            ),
            vec!["RUSTSEC-2026-0002"],
        ),
    ];
    for (subject, expected) in cases {
        let proof = prove(&connection, subject.clone()).await;
        let verified = verify_snapshot_proof(&proof, &wanted).unwrap();
        assert_eq!(ids(&verified), expected, "{subject:?}");
        assert_eq!(verified.records().len(), expected.len());
        // No byte of it can be another one.
        for place in (0..proof.len()).step_by(7) {
            let mut mutant = proof.clone();
            mutant[place] ^= 1;
            // A true answer to another question may come of it, never another answer to this one.
            if let Ok(other) = verify_snapshot_proof(&mutant, &wanted) {
                assert_ne!(questions(&other), questions(&verified), "byte {place}");
            }
        }
    }
    for (subject, reason) in [
        (
            Subject::Purl("not a purl".to_owned()),
            Reason::InvalidArgument,
        ),
        (
            Subject::Purl("pkg:generic/x@1".to_owned()),
            Reason::InvalidArgument,
        ),
        (Subject::Entry("[]".to_owned()), Reason::InvalidArgument),
    ] {
        let request = wire::ProveSnapshotRequest {
            subject: Some(subject),
            ..wire::ProveSnapshotRequest::default()
        };
        let status = connection
            .snapshots()
            .prove_snapshot(request)
            .await
            .unwrap_err();
        assert_eq!(ClientError::from(status).reason(), reason);
    }
}
