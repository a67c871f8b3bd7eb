//! CycloneDX VEX: `vulnerabilities[]` with an `analysis`, in a document of its own (BOM-Link
//! references) or within a bill of materials.

use std::collections::BTreeMap;

use serde::Deserialize;
use stella_verify::hash::BlobDigest;

use super::VexDocument;
use super::record::StatementRecord;
use crate::inputs::json::{self, DocumentError, List, Object, Text, TextOr};
use crate::inputs::time::read_time;
use crate::model::{JsonPointer, VexProduct, VexStatus};
use crate::purl::{Purl, decode};

pub(super) fn read(bytes: &[u8], digest: BlobDigest) -> Result<VexDocument, DocumentError> {
    let raw: RawBom<'_> = json::parse(bytes)?;
    let references = References::read(&raw);
    let mut out = VexDocument {
        statements: Vec::new(),
        notes: Vec::new(),
    };
    let place = JsonPointer::root().member("vulnerabilities");
    for (index, item) in raw.vulnerabilities.as_slice().iter().enumerate() {
        let place = place.element(index);
        let vulnerability = item
            .get()
            .ok_or_else(|| DocumentError::content(place.clone(), "not an object"))?;
        // Without a state it lists a vulnerability and says nothing about it.
        let Some(analysis) = vulnerability.analysis.get() else {
            continue;
        };
        let Some(state) = analysis.state.get() else {
            continue;
        };
        let status = status(state).ok_or_else(|| {
            let place = place.member("analysis").member("state");
            DocumentError::content(place, "not a state that CycloneDX defines")
        })?;
        let names = names(vulnerability);
        if names.is_empty() {
            return Err(DocumentError::content(
                place.member("id"),
                "names no vulnerability",
            ));
        }
        let mut products = Vec::new();
        for (index, affects) in vulnerability.affects.as_slice().iter().enumerate() {
            let Some(affects) = affects.get() else {
                continue;
            };
            let place = place.member("affects").element(index);
            references.resolve(affects, &place, &mut products, &mut out.notes);
        }
        products.sort_by(|a, b| (&a.purl, &a.name).cmp(&(&b.purl, &b.name)));
        products.dedup();
        out.statements.push(statement(
            &raw,
            vulnerability,
            analysis,
            Content {
                status,
                names,
                products,
                place: &place,
                digest,
            },
        ));
    }
    Ok(out)
}

struct Content<'p> {
    status: VexStatus,
    names: Vec<Box<str>>,
    products: Vec<VexProduct>,
    place: &'p JsonPointer,
    digest: BlobDigest,
}

fn statement(
    bom: &RawBom<'_>,
    vulnerability: &RawVulnerability<'_>,
    analysis: &RawAnalysis<'_>,
    content: Content<'_>,
) -> StatementRecord {
    let metadata = bom.metadata.get();
    let times = [
        Some(&analysis.last_updated),
        Some(&analysis.first_issued),
        Some(&vulnerability.updated),
        Some(&vulnerability.published),
        metadata.map(|metadata| &metadata.timestamp),
    ];
    let digest = content.digest.to_string();
    StatementRecord {
        document: bom.serial_number.get().unwrap_or(&digest).into(),
        revision: match &bom.version {
            TextOr::Other(number) => number.to_string().into(),
            TextOr::Text(text) => text.get().unwrap_or_default().into(),
        },
        place: content.place.as_str().into(),
        author: metadata.and_then(author).unwrap_or_default().into(),
        time: times
            .into_iter()
            .flatten()
            .find_map(|text| text.get().and_then(read_time)),
        vulnerabilities: content.names,
        status: content.status,
        justification: analysis.justification.get().map(Into::into),
        products: content.products,
    }
}

/// CycloneDX 1.6, "Vulnerability Analysis: impact analysis state".
fn status(state: &str) -> Option<VexStatus> {
    Some(match state {
        "resolved" | "resolved_with_pedigree" => VexStatus::Fixed,
        "exploitable" => VexStatus::Affected,
        "in_triage" => VexStatus::UnderInvestigation,
        "false_positive" | "not_affected" => VexStatus::NotAffected,
        _ => return None,
    })
}

fn names(raw: &RawVulnerability<'_>) -> Vec<Box<str>> {
    let references = raw
        .references
        .as_slice()
        .iter()
        .filter_map(|item| item.get()?.id.get());
    let mut names: Vec<Box<str>> = raw
        .id
        .get()
        .into_iter()
        .chain(references)
        .map(Into::into)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Who speaks: the supplier, else the manufacturer, else the first author.
fn author<'r>(metadata: &'r RawMetadata<'_>) -> Option<&'r str> {
    let name = |organisation: &'r Object<RawName<'_>>| organisation.get()?.name.get();
    name(&metadata.supplier)
        .or_else(|| name(&metadata.manufacturer))
        .or_else(|| metadata.authors.as_slice().iter().find_map(name))
}

/// The document's own components, by reference.
struct References<'r> {
    known: BTreeMap<&'r str, &'r RawComponent<'r>>,
}

