//! Limits: what is refused, how fast, that others are still answered, and that nothing that was
//! acknowledged is lost.

use crate::http::{call, get};
use crate::support::TOKEN;
use crate::support::bounded::BoundedServer;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use stella_client::Connection;
use stella_proto::ledger as wire;
use stella_server::{Limits, Rate};
use tonic::Code;
use tonic_types::StatusExt as _;

fn event(id: &str, bytes: usize) -> wire::AppendRequest {
    wire::AppendRequest {
        request_id: id.to_owned(),
        events: vec![wire::NewEvent {
            stream: "s".to_owned(),
            r#type: "build.finished".to_owned(),
            payload: vec![b'x'; bytes].into(),
            expected_position: None,
        }],
    }
}

fn reason(status: &tonic::Status) -> String {
    status
        .get_error_details()
        .error_info()
        .unwrap()
        .reason
        .clone()
}

fn retry(status: &tonic::Status) -> Option<Duration> {
    status.get_error_details().retry_info()?.retry_delay
}

async fn size(connection: &Connection) -> u64 {
    let mut log = connection.ledger();
    let newest = log.get_checkpoint(wire::GetCheckpointRequest { at_least: None });
    newest.await.unwrap().into_inner().tree_size
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_held_to_its_rate() {
    let rate = Some(Rate {
        per_second: 5,
        burst: 3,
    });
    let server = BoundedServer::start(Limits {
        rate,
        ..Limits::default()
    })
    .await;
    let connection = server.connect().await;
    let mut refused = None;
    for n in 0..10 {
        if let Err(status) = connection.ledger().append(event(&n.to_string(), 1)).await {
            refused = Some(status);
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::ResourceExhausted, "RESOURCE_EXHAUSTED")
    );
    let wait = retry(&refused).unwrap();
    assert!(wait <= Duration::from_millis(200), "{wait:?}");
    // Another caller has a rate of its own, over HTTP too.
    assert_eq!(get(&server.url, "/checkpoint").status, 200);
    let mut answers = (0..10).map(|_| get(&server.url, "/api/v1/scanner/scans"));
    let refused = answers.find(|answer| answer.status != 200).unwrap();
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (429, Some("1"))
    );
    // Who watches is never refused.
    for _ in 0..20 {
        assert_eq!(get(&server.url, "/readyz").status, 200);
    }
    tokio::time::sleep(wait).await;
    connection.ledger().append(event("later", 1)).await.unwrap();
    let metrics = String::from_utf8(get(&server.url, "/metrics").body).unwrap();
    assert!(
        metrics.contains("stella_requests_limited_total{limit=\"rate\"} "),
        "{metrics}"
    );
    drop(connection);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_kept_and_what_it_cut_is_not_half_done() {
    let server = BoundedServer::start(Limits::default()).await;
    let connection = server.connect().await;
    connection.ledger().append(event("first", 1)).await.unwrap();
    // What comes too late is not begun. Asked for by hand: the client's own transport gives up at the
    // same moment as the server.
    let nothing_asked = [0; 5];
    let path = "/stella.scan.v1.ScanService/ListScans";
    let lines = [
        "content-type: application/grpc",
        "te: trailers",
        "grpc-timeout: 1n",
    ];
    let begun = Instant::now();
    let answer = call(&server.url, "POST", path, &lines, &nothing_asked);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(
        answer.header("grpc-status"),
        Some("4"),
        "{}",
        answer.headers
    );
    // Over HTTP, in whole seconds.
    let begun = Instant::now();
    let path = "/api/v1/scanner/scans";
    let answer = call(&server.url, "GET", path, &["prefer: wait=0"], &[]);
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (504, Some("DEADLINE_EXCEEDED"))
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
    // A stream ends at its deadline, with the code for it.
    let mut tail = tonic::Request::new(wire::TailRequest { from: 0 });
    tail.set_timeout(Duration::from_millis(300));
    let mut tail = connection.ledger().tail(tail).await.unwrap().into_inner();
    tail.message().await.unwrap().unwrap();
    let end = tail.message().await.unwrap_err();
    assert!(
        matches!(end.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{end}"
    );
    assert_eq!(size(&connection).await, 1);
    drop((tail, connection));
    server.stop().await;
}

/// Open loop: ten times as many requests at once as there are places.
#[tokio::test(flavor = "multi_thread")]
async fn an_overload_is_refused_at_once_and_loses_nothing() {
    const REQUESTS: usize = 4000;
    let limits = Limits {
        in_flight: 16,
        ..Limits::default()
    };
    let server = BoundedServer::start(limits).await;
    let connection = server.connect().await;
    let resident = resident_bytes(&server.url);
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..REQUESTS {
        let connection = connection.clone();
        calls.spawn(async move {
            let outcome = connection
                .ledger()
                .append(event(&format!("n{n}"), 2000))
                .await;
            (n, outcome)
        });
        if n % 400 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    while let Some(done) = calls.join_next().await {
        match done.unwrap() {
            (n, Ok(_)) => acknowledged.push(n),
            (_, Err(status)) => {
                assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
                assert!(retry(&status).is_some());
                refused += 1;
            }
        }
    }
    assert!(
        refused > 0 && !acknowledged.is_empty(),
        "{refused} of {REQUESTS} were refused"
    );
    let grown = resident_bytes(&server.url).saturating_sub(resident);
    assert!(grown < 256 * 1024 * 1024, "{grown} bytes");
    // Full service again: what was refused is taken now, what was acknowledged is known.
    assert_eq!(size(&connection).await, acknowledged.len() as u64);
    for n in &acknowledged {
        let again = connection
            .ledger()
            .append(event(&format!("n{n}"), 2000))
            .await
            .unwrap();
        assert!(again.into_inner().duplicate);
    }
    let begun = Instant::now();
    connection.ledger().append(event("after", 1)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2));
    drop(connection);
    // And it is all there after a restart.
    let server = BoundedServer::over(server.stop().await, Limits::default(), None).await;
    let connection = server.connect().await;
    assert_eq!(size(&connection).await, acknowledged.len() as u64 + 1);
    drop(connection);
    server.stop().await;
}

fn resident_bytes(url: &str) -> u64 {
    let page = String::from_utf8(get(url, "/metrics").body).unwrap();
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
    line.map_or(0, |digits| digits.parse().unwrap())
}

/// Reads until the other end closes; how long that took.
fn until_closed(mut stream: TcpStream) -> Duration {
    let begun = Instant::now();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut bytes = [0; 1024];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return begun.elapsed(),
            Ok(_) => {}
            Err(problem) if problem.kind() == std::io::ErrorKind::ConnectionReset => {
                return begun.elapsed();
            }
            Err(problem) => panic!("not closed: {problem}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_are_dropped_and_others_answered() {
    let limits = Limits {
        head_timeout: Duration::from_millis(500),
        keepalive: Duration::from_millis(500),
        ..Limits::default()
    };
    let server = BoundedServer::start(limits).await;
    let address = server.url.trim_start_matches("http://").to_owned();
    let say = |words: &[u8]| {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(words).unwrap();
        stream
    };
    let slow: Vec<TcpStream> = [
        // Nothing; half a head; half a preface; a preface and no settings.
        &b""[..],
        b"GET /checkpoint HTTP/1.1\r\nhost: x\r\nx-slow: ",
        b"PRI * HTTP/2.0\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]
    .into_iter()
    .flat_map(|words| [say(words), say(words)])
    .collect();
    // One that keeps sending a little is no better.
    let mut dripping = say(b"GET / HTTP/1.1\r\n");
    let dripping = std::thread::spawn(move || {
        let begun = Instant::now();
        while dripping.write_all(b"x-a: b\r\n").is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(20), "not dropped");
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let connection = server.connect().await;
    connection
        .ledger()
        .append(event("meanwhile", 1))
        .await
        .unwrap();
    assert_eq!(get(&server.url, "/checkpoint").status, 200);
    for stream in slow {
        let took = tokio::task::spawn_blocking(|| until_closed(stream))
            .await
            .unwrap();
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
    dripping.join().unwrap();
    // A connection that is only idle stays: HTTP/2 answers that it lives.
    tokio::time::sleep(Duration::from_secs(2)).await;
    connection.ledger().append(event("later", 1)).await.unwrap();
    drop(connection);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_never_ends_is_refused() {
    let limits = Limits {
        request_timeout: Duration::from_secs(1),
        ..Limits::default()
    };
    let server = BoundedServer::start(limits).await;
    let connection = server.connect().await;
    // A message above the limit, and a request above what the log takes.
    let status = connection
        .ledger()
        .append(event("huge", 65 * 1024 * 1024))
        .await
        .unwrap_err();
    assert_eq!(reason(&status), "TOO_LARGE", "{status}");
    let status = connection
        .ledger()
        .append(event("large", 20 * 1024 * 1024))
        .await
        .unwrap_err();
    assert_eq!(reason(&status), "TOO_LARGE", "{status}");
    // A body that says that it is longer than any may be.
    let token = format!("authorization: Bearer {TOKEN}");
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /api/v1/scanner/scans HTTP/1.1\r\nhost: x\r\n{token}\r\ncontent-type: application/json\r\n\
         content-length: 1000000000\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    // A body that stops in the middle is waited for as long as a request may take, and no longer.
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let head = head.replace("1000000000", "1000");
    stream.write_all(head.as_bytes()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let begun = Instant::now();
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 504");
    assert!(begun.elapsed() < Duration::from_secs(5));
    connection.ledger().append(event("small", 1)).await.unwrap();
    drop((connection, stream));
    server.stop().await;
}
