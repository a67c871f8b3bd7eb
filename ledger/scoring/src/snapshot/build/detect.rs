//! What a file is, from its bytes. Names decide only whether something unknown is worth an error.

use serde::Deserialize;
use serde::de::IgnoredAny;
use stella_verify::snapshot::SnapshotKind;

use super::Kind;
use crate::inputs::json::{self, Text};
use crate::inputs::severity;

/// What a file holds.
pub(super) enum FileKind {
    /// One record.
    Record(Kind),
    /// An EPSS file.
    Epss,
    /// A KEV catalogue.
    Kev,
    /// A CVE join.
    Join,
    /// A VEX document.
    Vex,
    /// Something beside the records that feeds come with.
    Skipped,
    /// Not a file of a feed; why.
    Unknown(Box<str>),
}

impl FileKind {
    /// Whether the file is a document of JSON.
    pub(super) const fn is_json(&self) -> bool {
        matches!(
            self,
            Self::Record(Kind::Osv | Kind::Cve) | Self::Kev | Self::Vex
        )
    }
}

/// Tells what `bytes` are.
pub(super) fn detect(kind: SnapshotKind, place: &str, bytes: &[u8]) -> FileKind {
    let text = json::without_mark(bytes).trim_ascii_start();
    let first = text.get(..4).unwrap_or(text);
    match text.first() {
        Some(b'{') if kind == SnapshotKind::Excititor => return FileKind::Vex,
        Some(b'{') => return detect_json(bytes),
        _ if kind == SnapshotKind::Excititor => {}
        Some(b'#') if text.starts_with(b"#model_version") => return FileKind::Epss,
        _ if severity::join::is_join(text) => return FileKind::Join,
        _ if first.eq_ignore_ascii_case(b"cve,") || first == b"CVE-" => return FileKind::Epss,
        _ => {}
    }
    let extension = place
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("json" | "csv" | "gz" | "zip") => FileKind::Unknown(match kind {
            SnapshotKind::Concelier => {
                "neither an OSV or CVE record, nor EPSS, KEV or a CVE join".into()
            }
            SnapshotKind::Excititor => "not a VEX document, which is JSON".into(),
        }),
        _ => FileKind::Skipped,
    }
}

fn detect_json(bytes: &[u8]) -> FileKind {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Probe<'a> {
        #[serde(rename = "dataType", borrow)]
        data_type: Text<'a>,
        #[serde(rename = "catalogVersion")]
        catalog_version: Option<IgnoredAny>,
        vulnerabilities: Option<IgnoredAny>,
        id: Option<IgnoredAny>,
        #[serde(rename = "bomFormat")]
        bom_format: Option<IgnoredAny>,
        #[serde(rename = "spdxVersion")]
        spdx_version: Option<IgnoredAny>,
    }
    match json::parse::<Probe<'_>>(bytes) {
        Err(error) => FileKind::Unknown(error.to_string().into()),
        Ok(probe) if probe.bom_format.is_some() || probe.spdx_version.is_some() => {
            FileKind::Unknown("a bill of materials, not a record of a feed".into())
        }
        Ok(probe) if probe.data_type.get().is_some() => FileKind::Record(Kind::Cve),
        Ok(probe) if probe.catalog_version.is_some() || probe.vulnerabilities.is_some() => {
            FileKind::Kev
        }
        // Without an id it is an OSV record too, for its reader to refuse by name.
        Ok(_) => FileKind::Record(Kind::Osv),
    }
}
