//! Keys that the caller trusts, from files.

use crate::failure::Failure;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use stella_verify::keys::PublicKey;
use stella_verify::time::format_time;
use stella_verify::units::UnixMillis;
use x509_cert::Certificate;
use x509_cert::der::{DecodePem as _, Encode as _};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----";

/// Where a file's last PEM block ends.
const END: &str = "-----END ";

/// When a certificate says that its key is good, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Validity {
    not_before: UnixMillis,
    not_after: UnixMillis,
}

/// A key that may sign, as a file names it.
#[derive(Debug, Clone)]
pub(crate) struct Anchor {
    file: PathBuf,
    key: PublicKey,
    validity: Option<Validity>,
}

impl Anchor {
    /// A bare key, good at any time.
    pub(crate) fn of_key(file: &Path, key: PublicKey) -> Self {
        Self {
            file: file.to_owned(),
            key,
            validity: None,
        }
    }

    /// Every PEM block of a file: public keys, and X.509 certificates whose key counts while they
    /// are valid. A certificate is trusted as it stands; who issued it is not asked.
    pub(crate) fn read(path: &Path) -> Result<Vec<Self>, Failure> {
        let text =
            std::fs::read_to_string(path).map_err(|problem| Failure::file(path, &problem))?;
        let anchors: Vec<Self> = blocks(&text)
            .map(|block| Self::of_block(path, block))
            .collect::<Result<_, _>>()?;
        if anchors.is_empty() {
            return Err(unusable(path, "no PEM block"));
        }
        Ok(anchors)
    }

    fn of_block(path: &Path, block: &str) -> Result<Self, Failure> {
        if block.starts_with(CERTIFICATE) {
            return Self::of_certificate(path, block);
        }
        if !block.starts_with(PUBLIC_KEY) {
            let what = block.lines().next().unwrap_or_default();
            return Err(unusable(
                path,
                format!("{what} is neither key nor certificate"),
            ));
        }
        let key = PublicKey::from_pem(block).map_err(|problem| unusable(path, problem))?;
        Ok(Self::of_key(path, key))
    }

    fn of_certificate(path: &Path, block: &str) -> Result<Self, Failure> {
        let certificate =
            Certificate::from_pem(block).map_err(|problem| unusable(path, problem))?;
        let inner = certificate.tbs_certificate();
        let spki = inner.subject_public_key_info().to_der();
        let spki = spki.map_err(|problem| unusable(path, problem))?;
        let key = PublicKey::from_spki_der(&spki).map_err(|problem| unusable(path, problem))?;
        let time = |time: x509_cert::time::Time| {
            let since_epoch = time.to_unix_duration().as_millis();
            UnixMillis::new(u64::try_from(since_epoch).unwrap_or(u64::MAX))
        };
        let validity = inner.validity();
        // Whole seconds, the last of which belongs to the validity (RFC 5280 4.1.2.5).
        let last = time(validity.not_after).get().saturating_add(999);
        Ok(Self {
            file: path.to_owned(),
            key,
            validity: Some(Validity {
                not_before: time(validity.not_before),
                not_after: UnixMillis::new(last),
            }),
        })
    }

    /// The key.
    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether the key may have signed at a time; without one, only a bare key may.
    pub(crate) fn is_good_at(&self, time: Option<UnixMillis>) -> bool {
        match (self.validity, time) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(validity), Some(time)) => {
                (validity.not_before..=validity.not_after).contains(&time)
            }
        }
    }

    /// As programs read it.
    pub(crate) fn to_json(&self, time: Option<UnixMillis>) -> Value {
        let mut anchor = Map::new();
        anchor.insert("file".into(), json!(self.file.display().to_string()));
        anchor.insert("keyId".into(), json!(self.key.id().to_string()));
        anchor.insert("used".into(), json!(self.is_good_at(time)));
        if let Some(validity) = self.validity {
            let text = |time| format_time(time).unwrap_or_default();
            anchor.insert("notBefore".into(), json!(text(validity.not_before)));
            anchor.insert("notAfter".into(), json!(text(validity.not_after)));
        }
        Value::Object(anchor)
    }

    /// Why the key does not count at a time.
    pub(crate) fn outside(&self, time: Option<UnixMillis>) -> Option<String> {
        let validity = self.validity.filter(|_| !self.is_good_at(time))?;
        let text = |time| format_time(time).unwrap_or_default();
        Some(format!(
            "{}: the certificate is valid from {} to {}, and the proof is judged at {}",
            self.file.display(),
            text(validity.not_before),
            text(validity.not_after),
            time.map_or_else(|| "no known time".to_owned(), text),
        ))
    }
}

/// The PEM blocks of a text, each with its two lines; what stands between them is for people.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("-----BEGIN ").map(|(start, _)| {
        let block = text.get(start..).unwrap_or_default();
        let end = block.find(END).and_then(|end| {
            let line = block.get(end..)?;
            Some(end + line.find('\n').unwrap_or(line.len()))
        });
        block.get(..end.unwrap_or(block.len())).unwrap_or_default()
    })
}

fn unusable(path: &Path, problem: impl std::fmt::Display) -> Failure {
    Failure::usage(
        format!("{}: {problem}", path.display()),
        "name a file with a public key or an X.509 certificate, in PEM",
    )
}
