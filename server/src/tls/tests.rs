//! What a call knows of its peer.

use super::{ClientAuth, PeerCertificates, PeerLayer, Tls, TlsFiles, incoming, name_peer};
use crate::connections::Door;
use axum::extract::Request;
use axum::routing::{Router, get};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::service::Routes;
use tonic::transport::Server;

/// The first certificate of the peer in hex, or `none`.
async fn shown(request: Request) -> String {
    let peer = request.extensions().get::<PeerCertificates>();
    let first = peer.and_then(|peer| peer.chain().first().cloned());
    first.map_or("none".to_owned(), |der| stella_verify::hash::to_hex(&der))
}

#[tokio::test]
async fn the_verified_certificate_rides_with_the_request() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let tls = Tls::load(TlsFiles {
        certificate: write("cert.pem", leaf.pem()),
        key: write("key.pem", key.serialize_pem()),
        client_ca: Some(write("ca.pem", authority.pem())),
        client_auth: ClientAuth::Optional,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_cut, is_cut) = tokio::sync::watch::channel(false);
    let door = Door {
        metrics: Arc::default(),
        limits: Arc::default(),
        cut: is_cut,
    };
    let serving = Server::builder()
        .accept_http1(true)
        .layer(PeerLayer::new(name_peer))
        .add_routes(Routes::from(Router::new().route("/", get(shown))))
        .serve_with_incoming(incoming(listener, Arc::new(tls.unwrap()), door));
    tokio::spawn(serving);

    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let client = || {
        ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
    };
    let own = CertificateDer::from(leaf.der().to_vec());
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let known = client()
        .with_client_auth_cert(vec![own.clone()], key)
        .unwrap();
    for (config, expected) in [
        (client().with_no_client_auth(), "none".to_owned()),
        (known, stella_verify::hash::to_hex(&own)),
    ] {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(name, stream).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: ledger\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.ends_with(&expected),
            "{answer} should end with {expected}"
        );
    }
}
