//! OpenVEX 0.0.1 and 0.2.
//!
//! Version 0.0.1 names vulnerabilities, products and subcomponents by strings; 0.2 by objects with
//! `@id` and `identifiers`. Both are read wherever they stand, since documents mix them.

use serde::Deserialize;
use stella_verify::hash::BlobDigest;

use super::VexDocument;
use super::record::StatementRecord;
use crate::inputs::json::{self, DocumentError, List, Object, Text, TextOr};
use crate::inputs::time::read_time;
use crate::model::{JsonPointer, VexProduct, VexStatus, VexSubcomponent};
use crate::purl::Purl;

pub(super) fn read(bytes: &[u8], digest: BlobDigest) -> Result<VexDocument, DocumentError> {
    let raw: RawDocument<'_> = json::parse(bytes)?;
    let place = JsonPointer::root().member("statements");
    let List::Is(statements) = &raw.statements else {
        return Err(DocumentError::content(place, "not an array"));
    };
    let mut out = VexDocument {
        statements: Vec::new(),
        notes: Vec::new(),
    };
    for (index, item) in statements.iter().enumerate() {
        let place = place.element(index);
        let statement = item
            .get()
            .ok_or_else(|| DocumentError::content(place.clone(), "not an object"))?;
        out.statements
            .push(read_statement(&raw, statement, &place, digest)?);
    }
    Ok(out)
}

fn read_statement(
    document: &RawDocument<'_>,
    raw: &RawStatement<'_>,
    place: &JsonPointer,
    digest: BlobDigest,
) -> Result<StatementRecord, DocumentError> {
    let status = raw
        .status
        .get()
        .and_then(VexStatus::from_name)
        .ok_or_else(|| {
            let reason = "not one of not_affected, affected, fixed, under_investigation";
            DocumentError::content(place.member("status"), reason)
        })?;
    let vulnerabilities = vulnerabilities(&raw.vulnerability);
    if vulnerabilities.is_empty() {
        let place = place.member("vulnerability");
        return Err(DocumentError::content(place, "names no vulnerability"));
    }
    // 0.0.1 lists parts beside the products: they are parts of each.
    let shared = parts(&raw.subcomponents);
    let mut products: Vec<VexProduct> = raw
        .products
        .as_slice()
        .iter()
        .map(|raw| {
            let mut product = product(raw);
            product.subcomponents.extend(shared.iter().cloned());
            product.subcomponents.sort_by(|a, b| a.purl.cmp(&b.purl));
            product.subcomponents.dedup();
            product
        })
        .filter(|product| product.purl.is_some() || !product.name.is_empty())
        .collect();
    products.sort_by(|a, b| (&a.purl, &a.name).cmp(&(&b.purl, &b.name)));
    products.dedup();
    let times = [
        &raw.last_updated,
        &raw.timestamp,
        &document.last_updated,
        &document.timestamp,
    ];
    let digest = digest.to_string();
    Ok(StatementRecord {
        document: document.id.get().unwrap_or(&digest).into(),
        revision: match &document.version {
            TextOr::Other(number) => number.to_string().into(),
            TextOr::Text(text) => text.get().unwrap_or_default().into(),
        },
        place: place.as_str().into(),
        author: document.author.get().unwrap_or_default().into(),
        time: times
            .into_iter()
            .find_map(|text| text.get().and_then(read_time)),
        vulnerabilities,
        status,
        justification: raw.justification.get().map(Into::into),
        products,
    })
}

/// The name and the aliases. An `@id` is an address; it is used where there is no name.
fn vulnerabilities(raw: &TextOr<'_, Object<RawVulnerability<'_>>>) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = match raw {
        TextOr::Text(text) => text.get().into_iter().map(Into::into).collect(),
        TextOr::Other(raw) => match raw.get() {
            Some(raw) => {
                let name = raw.name.get().or(raw.id.get());
                let aliases = raw.aliases.as_slice().iter().filter_map(Text::get);
                name.into_iter().chain(aliases).map(Into::into).collect()
            }
            None => Vec::new(),
        },
    };
    names.sort_unstable();
    names.dedup();
    names
}

fn product(raw: &TextOr<'_, Object<RawProduct<'_>>>) -> VexProduct {
    let (purl, name, subcomponents) = match raw {
        TextOr::Text(text) => {
            let text = text.get().unwrap_or_default();
            (text.parse().ok(), text, Vec::new())
        }
        TextOr::Other(raw) => match raw.get() {
            Some(raw) => (purl(raw), name(raw), parts(&raw.subcomponents)),
            None => (None, "", Vec::new()),
        },
    };
    let name = if purl.is_some() { "" } else { name };
    VexProduct {
        purl,
        name: name.into(),
        subcomponents,
    }
}

/// Parts that have a purl; others name nothing that a bill of materials has.
fn parts(list: &List<TextOr<'_, Object<RawProduct<'_>>>>) -> Vec<VexSubcomponent> {
    list.as_slice()
        .iter()
        .filter_map(|raw| match raw {
            TextOr::Text(text) => text.get()?.parse().ok(),
            TextOr::Other(raw) => raw.get().and_then(purl),
        })
        .map(|purl| VexSubcomponent { purl })
        .collect()
}

fn purl(raw: &RawProduct<'_>) -> Option<Purl> {
    let identifier = raw
        .identifiers
        .get()
        .and_then(|identifiers| identifiers.purl.get());
    identifier
        .or(raw.id.get())
        .and_then(|text| text.parse().ok())
}

fn name<'r>(raw: &'r RawProduct<'_>) -> &'r str {
    let cpe = raw
        .identifiers
        .get()
        .and_then(|all| all.cpe23.get().or(all.cpe22.get()));
    raw.id.get().or(cpe).unwrap_or_default()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawDocument<'a> {
    #[serde(rename = "@id", borrow)]
    id: Text<'a>,
    author: Text<'a>,
    timestamp: Text<'a>,
    last_updated: Text<'a>,
    version: TextOr<'a, u64>,
    statements: List<Object<RawStatement<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawStatement<'a> {
    #[serde(borrow)]
    vulnerability: TextOr<'a, Object<RawVulnerability<'a>>>,
    timestamp: Text<'a>,
    last_updated: Text<'a>,
    products: List<TextOr<'a, Object<RawProduct<'a>>>>,
    subcomponents: List<TextOr<'a, Object<RawProduct<'a>>>>,
    status: Text<'a>,
    justification: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawVulnerability<'a> {
    #[serde(rename = "@id", borrow)]
    id: Text<'a>,
    name: Text<'a>,
    aliases: List<Text<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawProduct<'a> {
    #[serde(rename = "@id", borrow)]
    id: Text<'a>,
    identifiers: Object<RawIdentifiers<'a>>,
    subcomponents: List<TextOr<'a, Object<RawProduct<'a>>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawIdentifiers<'a> {
    #[serde(borrow)]
    purl: Text<'a>,
    cpe22: Text<'a>,
    cpe23: Text<'a>,
}
