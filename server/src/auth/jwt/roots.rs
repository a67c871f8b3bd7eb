//! Whom to believe when an issuer shows its certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Where the authorities are.
#[derive(Debug, Clone)]
pub(super) enum Roots {
    /// Those that this machine believes.
    Machine,
    /// Those of a file (PEM), and no others.
    File(PathBuf),
}

impl Roots {
    /// Those of a file, or else this machine's.
    pub(super) fn of(file: Option<&Path>) -> Self {
        file.map_or(Self::Machine, |file| Self::File(file.to_owned()))
    }

    /// A configuration that believes them; reads files, so it blocks.
    pub(super) fn config(&self) -> Result<ClientConfig, String> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|problem| problem.to_string())?;
        let builder = builder.with_root_certificates(self.store()?);
        Ok(builder.with_no_client_auth())
    }

    fn store(&self) -> Result<RootCertStore, String> {
        let mut store = RootCertStore::empty();
        match self {
            Self::Machine => {
                let found = rustls_native_certs::load_native_certs();
                // Bundles of systems have some that nobody can use any more.
                store.add_parsable_certificates(found.certs);
                if store.is_empty() {
                    return Err(
                        "this machine has no authorities to believe: name a file of them"
                            .to_owned(),
                    );
                }
            }
            Self::File(path) => {
                let told =
                    |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
                let pem = std::fs::read(path).map_err(|p| told(&p))?;
                for certificate in CertificateDer::pem_slice_iter(&pem) {
                    let certificate = certificate.map_err(|p| told(&p))?;
                    store.add(certificate).map_err(|p| told(&p))?;
                }
                if store.is_empty() {
                    return Err(told(&"there is no certificate in it"));
                }
            }
        }
        Ok(store)
    }
}
