//! What a server answers before its ledger is open, and when it stops.

use crate::http::get;
use crate::support::TOKEN;
use crate::support::bounded::BoundedServer;
use std::time::Duration;
use stella_client::Connection;
use stella_proto::ledger as wire;
use stella_server::Limits;
use tokio_stream::StreamExt as _;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

fn event(number: usize) -> wire::AppendRequest {
    wire::AppendRequest {
        request_id: format!("request-{number}"),
        events: vec![wire::NewEvent {
            stream: "s".to_owned(),
            r#type: "build.finished".to_owned(),
            payload: "{}".into(),
            expected_position: None,
        }],
    }
}

async fn health(url: &str) -> ServingStatus {
    let endpoint = tonic::transport::Endpoint::from_shared(url.to_owned()).unwrap();
    let mut health = HealthClient::new(endpoint.connect().await.unwrap());
    let request = HealthCheckRequest {
        service: String::new(),
    };
    health.check(request).await.unwrap().into_inner().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_answers_while_it_opens_its_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let (server, hold, opened) = BoundedServer::held(directory).await;
    let connection = server.connect().await;
    let url = server.url.clone();
    assert_eq!(health(&url).await, ServingStatus::NotServing);
    assert_eq!(get(&url, "/healthz").status, 200);
    // Until the thread that opens has begun, no progress is known.
    let mut ready = get(&url, "/readyz");
    while ready.json()["total"] == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        ready = get(&url, "/readyz");
    }
    assert_eq!(
        (ready.status, ready.header("retry-after")),
        (503, Some("1"))
    );
    let said = ready.json();
    assert_eq!(
        (&said["state"], &said["refolded"]),
        (&"opening".into(), &3.into())
    );
    let metrics = String::from_utf8(get(&url, "/metrics").body).unwrap();
    assert!(
        metrics.contains("\nstella_ready 0\n") && metrics.contains("\nstella_refold_events 3\n")
    );

    let refused = connection.ledger().append(event(0)).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "NOT_READY");
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    assert!(refused.message().contains("3 of 10"), "{refused}");
    let refused = get(&url, "/api/v1/scanner/scans");
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("1"))
    );
    assert_eq!(refused.json()["code"], "NOT_READY");

    hold.release();
    opened.await.unwrap();
    assert_eq!(health(&url).await, ServingStatus::Serving);
    assert_eq!(get(&url, "/readyz").json()["state"], "serving");
    connection.ledger().append(event(0)).await.unwrap();
    drop(connection);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_does_not_open_ends_the_service() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.json"), "{}").unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let path = directory.path().to_owned();
    let policy = stella_server::Policy::token(TOKEN, "tester", true);
    let options = stella_server::ServeOptions::new(policy, std::sync::Arc::default());
    let served = stella_server::serve_while_opening(
        move |front| {
            let options = stella_server::AppOptions::new(&path);
            stella_server::App::open(options, &|done, total| front.progress(done, total))
        },
        || panic!("it is not open"),
        listener,
        options,
        std::future::pending(),
    );
    let ended = tokio::time::timeout(Duration::from_secs(20), served)
        .await
        .unwrap();
    assert!(ended.is_err_and(|problem| problem.to_string().contains("no origin")));
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_streams_and_cuts_what_hangs() {
    let limits = Limits {
        drain: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = BoundedServer::start(limits).await;
    let connection = server.connect().await;
    connection.ledger().append(event(0)).await.unwrap();
    let mut tail = connection
        .ledger()
        .tail(wire::TailRequest { from: 0 })
        .await
        .unwrap()
        .into_inner();
    tail.next().await.unwrap().unwrap();
    // A call whose request never ends would hold the server up for ever.
    let hanging = connection.clone();
    let hanging = tokio::spawn(async move {
        let never = tokio_stream::pending::<wire::AppendStreamRequest>();
        hanging.ledger().append_stream(never).await
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = server.ask_to_stop();
    let end = tail.next().await.unwrap().unwrap_err();
    assert_eq!(end.code(), tonic::Code::Unavailable);
    assert!(end.message().contains("tail again from 1"), "{end}");
    drop((tail, connection));
    let directory = tokio::time::timeout(Duration::from_secs(10), stopping.done())
        .await
        .unwrap();
    hanging.await.unwrap().unwrap_err();
    drop(directory);
}

/// Two servers take turns on one directory while clients append; a client repeats by request id
/// whatever was not answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_loses_nothing() {
    const CLIENTS: usize = 8;
    const EACH: usize = 60;
    let mut server = BoundedServer::start(Limits::default()).await;
    let (url, urls) = tokio::sync::watch::channel(server.url.clone());
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let urls = urls.clone();
        clients.spawn(async move {
            for n in 0..EACH {
                append_until_acknowledged(&urls, client * EACH + n).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let directory = server.stop().await;
        server = BoundedServer::over(directory, Limits::default(), None).await;
        url.send_replace(server.url.clone());
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    // Every request is there, none twice.
    let connection = server.connect().await;
    let mut log = connection.ledger();
    let newest = log.get_checkpoint(wire::GetCheckpointRequest { at_least: None });
    let size = newest.await.unwrap().into_inner().tree_size;
    assert_eq!(size, (CLIENTS * EACH) as u64);
    drop((log, connection));
    server.stop().await;
}

async fn append_until_acknowledged(urls: &tokio::sync::watch::Receiver<String>, number: usize) {
    for _ in 0..2000 {
        let url = urls.borrow().clone();
        if let Ok(connection) = Connection::to(&url, Some(TOKEN)).await
            && connection.ledger().append(event(number)).await.is_ok()
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("request {number} was never acknowledged");
}
