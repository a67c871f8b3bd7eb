//! The scanner's URLs over HTTP/JSON: shapes, refusals, caching.

use crate::http::{Answer, call, get};
use crate::scoring::{feed, import, sbom, submit};
use crate::support::{TOKEN, TestServer};
use serde_json::{Value, json};
use stella_verify::hash::{sha256, to_hex};

const SCANS: &str = "/api/v1/scanner/scans";

/// A call with the token, on a thread that may block.
async fn authorized(url: &str, method: &'static str, path: &str, body: &Value) -> Answer {
    let (url, path) = (url.to_owned(), path.to_owned());
    let body = body.to_string();
    tokio::task::spawn_blocking(move || {
        let bearer = format!("authorization: Bearer {TOKEN}");
        let lines = [bearer.as_str(), "content-type: application/json"];
        call(&url, method, &path, &lines, body.as_bytes())
    })
    .await
    .unwrap()
}

async fn read(url: &str, path: &str) -> Answer {
    let (url, path) = (url.to_owned(), path.to_owned());
    tokio::task::spawn_blocking(move || get(&url, &path))
        .await
        .unwrap()
}

async fn started() -> TestServer {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(&connection, feed("june")).await.unwrap();
    server
}

fn document() -> Value {
    serde_json::from_slice(&sbom(&["h2@0.4.20", "flate2@1.1.11"])).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_created_once_and_then_names_the_scan() {
    let server = started().await;
    let body = json!({"sbom": document(), "scannerVersion": "9", "deterministic": true});
    let made = authorized(&server.url, "POST", SCANS, &body).await;
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    let scan = made.json();
    let id = scan["scanId"].as_str().unwrap();
    assert_eq!(
        made.header("location"),
        Some(format!("{SCANS}/{id}").as_str())
    );
    for member in ["manifestHash", "createdAt", "_links", "rootHash"] {
        assert!(!scan[member].is_null(), "{member}");
    }
    assert!(scan["score"].is_number());

    let again = authorized(&server.url, "POST", SCANS, &body).await;
    assert_eq!(again.status, 409);
    let problem = again.json();
    assert_eq!(problem["error"]["code"], "SCAN_EXISTS");
    assert!(problem["detail"].as_str().unwrap().contains(id));
    let path = format!("{SCANS}?idempotent=true");
    let again = authorized(&server.url, "POST", &path, &body).await;
    assert_eq!(
        (again.status, &again.json()["scanId"]),
        (200, &scan["scanId"])
    );

    // The same document over gRPC has other bytes, so it is another input; in base64 it is the same.
    let text = stella_verify::base64::encode(document().to_string().as_bytes());
    let body = json!({"sbom": text, "scannerVersion": "9"});
    let same = authorized(&server.url, "POST", &path, &body).await;
    assert_eq!(same.json()["manifestHash"], scan["manifestHash"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_scored_can_be_read_replayed_and_downloaded() {
    let server = started().await;
    let connection = server.connect().await;
    let scan = submit(&connection, sbom(&["h2@0.4.20"])).await.unwrap();
    let place = format!("{SCANS}/{}", scan.scan_id);
    let url = &server.url;

    let manifest = read(url, &format!("{place}/manifest")).await.json();
    assert_eq!(manifest["manifestHash"], scan.manifest_hash.as_str());
    assert!(manifest["manifest"]["concelierSnapshotHash"].is_string());
    let found = read(url, &place).await.json();
    assert_eq!(found["rootHash"], scan.root_hash.as_str());
    let listed = read(url, &format!("{SCANS}?page_size=1")).await.json();
    assert_eq!(listed["scans"][0]["scanId"], scan.scan_id.as_str());
    let snapshot = manifest["manifest"]["concelierSnapshotHash"]
        .as_str()
        .unwrap();
    let snapshot = read(url, &format!("/api/v1/snapshots/{snapshot}"))
        .await
        .json();
    assert!(snapshot["tables"]["advisory"].as_u64().unwrap() > 0);
    let snapshots = read(url, "/api/v1/snapshots?kind=concelier").await.json();
    assert_eq!(snapshots["snapshots"].as_array().unwrap().len(), 1);

    let replay = format!("{place}/score/replay");
    let same = authorized(url, "POST", &replay, &json!({})).await.json();
    assert_eq!(same["scoreProof"]["rootHash"], scan.root_hash.as_str());
    import(&connection, feed("september")).await.unwrap();
    let later = authorized(url, "POST", &replay, &json!({})).await.json();
    assert_ne!(later["scoreProof"]["rootHash"], scan.root_hash.as_str());
    let back = json!({"overrides": {
        "concelierSnapshotHash": manifest["manifest"]["concelierSnapshotHash"],
    }});
    let back = authorized(url, "POST", &replay, &back).await.json();
    assert_eq!(back["scoreProof"]["rootHash"], scan.root_hash.as_str());

    let proofs = read(url, &format!("{place}/proofs")).await.json();
    assert_eq!(proofs["proofs"].as_array().unwrap().len(), 2);
    let path = format!("{place}/proofs/{}", scan.root_hash);
    let bundle = read(url, &path).await;
    assert_eq!(bundle.header("content-type"), Some("application/zip"));
    assert!(
        bundle
            .header("content-digest")
            .unwrap()
            .starts_with("sha-256=:")
    );
    let tag = bundle.header("etag").unwrap().to_owned();
    assert_eq!(tag, format!("\"{}\"", to_hex(&sha256(&bundle.body))));
    let url = url.clone();
    let again = tokio::task::spawn_blocking(move || {
        call(&url, "GET", &path, &[&format!("if-none-match: {tag}")], &[])
    });
    let again = again.await.unwrap();
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_problems_with_a_code_and_a_trace() {
    let server = started().await;
    let url = &server.url;
    let absent = read(url, &format!("{SCANS}/scan-00000000000000000000")).await;
    assert_eq!(absent.status, 404);
    assert_eq!(
        absent.header("content-type"),
        Some("application/problem+json")
    );
    let problem = absent.json();
    assert_eq!(problem["error"]["code"], "SCAN_NOT_FOUND");
    let trace = problem["error"]["trace_id"].as_str().unwrap();
    assert_eq!(absent.header("x-trace-id"), Some(trace));

    for (path, status) in [
        (format!("{SCANS}?limit=3"), 400),
        (format!("{SCANS}?page_size=many"), 400),
        ("/api/v1/nothing".to_owned(), 404),
        ("/api/v1/snapshots/sha256:short".to_owned(), 400),
    ] {
        assert_eq!(read(url, &path).await.status, status, "{path}");
    }
    for (body, status) in [
        (json!({}), 400),
        (json!({"sbom": {}, "unknown": 1}), 400),
        (json!({"sbom": {}}), 422),
        (json!({"sbom": "***"}), 400),
        (json!({"sbom": document(), "deterministic": false}), 400),
    ] {
        let answer = authorized(url, "POST", SCANS, &body).await;
        assert_eq!(answer.status, status, "{body}");
        assert!(answer.json()["error"]["code"].is_string(), "{body}");
    }
    let anonymous = {
        let (url, context) = (url.clone(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let line = format!("traceparent: 00-{context}-00f067aa0ba902b7-01");
        let called = move || call(&url, "POST", SCANS, &[&line], b"{}");
        let answer = tokio::task::spawn_blocking(called).await.unwrap();
        assert_eq!(answer.json()["error"]["trace_id"], context);
        answer
    };
    assert_eq!(anonymous.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_in_use_is_kept_and_another_is_deleted_by_its_url() {
    use crate::support::world::{LOW, advisory, files, import};
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let feed = |id: &str| files(&[advisory(id, "alpha", "2.0.0", LOW)]);
    let old = import(&connection, feed("RUSTSEC-2026-0001")).await;
    let current = import(&connection, feed("RUSTSEC-2026-0002")).await;
    let delete = async |hash: &str| {
        let path = format!("/api/v1/snapshots/{hash}");
        authorized(&server.url, "DELETE", &path, &json!({})).await
    };
    let refused = delete(&current).await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.json()["error"]["code"], "SNAPSHOT_IN_USE");
    let status = read(&server.url, "/api/v1/status").await.json();
    for existing in [false, true] {
        let removed = delete(&old).await;
        assert_eq!(removed.status, 200);
        let document = removed.json();
        assert_eq!(document["hash"], json!(old));
        assert_eq!(document["removed"], true);
        assert_eq!(document["existing"], existing);
    }
    let gone = read(&server.url, &format!("/api/v1/snapshots/{old}")).await;
    assert_eq!(
        (gone.status, &gone.json()["error"]["code"]),
        (410, &json!("SNAPSHOT_REMOVED"))
    );
    // As of the tree before, it is told of; before its import there was none.
    let at = |size: &serde_json::Value| format!("/api/v1/snapshots/{old}?tree_size={size}");
    let then = read(&server.url, &at(&status["treeSize"])).await;
    assert_eq!(
        (then.status, &then.json()["snapshot"]["hash"]),
        (200, &json!(old))
    );
    let before = read(&server.url, &at(&json!(0))).await;
    assert_eq!(
        (before.status, &before.json()["error"]["code"]),
        (422, &json!("SNAPSHOT_NOT_FOUND"))
    );
}
