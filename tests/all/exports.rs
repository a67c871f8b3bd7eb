//! Audit exports from a real server: what comes, where it goes on, and that both verifiers take it.

use crate::bundles::{download, keys};
use crate::second_verifier;
use crate::support::world::{LOW, advisory, files, import};
use crate::support::{TestServer, scored};
use std::sync::Arc;
use stella_client::{ClientError, Connection, ExportStream};
use stella_ledger::log::{EraseRequest, Principal};
use stella_proto::audit as wire;
use stella_proto::audit::export_point::Point;
use stella_proto::ledger::{AppendRequest, NewEvent};
use stella_proto::proof as proofs;
use stella_proto::reason::Reason;
use stella_proto::score::ReplayScoreRequest;
use stella_verify::bundle::{CheckName, Outcome, TrustInput, verify};
use stella_verify::event::Actor;
use stella_verify::export::{
    ExportTrust, ExportVerifier, ExportedEvent, ExportedPayload, VerifiedExport,
};
use stella_verify::note::VerifierKey;
use stella_verify::units::LeafIndex;

#[expect(clippy::unnecessary_wraps, reason = "as the request wants it")]
fn at(index: u64) -> Option<wire::ExportPoint> {
    let point = Some(Point::LeafIndex(index));
    Some(wire::ExportPoint { point })
}

fn range(from: u64, to: u64) -> wire::ExportEventsRequest {
    wire::ExportEventsRequest {
        from: at(from),
        to: at(to),
        resume: None,
    }
}

/// Appends `count` events in requests of 100, each with a payload of `bytes`.
async fn append(connection: &Connection, count: usize, bytes: usize) {
    for start in (0..count).step_by(100) {
        let event = |number: usize| NewEvent {
            stream: format!("s{}", number % 7),
            r#type: "build.finished".to_owned(),
            payload: vec![b'x'; bytes].into(),
            expected_position: None,
        };
        let request = AppendRequest {
            request_id: String::new(),
            events: (start..count.min(start + 100)).map(event).collect(),
        };
        connection.ledger().append(request).await.unwrap();
    }
}

async fn export(
    connection: &Connection,
    request: wire::ExportEventsRequest,
) -> Result<Vec<u8>, ClientError> {
    let mut stream = ExportStream::start(connection, request).await?;
    let mut file = Vec::new();
    while let Some(piece) = stream.next().await? {
        file.extend_from_slice(piece);
    }
    Ok(file)
}

fn judge(file: &[u8], key: &VerifierKey) -> VerifiedExport {
    let keys = [key.clone()];
    let mut verifier = ExportVerifier::new(ExportTrust::Log {
        keys: &keys,
        origin: None,
    });
    verifier.push(file, |_| ()).unwrap();
    verifier.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_range_verifies_and_is_the_same_file_each_time() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    append(&connection, 1100, 40).await;
    let (_, key) = keys(&connection).await;
    for (from, to) in [
        (0, 1100),
        (0, 1),
        (1099, 1100),
        (250, 260),
        (255, 769),
        (256, 512),
    ] {
        let file = export(&connection, range(from, to)).await.unwrap();
        let verified = judge(&file, &key);
        assert_eq!(
            (verified.range.start.get(), verified.range.end.get()),
            (from, to)
        );
        assert_eq!(verified.summary.present, to - from);
        assert!(verified.opening.size.get() <= from && to <= verified.closing.size.get());
        append(&connection, 1, 10).await;
        assert!(export(&connection, range(from, to)).await.unwrap() == file);
    }
    let everything = wire::ExportEventsRequest::default();
    let file = export(&connection, everything).await.unwrap();
    assert_eq!(judge(&file, &key).range.end.get(), 1106);
    let reason = |outcome: Result<Vec<u8>, ClientError>| outcome.unwrap_err().reason();
    let empty = export(&connection, range(5, 5)).await;
    assert_eq!(reason(empty), Reason::NotFound);
    let beyond = export(&connection, range(5, 5000)).await;
    assert_eq!(reason(beyond), Reason::BeyondTreeSize);
    drop(connection);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_on_where_it_broke_off() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    append(&connection, 900, 30).await;
    let (_, key) = keys(&connection).await;
    let whole = export(&connection, range(100, 850)).await.unwrap();
    judge(&whole, &key);
    let answers = connection.audit().export_events(range(100, 850)).await;
    let mut answers = answers.unwrap().into_inner();
    let (mut file, mut token) = (Vec::new(), None);
    while token.is_none() {
        let answer = answers.message().await.unwrap().unwrap();
        file.extend_from_slice(&answer.header);
        file.extend_from_slice(&answer.entries);
        file.extend_from_slice(&answer.payloads);
        token = answer.resume;
    }
    drop(answers);
    // The log grows meanwhile; the range stays.
    append(&connection, 100, 30).await;
    let rest = wire::ExportEventsRequest {
        resume: token,
        ..wire::ExportEventsRequest::default()
    };
    file.extend(export(&connection, rest).await.unwrap());
    assert!(file == whole);
    for (from, to, next) in [(100, 850, 300), (100, 850, 1024), (100, 5000, 256)] {
        let resume = Some(wire::ResumeToken { from, to, next });
        let request = wire::ExportEventsRequest {
            resume,
            ..wire::ExportEventsRequest::default()
        };
        assert!(
            export(&connection, request).await.is_err(),
            "{next} of {to}"
        );
    }
    drop(connection);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_is_said_and_the_rest_still_verifies() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    append(&connection, 20, 30).await;
    let (_, key) = keys(&connection).await;
    let app = Arc::clone(server.app());
    let erased = tokio::task::spawn_blocking(move || {
        app.ledger().erase(EraseRequest {
            principal: Principal::new(Arc::from("tester")).unwrap(),
            request_id: None,
            actor: Actor::new(Arc::from("tester")).unwrap(),
            leaves: [5, 6, 19].map(LeafIndex::new).to_vec(),
            reason: "asked for".to_owned(),
        })
    });
    erased.await.unwrap().unwrap();
    let file = export(&connection, range(3, 21)).await.unwrap();
    let keys = [key];
    let mut verifier = ExportVerifier::new(ExportTrust::Log {
        keys: &keys,
        origin: None,
    });
    let mut gone = Vec::new();
    let visit = |event: &ExportedEvent<'_>| {
        if let ExportedPayload::Erased { by } = event.payload {
            gone.push((event.index.get(), by.get()));
        }
    };
    verifier.push(&file, visit).unwrap();
    let summary = verifier.finish().unwrap().summary;
    assert_eq!(gone, [(5, 20), (6, 20), (19, 20)]);
    assert_eq!((summary.present, summary.erased), (15, 3));
    drop(connection);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_payloads_come_in_pieces() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    append(&connection, 40, 300_000).await;
    let (_, key) = keys(&connection).await;
    let file = export(&connection, range(3, 37)).await.unwrap();
    assert_eq!(judge(&file, &key).summary.present, 34);
    drop(connection);
    server.stop().await;
}

