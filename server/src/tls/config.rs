//! From PEM files to a configuration.

use super::{ClientAuth, Contents, TlsError, TlsFiles};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// What is spoken inside, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The configuration that the files give.
pub(super) fn server(files: &TlsFiles, contents: &Contents) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&files.certificate, &contents.certificate)?;
    let pem = readable(&files.key, &contents.key)?;
    let key = PrivateKeyDer::from_pem_slice(pem)
        .map_err(|_| content(&files.key, "there is no private key in it"))?;
    let together = |problem: tokio_rustls::rustls::Error| TlsError::Identity {
        certificate: files.certificate.display().to_string(),
        key: files.key.display().to_string(),
        why: problem.to_string(),
    };
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(together)?;
    let builder = match (&files.client_ca, &contents.client_ca) {
        (Some(path), Some(pem)) => {
            builder.with_client_cert_verifier(clients(path, pem, files.client_auth, provider)?)
        }
        _ => builder.with_no_client_auth(),
    };
    // Checks that the key is the certificate's.
    let mut config = builder.with_single_cert(chain, key).map_err(together)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

/// Who is known as a client.
fn clients(
    path: &Path,
    pem: &Result<Vec<u8>, String>,
    auth: ClientAuth,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, pem)? {
        let added = roots.add(certificate);
        added.map_err(|problem| content(path, &problem.to_string()))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = match auth {
        ClientAuth::Required => verifier,
        ClientAuth::Optional => verifier.allow_unauthenticated(),
    };
    let verifier = verifier.build();
    verifier.map_err(|problem| content(path, &problem.to_string()))
}

fn certificates(
    path: &Path,
    pem: &Result<Vec<u8>, String>,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(readable(path, pem)?).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(content(path, "there is no certificate in it")),
        Err(problem) => Err(content(path, &problem.to_string())),
    }
}

fn readable<'a>(path: &Path, bytes: &'a Result<Vec<u8>, String>) -> Result<&'a [u8], TlsError> {
    bytes.as_deref().map_err(|why| TlsError::File {
        path: path.display().to_string(),
        why: why.clone(),
    })
}

fn content(path: &Path, why: &str) -> TlsError {
    TlsError::Content {
        path: path.display().to_string(),
        why: why.to_owned(),
    }
}
