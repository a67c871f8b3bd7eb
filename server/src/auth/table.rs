//! One table: what a method of the API needs.

use super::scope::Scope;
use crate::http::routes;
use crate::refusal::Refusal;
use Need::{Read, Write};
use Scope::{LedgerAppend, LedgerExport, ScannerProofs, ScannerScans, SchedulerAdmin};
use http::Method;
use stella_proto::reason::Reason;

/// What a call needs before it is looked at.
///
/// Whether it changes anything counts only where reading is open to everyone (`serve --dev`): a
/// replay needs the scope that reading needs, but also somebody who stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: health, reflection, checkpoint and hash tiles of the log.
    Open,
    /// A caller with this scope; nothing changes.
    Read(Scope),
    /// A caller with this scope; the ledger changes, or works hard.
    Write(Scope),
}

impl Need {
    /// The scope that a caller must have.
    pub(crate) const fn scope(self) -> Option<Scope> {
        match self {
            Self::Open => None,
            Read(scope) | Write(scope) => Some(scope),
        }
    }
}

/// Every gRPC method by its path. A method without a row is refused, and a test fails for it.
const METHODS: &[(&str, Need)] = &[
    (
        "/google.longrunning.Operations/CancelOperation",
        Write(ScannerProofs),
    ),
    (
        "/google.longrunning.Operations/DeleteOperation",
        Write(ScannerProofs),
    ),
    (
        "/google.longrunning.Operations/GetOperation",
        Read(ScannerProofs),
    ),
    (
        "/google.longrunning.Operations/ListOperations",
        Read(ScannerProofs),
    ),
    (
        "/google.longrunning.Operations/WaitOperation",
        Read(ScannerProofs),
    ),
    ("/stella.admin.v1.AdminService/Fsck", Write(SchedulerAdmin)),
    (
        "/stella.admin.v1.AdminService/GetStatus",
        Read(ScannerProofs),
    ),
    (
        "/stella.admin.v1.AdminService/Rebuild",
        Write(SchedulerAdmin),
    ),
    (
        "/stella.audit.v1.AuditService/ExportEvents",
        Read(LedgerExport),
    ),
    (
        "/stella.ledger.v1.LedgerService/Append",
        Write(LedgerAppend),
    ),
    (
        "/stella.ledger.v1.LedgerService/AppendStream",
        Write(LedgerAppend),
    ),
    (
        "/stella.ledger.v1.LedgerService/GetCheckpoint",
        Read(ScannerProofs),
    ),
    (
        "/stella.ledger.v1.LedgerService/GetConsistencyProof",
        Read(ScannerProofs),
    ),
    (
        "/stella.ledger.v1.LedgerService/GetInclusionProof",
        Read(ScannerProofs),
    ),
    (
        "/stella.ledger.v1.LedgerService/ReadEvents",
        Read(LedgerExport),
    ),
    (
        "/stella.ledger.v1.LedgerService/ReadStream",
        Read(ScannerProofs),
    ),
    ("/stella.ledger.v1.LedgerService/Tail", Read(LedgerExport)),
    (
        "/stella.proof.v1.ProofService/DownloadBundle",
        Read(ScannerProofs),
    ),
    ("/stella.proof.v1.ProofService/GetNode", Read(ScannerProofs)),
    (
        "/stella.proof.v1.ProofService/GetProofRoot",
        Read(ScannerProofs),
    ),
    (
        "/stella.proof.v1.ProofService/GetProofStatus",
        Read(ScannerProofs),
    ),
    (
        "/stella.proof.v1.ProofService/ListProofs",
        Read(ScannerProofs),
    ),
    (
        "/stella.proof.v1.ProofService/ListSealedProofs",
        Read(ScannerProofs),
    ),
    (
        "/stella.proof.v1.ProofService/VerifyProof",
        Read(ScannerProofs),
    ),
    (
        "/stella.replay.v1.ReplayService/CancelOperation",
        Write(ScannerProofs),
    ),
    (
        "/stella.replay.v1.ReplayService/GetOperation",
        Read(ScannerProofs),
    ),
    (
        "/stella.replay.v1.ReplayService/ListOperations",
        Read(ScannerProofs),
    ),
    (
        "/stella.replay.v1.ReplayService/StartBatchReplay",
        Write(ScannerProofs),
    ),
    (
        "/stella.replay.v1.ReplayService/WatchOperation",
        Read(ScannerProofs),
    ),
    ("/stella.scan.v1.ScanService/GetScan", Read(ScannerProofs)),
    ("/stella.scan.v1.ScanService/ListScans", Read(ScannerProofs)),
    (
        "/stella.scan.v1.ScanService/SubmitScan",
        Write(ScannerScans),
    ),
    (
        "/stella.score.v1.ScoreService/GetManifest",
        Read(ScannerProofs),
    ),
    (
        "/stella.score.v1.ScoreService/ReplayScore",
        Write(ScannerProofs),
    ),
    (
        "/stella.snapshot.v1.SnapshotService/DiffSnapshots",
        Read(ScannerProofs),
    ),
    (
        "/stella.snapshot.v1.SnapshotService/GetPolicy",
        Read(ScannerProofs),
    ),
    (
        "/stella.snapshot.v1.SnapshotService/GetSnapshot",
        Read(ScannerProofs),
    ),
    (
        "/stella.snapshot.v1.SnapshotService/ImportSnapshot",
        Write(ScannerScans),
    ),
    (
        "/stella.snapshot.v1.SnapshotService/ListPolicies",
        Read(ScannerProofs),
    ),
    (
        "/stella.snapshot.v1.SnapshotService/ListSnapshots",
        Read(ScannerProofs),
    ),
    (
        "/stella.snapshot.v1.SnapshotService/ProveSnapshot",
        Read(ScannerProofs),
    ),
    (
        "/stella.snapshot.v1.SnapshotService/PublishPolicy",
        Write(ScannerScans),
    ),
    (
        "/stella.snapshot.v1.SnapshotService/PublishSnapshot",
        Write(ScannerScans),
    ),
    (
        "/stella.snapshot.v1.SnapshotService/RegisterPolicy",
        Write(ScannerScans),
    ),
    (
        "/stella.snapshot.v1.SnapshotService/RemoveSnapshot",
        Write(SchedulerAdmin),
    ),
];

