//! Questions as of a tree: what came later is not there, what went later still is.

use crate::support::TestServer;
use crate::support::world::{HIGH, LOW, advisory, bill, files, import, submit};
use stella_client::{ClientError, Connection};
use stella_proto::proof::{
    DownloadBundleRequest, GetNodeRequest, GetProofRootRequest, ListSealedProofsRequest,
};
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_verify::snapshot::verify_snapshot_proof;
use wire::prove_snapshot_request::Subject;

async fn tree_size(connection: &Connection) -> u64 {
    let request = stella_proto::admin::GetStatusRequest {};
    let status = connection.admin().get_status(request).await.unwrap();
    status.into_inner().tree_size
}

fn reason(status: tonic::Status) -> Reason {
    ClientError::from(status).reason()
}

async fn shown(
    connection: &Connection,
    hash: &str,
    tree_size: Option<u64>,
) -> Result<wire::GetSnapshotResponse, Reason> {
    let hash = hash.to_owned();
    let request = wire::GetSnapshotRequest { hash, tree_size };
    let answer = connection.snapshots().get_snapshot(request).await;
    answer.map(tonic::Response::into_inner).map_err(reason)
}

async fn differing(
    connection: &Connection,
    hashes: [&str; 2],
    tree_size: Option<u64>,
) -> Result<(), Reason> {
    let request = wire::DiffSnapshotsRequest {
        old_hash: hashes[0].to_owned(),
        new_hash: hashes[1].to_owned(),
        scan_id: String::new(),
        tree_size,
    };
    let answer = connection.snapshots().diff_snapshots(request).await;
    answer.map(|_| ()).map_err(reason)
}

async fn proved(
    connection: &Connection,
    hash: &str,
    tree_size: Option<u64>,
) -> Result<Vec<u8>, Reason> {
    let request = wire::ProveSnapshotRequest {
        hash: hash.to_owned(),
        with_records: false,
        subject: Some(Subject::Purl("pkg:cargo/alpha".to_owned())),
        tree_size,
    };
    let answer = connection.snapshots().prove_snapshot(request).await;
    let proof = answer.map(|answer| answer.into_inner().proof.to_vec());
    proof.map_err(reason)
}

fn feed(vector: &str) -> Vec<(String, Vec<u8>)> {
    files(&[advisory("RUSTSEC-2026-0001", "alpha", "2.0.0", vector)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_there_between_its_import_and_its_removal() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let before = tree_size(&connection).await;
    let first = import(&connection, feed(LOW)).await;
    let between = tree_size(&connection).await;
    let second = import(&connection, feed(HIGH)).await;
    let after = tree_size(&connection).await;

    // Before it was imported it is not there, whatever is asked of it.
    let absent = Some(Reason::SnapshotNotFound);
    for size in [before, between] {
        let at = Some(size);
        assert_eq!(shown(&connection, &second, at).await.err(), absent);
        assert_eq!(proved(&connection, &second, at).await.err(), absent);
        let refused = differing(&connection, [&first, &second], at).await;
        assert_eq!(refused.err(), absent);
    }
    assert_eq!(proved(&connection, "", Some(before)).await.err(), absent);
    let beyond = shown(&connection, &first, Some(after + 1)).await;
    assert_eq!(beyond.err(), Some(Reason::BeyondTreeSize));

    // Which one is current is a matter of the tree, too.
    let then = shown(&connection, &first, Some(between)).await.unwrap();
    assert!(then.snapshot.clone().unwrap().current);
    let now = shown(&connection, &first, None).await.unwrap();
    assert!(!now.snapshot.clone().unwrap().current);
    assert_eq!((&now.header, &now.tables), (&then.header, &then.tables));
    let proof = proved(&connection, "", Some(between)).await.unwrap();
    verify_snapshot_proof(&proof, &first.parse().unwrap()).unwrap();
    let proof = proved(&connection, "", Some(after)).await.unwrap();
    verify_snapshot_proof(&proof, &second.parse().unwrap()).unwrap();
    differing(&connection, [&first, &second], Some(after))
        .await
        .unwrap();

    // Removed: as of then it is told of, but its records are gone for every tree.
    let hash = first.clone();
    let request = wire::RemoveSnapshotRequest { hash };
    connection
        .snapshots()
        .remove_snapshot(request)
        .await
        .unwrap();
    let gone = Some(Reason::SnapshotRemoved);
    let told = shown(&connection, &first, Some(after)).await.unwrap();
    assert_eq!((told.snapshot, told.header), (now.snapshot, now.header));
    assert!(told.tables.is_empty() && !now.tables.is_empty());
    assert_eq!(proved(&connection, &first, Some(after)).await.err(), gone);
    let refused = differing(&connection, [&first, &second], Some(after)).await;
    assert_eq!(refused.err(), gone);
    assert_eq!(shown(&connection, &first, None).await.err(), gone);
    assert_eq!(shown(&connection, &first, Some(before)).await.err(), absent);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_roots_nodes_and_bundles_are_there_once_they_are_recorded() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(&connection, feed(LOW)).await;
    let before = tree_size(&connection).await;
    let scan = submit(&connection, &bill("app", &["alpha"])).await;
    let after = tree_size(&connection).await;
    let policies = wire::ListPoliciesRequest::default();
    let policies = connection.snapshots().list_policies(policies).await;
    let policy = policies.unwrap().into_inner().policies[0].hash.clone();
    for (size, there) in [(before, false), (after, true)] {
        let tree_size = Some(size);
        let asked = wire::GetPolicyRequest {
            hash: policy.clone(),
            tree_size,
        };
        let answer = connection.snapshots().get_policy(asked).await;
        expected(answer.map(|_| ()), there, Reason::PolicyNotFound);
        let asked = GetProofRootRequest {
            root_hash: scan.root_hash.clone(),
            tree_size,
        };
        let answer = connection.proofs().get_proof_root(asked).await;
        expected(answer.map(|_| ()), there, Reason::ProofNotFound);
        let asked = GetNodeRequest {
            node_id: format!("sha256:{}", "7".repeat(64)),
            tree_size,
        };
        let answer = connection.proofs().get_node(asked).await;
        expected(answer.map(|_| ()), false, Reason::NodeNotFound);
        let asked = DownloadBundleRequest {
            root_hash: scan.root_hash.clone(),
            tree_size,
            ..DownloadBundleRequest::default()
        };
        let answer = connection.proofs().download_bundle(asked).await;
        expected(answer.map(|_| ()), there, Reason::ProofNotFound);
        let asked = ListSealedProofsRequest {
            to_unix_ms: u64::MAX,
            tree_size,
            ..ListSealedProofsRequest::default()
        };
        let answer = connection.proofs().list_sealed_proofs(asked).await;
        let sealed = answer.unwrap().into_inner().proofs;
        assert_eq!(sealed.len(), usize::from(there));
    }
}

fn expected(answer: Result<(), tonic::Status>, there: bool, otherwise: Reason) {
    match answer {
        Ok(()) => assert!(there, "it is not recorded yet: {otherwise:?}"),
        Err(status) => assert_eq!((reason(status), there), (otherwise, false)),
    }
}
