//! Every read of the contract over HTTP: documents, tags, digests, methods, hostile paths.

use crate::http::{Answer, call};
use crate::scoring::{feed, import, sbom, submit};
use crate::support::{TOKEN, TestServer};
use serde_json::Value;
use stella_verify::base64;
use stella_verify::hash::{sha256, to_hex};

async fn ask(url: &str, method: &'static str, path: &str, lines: &[&str], body: &[u8]) -> Answer {
    let (url, path, body) = (url.to_owned(), path.to_owned(), body.to_vec());
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        let bearer = format!("authorization: Bearer {TOKEN}");
        let mut all = vec![bearer.as_str()];
        all.extend(lines.iter().map(String::as_str));
        call(&url, method, &path, &all, &body)
    })
    .await
    .unwrap()
}

async fn read(url: &str, path: &str) -> Value {
    let answer = ask(url, "GET", path, &[], &[]).await;
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, 200, "{path}: {text}");
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_read_answers_a_document() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let june = import(&connection, feed("june")).await.unwrap().hash;
    let scan = submit(&connection, sbom(&["h2@0.4.20"])).await.unwrap();
    let september = import(&connection, feed("september")).await.unwrap().hash;
    let url = &server.url;

    let status = read(url, "/api/v1/status").await;
    let tree = status["treeSize"].as_u64().unwrap();
    assert!(
        tree > 10
            && status["signingKeyPem"]
                .as_str()
                .unwrap()
                .contains("PUBLIC KEY")
    );
    let proof = read(url, "/api/v1/ledger/leaves/0/inclusion").await;
    assert_eq!(proof["treeSize"], tree);
    assert!(
        proof["checkpoint"]
            .as_str()
            .unwrap()
            .starts_with(status["origin"].as_str().unwrap())
    );
    let path = format!("/api/v1/ledger/consistency?old_size=1&new_size={tree}");
    assert_eq!(read(url, &path).await["newSize"], tree);
    let events = read(url, "/api/v1/ledger/events?from=1&page_size=2").await;
    assert_eq!(events["events"][0]["leafIndex"], 1);
    assert_eq!(events["next"], 3);
    let stream = format!(
        "/api/v1/ledger/streams/scan%2F{}/events?page_size=1",
        scan.scan_id
    );
    let stream = read(url, &stream).await;
    assert_eq!(
        (
            stream["events"].as_array().unwrap().len(),
            &stream["nextPosition"]
        ),
        (1, &1.into())
    );

    let root = read(url, &format!("/api/v1/proofs/{}", scan.root_hash)).await;
    assert_eq!(
        root["envelope"]["payloadType"],
        "application/vnd.in-toto+json"
    );
    let sealed = read(url, "/api/v1/proofs?page_size=1").await;
    assert_eq!(sealed["proofs"][0]["rootHash"], scan.root_hash.as_str());
    let kept = format!("/api/v1/scanner/scans/{}/proof-status", scan.scan_id);
    assert_eq!(read(url, &kept).await["proofs"][0]["tier"], "hot");
    let diff = read(url, &format!("/api/v1/snapshots/{june}/diff/{september}")).await;
    assert!(!diff["changes"].as_array().unwrap().is_empty());
    let proof = read(
        url,
        &format!("/api/v1/snapshots/{june}/proof?purl=pkg:cargo/h2"),
    )
    .await;
    assert!(proof["schema"].is_string());
    let policies = read(url, "/api/v1/policies").await;
    let policy = policies["policies"][0]["hash"].as_str().unwrap();
    let policy = read(url, &format!("/api/v1/policies/{policy}")).await;
    assert!(policy["policy"]["schema"].is_string());
    let checked = read(url, "/api/v1/admin/fsck").await;
    assert_eq!(
        (&checked["problems"], &checked["finished"]),
        (&serde_json::json!([]), &true.into())
    );
    let described = read(url, "/openapi.json").await;
    assert_eq!(described["openapi"], "3.1.0");

    let export = ask(url, "GET", "/api/v1/audit/export?from_index=2", &[], &[]).await;
    assert_eq!(export.status, 200);
    assert!(
        export
            .header("content-disposition")
            .unwrap()
            .contains("attachment")
    );
    let begun = ask(url, "POST", "/api/v1/admin/rebuild", &[], b"{}").await;
    assert_eq!(begun.status, 202);
    let name = begun.json()["name"].as_str().unwrap().to_owned();
    let waited = read(
        url,
        &format!("/api/v1/operations/{name}:wait?timeout_ms=60000"),
    )
    .await;
    assert_eq!(waited["done"], true);
    assert_eq!(
        read(url, "/api/v1/operations").await["operations"][0]["name"],
        name.as_str()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn content_has_a_tag_a_digest_and_a_head() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(&connection, feed("june")).await.unwrap();
    let scan = submit(&connection, sbom(&["h2@0.4.20"])).await.unwrap();
    let place = format!("/api/v1/scanner/scans/{}", scan.scan_id);
    for (path, for_ever) in [
        (format!("{place}/manifest"), true),
        (format!("{place}/proofs/{}", scan.root_hash), true),
        (format!("/api/v1/proofs/{}", scan.root_hash), true),
        ("/tile/0/000.p/5".to_owned(), true),
        (
            "/api/v1/ledger/leaves/0/inclusion?tree_size=2".to_owned(),
            true,
        ),
        (place.clone(), false),
        ("/api/v1/ledger/leaves/0/inclusion".to_owned(), false),
    ] {
        let whole = ask(&server.url, "GET", &path, &[], &[]).await;
        assert_eq!(whole.status, 200, "{path}");
        let digest = sha256(&whole.body);
        let tag = format!("\"{}\"", to_hex(&digest));
        assert_eq!(whole.header("etag"), Some(&*tag), "{path}");
        let digest = format!("sha-256=:{}:", base64::encode(&digest)).to_lowercase();
        assert_eq!(whole.header("content-digest"), Some(&*digest), "{path}");
        let caching = whole.header("cache-control").unwrap();
        assert_eq!(caching.contains("immutable"), for_ever, "{path}: {caching}");
        let known = format!("if-none-match: W/{tag}");
        let again = ask(&server.url, "GET", &path, &[&known], &[]).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        let head = ask(&server.url, "HEAD", &path, &[], &[]).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("etag"), Some(&*tag), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_answers_is_a_problem_too() {
    let server = TestServer::start().await;
    let scans = "/api/v1/scanner/scans";
    for (method, path, status) in [
        ("DELETE", scans, 405),
        ("PUT", "/api/v1/policies/sha256:00", 405),
        ("POST", "/api/v1/status", 405),
        ("GET", "/api/v2/scanner/scans", 404),
        ("GET", "/api/v1/scanner/scans/%ff%fe", 400),
        ("GET", "/api/v1/scanner/scans/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "/api/v1/scanner/scans/scan-1%00", 404),
        ("GET", "/api/v1/ledger/streams/%0A/events", 400),
        ("GET", "/api/v1/ledger/leaves/-1/inclusion", 400),
        (
            "GET",
            "/api/v1/ledger/leaves/99999999999999999999/inclusion",
            400,
        ),
        ("GET", "/api/v1/ledger/leaves/99/inclusion", 404),
        ("GET", "/api/v1/operations/none:wait?timeout_ms=1", 404),
        ("GET", "/api/v1/scanner/scans?page_token=7-9", 400),
        ("GET", "/api/v1/scanner/scans?page_size=1&page_size=2", 400),
        ("GET", "/api/v1/snapshots/sha256:00/proof", 400),
        ("GET", "//api/v1/status", 404),
    ] {
        let answer = ask(&server.url, method, path, &[], &[]).await;
        assert_eq!(answer.status, status, "{method} {path}");
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{method} {path}");
        let problem = answer.json();
        assert!(problem["error"]["code"].is_string(), "{method} {path}");
        if status == 405 {
            assert!(
                answer.header("allow").unwrap().contains("get"),
                "{method} {path}"
            );
        }
    }
    let bad = ask(
        &server.url,
        "GET",
        "/api/v1/scanner/scans?page_size=x",
        &[],
        &[],
    )
    .await;
    assert_eq!(bad.json()["errors"][0]["field"], "page_size");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_is_a_request_id() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(&connection, feed("june")).await.unwrap();
    let body = format!(
        "{{\"sbom\":{}}}",
        String::from_utf8(sbom(&["h2@0.4.20"])).unwrap()
    );
    let key = "idempotency-key: once";
    let path = "/api/v1/scanner/scans";
    let first = ask(&server.url, "POST", path, &[key], body.as_bytes()).await;
    let again = ask(&server.url, "POST", path, &[key], body.as_bytes()).await;
    assert_eq!(
        (first.status, again.status),
        (201, 201),
        "the same answer, not a conflict"
    );
    assert_eq!(first.json(), again.json());
    let other = body.replace("0.4.20", "0.4.21");
    let other = ask(&server.url, "POST", path, &[key], other.as_bytes()).await;
    assert_eq!(
        (other.status, &other.json()["code"]),
        (409, &"REQUEST_ID_REUSED".into())
    );
}
