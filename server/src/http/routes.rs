//! One table: every HTTP route, and what a call of it needs.

use crate::auth::table::{self, Need};
use http::Method;

/// A route by its method and its path template; `{name}` stands for one segment of a path.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) template: &'static str,
    /// The method of the contract that it answers like; a call needs the same.
    pub(crate) rpc: &'static str,
}

const fn get(template: &'static str, rpc: &'static str) -> Route {
    Route {
        method: Method::GET,
        template,
        rpc,
    }
}

const fn post(template: &'static str, rpc: &'static str) -> Route {
    Route {
        method: Method::POST,
        template,
        rpc,
    }
}

const fn delete(template: &'static str, rpc: &'static str) -> Route {
    Route {
        method: Method::DELETE,
        template,
        rpc,
    }
}

pub(crate) const SCANS: &str = "/api/v1/scanner/scans";
pub(crate) const SCAN: &str = "/api/v1/scanner/scans/{scan_id}";
pub(crate) const MANIFEST: &str = "/api/v1/scanner/scans/{scan_id}/manifest";
pub(crate) const REPLAY: &str = "/api/v1/scanner/scans/{scan_id}/score/replay";
pub(crate) const PROOFS: &str = "/api/v1/scanner/scans/{scan_id}/proofs";
pub(crate) const PROOF_STATUS: &str = "/api/v1/scanner/scans/{scan_id}/proof-status";
pub(crate) const BUNDLE: &str = "/api/v1/scanner/scans/{scan_id}/proofs/{root_hash}";
pub(crate) const BATCH: &str = "/api/v1/scanner/batch/replay";
pub(crate) const BATCH_OPERATION: &str = "/api/v1/scanner/batch/replay/{name}";
pub(crate) const BATCH_CANCEL: &str = "/api/v1/scanner/batch/replay/{name}:cancel";
pub(crate) const VERIFY: &str = "/api/v1/proofs/verify";
pub(crate) const SEALED: &str = "/api/v1/proofs";
pub(crate) const ROOT: &str = "/api/v1/proofs/{root_hash}";
pub(crate) const NODE: &str = "/api/v1/nodes/{node_id}";
pub(crate) const SNAPSHOTS: &str = "/api/v1/snapshots";
pub(crate) const SNAPSHOT: &str = "/api/v1/snapshots/{hash}";
pub(crate) const SNAPSHOT_PUBLISH: &str = "/api/v1/snapshots/{hash}:publish";
pub(crate) const SNAPSHOT_DIFF: &str = "/api/v1/snapshots/{old_hash}/diff/{new_hash}";
pub(crate) const SNAPSHOT_PROOF: &str = "/api/v1/snapshots/{hash}/proof";
pub(crate) const POLICIES: &str = "/api/v1/policies";
pub(crate) const POLICY: &str = "/api/v1/policies/{hash}";
pub(crate) const POLICY_PUBLISH: &str = "/api/v1/policies/{hash}:publish";
pub(crate) const INCLUSION: &str = "/api/v1/ledger/leaves/{leaf_index}/inclusion";
pub(crate) const CONSISTENCY: &str = "/api/v1/ledger/consistency";
pub(crate) const EVENTS: &str = "/api/v1/ledger/events";
pub(crate) const STREAM: &str = "/api/v1/ledger/streams/{stream}/events";
pub(crate) const EXPORT: &str = "/api/v1/audit/export";
pub(crate) const STATUS: &str = "/api/v1/status";
pub(crate) const FSCK: &str = "/api/v1/admin/fsck";
pub(crate) const REBUILD: &str = "/api/v1/admin/rebuild";
pub(crate) const OPERATIONS: &str = "/api/v1/operations";
pub(crate) const OPERATION: &str = "/api/v1/operations/{name}";
pub(crate) const OPERATION_WAIT: &str = "/api/v1/operations/{name}:wait";
pub(crate) const OPERATION_CANCEL: &str = "/api/v1/operations/{name}:cancel";

