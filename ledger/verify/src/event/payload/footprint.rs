//! What a computation uses of its feed snapshot.

use super::{PayloadError, ScanId};
use crate::base64;
use crate::hash::ManifestHash;
use crate::json::{FieldError, Fields, ObjectWriter, parse_canonical};
use crate::snapshot::Footprint;
use alloc::vec::Vec;

/// An id in text: `sha256:` and 64 digits.
const ID_BYTES: usize = 71;

const FOOTPRINT_SCHEMA: &str = "stella.scan-footprint/v1";

/// `scan.footprint`: packages and names that a computation looked up. Stands in one commit with the
/// computation's seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanFootprint {
    /// The scan.
    pub scan: ScanId,
    /// The computation.
    pub manifest: ManifestHash,
    /// What it looked up.
    pub uses: Footprint,
}

impl ScanFootprint {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.uses.keys().len() * 11);
        let mut object = ObjectWriter::new(&mut out);
        object.hash("manifestHash", self.manifest.as_bytes());
        object.text("scanId", self.scan.as_str());
        object.text("schema", FOOTPRINT_SCHEMA);
        object.text("uses", &base64::encode(&self.uses.to_bytes()));
        object.end();
        out
    }

    /// The computation that canonical bytes are about, without reading what it looked up: a set of
    /// thousands of keys that most callers do not want. `None` for bytes that are no footprint's.
    #[must_use]
    pub fn manifest_of(bytes: &[u8]) -> Option<ManifestHash> {
        let rest = bytes.strip_prefix(b"{\"manifestHash\":\"")?;
        let (id, rest) = rest.split_at_checked(ID_BYTES)?;
        rest.starts_with(b"\",\"scanId\":\"").then_some(())?;
        core::str::from_utf8(id).ok()?.parse().ok()
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, FOOTPRINT_SCHEMA)?;
        let uses = base64::decode(fields.text("uses")?)
            .ok()
            .and_then(|bytes| Footprint::from_bytes(&bytes).ok())
            .ok_or_else(|| FieldError::value("uses", "base64 of ascending 8-byte keys"))?;
        let payload = Self {
            scan: fields.parsed("scanId", "a scan id")?,
            manifest: fields.parsed("manifestHash", "an id")?,
            uses,
        };
        fields.finish()?;
        Ok(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::UseKey;
    use alloc::string::String;

    #[test]
    fn what_is_written_reads_back_and_nothing_else() {
        let payload = ScanFootprint {
            scan: "scan-0123456789abcdef0123".parse().unwrap(),
            manifest: ManifestHash::new([7; 32]),
            uses: [5, 9].map(UseKey::from_number).into_iter().collect(),
        };
        let bytes = payload.to_bytes();
        let manifest = ManifestHash::new([7; 32]);
        assert_eq!(ScanFootprint::manifest_of(&bytes), Some(manifest));
        assert_eq!(ScanFootprint::manifest_of(&bytes[..90]), None);
        assert_eq!(ScanFootprint::manifest_of(b"{}"), None);
        assert_eq!(ScanFootprint::parse(&bytes), Ok(payload));
        let text = String::from_utf8(bytes).unwrap();
        let bad = text.replace("AAAAAAAAAAU", "AAAAAAAAAAk");
        assert_ne!(bad, text);
        assert!(ScanFootprint::parse(bad.as_bytes()).is_err());
    }
}
