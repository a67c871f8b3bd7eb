//! What the certificate of a client says of whose it is.
//!
//! Whether to believe it was decided in the handshake: only certificates that an authority of the
//! operator's vouches for come here.

use std::str::FromStr;
use stella_verify::hash::{from_hex, sha256};
use stella_verify::units::UnixMillis;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Longest name of a certificate in a row, in bytes: that of a URI in practice.
const MAX_NAME_BYTES: usize = 2048;

/// One way to name a certificate, as rows of the file of principals do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CertificateName {
    /// `sha256:<64 hex>`: the very certificate, by the hash of its DER.
    Digest([u8; 32]),
    /// `uri:<URI>`: a URI among its subject's alternative names, byte for byte.
    Uri(String),
    /// `dns:<name>`: a host's name among them; case does not count, and there are no wildcards.
    Dns(String),
}

/// A text names no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoCertificateName;

impl FromStr for CertificateName {
    type Err = NoCertificateName;
    fn from_str(text: &str) -> Result<Self, NoCertificateName> {
        let (kind, name) = text.split_once(':').ok_or(NoCertificateName)?;
        let graphic = name.bytes().all(|byte| byte.is_ascii_graphic());
        if name.is_empty() || name.len() > MAX_NAME_BYTES || !graphic {
            return Err(NoCertificateName);
        }
        match kind {
            "sha256" => from_hex(name)
                .map(Self::Digest)
                .map_err(|_| NoCertificateName),
            "uri" => Ok(Self::Uri(name.to_owned())),
            // A row is of one client: a certificate with a wildcard is of nobody in particular.
            "dns" if !name.contains('*') => Ok(Self::Dns(name.to_ascii_lowercase())),
            _ => Err(NoCertificateName),
        }
    }
}

/// A certificate as rows may name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    pub(super) digest: CertificateName,
    pub(super) uris: Vec<CertificateName>,
    pub(super) dns: Vec<CertificateName>,
    /// The last moment at which it is valid: connections may outlive it.
    pub(super) not_after: UnixMillis,
}

impl ClientCertificate {
    /// Reads the DER of a certificate; none when it is of another form than RFC 5280's.
    pub(crate) fn of(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let inner = certificate.tbs_certificate();
        let names = inner.get_extension::<SubjectAltName>().ok()?;
        let (mut uris, mut dns) = (Vec::new(), Vec::new());
        for name in names.map(|(_, names)| names.0).unwrap_or_default() {
            match name {
                GeneralName::UniformResourceIdentifier(uri) => {
                    uris.push(CertificateName::Uri(uri.as_str().to_owned()));
                }
                GeneralName::DnsName(name) => {
                    dns.push(CertificateName::Dns(name.as_str().to_ascii_lowercase()));
                }
                _ => (),
            }
        }
        // Whole seconds, the last of which belongs to the validity (RFC 5280 4.1.2.5).
        let end = inner.validity().not_after.to_unix_duration().as_millis();
        let end = u64::try_from(end).unwrap_or(u64::MAX).saturating_add(999);
        Some(Self {
            digest: CertificateName::Digest(sha256(der)),
            uris,
            dns,
            not_after: UnixMillis::new(end),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, SanType};

    #[test]
    fn names_have_one_spelling() {
        let digest = format!("sha256:{}", "0".repeat(64));
        assert_eq!(digest.parse(), Ok(CertificateName::Digest([0; 32])));
        let uri = CertificateName::Uri("spiffe://acme/ci".to_owned());
        assert_eq!("uri:spiffe://acme/ci".parse(), Ok(uri));
        let dns = CertificateName::Dns("ci.example".to_owned());
        assert_eq!("dns:CI.example".parse(), Ok(dns));
        for bad in [
            "",
            "dns:",
            "dns:*.example",
            "cn:ci",
            "sha256:00",
            "uri:a b",
            "ci",
        ] {
            assert_eq!(
                bad.parse::<CertificateName>(),
                Err(NoCertificateName),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_certificate_says_its_names_and_its_end() {
        let mut params = CertificateParams::new(["CI.example".to_owned()]).unwrap();
        let uri = "spiffe://acme/ci";
        params
            .subject_alt_names
            .push(SanType::URI(uri.try_into().unwrap()));
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let read = ClientCertificate::of(der.der()).unwrap();
        assert_eq!(read.digest, CertificateName::Digest(sha256(der.der())));
        assert_eq!(read.uris, [CertificateName::Uri(uri.to_owned())]);
        assert_eq!(read.dns, [CertificateName::Dns("ci.example".to_owned())]);
        assert_eq!(read.not_after.get(), 1_893_456_000_999);
        assert_eq!(ClientCertificate::of(b"no DER"), None);
    }
}
