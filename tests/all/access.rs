//! Who may call what: every method and route, by every kind of principal, over a real socket.

use crate::http::{Answer, call};
use crate::support::{TOKEN, TestServer};
use prost::Message as _;
use stella_server::{ApiKey, ApiKeys, Caller, Policy, Scope, TenantName};

/// What each call needs where it is not reading with `scanner.proofs`, written down a second time:
/// the table of the server must agree with what `docs/access.md` promises, not with itself.
const OTHERS: &[(&str, Scope)] = &[
    ("AdminService/Fsck", Scope::SchedulerAdmin),
    ("AdminService/Rebuild", Scope::SchedulerAdmin),
    ("AuditService/ExportEvents", Scope::LedgerExport),
    ("LedgerService/Append", Scope::LedgerAppend),
    ("LedgerService/AppendStream", Scope::LedgerAppend),
    ("LedgerService/ReadEvents", Scope::LedgerExport),
    ("LedgerService/Tail", Scope::LedgerExport),
    ("ScanService/SubmitScan", Scope::ScannerScans),
    ("SnapshotService/ImportSnapshot", Scope::ScannerScans),
    ("SnapshotService/PublishPolicy", Scope::ScannerScans),
    ("SnapshotService/PublishSnapshot", Scope::ScannerScans),
    ("SnapshotService/RegisterPolicy", Scope::ScannerScans),
    ("SnapshotService/RemoveSnapshot", Scope::SchedulerAdmin),
    ("/api/v1/scanner/scans", Scope::ScannerScans),
    ("/api/v1/snapshots/a:publish", Scope::ScannerScans),
    ("/api/v1/policies", Scope::ScannerScans),
    ("/api/v1/policies/a:publish", Scope::ScannerScans),
    ("/api/v1/admin/rebuild", Scope::SchedulerAdmin),
    ("/api/v1/snapshots/a", Scope::SchedulerAdmin),
];

/// The same of what is a GET.
const OTHER_READS: &[(&str, Scope)] = &[
    ("/api/v1/admin/fsck", Scope::SchedulerAdmin),
    ("/api/v1/audit/export", Scope::LedgerExport),
    ("/api/v1/ledger/events", Scope::LedgerExport),
];

/// What needs `scanner.proofs` and yet is not reading: nobody does it without saying who they are.
const REPLAYS: &[&str] = &[
    "ReplayService/CancelOperation",
    "ReplayService/StartBatchReplay",
    "ScoreService/ReplayScore",
    "/api/v1/scanner/scans/a/score/replay",
    "/api/v1/scanner/batch/replay",
    "/api/v1/scanner/batch/replay/a:cancel",
    "Operations/CancelOperation",
    "Operations/DeleteOperation",
    "/api/v1/operations/a:cancel",
];

/// Every call that there is: method and path.
fn calls() -> Vec<(&'static str, String)> {
    let files = prost_types::FileDescriptorSet::decode(stella_proto::DESCRIPTORS).unwrap();
    let mut calls = Vec::new();
    for file in &files.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                calls.push(("POST", path));
            }
        }
    }
    let scans = "/api/v1/scanner/scans";
    let batch = "/api/v1/scanner/batch/replay";
    calls.extend([
        ("GET", scans.to_owned()),
        ("POST", scans.to_owned()),
        ("GET", format!("{scans}/a")),
        ("GET", format!("{scans}/a/manifest")),
        ("POST", format!("{scans}/a/score/replay")),
        ("GET", format!("{scans}/a/proofs")),
        ("GET", format!("{scans}/a/proofs/b")),
        ("GET", batch.to_owned()),
        ("POST", batch.to_owned()),
        ("GET", format!("{batch}/a")),
        ("POST", format!("{batch}/a:cancel")),
        ("POST", "/api/v1/proofs/verify".to_owned()),
        ("GET", "/api/v1/snapshots".to_owned()),
        ("GET", "/api/v1/snapshots/a".to_owned()),
        ("DELETE", "/api/v1/snapshots/a".to_owned()),
        ("GET", "/tile/entries/000".to_owned()),
        ("GET", format!("{scans}/a/proof-status")),
    ]);
    let more = [
        ("GET", "/api/v1/proofs"),
        ("GET", "/api/v1/proofs/a"),
        ("GET", "/api/v1/nodes/a"),
        ("POST", "/api/v1/snapshots/a:publish"),
        ("GET", "/api/v1/snapshots/a/diff/b"),
        ("GET", "/api/v1/snapshots/a/proof"),
        ("GET", "/api/v1/policies"),
        ("POST", "/api/v1/policies"),
        ("GET", "/api/v1/policies/a"),
        ("POST", "/api/v1/policies/a:publish"),
        ("GET", "/api/v1/ledger/leaves/0/inclusion"),
        ("GET", "/api/v1/ledger/consistency"),
        ("GET", "/api/v1/ledger/events"),
        ("GET", "/api/v1/ledger/streams/a/events"),
        ("GET", "/api/v1/audit/export"),
        ("GET", "/api/v1/status"),
        ("GET", "/api/v1/admin/fsck"),
        ("POST", "/api/v1/admin/rebuild"),
        ("GET", "/api/v1/operations"),
        ("GET", "/api/v1/operations/a"),
        ("GET", "/api/v1/operations/a:wait"),
        ("POST", "/api/v1/operations/a:cancel"),
    ];
    calls.extend(more.map(|(method, path)| (method, path.to_owned())));
    calls
}