/// Every route below `/api`. The tiles of the log stand apart: their paths have their own grammar.
pub(crate) const ROUTES: &[Route] = &[
    get(SCANS, "/stella.scan.v1.ScanService/ListScans"),
    post(SCANS, "/stella.scan.v1.ScanService/SubmitScan"),
    get(SCAN, "/stella.scan.v1.ScanService/GetScan"),
    get(MANIFEST, "/stella.score.v1.ScoreService/GetManifest"),
    post(REPLAY, "/stella.score.v1.ScoreService/ReplayScore"),
    get(PROOFS, "/stella.proof.v1.ProofService/ListProofs"),
    get(PROOF_STATUS, "/stella.proof.v1.ProofService/GetProofStatus"),
    get(BUNDLE, "/stella.proof.v1.ProofService/DownloadBundle"),
    get(BATCH, "/stella.replay.v1.ReplayService/ListOperations"),
    post(BATCH, "/stella.replay.v1.ReplayService/StartBatchReplay"),
    get(
        BATCH_OPERATION,
        "/stella.replay.v1.ReplayService/GetOperation",
    ),
    post(
        BATCH_CANCEL,
        "/stella.replay.v1.ReplayService/CancelOperation",
    ),
    post(VERIFY, "/stella.proof.v1.ProofService/VerifyProof"),
    get(SEALED, "/stella.proof.v1.ProofService/ListSealedProofs"),
    get(ROOT, "/stella.proof.v1.ProofService/GetProofRoot"),
    get(NODE, "/stella.proof.v1.ProofService/GetNode"),
    get(
        SNAPSHOTS,
        "/stella.snapshot.v1.SnapshotService/ListSnapshots",
    ),
    get(SNAPSHOT, "/stella.snapshot.v1.SnapshotService/GetSnapshot"),
    delete(
        SNAPSHOT,
        "/stella.snapshot.v1.SnapshotService/RemoveSnapshot",
    ),
    post(
        SNAPSHOT_PUBLISH,
        "/stella.snapshot.v1.SnapshotService/PublishSnapshot",
    ),
    get(
        SNAPSHOT_DIFF,
        "/stella.snapshot.v1.SnapshotService/DiffSnapshots",
    ),
    get(
        SNAPSHOT_PROOF,
        "/stella.snapshot.v1.SnapshotService/ProveSnapshot",
    ),
    get(POLICIES, "/stella.snapshot.v1.SnapshotService/ListPolicies"),
    post(
        POLICIES,
        "/stella.snapshot.v1.SnapshotService/RegisterPolicy",
    ),
    get(POLICY, "/stella.snapshot.v1.SnapshotService/GetPolicy"),
    post(
        POLICY_PUBLISH,
        "/stella.snapshot.v1.SnapshotService/PublishPolicy",
    ),
    get(
        INCLUSION,
        "/stella.ledger.v1.LedgerService/GetInclusionProof",
    ),
    get(
        CONSISTENCY,
        "/stella.ledger.v1.LedgerService/GetConsistencyProof",
    ),
    get(EVENTS, "/stella.ledger.v1.LedgerService/ReadEvents"),
    get(STREAM, "/stella.ledger.v1.LedgerService/ReadStream"),
    get(EXPORT, "/stella.audit.v1.AuditService/ExportEvents"),
    get(STATUS, "/stella.admin.v1.AdminService/GetStatus"),
    get(FSCK, "/stella.admin.v1.AdminService/Fsck"),
    post(REBUILD, "/stella.admin.v1.AdminService/Rebuild"),
    get(OPERATIONS, "/google.longrunning.Operations/ListOperations"),
    // Before the route that would take the suffix for part of a name.
    get(
        OPERATION_WAIT,
        "/google.longrunning.Operations/WaitOperation",
    ),
    get(OPERATION, "/google.longrunning.Operations/GetOperation"),
    post(
        OPERATION_CANCEL,
        "/google.longrunning.Operations/CancelOperation",
    ),
];

/// What a call needs; `None` when nothing answers there. `HEAD` is asked for as `GET` is.
pub(crate) fn needed(method: &Method, path: &str) -> Option<Need> {
    table::of_rpc(found(method, path)?.rpc)
}

/// The route of a call.
pub(crate) fn found(method: &Method, path: &str) -> Option<&'static Route> {
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    ROUTES
        .iter()
        .find(|route| route.method == *method && matches(route.template, path))
}

