//! Proof bundles from a real server: the same bytes whatever happens to keys and to the server.

use crate::support::{TestServer, scored};
use stella_client::Connection;
use stella_proto::admin::GetStatusRequest;
use stella_proto::proof as wire;
use stella_verify::bundle::{CheckName, Outcome, TrustInput, verify};
use stella_verify::keys::{PublicKey, SigningKey};
use stella_verify::note::VerifierKey;
use tokio_stream::StreamExt as _;

/// Downloads a bundle.
pub(crate) async fn download(
    connection: &Connection,
    request: wire::DownloadBundleRequest,
) -> Vec<u8> {
    let answers = connection.proofs().download_bundle(request).await.unwrap();
    let mut answers = answers.into_inner();
    let mut bundle = Vec::new();
    while let Some(answer) = answers.next().await {
        bundle.extend_from_slice(&answer.unwrap().chunk);
    }
    bundle
}

/// The keys that a server names as its own.
pub(crate) async fn keys(connection: &Connection) -> (PublicKey, VerifierKey) {
    let status = connection.admin().get_status(GetStatusRequest {}).await;
    let status = status.unwrap().into_inner();
    let key = PublicKey::from_pem(&status.signing_key_pem).unwrap();
    (key, status.vkey.parse().unwrap())
}

fn newest(scan_id: &str) -> wire::DownloadBundleRequest {
    wire::DownloadBundleRequest {
        scan_id: scan_id.to_owned(),
        ..wire::DownloadBundleRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rotating_the_signing_key_changes_no_bundle() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let scan = scored(&connection, "1.2.3").await;
    let (old_key, log_key) = keys(&connection).await;
    let before = download(&connection, newest(&scan.scan_id)).await;
    drop(connection);

    let directory = server.stop().await;
    let other = SigningKey::from_seed(&[0x5a; 32])
        .unwrap()
        .to_pem()
        .unwrap();
    std::fs::write(directory.path().join("keys/signing.key"), other).unwrap();
    let server = TestServer::over(directory).await;
    let connection = server.connect().await;
    let (new_key, _) = keys(&connection).await;
    assert_ne!(old_key, new_key, "another key signs");
    let after = download(&connection, newest(&scan.scan_id)).await;
    assert!(before == after, "the bundle is what was signed then");

    let judge = |key: &PublicKey, bundle: &[u8]| {
        let (keys, log_keys) = ([key.clone()], [log_key.clone()]);
        verify(bundle, &TrustInput::new(&keys, &log_keys))
    };
    assert!(judge(&old_key, &after).verified());
    let report = judge(&new_key, &after);
    assert_eq!(report.outcome(CheckName::SignatureValid), Outcome::Fail);
    assert_eq!(report.outcome(CheckName::LogInclusion), Outcome::Pass);

    // What is sealed from now on is signed by the new key.
    let scan = scored(&connection, "1.2.4").await;
    let bundle = download(&connection, newest(&scan.scan_id)).await;
    assert!(judge(&new_key, &bundle).verified());
    drop(connection);
    server.stop().await;
}
