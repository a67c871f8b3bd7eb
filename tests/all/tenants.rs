//! Tenants: a log each, and nothing crosses.

use crate::http::call;
use crate::support::{TOKEN, TestServer, scored};
use prost::Message as _;
use prost::bytes::{Buf as _, BufMut as _};
use std::time::Duration;
use stella_client::Connection;
use stella_server::{ApiKey, ApiKeys, AppOptions, Caller, Policy, Scopes, TenantName};
use tempfile::TempDir;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status};

/// A server with the tenants `default`, `acme` and `beta`, and a key of each that may do everything;
/// the last key is of a tenant that the server does not have.
async fn shared() -> (TestServer, [String; 3]) {
    let directory = tempfile::tempdir().unwrap();
    let mut options = AppOptions::new(directory.path());
    options.tenants = vec![tenant("acme"), tenant("beta")];
    let (keys, policy) = principals(&directory);
    (TestServer::opened(directory, options, policy).await, keys)
}

fn tenant(name: &str) -> TenantName {
    name.parse().unwrap()
}

fn principals(directory: &TempDir) -> ([String; 3], Policy) {
    let mut file = String::new();
    let keys = ["acme", "beta", "gamma"].map(|name| {
        let caller = Caller::new(&format!("{name}-ci"), tenant(name), Scopes::all()).unwrap();
        let (key, row) = ApiKey::draw(caller, None).unwrap();
        file.push_str(&row.line());
        file.push('\n');
        key
    });
    let path = directory.path().join("principals.jsonl");
    std::fs::write(&path, file).unwrap();
    let policy = Policy::token(TOKEN, "tester", true);
    (keys, policy.with_api_keys(ApiKeys::open(&path).unwrap()))
}

async fn connect(server: &TestServer, key: &str) -> Connection {
    Connection::to(&server.url, Some(key)).await.unwrap()
}

/// The HTTP answer to the bearer of a key; to nobody without one.
async fn answer(server: &TestServer, key: Option<&str>, path: &str) -> (u16, String) {
    let (url, path) = (server.url.clone(), path.to_owned());
    let lines: Vec<String> = key
        .iter()
        .map(|key| format!("authorization: Bearer {key}"))
        .collect();
    let asking = tokio::task::spawn_blocking(move || {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let answer = call(&url, "GET", &path, &lines, &[]);
        (
            answer.status,
            String::from_utf8_lossy(&answer.body).into_owned(),
        )
    });
    asking.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_a_log_of_its_own() {
    let (server, [acme, beta, gamma]) = shared().await;
    let scan = scored(&connect(&server, &acme).await, "1.0.0").await;
    let path = format!("/api/v1/scanner/scans/{}", scan.scan_id);
    assert_eq!(answer(&server, Some(&acme), &path).await.0, 200);
    for other in [Some(beta.as_str()), Some(TOKEN), None] {
        assert_eq!(answer(&server, other, &path).await.0, 404, "{other:?}");
    }
    let origin = |note: String| note.lines().next().unwrap_or_default().to_owned();
    scored(&connect(&server, TOKEN).await, "1.0.0").await;
    let ours = origin(answer(&server, None, "/checkpoint").await.1);
    let theirs = origin(answer(&server, Some(&acme), "/checkpoint").await.1);
    assert_eq!(theirs, format!("{ours}/acme"));
    assert_eq!(
        answer(&server, Some(&beta), "/checkpoint").await.0,
        404,
        "an empty log"
    );

    // Whoever is of a tenant that there is not hears the same, whether there could be one or not.
    for path in ["/checkpoint", path.as_str(), "/api/v1/scanner/scans"] {
        let (status, body) = answer(&server, Some(&gamma), path).await;
        assert_eq!(status, 403);
        assert!(
            body.contains("PERMISSION_DENIED") && !body.contains("acme"),
            "{body}"
        );
    }
    assert!(!server.directory.path().join("tenants/gamma").exists());

    // All of it is there after a restart, also under another order of the tenants.
    let directory = server.stop().await;
    let mut options = AppOptions::new(directory.path());
    options.tenants = vec![tenant("beta"), tenant("default"), tenant("acme")];
    let (keys, policy) = principals(&directory);
    let server = TestServer::opened(directory, options, policy).await;
    let path = format!("/api/v1/scanner/scans/{}", scan.scan_id);
    assert_eq!(answer(&server, Some(&keys[0]), &path).await.0, 200);
    assert_eq!(
        origin(answer(&server, Some(&keys[0]), "/checkpoint").await.1),
        theirs
    );
    server.stop().await;
}

/// Messages as the bytes they are: what is asked need not be what the method expects.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        Ok(Some(bytes.to_vec()))
    }
}

