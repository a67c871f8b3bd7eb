//! Access tokens: the vectors, and an issuer that changes its keys.

use crate::http::{call, get};
use crate::support::TestServer;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use stella_server::{Issuer, KeySet, KeySource, Policy, TokenRules};
use stella_verify::base64;
use stella_verify::keys::{EnvelopeSigner as _, SigningKey};
use stella_verify::units::UnixMillis;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

const ISSUER: &str = "https://issuer.test";

fn vectors(file: &str) -> Vec<Value> {
    let path = format!("{}/vectors/jwt/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.iter().any(|line| line["ok"] == true));
    assert!(lines.iter().any(|line| line["ok"] == false));
    lines
}

#[test]
fn tokens_are_taken_as_the_vectors_say() {
    for case in vectors("jwt.jsonl") {
        let name = case["name"].as_str().unwrap();
        let keys = KeySet::parse(case["jwks"].to_string().as_bytes()).unwrap();
        let mut rules = TokenRules::new(ISSUER, "stella");
        if let Some(claim) = case["tenantClaim"].as_str() {
            claim.clone_into(&mut rules.tenant_claim);
        }
        if let Some(names) = case["algorithms"].as_array() {
            let names = names
                .iter()
                .map(|name| name.as_str().unwrap().parse().unwrap());
            rules.algorithms = names.collect();
        }
        let now = UnixMillis::new(case["now"].as_u64().unwrap() * 1000);
        let token = case["token"].as_str().unwrap();
        match rules.verify(&keys, token, now) {
            Ok((caller, _)) => {
                let found = json!({
                    "name": &**caller.name(),
                    "tenant": caller.tenant().as_str(),
                    "scopes": caller.scopes().to_string(),
                });
                assert_eq!(case["ok"], true, "{name} was taken");
                assert_eq!(found, case["want"], "{name}");
            }
            Err(error) => {
                let error = error.to_string();
                let said = case["error"].as_str().unwrap_or("(it is good)");
                assert!(error.contains(said), "{name}: {error}, not {said}");
            }
        }
    }
}

#[test]
fn sets_of_keys_are_taken_as_the_vectors_say() {
    for case in vectors("key-set.jsonl") {
        let name = case["name"].as_str().unwrap();
        let set = base64::decode(case["set"].as_str().unwrap()).unwrap();
        let error = KeySet::parse(&set).err().map(|error| error.to_string());
        match (error, case["error"].as_str()) {
            (None, None) => (),
            (Some(error), Some(said)) if error.contains(said) => (),
            (error, said) => panic!("{name}: {error:?}, not {said:?}"),
        }
    }
    let large = vec![b' '; 256 * 1024 + 1];
    assert!(KeySet::parse(&large).is_err());
}

/// base64url without padding.
fn url(bytes: &[u8]) -> String {
    let text = base64::encode(bytes).replace('+', "-").replace('/', "_");
    text.trim_end_matches('=').to_owned()
}

/// The key that an issuer calls `k<n>`.
fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32]).unwrap()
}

fn key_set(of: &[u8]) -> String {
    let jwk = |n: &u8| {
        // The last 32 bytes of an Ed25519 SubjectPublicKeyInfo are the key (RFC 8410 4).
        let spki = key(*n).public_key().spki_der().to_vec();
        json!({"kty": "OKP", "crv": "Ed25519", "kid": format!("k{n}"), "x": url(&spki[12..])})
    };
    json!({"keys": of.iter().map(jwk).collect::<Vec<_>>()}).to_string()
}

/// A token of `sub` with every right to read, signed with key `n`.
fn token(n: u8, sub: &str) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let header = json!({"alg": "EdDSA", "kid": format!("k{n}"), "typ": "at+jwt"});
    let claims = json!({
        "iss": ISSUER, "aud": "stella", "sub": sub, "exp": now + 300, "scope": "scanner.proofs",
    });
    let [header, claims] = [header, claims].map(|part| url(part.to_string().as_bytes()));
    let signed = format!("{header}.{claims}");
    let signature = key(n).sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", url(&signature))
}

