//! What the log says of refused calls and of privileged acts.

use crate::http::call;
use crate::support::{TOKEN, TestServer};
use std::time::Duration;
use stella_client::{ClientError, Connection};
use stella_proto::admin::RebuildRequest;
use stella_proto::google::longrunning::CancelOperationRequest;
use stella_proto::ledger as wire;
use stella_proto::reason::Reason;
use stella_server::{ApiKey, ApiKeys, App, AppOptions, Caller, Policy, Scope, Scopes, TenantName};
use stella_verify::event::EventHeader;
use stella_verify::event::payload::{AccessDenied, AdminAct};
use stella_verify::units::LeafIndex;
use tempfile::TempDir;

/// A server with the tenants `default` and `acme`: a key of `default` that may read, one of `acme`
/// that may read, and one of `gamma`, which has no log.
async fn guarded() -> (TestServer, [String; 3]) {
    let directory = tempfile::tempdir().unwrap();
    let mut options = AppOptions::new(directory.path());
    options.tenants = vec!["acme".parse().unwrap()];
    let (policy, keys) = principals(&directory);
    (TestServer::opened(directory, options, policy).await, keys)
}

fn principals(directory: &TempDir) -> (Policy, [String; 3]) {
    let mut file = String::new();
    let keys = ["default", "acme", "gamma"].map(|name| {
        let tenant: TenantName = name.parse().unwrap();
        let scopes: Scopes = [Scope::ScannerProofs].into_iter().collect();
        let caller = Caller::new(&format!("{name}-reader"), tenant, scopes).unwrap();
        let (key, row) = ApiKey::draw(caller, None).unwrap();
        file.push_str(&row.line());
        file.push('\n');
        key
    });
    let path = directory.path().join("principals.jsonl");
    std::fs::write(&path, file).unwrap();
    let policy = Policy::token(TOKEN, "tester", false);
    (policy.with_api_keys(ApiKeys::open(&path).unwrap()), keys)
}

/// The statuses of calls over HTTP by the bearer of a key.
async fn statuses(
    server: &TestServer,
    key: &str,
    calls: Vec<(&'static str, &'static str)>,
) -> Vec<u16> {
    let url = server.url.clone();
    let bearer = format!("authorization: Bearer {key}");
    let asking = tokio::task::spawn_blocking(move || {
        let lines = [bearer.as_str(), "x-request-id: asked-for"];
        let status = |(method, path): (&str, &str)| call(&url, method, path, &lines, b"{}").status;
        calls.into_iter().map(status).collect()
    });
    asking.await.unwrap()
}

/// An event as its type, actor and payload.
type Seen = (String, String, Vec<u8>);

/// Every event of a ledger.
fn events(app: &App) -> Vec<Seen> {
    let view = app.ledger().latest(Duration::from_secs(10)).unwrap();
    let leaves = 0..view.size().get();
    let seen = leaves.map(|leaf| {
        let event = view.event(LeafIndex::new(leaf)).unwrap();
        let header = EventHeader::decode(event.leaf()).unwrap();
        let [kind, actor] = [header.event_type.as_str(), header.actor.as_str()].map(str::to_owned);
        (kind, actor, event.payload().unwrap().to_vec())
    });
    seen.collect()
}

fn denials(events: &[Seen]) -> Vec<AccessDenied> {
    let denied = events.iter().filter(|(kind, ..)| kind == "access.denied");
    let parsed = denied.map(|(_, actor, payload)| {
        assert_eq!(actor, "stella:access");
        AccessDenied::parse(payload).unwrap()
    });
    parsed.collect()
}