/// The methods that a path has, as an `allow` header says them; empty when there is no such path.
pub(crate) fn allowed(path: &str) -> String {
    let routes = ROUTES.iter().filter(|route| matches(route.template, path));
    let mut methods: Vec<&str> = routes.map(|route| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.dedup();
    methods.join(", ")
}

/// Whether a path has the segments of a template.
fn matches(template: &str, path: &str) -> bool {
    let mut asked = path.split('/');
    let same = template
        .split('/')
        .all(|wanted| asked.next().is_some_and(|segment| fits(wanted, segment)));
    same && asked.next().is_none()
}

/// Whether a segment is what a template's segment says: a word, or `{name}` with what follows it.
fn fits(wanted: &str, segment: &str) -> bool {
    match wanted.split_once('}') {
        Some((_, suffix)) => segment
            .strip_suffix(suffix)
            .is_some_and(|name| !name.is_empty()),
        None => wanted == segment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Scope;
    use prost::Message as _;
    use stella_proto::options::HttpRoute;

    /// Number of the method option `stella.options.v1.http`.
    const HTTP_OPTION: u32 = 50201;

    /// The routes that the contract declares beside its methods, with the method each stands by.
    fn declared() -> Vec<(String, HttpRoute)> {
        let files = Files::decode(stella_proto::DESCRIPTORS).unwrap();
        let mut found = Vec::new();
        for file in files.file {
            for service in file.service {
                for method in service.method {
                    let name = format!("/{}.{}/{}", file.package, service.name, method.name);
                    if let Some(route) = method.options.and_then(|options| options.http) {
                        found.push((name, route));
                    }
                }
            }
        }
        found
    }

    // The descriptor types of prost-types drop extensions: these keep the one that is ours.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Files {
        #[prost(message, repeated, tag = "1")]
        file: Vec<File>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct File {
        #[prost(string, tag = "2")]
        package: String,
        #[prost(message, repeated, tag = "6")]
        service: Vec<Service>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Service {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(message, repeated, tag = "2")]
        method: Vec<MethodDescriptor>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct MethodDescriptor {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(message, optional, tag = "4")]
        options: Option<Options>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Options {
        #[prost(message, optional, tag = "50201")]
        http: Option<HttpRoute>,
    }

    #[test]
    fn every_annotated_method_has_its_route_with_the_same_access() {
        let declared = declared();
        assert!(!declared.is_empty(), "option {HTTP_OPTION} was not found");
        for (name, route) in declared {
            let method: Method = route.method.parse().unwrap();
            let asked = route.path.replace(['{', '}'], "");
            let http = table::needed(&method, &asked);
            assert!(http.is_some(), "{name}: {} {}", route.method, route.path);
            if asked != "/checkpoint" {
                let rpc = table::needed(&Method::POST, &name);
                assert_eq!(http, rpc, "{name}");
            }
        }
    }

    #[test]
    fn paths_match_whole_templates_only() {
        assert_eq!(
            needed(&Method::GET, "/api/v1/scanner/scans"),
            Some(Need::Read(Scope::ScannerProofs))
        );
        assert_eq!(
            needed(&Method::HEAD, "/api/v1/scanner/scans"),
            Some(Need::Read(Scope::ScannerProofs))
        );
        assert_eq!(
            needed(&Method::POST, "/api/v1/scanner/scans"),
            Some(Need::Write(Scope::ScannerScans))
        );
        assert_eq!(
            needed(&Method::POST, "/api/v1/scanner/batch/replay/job-1:cancel"),
            Some(Need::Write(Scope::ScannerProofs))
        );
        assert_eq!(
            needed(&Method::POST, "/api/v1/scanner/batch/replay/job-1"),
            None
        );
        assert_eq!(needed(&Method::DELETE, "/api/v1/scanner/scans"), None);
        for path in [
            "/api/v1/scanner/scans/",
            "/api/v1/scanner/scans/a/b",
            "/api/v1/scanner/scans//manifest",
            "/api/v1/scanner/batch",
            "/api/v1/scanner/scans/a/manifest/",
            "/api",
        ] {
            assert_eq!(needed(&Method::GET, path), None, "{path}");
        }
    }
}
