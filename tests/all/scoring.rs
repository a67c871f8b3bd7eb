//! The main job over gRPC: a snapshot, a scan, its proof, a replay; and what each refuses.

use crate::support::TestServer;
use std::collections::BTreeSet;
use std::path::Path;
use stella_client::{ClientError, Connection};
use stella_proto::admin::GetStatusRequest;
use stella_proto::proof::{
    DownloadBundleRequest, GetNodeRequest, GetProofRootRequest, ListProofsRequest,
};
use stella_proto::reason::Reason;
use stella_proto::scan::{GetScanRequest, ListScansRequest, Scan, SubmitScanRequest};
use stella_proto::score::{GetManifestRequest, ReplayScoreRequest};
use stella_proto::snapshot as wire;
use stella_verify::bundle::{TrustInput, verify};
use stella_verify::keys::PublicKey;
use stella_verify::manifest::ScanManifest;
use stella_verify::note::VerifierKey;
use tokio_stream::StreamExt as _;

/// The example's advisories of one month.
pub(crate) fn feed(month: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/feeds");
    let mut files: Vec<_> = std::fs::read_dir(folder.join(month))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// A document of crates, each `name@version`.
pub(crate) fn sbom(crates: &[&str]) -> Vec<u8> {
    let components: Vec<_> = crates
        .iter()
        .map(|one| {
            let (name, version) = one.split_once('@').unwrap();
            serde_json::json!({
                "type": "library", "name": name, "version": version,
                "purl": format!("pkg:cargo/{one}"), "bom-ref": one,
            })
        })
        .collect();
    let document = serde_json::json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "components": components,
    });
    serde_json::to_vec(&document).unwrap()
}

/// Imports files as one snapshot and makes it current.
pub(crate) async fn import(
    connection: &Connection,
    files: Vec<(String, Vec<u8>)>,
) -> Result<wire::Snapshot, ClientError> {
    use wire::import_snapshot_request::Part;
    let header = wire::ImportHeader {
        kind: wire::SnapshotKind::Concelier.into(),
        publish: true,
        ..wire::ImportHeader::default()
    };
    let mut parts = vec![Part::Header(header)];
    for (name, bytes) in files {
        parts.push(Part::File(wire::SourceFile { name }));
        let chunks = bytes.chunks(1000);
        parts.extend(chunks.map(|chunk| Part::Chunk(chunk.to_vec().into())));
    }
    let messages = parts
        .into_iter()
        .map(|part| wire::ImportSnapshotRequest { part: Some(part) });
    let answer = connection
        .snapshots()
        .import_snapshot(tokio_stream::iter(messages.collect::<Vec<_>>()))
        .await?;
    Ok(answer.into_inner().snapshot.unwrap())
}

pub(crate) async fn submit(connection: &Connection, sbom: Vec<u8>) -> Result<Scan, ClientError> {
    let request = SubmitScanRequest {
        sbom: sbom.into(),
        ..Default::default()
    };
    let answer = connection.scans().submit_scan(request).await?.into_inner();
    Ok(answer.scan.unwrap())
}

const CRATES: &[&str] = &["h2@0.4.20", "flate2@1.1.11", "serde@1.0.0"];