/// An issuer on a loopback port.
struct TestIssuer {
    url: String,
    answer: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl TestIssuer {
    fn start() -> Self {
        Self::speaking(None)
    }

    /// In plain text, or under TLS.
    fn speaking(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/keys", listener.local_addr().unwrap());
        let (answer, asked) = (Arc::new(Mutex::new(String::new())), Arc::default());
        let issuer = Self {
            url,
            answer: Arc::clone(&answer),
            asked: Arc::clone(&asked),
        };
        // Ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let say = || {
                    asked.fetch_add(1, Ordering::SeqCst);
                    answer.lock().unwrap().clone()
                };
                match &tls {
                    None => reply(stream, say),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        reply(StreamOwned::new(connection, stream), say);
                    }
                }
            }
        });
        issuer
    }

    fn says(&self, status: &str, body: &str) {
        let length = body.len();
        *self.answer.lock().unwrap() = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn source(&self, max_age: Duration, cooldown: Duration) -> KeySource {
        KeySource::url(&self.url, None)
            .unwrap()
            .with_intervals(max_age, cooldown)
    }
}

/// Reads a request and answers it; who hangs up in the handshake is told nothing.
fn reply(mut stream: impl std::io::Read + std::io::Write, say: impl Fn() -> String) {
    let mut request = [0; 4096];
    if stream.read(&mut request).is_ok_and(|read| read > 0) {
        stream.write_all(say().as_bytes()).ok();
        stream.flush().ok();
    }
}

async fn serving(source: KeySource) -> TestServer {
    let issuer = Issuer::new(TokenRules::new(ISSUER, "stella"), source);
    let policy = Policy::default().with_issuer(issuer);
    TestServer::with(tempfile::tempdir().unwrap(), policy).await
}

/// The status of a read by the bearer of a token.
async fn status(server: &TestServer, token: &str) -> u16 {
    let url = server.url.clone();
    let bearer = format!("authorization: Bearer {token}");
    let asking = tokio::task::spawn_blocking(move || {
        call(&url, "GET", "/api/v1/scanner/scans", &[&bearer], &[]).status
    });
    asking.await.unwrap()
}