/// Every method of the contract.
fn methods() -> Vec<String> {
    let files = prost_types::FileDescriptorSet::decode(stella_proto::DESCRIPTORS).unwrap();
    let mut methods = Vec::new();
    for file in &files.file {
        for service in &file.service {
            for method in &service.method {
                methods.push(format!(
                    "/{}.{}/{}",
                    file.package(),
                    service.name(),
                    method.name()
                ));
            }
        }
    }
    methods
}

/// A message that says `text` in one field of strings, or nothing at all.
fn message(field: u8, text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    if field > 0 {
        bytes.push(field << 3 | 2);
        prost::encoding::encode_varint(text.len() as u64, &mut bytes);
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

/// All that a method answers to a message: bytes, and the words of its status.
async fn probe(
    channel: &tonic::transport::Channel,
    key: &str,
    method: &str,
    message: Vec<u8>,
) -> Vec<u8> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let mut request = Request::new(tokio_stream::once(message));
    let bearer = format!("Bearer {key}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let path = method.parse().unwrap();
    let mut said = Vec::new();
    // Some methods wait for more, for ever; whatever they had to say came before.
    let listening = async {
        match client.streaming(request, path, Raw).await {
            Err(status) => said.extend_from_slice(format!("{status:?}").as_bytes()),
            Ok(answer) => {
                let mut stream = answer.into_inner();
                loop {
                    match stream.message().await {
                        Ok(Some(bytes)) => said.extend_from_slice(&bytes),
                        Ok(None) => break,
                        Err(status) => {
                            said.extend_from_slice(format!("{status:?}").as_bytes());
                            break;
                        }
                    }
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_millis(200), listening)
        .await
        .ok();
    said
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// What is acme's alone: each is asked for by name, through every method, in every field that could
/// take a name; the answers must hold no other of them.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_crosses_whatever_is_asked() {
    let (server, [acme, beta, _]) = shared().await;
    // Beta has a life of its own, with other inputs: hashes of equal inputs are equal everywhere.
    scored(&connect(&server, &beta).await, "1.9.9").await;
    let scan = scored(&connect(&server, &acme).await, "1.0.0").await;
    let secrets = [
        scan.scan_id.clone(),
        scan.root_hash.clone(),
        scan.manifest_hash.clone(),
        scan.artifact_digest.clone(),
        format!(
            "computation/{}",
            scan.manifest_hash.trim_start_matches("sha256:")
        ),
        "acme-ci".to_owned(),
        "/acme".to_owned(),
    ];
    let channel = tonic::transport::Endpoint::from_shared(server.url.clone()).unwrap();
    let channel = channel.connect().await.unwrap();
    let mut found = 0;
    for method in methods() {
        let mut messages = vec![(message(0, ""), "")];
        for secret in &secrets {
            messages.extend((1..=3).map(|field| (message(field, secret), secret.as_str())));
        }
        for (asked, named) in messages {
            let said = probe(&channel, &beta, &method, asked.clone()).await;
            for secret in secrets.iter().filter(|secret| !named.contains(*secret)) {
                let told =
                    holds(&said, secret) && !named.contains(secret.trim_start_matches("sha256:"));
                assert!(
                    !told,
                    "{method} told beta of {secret} when asked for {named:?}"
                );
            }
            // The same questions of acme's own are answered: the probe sees what there is to see.
            if method.ends_with("GetScan") || method.ends_with("ListScans") {
                let said = probe(&channel, &acme, &method, asked).await;
                let own = secrets.iter().filter(|secret| !named.contains(*secret));
                found += own.filter(|secret| holds(&said, secret)).count();
            }
        }
    }
    assert!(
        found > 5,
        "the probe finds {found} of acme's secrets as acme"
    );
    server.stop().await;
}