/// What a call to `path` needs; `None` when nothing answers there.
#[must_use]
pub(crate) fn needed(method: &Method, path: &str) -> Option<Need> {
    if path.starts_with("/api/") {
        return routes::needed(method, path);
    }
    if let Some(need) = of_rpc(path) {
        return Some(need);
    }
    // Metrics name methods and what callers did wrong: for whoever may read.
    if path.starts_with("/tile/entries/") || path == "/metrics" {
        return Some(Read(ScannerProofs));
    }
    let open = path == "/checkpoint"
        || path == "/openapi.json"
        || path == "/healthz"
        || path == "/readyz"
        || path.starts_with("/tile/")
        || path.starts_with("/grpc.health.v1.Health/")
        || path.starts_with("/grpc.reflection.");
    open.then_some(Need::Open)
}

/// What a method of the contract needs, by its path.
pub(crate) fn of_rpc(path: &str) -> Option<Need> {
    let row = METHODS.binary_search_by(|(name, _)| (*name).cmp(path));
    METHODS.get(row.ok()?).map(|(_, need)| *need)
}

/// The method of the contract that a call is one of, or that its route answers like; none for what
/// stands apart, as the tiles do.
pub(crate) fn name_of(method: &Method, path: &str) -> Option<&'static str> {
    let row = METHODS.binary_search_by(|(name, _)| (*name).cmp(path));
    let rpc = row
        .ok()
        .and_then(|row| METHODS.get(row))
        .map(|(name, _)| *name);
    let rpc = rpc.or_else(|| routes::found(method, path).map(|route| route.rpc));
    rpc.map(|name| name.trim_start_matches('/'))
}

/// Why nothing answers a call: no such path, or not with this method.
pub(crate) fn nobody(method: &Method, path: &str) -> Refusal {
    let allowed = routes::allowed(path);
    if allowed.is_empty() {
        return Refusal::new(Reason::NotFound, format!("nothing answers {method} {path}"));
    }
    let message = format!("{path} answers {allowed}, not {method}");
    Refusal {
        allow: Some(allowed.into()),
        ..Refusal::new(Reason::MethodNotAllowed, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Act;
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
    fn whatever_takes_a_privilege_and_changes_something_is_an_act() {
        let admin = [Scope::SchedulerAdmin, Scope::TrustAdmin];
        let acts: Vec<&str> = Act::ALL.iter().map(|act| act.method()).collect();
        for (path, need) in METHODS {
            let name = path.trim_start_matches('/');
            // It reads every byte: hard work, but nothing changes.
            let reads = name == "stella.admin.v1.AdminService/Fsck";
            let privileged = matches!(need, Write(scope) if admin.contains(scope));
            assert!(!privileged || reads || acts.contains(&name), "{name}");
        }
        for name in acts {
            assert!(of_rpc(&format!("/{name}")).is_some(), "{name}");
        }
    }

    #[test]
    fn calls_have_the_names_of_the_contract() {
        let named = |method, path| name_of(&method, path);
        let remove = Some("stella.snapshot.v1.SnapshotService/RemoveSnapshot");
        assert_eq!(named(Method::DELETE, "/api/v1/snapshots/a"), remove);
        let rpc = "/stella.snapshot.v1.SnapshotService/RemoveSnapshot";
        assert_eq!(named(Method::POST, rpc), remove);
        assert_eq!(named(Method::GET, "/checkpoint"), None);
    }

    #[test]
    fn what_nobody_declared_is_not_open() {
        assert_eq!(
            needed(&Method::POST, "/stella.ledger.v1.LedgerService/Drop"),
            None
        );
        assert_eq!(needed(&Method::GET, "/metric"), None);
        assert_eq!(needed(&Method::GET, "/metrics"), Some(Read(ScannerProofs)));
        assert_eq!(needed(&Method::GET, "/tile/0/000"), Some(Need::Open));
        assert_eq!(
            needed(&Method::GET, "/tile/entries/000"),
            Some(Read(ScannerProofs))
        );
    }
}
