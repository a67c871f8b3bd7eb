//! TLS as clients see it: both HTTP versions, certificates that change, clients that must show one.

use crate::support::{TOKEN, TestServer};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use stella_client::{ClientError, ConnectOptions, Connection};
use stella_proto::admin::GetStatusRequest;
use stella_proto::reason::Reason;
use stella_server::{ApiKeys, App, AppOptions, ClientAuth, Policy, Tls, TlsError, TlsFiles};
use stella_verify::hash::{sha256, to_hex};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// An authority that signs what it is asked to.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    fn sign(&self, name: &str) -> Pair {
        self.sign_with(name, None)
    }

    /// The same, with a URI beside the name.
    fn sign_with(&self, name: &str, uri: Option<&str>) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        let uri = uri.map(|uri| SanType::URI(uri.try_into().unwrap()));
        params.subject_alt_names.extend(uri);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair {
            certificate,
            key: key.serialize_pem(),
        }
    }
}

/// A server under TLS, with its files.
struct World {
    folder: TempDir,
    tls: Arc<Tls>,
    address: SocketAddr,
}

fn files(folder: &TempDir, client_ca: bool, client_auth: ClientAuth) -> TlsFiles {
    let file = |name| folder.path().join(name);
    TlsFiles {
        certificate: file("cert.pem"),
        key: file("key.pem"),
        client_ca: client_ca.then(|| file("clients.pem")),
        client_auth,
    }
}

fn write(folder: &TempDir, pair: &Pair) {
    fs::write(folder.path().join("cert.pem"), &pair.certificate).unwrap();
    fs::write(folder.path().join("key.pem"), &pair.key).unwrap();
}

impl World {
    async fn start(server: &Pair, clients: Option<(&Authority, ClientAuth)>) -> Self {
        Self::with(server, clients, Policy::token(TOKEN, "tester", true)).await
    }

    async fn with(
        server: &Pair,
        clients: Option<(&Authority, ClientAuth)>,
        policy: Policy,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, server);
        let auth = clients.map_or(ClientAuth::Optional, |(_, auth)| auth);
        if let Some((authority, _)) = clients {
            fs::write(folder.path().join("clients.pem"), &authority.pem).unwrap();
        }
        let tls = Arc::new(Tls::load(files(&folder, clients.is_some(), auth)).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ledger = folder.path().join("ledger");
        let options = AppOptions::new(&ledger);
        let app = tokio::task::spawn_blocking(|| App::open(options, &|_, _| ()));
        let app = app.await.unwrap().unwrap();
        let forever = std::future::pending();
        let serving = stella_server::serve_tls(app, listener, Arc::clone(&tls), policy, forever);
        tokio::spawn(serving);
        Self {
            folder,
            tls,
            address,
        }
    }

    /// Connects and makes a call.
    async fn call(&self, options: &ConnectOptions) -> Result<Connection, ClientError> {
        let url = format!("https://{}", self.address);
        let connection = Connection::with(&url, options).await?;
        ask(&connection).await?;
        Ok(connection)
    }
}

async fn ask(connection: &Connection) -> Result<(), ClientError> {
    connection.admin().get_status(GetStatusRequest {}).await?;
    Ok(())
}