/// Replays a scan against a feed that says something else about its package.
async fn another_root(connection: &Connection, scan_id: &str) {
    let advisories = [advisory("RUSTSEC-2026-0001", "demo-lib", "9.0.0", LOW)];
    import(connection, files(&advisories)).await;
    let request = ReplayScoreRequest {
        scan_id: scan_id.to_owned(),
        ..ReplayScoreRequest::default()
    };
    let answer = connection.scores().replay_score(request).await.unwrap();
    assert_eq!(answer.into_inner().status, "computed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_of_a_bundle_is_the_logs_record_and_the_server_verifies_too() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    append(&connection, 300, 20).await;
    let scan = scored(&connection, "1.2.3").await;
    append(&connection, 10, 20).await;
    let (key, log_key) = keys(&connection).await;
    let request = proofs::DownloadBundleRequest {
        scan_id: scan.scan_id.clone(),
        include_chain: true,
        include_anchors: true,
        ..proofs::DownloadBundleRequest::default()
    };
    let bundle = download(&connection, request.clone()).await;
    append(&connection, 10, 20).await;
    assert!(
        download(&connection, request.clone()).await == bundle,
        "the same bytes later"
    );
    // Another root of the scan changes nothing about this one's bundle, and has this one in its own.
    another_root(&connection, &scan.scan_id).await;
    let first = proofs::DownloadBundleRequest {
        root_hash: scan.root_hash.clone(),
        ..request.clone()
    };
    assert!(
        download(&connection, first).await == bundle,
        "the same bytes after a replay"
    );
    let newer = download(&connection, request).await;
    let digits = scan.root_hash.trim_start_matches("sha256:");
    let seal = format!("chain/seals/{digits}.json");
    let has = |bundle: &[u8]| {
        let found = bundle.windows(seal.len());
        found.into_iter().any(|run| run == seal.as_bytes())
    };
    assert!(has(&newer) && !has(&bundle));
    let both = TrustInput::new(std::slice::from_ref(&key), std::slice::from_ref(&log_key));
    assert!(verify(&newer, &both).verified());
    let (keys, log_keys) = ([key.clone()], [log_key.clone()]);
    let report = verify(&bundle, &TrustInput::new(&keys, &log_keys));
    assert!(report.verified(), "{report:#?}");
    assert_eq!(report.outcome(CheckName::ChainValid), Outcome::Pass);

    let ask = |anchors: &[&str], check_rekor: bool| {
        let request = proofs::VerifyProofRequest {
            proof_bundle_id: scan.root_hash.clone(),
            check_rekor,
            anchor_ids: anchors.iter().map(|id| (*id).to_owned()).collect(),
        };
        let mut client = connection.proofs();
        async move { client.verify_proof(request).await }
    };
    let answer = ask(&[], false).await.unwrap().into_inner();
    assert!(answer.verified);
    let report: serde_json::Value = serde_json::from_slice(&answer.report).unwrap();
    assert_eq!(report["checks"]["logInclusion"]["status"], "pass");
    let id = key.id().to_string();
    assert!(
        ask(&["anchor-001"], false)
            .await
            .unwrap()
            .into_inner()
            .verified
    );
    assert!(ask(&[&id], false).await.unwrap().into_inner().verified);
    assert!(!ask(&[], true).await.unwrap().into_inner().verified);
    let unknown = ask(&["anchor-001", "anchor-777"], false).await.unwrap_err();
    assert_eq!(ClientError::from(unknown).reason(), Reason::NotFound);

    if second_verifier::can_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.display().to_string()
        };
        let vkey = log_key.to_string();
        let bundle = path("bundle.zip", &bundle);
        let pem = path("key.pem", key.to_pem().as_bytes());
        let run = ["bundle", &bundle, "--public-key", &pem, "--log-key", &vkey];
        let output = second_verifier::run(&run);
        assert!(output.status.success(), "{output:?}");
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said["checks"]["chainValid"]["status"], "pass");
        let mut file = export(&connection, range(200, 320)).await.unwrap();
        let good = path("good.export", &file);
        let last = file.len() - 3;
        file[last] ^= 1;
        let bad = path("bad.export", &file);
        let code = |file: &str| {
            let output = second_verifier::run(&["export", file, "--log-key", &vkey]);
            output.status.code()
        };
        assert_eq!((code(&good), code(&bad)), (Some(0), Some(3)));
    }
    drop(connection);
    server.stop().await;
}
