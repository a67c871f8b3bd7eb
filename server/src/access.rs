//! One table: what a method of the API needs.

use crate::http::routes;
use http::Method;

/// What a call needs before it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing: health, reflection and the public tiles of the log.
    Open,
    /// A principal that may read.
    Read,
    /// A principal that may change the ledger.
    Write,
}

/// Every gRPC method by its path. A method without a row is refused, and a test fails for it.
const METHODS: &[(&str, Access)] = &[
    ("/stella.admin.v1.AdminService/Fsck", Access::Read),
    ("/stella.admin.v1.AdminService/GetStatus", Access::Read),
    ("/stella.admin.v1.AdminService/Rebuild", Access::Write),
    ("/stella.audit.v1.AuditService/ExportEvents", Access::Read),
    ("/stella.ledger.v1.LedgerService/Append", Access::Write),
    (
        "/stella.ledger.v1.LedgerService/AppendStream",
        Access::Write,
    ),
    (
        "/stella.ledger.v1.LedgerService/GetCheckpoint",
        Access::Read,
    ),
    (
        "/stella.ledger.v1.LedgerService/GetConsistencyProof",
        Access::Read,
    ),
    (
        "/stella.ledger.v1.LedgerService/GetInclusionProof",
        Access::Read,
    ),
    ("/stella.ledger.v1.LedgerService/ReadEvents", Access::Read),
    ("/stella.ledger.v1.LedgerService/ReadStream", Access::Read),
    ("/stella.ledger.v1.LedgerService/Tail", Access::Read),
    ("/stella.proof.v1.ProofService/DownloadBundle", Access::Read),
    ("/stella.proof.v1.ProofService/GetNode", Access::Read),
    ("/stella.proof.v1.ProofService/GetProofRoot", Access::Read),
    ("/stella.proof.v1.ProofService/GetProofStatus", Access::Read),
    ("/stella.proof.v1.ProofService/ListProofs", Access::Read),
    (
        "/stella.proof.v1.ProofService/ListSealedProofs",
        Access::Read,
    ),
    ("/stella.proof.v1.ProofService/VerifyProof", Access::Read),
    (
        "/stella.replay.v1.ReplayService/CancelOperation",
        Access::Write,
    ),
    ("/stella.replay.v1.ReplayService/GetOperation", Access::Read),
    (
        "/stella.replay.v1.ReplayService/ListOperations",
        Access::Read,
    ),
    (
        "/stella.replay.v1.ReplayService/StartBatchReplay",
        Access::Write,
    ),
    (
        "/stella.replay.v1.ReplayService/WatchOperation",
        Access::Read,
    ),
    ("/stella.scan.v1.ScanService/GetScan", Access::Read),
    ("/stella.scan.v1.ScanService/ListScans", Access::Read),
    ("/stella.scan.v1.ScanService/SubmitScan", Access::Write),
    ("/stella.score.v1.ScoreService/GetManifest", Access::Read),
    ("/stella.score.v1.ScoreService/ReplayScore", Access::Write),
    (
        "/stella.snapshot.v1.SnapshotService/DiffSnapshots",
        Access::Read,
    ),
    (
        "/stella.snapshot.v1.SnapshotService/GetPolicy",
        Access::Read,
    ),
    (
        "/stella.snapshot.v1.SnapshotService/GetSnapshot",
        Access::Read,
    ),
    (
        "/stella.snapshot.v1.SnapshotService/ImportSnapshot",
        Access::Write,
    ),
    (
        "/stella.snapshot.v1.SnapshotService/ListPolicies",
        Access::Read,
    ),
    (
        "/stella.snapshot.v1.SnapshotService/ListSnapshots",
        Access::Read,
    ),
    (
        "/stella.snapshot.v1.SnapshotService/ProveSnapshot",
        Access::Read,
    ),
    (
        "/stella.snapshot.v1.SnapshotService/PublishPolicy",
        Access::Write,
    ),
    (
        "/stella.snapshot.v1.SnapshotService/PublishSnapshot",
        Access::Write,
    ),
    (
        "/stella.snapshot.v1.SnapshotService/RegisterPolicy",
        Access::Write,
    ),
];

/// What a call to `path` needs; `None` when nothing answers there.
#[must_use]
pub(crate) fn needed(method: &Method, path: &str) -> Option<Access> {
    if path.starts_with("/api/") {
        return routes::needed(method, path);
    }
    if let Ok(row) = METHODS.binary_search_by(|(name, _)| (*name).cmp(path)) {
        return METHODS.get(row).map(|(_, access)| *access);
    }
    let open = path == "/checkpoint"
        || path.starts_with("/tile/")
        || path.starts_with("/grpc.health.v1.Health/")
        || path.starts_with("/grpc.reflection.");
    open.then_some(Access::Open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

    fn methods_of_the_contract() -> Vec<String> {
        let files = prost_types::FileDescriptorSet::decode(stella_proto::DESCRIPTORS).unwrap();
        let mut methods = Vec::new();
        for file in &files.file {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    methods.push(path);
                }
            }
        }
        methods.sort();
        methods
    }

    #[test]
    fn every_method_has_a_row_and_every_row_a_method() {
        let rows: Vec<String> = METHODS.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(rows, methods_of_the_contract(), "and the rows are sorted");
    }

    #[test]
    fn what_nobody_declared_is_not_open() {
        assert_eq!(
            needed(&Method::POST, "/stella.ledger.v1.LedgerService/Drop"),
            None
        );
        assert_eq!(needed(&Method::GET, "/metrics"), None);
        assert_eq!(needed(&Method::GET, "/tile/0/000"), Some(Access::Open));
    }
}