const NEVER: Duration = Duration::from_hours(1);
const AT_ONCE: Duration = Duration::ZERO;

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_and_stale_ones_outlive_a_broken_issuer() {
    let issuer = TestIssuer::start();
    issuer.says("200 OK", &key_set(&[1]));
    let server = serving(issuer.source(NEVER, AT_ONCE)).await;
    let first = token(1, "ci");
    assert_eq!(status(&server, &first).await, 200);
    assert_eq!(status(&server, &first).await, 200);
    assert_eq!(issuer.asked(), 1, "known keys are not asked for");

    issuer.says("200 OK", &key_set(&[2]));
    assert_eq!(
        status(&server, &first).await,
        200,
        "nobody said that the key is gone"
    );
    assert_eq!(status(&server, &token(2, "ci")).await, 200);
    assert_eq!(issuer.asked(), 2);
    assert_eq!(
        status(&server, &first).await,
        401,
        "a verified token ends with its key"
    );

    for (code, body) in [
        ("500 Internal Server Error", ""),
        ("200 OK", "<html>"),
        ("200 OK", r#"{"keys":[]}"#),
    ] {
        issuer.says(code, body);
        assert_eq!(status(&server, &token(3, "ci")).await, 401);
        assert_eq!(
            status(&server, &token(2, "somebody else")).await,
            200,
            "{code} {body}"
        );
    }
    // A redirect is not followed, and more than a set may have is not read.
    issuer.says("302 Found\r\nlocation: /other", &key_set(&[3]));
    assert_eq!(status(&server, &token(3, "ci")).await, 401);
    issuer.says(
        "200 OK",
        &format!("{}{}", key_set(&[3]), " ".repeat(300_000)),
    );
    assert_eq!(status(&server, &token(3, "ci")).await, 401);
    issuer.says("200 OK", &key_set(&[2, 3]));
    assert_eq!(status(&server, &token(3, "ci")).await, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_keys_do_not_make_the_server_hammer_the_issuer() {
    let issuer = TestIssuer::start();
    issuer.says("200 OK", &key_set(&[1]));
    let server = serving(issuer.source(NEVER, NEVER)).await;
    assert_eq!(status(&server, &token(1, "ci")).await, 200);
    for n in 2..12 {
        assert_eq!(status(&server, &token(n, "ci")).await, 401);
    }
    assert_eq!(issuer.asked(), 1);
    assert_eq!(status(&server, &token(1, "cd")).await, 200);
    server.stop().await;
}

/// An authority (PEM), and the configuration of a server that it vouches for under a name.
fn vouched(name: &str) -> (String, Arc<ServerConfig>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    let authority = rcgen::Issuer::new(params, key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (pem, Arc::new(config))
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_under_tls_from_whom_the_operator_believes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let (ours, config) = vouched("127.0.0.1");
    let (theirs, _) = vouched("127.0.0.1");
    let issuer = TestIssuer::speaking(Some(config));
    issuer.says("200 OK", &key_set(&[1]));
    std::fs::write(&file, &theirs).unwrap();
    let source = KeySource::url(&issuer.url, Some(&file)).unwrap();
    let server = serving(source.with_intervals(NEVER, AT_ONCE)).await;
    assert_eq!(status(&server, &token(1, "ci")).await, 401);
    assert_eq!(issuer.asked(), 0, "nothing is said to who is not believed");
    // The file is read again, and what is known outlives an issuer that breaks.
    std::fs::write(&file, &ours).unwrap();
    assert_eq!(status(&server, &token(1, "ci")).await, 200);
    assert_eq!(issuer.asked(), 1);
    issuer.says(
        "200 OK",
        &format!("{}{}", key_set(&[2]), " ".repeat(300_000)),
    );
    assert_eq!(status(&server, &token(2, "ci")).await, 401);
    assert_eq!(status(&server, &token(1, "cd")).await, 200);
    issuer.says("200 OK", &key_set(&[1, 2]));
    assert_eq!(status(&server, &token(2, "ci")).await, 200);
    server.stop().await;

    // A certificate for another host.
    let (authority, config) = vouched("issuer.example");
    let issuer = TestIssuer::speaking(Some(config));
    issuer.says("200 OK", &key_set(&[1]));
    std::fs::write(&file, authority).unwrap();
    let source = KeySource::url(&issuer.url, Some(&file)).unwrap();
    let problem = source.refresh().await.unwrap_err();
    assert!(problem.contains("certificate"), "{problem}");
    assert_eq!(issuer.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_key_ends_when_keys_are_old() {
    let issuer = TestIssuer::start();
    issuer.says("200 OK", &key_set(&[1]));
    let server = serving(issuer.source(AT_ONCE, AT_ONCE)).await;
    let token = token(1, "ci");
    assert_eq!(status(&server, &token).await, 200);
    issuer.says("200 OK", &key_set(&[2]));
    for _ in 0..200 {
        if status(&server, &token).await == 401 {
            server.stop().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("old keys are never asked for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_file_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, key_set(&[1])).unwrap();
    let server = serving(KeySource::file(&path).with_intervals(NEVER, AT_ONCE)).await;
    assert_eq!(status(&server, &token(1, "ci")).await, 200);
    assert_eq!(status(&server, &token(2, "ci")).await, 401);
    std::fs::write(&path, key_set(&[1, 2])).unwrap();
    assert_eq!(status(&server, &token(2, "ci")).await, 200);
    // A scope that the token lacks, and a key that is a token of nobody.
    let (url, bearer) = (
        server.url.clone(),
        format!("authorization: Bearer {}", token(1, "ci")),
    );
    let asking = tokio::task::spawn_blocking(move || {
        let denied = call(&url, "POST", "/api/v1/scanner/scans", &[&bearer], b"{}");
        (denied.status, get(&url, "/api/v1/scanner/scans").status)
    });
    assert_eq!(asking.await.unwrap(), (403, 401));
    server.stop().await;
}