fn believing(authority: &Authority) -> ConnectOptions {
    ConnectOptions::default()
        .token(TOKEN)
        .authorities(authority.pem.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_http_are_negotiated_on_one_port() {
    let authority = Authority::new();
    let world = World::start(&authority.sign("127.0.0.1"), None).await;
    world.call(&believing(&authority)).await.unwrap();
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem.as_bytes());
    roots.add(root.unwrap()).unwrap();
    for (offered, expected) in [(&["http/1.1"][..], "http/1.1"), (&["http/1.1", "h2"], "h2")] {
        let mut config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = offered
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let stream = TcpStream::connect(world.address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(name, stream).await.unwrap();
        assert_eq!(
            stream.get_ref().1.alpn_protocol(),
            Some(expected.as_bytes())
        );
        if expected == "http/1.1" {
            let request = b"GET /checkpoint HTTP/1.1\r\nhost: ledger\r\nconnection: close\r\n\r\n";
            stream.write_all(request).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            // There is no checkpoint yet, and it is our own answer that says so.
            assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
            assert!(answer.contains("application/problem+json"), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_serves_new_connections_and_the_old_ones_stay() {
    let (old, new) = (Authority::new(), Authority::new());
    let world = World::start(&old.sign("127.0.0.1"), None).await;
    let standing = world.call(&believing(&old)).await.unwrap();
    assert_eq!(world.tls.refresh(), Ok(false), "nothing changed");

    write(&world.folder, &new.sign("127.0.0.1"));
    assert_eq!(world.tls.refresh(), Ok(true));
    ask(&standing).await.unwrap();
    world.call(&believing(&new)).await.unwrap();
    world.call(&believing(&old)).await.unwrap_err();

    // Not a certificate; then one without its key; then none at all.
    fs::write(world.folder.path().join("cert.pem"), "not one").unwrap();
    assert!(matches!(world.tls.refresh(), Err(TlsError::Content { .. })));
    assert_eq!(world.tls.refresh(), Ok(false), "told of once");
    assert!(matches!(world.tls.reload(), Err(TlsError::Content { .. })));
    let other = new.sign("127.0.0.1").certificate;
    fs::write(world.folder.path().join("cert.pem"), other).unwrap();
    assert!(matches!(
        world.tls.refresh(),
        Err(TlsError::Identity { .. })
    ));
    fs::remove_file(world.folder.path().join("cert.pem")).unwrap();
    assert!(matches!(world.tls.refresh(), Err(TlsError::File { .. })));
    ask(&standing).await.unwrap();
    world.call(&believing(&new)).await.unwrap();

    write(&world.folder, &old.sign("127.0.0.1"));
    assert_eq!(world.tls.reload(), Ok(true));
    world.call(&believing(&old)).await.unwrap();
    ask(&standing).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_show_what_the_server_asks_for() {
    let (server, ours, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let anonymous = believing(&server);
    let with = |authority: &Authority| {
        let pair = authority.sign("client.example");
        believing(&server).identity(pair.certificate, pair.key)
    };
    for (auth, anonymous_passes) in [(ClientAuth::Required, false), (ClientAuth::Optional, true)] {
        let world = World::start(&server.sign("127.0.0.1"), Some((&ours, auth))).await;
        world.call(&with(&ours)).await.unwrap();
        world.call(&with(&strangers)).await.unwrap_err();
        assert_eq!(world.call(&anonymous).await.is_ok(), anonymous_passes);
    }
}

/// The status line of a read over HTTP, by the bearer of a certificate and a token.
async fn status(world: &World, ours: &Authority, pair: &Pair, token: Option<&str>) -> String {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(ours.pem.as_bytes());
    roots.add(root.unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap();
    let stream = TcpStream::connect(world.address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await.unwrap();
    let bearer = token.map(|token| format!("authorization: Bearer {token}\r\n"));
    let request = format!(
        "GET /api/v1/status HTTP/1.1\r\nhost: ledger\r\nconnection: close\r\n{}\r\n",
        bearer.unwrap_or_default()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_whose_its_row_says() {
    let (server, ours) = (Authority::new(), Authority::new());
    let itself = ours.sign("itself.example");
    let by_uri = ours.sign_with("somebody.example", Some("spiffe://acme/ci"));
    let lacking = ours.sign("appender.example");
    let nobody = ours.sign("nobody.example");
    let der = CertificateDer::from_pem_slice(itself.certificate.as_bytes()).unwrap();
    let rows = [
        (
            format!("sha256:{}", to_hex(&sha256(&der))),
            "scanner.proofs",
        ),
        ("uri:spiffe://acme/ci".to_owned(), "scanner.proofs"),
        ("dns:appender.example".to_owned(), "ledger.append"),
    ];
    let rows = rows.map(|(certificate, scope)| {
        format!(r#"{{"certificate":"{certificate}","name":"{scope}","scopes":["{scope}"]}}"#)
    });
    let principals = tempfile::NamedTempFile::new().unwrap();
    fs::write(principals.path(), rows.join("\n")).unwrap();
    let policy = Policy::token(TOKEN, "tester", false);
    let policy = policy.with_api_keys(ApiKeys::open(principals.path()).unwrap());
    let clients = Some((&ours, ClientAuth::Optional));
    let world = World::with(&server.sign("127.0.0.1"), clients, policy).await;
    for (pair, code, line) in [
        (&itself, None, "HTTP/1.1 200 OK"),
        (&by_uri, None, "HTTP/1.1 200 OK"),
        (
            &lacking,
            Some(Reason::PermissionDenied),
            "HTTP/1.1 403 Forbidden",
        ),
        (
            &nobody,
            Some(Reason::Unauthenticated),
            "HTTP/1.1 401 Unauthorized",
        ),
    ] {
        let options = ConnectOptions::default()
            .authorities(server.pem.clone())
            .identity(pair.certificate.clone(), pair.key.clone());
        let called = world.call(&options).await;
        assert_eq!(called.err().map(|refused| refused.reason()), code, "{line}");
        assert_eq!(status(&world, &server, pair, None).await, line);
        // A token was chosen for the call, and comes first.
        assert_eq!(
            status(&world, &server, pair, Some(TOKEN)).await,
            "HTTP/1.1 200 OK"
        );
        let wrong = status(&world, &server, pair, Some("wrong")).await;
        assert_eq!(wrong, "HTTP/1.1 401 Unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_and_stray_connections_hold_up_nobody() {
    let authority = Authority::new();
    let world = World::start(&authority.sign("127.0.0.1"), None).await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(TcpStream::connect(world.address).await.unwrap());
    }
    let mut plain = TcpStream::connect(world.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    world.call(&believing(&authority)).await.unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.ok();
    assert!(
        !answer.starts_with(b"HTTP"),
        "nothing is said in plain text"
    );
    // The machine's own authorities do not know ours.
    let url = format!("https://{}", world.address);
    let refused = Connection::with(&url, &ConnectOptions::default()).await;
    assert!(
        matches!(refused, Err(ClientError::Connect { .. })),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_scheme_is_told_with_the_address_and_what_broke() {
    let authority = Authority::new();
    let world = World::start(&authority.sign("127.0.0.1"), None).await;
    let url = format!("http://{}", world.address);
    // Whether the alert is read or the connection is gone before it depends on who is faster.
    for _ in 0..20 {
        let plain = Connection::to(&url, Some(TOKEN)).await.unwrap();
        for _ in 0..2 {
            let told = ask(&plain).await.unwrap_err();
            assert_eq!(told.reason(), Reason::Unavailable, "{told}");
            let told = told.to_string();
            assert!(told.contains(&format!("cannot reach {url}: ")), "{told}");
            assert!(told.ends_with("; the server may expect https"), "{told}");
            assert!(!told.contains("transport error"), "{told}");
        }
    }

    let server = TestServer::start().await;
    let url = server.url.replace("http://", "https://");
    let told = Connection::with(&url, &believing(&authority)).await;
    let told = told.unwrap_err();
    assert_eq!(told.reason(), Reason::Unavailable);
    let told = told.to_string();
    assert!(told.starts_with(&format!("cannot reach {url}: ")), "{told}");
    assert!(told.contains("does not speak TLS"), "{told}");
    assert!(!told.contains("transport error"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_answered_is_not_suspected_of_another_scheme() {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    ask(&connection).await.unwrap();
    let url = server.url.clone();
    drop(server.stop().await);
    let told = ask(&connection).await.unwrap_err();
    assert_eq!(told.reason(), Reason::Unavailable, "{told}");
    let told = told.to_string();
    assert!(told.contains(&url) && !told.contains("https"), "{told}");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    write(&folder, &authority.sign("localhost"));
    let load = || {
        Tls::load(files(&folder, true, ClientAuth::Required))
            .unwrap_err()
            .to_string()
    };
    assert!(load().contains("clients.pem"), "{}", load());
    fs::write(folder.path().join("clients.pem"), "").unwrap();
    assert!(
        load().contains("clients.pem: there is no certificate"),
        "{}",
        load()
    );
    fs::write(folder.path().join("clients.pem"), &authority.pem).unwrap();
    fs::write(folder.path().join("key.pem"), &authority.pem).unwrap();
    assert!(
        load().contains("key.pem: there is no private key"),
        "{}",
        load()
    );
}