impl<'r> References<'r> {
    fn read(raw: &'r RawBom<'r>) -> Self {
        let mut out = Self {
            known: BTreeMap::new(),
        };
        if let Some(component) = raw.metadata.get().and_then(|all| all.component.get()) {
            out.add(component);
        }
        out.list(&raw.components);
        out
    }

    /// Recursion is bounded by the JSON parser's depth.
    fn list(&mut self, list: &'r List<Object<RawComponent<'r>>>) {
        for component in list.as_slice().iter().filter_map(Object::get) {
            self.add(component);
        }
    }

    fn add(&mut self, component: &'r RawComponent<'r>) {
        if let Some(reference) = component.bom_ref.get() {
            self.known.entry(reference).or_insert(component);
        }
        self.list(&component.components);
    }

    /// Adds the products that an `affects` entry names. Versions narrow them; ranges of versions
    /// are not evaluated and are noted.
    fn resolve(
        &self,
        affects: &RawAffects<'_>,
        place: &JsonPointer,
        products: &mut Vec<VexProduct>,
        notes: &mut Vec<Box<str>>,
    ) {
        let reference = affects.reference.get().unwrap_or_default();
        let product = self.product(reference);
        let versions = affects.versions.as_slice();
        if versions.is_empty() {
            products.push(product);
            return;
        }
        for (index, version) in versions.iter().enumerate() {
            let Some(version) = version.get() else {
                continue;
            };
            match (version.version.get(), &product.purl) {
                (Some(version), Some(purl)) => {
                    let purl = Some(purl.with_version(version));
                    products.push(VexProduct {
                        purl,
                        ..product.clone()
                    });
                }
                (Some(version), None) => {
                    let name = format!("{}@{version}", product.name).into();
                    products.push(VexProduct {
                        name,
                        ..product.clone()
                    });
                }
                (None, _) => {
                    let place = place.member("versions").element(index);
                    notes.push(format!("{place}: a range of versions is not evaluated").into());
                }
            }
        }
    }

    /// A component of this document, or the part of a BOM-Link after `#`, which is a component's
    /// reference in another document and very often its purl.
    fn product(&self, reference: &str) -> VexProduct {
        let named = |purl: Option<Purl>, name: &str| VexProduct {
            name: if purl.is_some() {
                "".into()
            } else {
                name.into()
            },
            purl,
            subcomponents: Vec::new(),
        };
        if let Some(component) = self.known.get(reference) {
            let purl = component.purl.get().and_then(|text| text.parse().ok());
            let version = component.version.get();
            let name = component.name.get().unwrap_or(reference);
            let name = version.map_or(name.to_owned(), |version| format!("{name}@{version}"));
            return named(purl, &name);
        }
        let local = reference
            .strip_prefix("urn:cdx:")
            .and_then(|link| link.split_once('#'))
            .map_or(reference, |(_, local)| local);
        let purl = local.parse().ok().or_else(|| decode(local)?.parse().ok());
        named(purl, local)
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawBom<'a> {
    #[serde(borrow)]
    serial_number: Text<'a>,
    version: TextOr<'a, u64>,
    metadata: Object<RawMetadata<'a>>,
    components: List<Object<RawComponent<'a>>>,
    vulnerabilities: List<Object<RawVulnerability<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawMetadata<'a> {
    #[serde(borrow)]
    timestamp: Text<'a>,
    component: Object<RawComponent<'a>>,
    supplier: Object<RawName<'a>>,
    manufacturer: Object<RawName<'a>>,
    authors: List<Object<RawName<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawName<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct RawComponent<'a> {
    #[serde(borrow)]
    bom_ref: Text<'a>,
    name: Text<'a>,
    version: Text<'a>,
    purl: Text<'a>,
    components: List<Object<RawComponent<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawVulnerability<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    references: List<Object<RawReference<'a>>>,
    published: Text<'a>,
    updated: Text<'a>,
    analysis: Object<RawAnalysis<'a>>,
    affects: List<Object<RawAffects<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawReference<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawAnalysis<'a> {
    #[serde(borrow)]
    state: Text<'a>,
    justification: Text<'a>,
    first_issued: Text<'a>,
    last_updated: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawAffects<'a> {
    #[serde(rename = "ref", borrow)]
    reference: Text<'a>,
    versions: List<Object<RawVersion<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawVersion<'a> {
    #[serde(borrow)]
    version: Text<'a>,
}