async fn download(connection: &Connection, scan: &str, root: &str) -> Result<Vec<u8>, ClientError> {
    let request = DownloadBundleRequest {
        scan_id: scan.to_owned(),
        root_hash: root.to_owned(),
        ..DownloadBundleRequest::default()
    };
    let answer = connection.proofs().download_bundle(request).await?;
    let mut chunks = answer.into_inner();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk?.chunk);
    }
    Ok(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_scored_found_and_proved_offline() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(&connection, feed("june")).await.unwrap();
    let scan = submit(&connection, sbom(CRATES)).await.unwrap();
    assert_eq!(scan.status, "sealed");
    assert!(scan.score_bps > 0 && scan.node_count > 0);

    let request = GetScanRequest {
        scan_id: scan.scan_id.clone(),
        ..GetScanRequest::default()
    };
    let found = connection.scans().get_scan(request).await.unwrap();
    assert_eq!(found.into_inner().scan.unwrap().root_hash, scan.root_hash);
    let everything = ListScansRequest::default();
    let listed = connection.scans().list_scans(everything).await.unwrap();
    assert_eq!(listed.into_inner().scans.len(), 1);

    let request = GetManifestRequest {
        scan_id: scan.scan_id.clone(),
        root_hash: String::new(),
        ..GetManifestRequest::default()
    };
    let manifest = connection.scores().get_manifest(request).await.unwrap();
    let manifest = ScanManifest::parse(&manifest.into_inner().manifest).unwrap();
    assert_eq!(manifest.hash().to_string(), scan.manifest_hash);

    let bundle = download(&connection, &scan.scan_id, &scan.root_hash).await;
    let bundle = bundle.unwrap();
    let again = download(&connection, &scan.scan_id, &scan.root_hash).await;
    assert_eq!(bundle, again.unwrap(), "the same bytes at every download");
    let status = connection.admin().get_status(GetStatusRequest {}).await;
    let log_key: VerifierKey = status.unwrap().into_inner().vkey.parse().unwrap();
    let pem = server.directory.path().join("keys/signing.pub.pem");
    let key = PublicKey::from_pem(&std::fs::read_to_string(pem).unwrap()).unwrap();
    let (keys, log_keys) = ([key], [log_key]);
    let report = verify(&bundle, &TrustInput::new(&keys, &log_keys));
    assert!(
        report.verified(),
        "{}",
        String::from_utf8_lossy(&report.to_json())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_of_a_score_is_an_event_that_can_be_found_by_its_id() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(&connection, feed("june")).await.unwrap();
    let scan = submit(&connection, sbom(CRATES)).await.unwrap();
    let bundle = download(&connection, &scan.scan_id, &scan.root_hash).await;
    let bundle = bundle.unwrap();
    let files = stella_verify::bundle::BundleFiles::open(&bundle).unwrap();
    let proof: serde_json::Value = serde_json::from_slice(files.score_proof).unwrap();
    let nodes = proof["nodes"].as_array().unwrap();
    assert_eq!(u64::try_from(nodes.len()).unwrap(), scan.node_count);
    let mut leaves = BTreeSet::new();
    for node in nodes {
        let id = node["id"].as_str().unwrap();
        let request = GetNodeRequest {
            node_id: id.to_owned(),
            tree_size: None,
        };
        let answer = connection.proofs().get_node(request).await.unwrap();
        let answer = answer.into_inner();
        assert_eq!(answer.node_id, id);
        assert_eq!(answer.occurrences.len(), 1);
        leaves.insert(answer.occurrences[0].leaf_index);
    }
    assert_eq!(leaves.len(), nodes.len(), "a leaf each");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_inputs_are_the_same_scan_and_a_replay_of_them_is_one_event() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(&connection, feed("june")).await.unwrap();
    let scan = submit(&connection, sbom(CRATES)).await.unwrap();
    let again = submit(&connection, sbom(CRATES)).await.unwrap();
    assert_eq!(
        (&scan.scan_id, &scan.root_hash),
        (&again.scan_id, &again.root_hash)
    );
    let size = |connection: Connection| async move {
        let status = connection.admin().get_status(GetStatusRequest {}).await;
        status.unwrap().into_inner().tree_size
    };
    let before = size(connection.clone()).await;
    let request = ReplayScoreRequest {
        scan_id: scan.scan_id.clone(),
        use_original_snapshots: true,
        ..Default::default()
    };
    let replayed = connection.scores().replay_score(request).await.unwrap();
    let replayed = replayed.into_inner();
    assert!(replayed.verified_equal);
    assert_eq!(replayed.replayed_root_hash, scan.root_hash);
    assert_eq!(size(connection.clone()).await, before + 1);

    import(&connection, feed("september")).await.unwrap();
    let request = ReplayScoreRequest {
        scan_id: scan.scan_id.clone(),
        ..Default::default()
    };
    let replayed = connection.scores().replay_score(request).await.unwrap();
    let replayed = replayed.into_inner();
    assert_ne!(replayed.replayed_root_hash, scan.root_hash);
    assert_ne!(replayed.replayed_manifest_hash, scan.manifest_hash);
    let request = ListProofsRequest {
        scan_id: scan.scan_id.clone(),
        ..ListProofsRequest::default()
    };
    let proofs = connection.proofs().list_proofs(request).await.unwrap();
    assert_eq!(proofs.into_inner().proofs.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_lost_projections_change_no_answer() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(&connection, feed("june")).await.unwrap();
    let scan = submit(&connection, sbom(CRATES)).await.unwrap();
    let bundle = download(&connection, &scan.scan_id, &scan.root_hash).await;
    drop(connection);
    let directory = server.stop().await;
    std::fs::remove_dir_all(directory.path().join("index")).unwrap();
    let server = TestServer::over(directory).await;
    let connection = server.connect().await;
    let request = GetScanRequest {
        scan_id: scan.scan_id.clone(),
        ..GetScanRequest::default()
    };
    let found = connection.scans().get_scan(request).await.unwrap();
    let found = found.into_inner().scan.unwrap();
    assert_eq!(
        (&found.root_hash, &found.created_at, found.score_bps),
        (&scan.root_hash, &scan.created_at, scan.score_bps)
    );
    let again = download(&connection, &scan.scan_id, &scan.root_hash).await;
    assert_eq!(bundle.unwrap(), again.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_what_is_wrong_and_record_nothing() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let none = submit(&connection, sbom(CRATES)).await.unwrap_err();
    assert_eq!(none.reason(), Reason::SnapshotNotFound, "{none}");
    import(&connection, feed("june")).await.unwrap();
    let status = connection.admin().get_status(GetStatusRequest {}).await;
    let before = status.unwrap().into_inner().tree_size;

    let bad = submit(&connection, b"{}".to_vec()).await.unwrap_err();
    assert_eq!(bad.reason(), Reason::BadSbom, "{bad}");
    let mut files = feed("september");
    files.push(("BAD.json".to_owned(), b"{\"id\": 1}".to_vec()));
    let bad = import(&connection, files).await.unwrap_err();
    assert_eq!(bad.reason(), Reason::SnapshotBadRecord, "{bad}");
    assert!(bad.to_string().contains("BAD.json"), "{bad}");
    let request = SubmitScanRequest {
        sbom: sbom(CRATES).into(),
        concelier_snapshot_hash: format!("sha256:{}", "7".repeat(64)),
        ..Default::default()
    };
    let unknown = connection.scans().submit_scan(request).await.unwrap_err();
    let unknown = ClientError::from(unknown);
    assert_eq!(unknown.reason(), Reason::SnapshotNotFound, "{unknown}");
    for scan in ["scan-00000000000000000000", "no scan"] {
        let refused = download(&connection, scan, "").await.unwrap_err();
        assert_eq!(refused.reason(), Reason::ScanNotFound, "{refused}");
    }
    let request = GetProofRootRequest {
        root_hash: "sha256:short".to_owned(),
        tree_size: None,
    };
    let short = connection.proofs().get_proof_root(request).await;
    let short = ClientError::from(short.unwrap_err());
    assert_eq!(short.reason(), Reason::InvalidArgument, "{short}");

    let anonymous = server.anonymous().await;
    let refused = submit(&anonymous, sbom(CRATES)).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::Unauthenticated);
    let status = connection.admin().get_status(GetStatusRequest {}).await;
    assert_eq!(status.unwrap().into_inner().tree_size, before);
}