/// The refused calls of a ledger, once there are some.
async fn denied(app: &App) -> Vec<AccessDenied> {
    for _ in 0..200 {
        let denied = denials(&events(app));
        if !denied.is_empty() {
            return denied;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing is recorded");
}

/// Stops a server and answers the events of a folder of its directory.
async fn at_the_end(server: TestServer, folder: &str) -> Vec<Seen> {
    let directory = server.stop().await;
    let path = directory.path().join(folder);
    let reading = tokio::task::spawn_blocking(move || {
        let app = App::open(AppOptions::new(&path), &|_, _| ()).unwrap();
        let seen = events(&app);
        app.close().unwrap();
        drop(directory);
        seen
    });
    reading.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_call_is_in_the_log_once() {
    let (server, [reader, ..]) = guarded().await;
    let scans = "/api/v1/scanner/scans";
    let asked = statuses(&server, &reader, vec![("GET", scans), ("POST", scans)]).await;
    assert_eq!(asked, [200, 403]);
    let seen = denied(server.app()).await;
    assert_eq!(seen.len(), 1);
    let one = seen[0].clone();
    assert_eq!(one.count, 1);
    assert_eq!(one.first, one.last);
    assert_eq!(one.method, "stella.scan.v1.ScanService/SubmitScan");
    assert_eq!(one.principal.kind().as_str(), "api-key");
    assert_eq!(one.principal.subject(), Some("default-reader"));
    assert_eq!(one.reason, "PERMISSION_DENIED");
    assert_eq!(one.request_id, "asked-for");
    assert_eq!(one.scope.as_deref(), Some("scanner.scans"));
    assert_eq!((&one.tenant, &one.why), (&None, &None));

    // Nobody in particular, and what does not exist, is nothing to remember.
    let url = server.url.clone();
    let nobody = tokio::task::spawn_blocking(move || {
        let anonymous = call(&url, "GET", scans, &[], &[]).status;
        (
            anonymous,
            call(&url, "GET", "/nowhere", &["authorization: Bearer x"], &[]).status,
        )
    });
    assert_eq!(nobody.await.unwrap(), (401, 404));
    assert_eq!(denials(&at_the_end(server, "").await), [one]);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_are_of_nobody() {
    let (server, _) = guarded().await;
    let wrong = "a-secret-that-must-not-be-told";
    let asked = statuses(&server, wrong, vec![("GET", "/checkpoint")]).await;
    assert_eq!(asked, [401]);
    let seen = at_the_end(server, "").await;
    for (_, _, payload) in &seen {
        let text = String::from_utf8(payload.clone()).unwrap();
        assert!(!text.contains("must-not-be-told"), "{text}");
    }
    let [one] = denials(&seen).try_into().unwrap();
    assert_eq!(one.method, "GET /checkpoint");
    assert_eq!(one.principal.kind().as_str(), "unknown");
    assert_eq!(one.reason, "UNAUTHENTICATED");
    assert_eq!(one.scope, None);
    assert_eq!(
        one.why.as_deref(),
        Some("the token is not one of this server")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_refusals_are_a_few_events_that_add_up() {
    let (server, [reader, ..]) = guarded().await;
    let calls = [
        ("DELETE", "/api/v1/snapshots/a"),
        ("POST", "/api/v1/policies"),
    ];
    let (mut many, mut asked) = (Vec::new(), 0);
    for _ in 0..4 {
        let calls: Vec<_> = calls.iter().copied().cycle().take(250).collect();
        many.push(statuses(&server, &reader, calls));
    }
    for statuses in many {
        let statuses = statuses.await;
        assert!(statuses.iter().all(|status| *status == 403));
        asked += statuses.len();
    }
    assert_eq!(asked, 1000);
    let denied = denials(&at_the_end(server, "").await);
    // For each of the two: the first second, and the rest.
    assert!(denied.len() <= 4, "{} events", denied.len());
    assert_eq!(denied.iter().map(|one| one.count).sum::<u64>(), 1000);
    assert!(denied.iter().all(|one| one.first <= one.last));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_of_the_callers_tenant() {
    let (server, [ours, acme, gamma]) = guarded().await;
    let scans = "/api/v1/scanner/scans";
    for (key, expected) in [(&ours, 403), (&acme, 403), (&gamma, 403)] {
        assert_eq!(
            statuses(&server, key, vec![("POST", scans)]).await,
            [expected]
        );
    }
    // May read, but has nothing here.
    assert_eq!(statuses(&server, &gamma, vec![("GET", scans)]).await, [403]);
    let directory = server.stop().await;
    let of = |folder: &str| {
        let path = directory.path().join(folder);
        let app = App::open(AppOptions::new(&path), &|_, _| ()).unwrap();
        let denied = denials(&events(&app));
        app.close().unwrap();
        let shown = denied.into_iter().map(|one| {
            let subject = one.principal.subject().unwrap().to_owned();
            (subject, one.tenant.unwrap_or_default())
        });
        shown.collect::<Vec<_>>()
    };
    let own = |name: &str, tenant: &str| (name.to_owned(), tenant.to_owned());
    let mut in_default = of("");
    in_default.sort();
    assert_eq!(
        in_default,
        [
            own("default-reader", ""),
            own("gamma-reader", "gamma"),
            own("gamma-reader", "gamma"),
        ]
    );
    assert_eq!(of("tenants/acme"), [own("acme-reader", "")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_privileged_act_is_there_before_its_answer() {
    let (server, [reader, ..]) = guarded().await;
    let connection = server.connect().await;
    let request = RebuildRequest {
        request_id: "once".to_owned(),
        ..RebuildRequest::default()
    };
    let asked = connection.admin().rebuild(request.clone()).await.unwrap();
    let name = asked.into_inner().operation.unwrap().name;
    let acts = |seen: Vec<Seen>| {
        let acts = seen
            .into_iter()
            .filter(|(kind, ..)| kind.starts_with("admin."));
        acts.collect::<Vec<_>>()
    };
    // The log, not the projections, which are being folded again.
    let published = server.app().ledger().published();
    assert_eq!(published.size.get(), 1);
    let [(kind, actor, payload)] = acts(events(server.app())).try_into().unwrap();
    assert_eq!([&*kind, &*actor], ["admin.rebuild", "tester"]);
    let act = AdminAct::parse(&payload).unwrap();
    assert_eq!(act.method, "stella.admin.v1.AdminService/Rebuild");
    assert_eq!(act.principal.kind().as_str(), "token");
    assert_eq!(act.principal.subject(), Some("tester"));
    assert_eq!(act.scope, "scheduler.admin");
    assert_eq!(act.target, name);
    assert!(!act.request_id.is_empty());

    // The same request again does nothing again, an earlier tree changes nothing, and who is
    // refused does nothing.
    connection.admin().rebuild(request).await.unwrap();
    let past = RebuildRequest {
        at_tree_size: Some(1),
        ..RebuildRequest::default()
    };
    connection.admin().rebuild(past).await.unwrap();
    let reading = Connection::to(&server.url, Some(&reader)).await.unwrap();
    let denied = reading.admin().rebuild(RebuildRequest::default()).await;
    assert_eq!(
        ClientError::from(denied.unwrap_err()).reason(),
        Reason::PermissionDenied
    );
    // It passes the door, where batches may be stopped with its scope, and no further.
    let cancel = CancelOperationRequest { name };
    let denied = reading.operations().cancel_operation(cancel).await;
    assert_eq!(
        ClientError::from(denied.unwrap_err()).reason(),
        Reason::PermissionDenied
    );
    drop((connection, reading));
    let seen = at_the_end(server, "").await;
    let mut methods: Vec<String> = denials(&seen).into_iter().map(|one| one.method).collect();
    methods.sort();
    assert_eq!(
        methods,
        [
            "google.longrunning.Operations/CancelOperation",
            "stella.admin.v1.AdminService/Rebuild",
        ]
    );
    assert_eq!(acts(seen).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_writes_such_events() {
    let (server, _) = guarded().await;
    let connection = server.connect().await;
    for kind in [
        "access.denied",
        "access.anything",
        "admin.rebuild",
        "admin.x",
    ] {
        let event = wire::NewEvent {
            stream: "s".to_owned(),
            r#type: kind.to_owned(),
            payload: b"{}".to_vec().into(),
            expected_position: None,
        };
        let request = wire::AppendRequest {
            request_id: format!("forge-{kind}"),
            events: vec![event],
        };
        let refused = connection.ledger().append(request).await.unwrap_err();
        assert_eq!(
            ClientError::from(refused).reason(),
            Reason::EventTypeReserved,
            "{kind}"
        );
    }
    drop(connection);
    assert_eq!(at_the_end(server, "").await, Vec::<Seen>::new());
}
