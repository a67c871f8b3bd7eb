//! The members of all supported formats that are read, in one pass over the text.
//!
//! One structure for all formats means that a document is parsed once, whatever it turns out to
//! be. No member means different things in two formats.

use serde::Deserialize;

use crate::inputs::json::{List, Object, Text};

/// Top level of a document.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Document<'a> {
    // CycloneDX
    #[serde(borrow)]
    pub(super) bom_format: Text<'a>,
    pub(super) spec_version: Text<'a>,
    pub(super) serial_number: Text<'a>,
    pub(super) metadata: Object<Metadata<'a>>,
    pub(super) components: List<Object<RawComponent<'a>>>,
    pub(super) dependencies: List<Object<Dependency<'a>>>,
    // SPDX 2
    pub(super) spdx_version: Text<'a>,
    #[serde(rename = "SPDXID")]
    pub(super) id: Text<'a>,
    pub(super) packages: List<Object<Package<'a>>>,
    pub(super) files: List<Object<File<'a>>>,
    pub(super) relationships: List<Object<Relationship<'a>>>,
    #[serde(rename = "documentDescribes")]
    pub(super) describes: List<Text<'a>>,
    // in-toto, and the DSSE envelope around it
    pub(super) payload: Text<'a>,
    #[serde(rename = "_type")]
    pub(super) statement_type: Text<'a>,
    pub(super) predicate: Object<Document<'a>>,
    #[serde(rename = "Data")]
    pub(super) data: Object<Document<'a>>,
    // Telling what else it may be
    #[serde(rename = "SPDXVersion")]
    pub(super) tag_version: Text<'a>,
    #[serde(rename = "@context")]
    pub(super) context: Text<'a>,
}

/// CycloneDX `metadata`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub(super) component: Object<RawComponent<'a>>,
}

/// CycloneDX component.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct RawComponent<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
    pub(super) bom_ref: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) version: Text<'a>,
    pub(super) purl: Text<'a>,
    pub(super) scope: Text<'a>,
    pub(super) properties: List<Object<Property<'a>>>,
    pub(super) components: List<Object<RawComponent<'a>>>,
}

/// CycloneDX property.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Property<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    pub(super) value: Text<'a>,
}

/// CycloneDX dependency.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Dependency<'a> {
    #[serde(rename = "ref", borrow)]
    pub(super) reference: Text<'a>,
    pub(super) depends_on: List<Text<'a>>,
}

/// SPDX package.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Package<'a> {
    #[serde(rename = "SPDXID", borrow)]
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) version_info: Text<'a>,
    pub(super) source_info: Text<'a>,
    pub(super) primary_package_purpose: Text<'a>,
    pub(super) external_refs: List<Object<ExternalRef<'a>>>,
}

/// SPDX file: only its id, to tell it from a package that is missing.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct File<'a> {
    #[serde(rename = "SPDXID", borrow)]
    pub(super) id: Text<'a>,
}

/// SPDX external reference.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ExternalRef<'a> {
    #[serde(borrow)]
    pub(super) reference_type: Text<'a>,
    pub(super) reference_locator: Text<'a>,
}

/// SPDX relationship.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Relationship<'a> {
    #[serde(rename = "spdxElementId", borrow)]
    pub(super) left: Text<'a>,
    #[serde(rename = "relatedSpdxElement")]
    pub(super) right: Text<'a>,
    #[serde(rename = "relationshipType")]
    pub(super) kind: Text<'a>,
}