fn needs(method: &str, path: &str) -> Scope {
    let rows = if method == "GET" { OTHER_READS } else { OTHERS };
    let row = rows.iter().find(|(end, _)| path.ends_with(end));
    row.map_or(Scope::ScannerProofs, |(_, scope)| *scope)
}

fn changes(method: &str, path: &str) -> bool {
    let reads = [Scope::ScannerProofs, Scope::LedgerExport].contains(&needs(method, path));
    !reads || (method == "POST" && REPLAYS.iter().any(|end| path.ends_with(end)))
}

/// How a call was received at the door.
#[derive(Debug, PartialEq, Eq)]
enum Door {
    Open,
    Unauthenticated,
    Denied,
}

fn door(url: &str, method: &str, path: &str, token: Option<&str>) -> (Door, Answer) {
    let grpc = path.starts_with("/stella.") || path.starts_with("/google.");
    let mut lines = Vec::new();
    if grpc {
        lines.push("content-type: application/grpc".to_owned());
    }
    if let Some(token) = token {
        lines.push(format!("authorization: Bearer {token}"));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let answer = call(url, method, path, &lines, &[]);
    let door = match (answer.status, answer.header("grpc-status")) {
        (_, Some("16")) | (401, _) => Door::Unauthenticated,
        (_, Some("7")) | (403, _) => Door::Denied,
        _ => Door::Open,
    };
    (door, answer)
}

/// A server whose file of principals holds a key for each scope, and one for none.
async fn guarded() -> (TestServer, Vec<(Option<Scope>, String)>) {
    let directory = tempfile::tempdir().unwrap();
    let (mut keys, mut file) = (Vec::new(), String::new());
    for scope in Scope::ALL.map(Some).into_iter().chain([None]) {
        let name = scope.map_or("nobody", Scope::name);
        let scopes = scope.into_iter().collect();
        let caller = Caller::new(name, TenantName::default(), scopes).unwrap();
        let (key, row) = ApiKey::draw(caller, None).unwrap();
        file.push_str(&row.line());
        file.push('\n');
        keys.push((scope, key));
    }
    let path = directory.path().join("principals.jsonl");
    std::fs::write(&path, file).unwrap();
    let policy = Policy::token(TOKEN, "dev", false);
    let policy = policy.with_api_keys(ApiKeys::open(&path).unwrap());
    (TestServer::with(directory, policy).await, keys)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_takes_its_scope_and_no_other() {
    let (server, keys) = guarded().await;
    let url = server.url.clone();
    let looking = tokio::task::spawn_blocking(move || {
        for (method, path) in calls() {
            let needed = needs(method, &path);
            let at = |token: Option<&str>| door(&url, method, &path, token).0;
            assert_eq!(at(None), Door::Unauthenticated, "{method} {path}");
            assert_eq!(at(Some("wrong")), Door::Unauthenticated, "{method} {path}");
            assert_eq!(at(Some(TOKEN)), Door::Open, "{method} {path}");
            for (scope, key) in &keys {
                let expected = if *scope == Some(needed) {
                    Door::Open
                } else {
                    Door::Denied
                };
                assert_eq!(at(Some(key)), expected, "{method} {path} by {scope:?}");
            }
        }
        // What witnesses and monitors of a log need stands open.
        for path in ["/checkpoint", "/tile/0/000"] {
            assert_eq!(door(&url, "GET", path, None).0, Door::Open, "{path}");
            assert_eq!(
                door(&url, "GET", path, Some("wrong")).0,
                Door::Unauthenticated
            );
        }
    });
    looking.await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_reads_are_reads() {
    let server = TestServer::start().await;
    let url = server.url.clone();
    let looking = tokio::task::spawn_blocking(move || {
        for (method, path) in calls() {
            let expected = if changes(method, &path) {
                Door::Unauthenticated
            } else {
                Door::Open
            };
            assert_eq!(
                door(&url, method, &path, None).0,
                expected,
                "{method} {path}"
            );
        }
    });
    looking.await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_names_the_scope_and_challenges() {
    let (server, keys) = guarded().await;
    let url = server.url.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let scans = "/api/v1/scanner/scans";
        let (_, nobody) = door(&url, "GET", scans, None);
        assert_eq!(nobody.status, 401);
        assert_eq!(
            nobody.header("www-authenticate"),
            Some("bearer realm=\"stella\"")
        );
        assert_eq!(nobody.json()["code"], "UNAUTHENTICATED");
        let (_, wrong) = door(&url, "GET", scans, Some("wrong"));
        let challenge = wrong.header("www-authenticate").unwrap();
        assert!(
            challenge.ends_with("error=\"invalid_token\""),
            "{challenge}"
        );

        let reader = keys
            .iter()
            .find(|(scope, _)| *scope == Some(Scope::ScannerProofs));
        let reader = &reader.unwrap().1;
        let (_, denied) = door(&url, "POST", scans, Some(reader));
        assert_eq!(denied.status, 403);
        assert_eq!(denied.json()["code"], "PERMISSION_DENIED");
        let challenge = denied.header("www-authenticate").unwrap();
        let names = "error=\"insufficient_scope\", scope=\"scanner.scans\"";
        assert!(challenge.ends_with(names), "{challenge}");
        let (_, denied) = door(
            &url,
            "POST",
            "/stella.scan.v1.ScanService/SubmitScan",
            Some(reader),
        );
        let message = denied.header("grpc-message").unwrap();
        assert!(message.contains("scanner.scans"), "{message}");
        assert_eq!(denied.header("www-authenticate"), None);
    });
    looking.await.unwrap();
    server.stop().await;
}
