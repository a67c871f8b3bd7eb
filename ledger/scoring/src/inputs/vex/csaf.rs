//! CSAF 2.0, profile VEX (and security advisories, which state the same per product).

mod products;
mod raw;

use std::collections::BTreeMap;

use stella_verify::hash::BlobDigest;

use super::VexDocument;
use super::record::StatementRecord;
use crate::inputs::json::{self, DocumentError, Object, Text};
use crate::inputs::time::read_time;
use crate::model::{JsonPointer, VexProduct, VexStatus};
use products::Products;
use raw::{RawCsaf, RawDocument, RawVulnerability};

/// Product states and what they mean as a VEX status (CSAF 2.0, 4.5 and 3.2.3.9).
const STATES: [(&str, VexStatus); 7] = [
    ("first_affected", VexStatus::Affected),
    ("first_fixed", VexStatus::Fixed),
    ("fixed", VexStatus::Fixed),
    ("known_affected", VexStatus::Affected),
    ("known_not_affected", VexStatus::NotAffected),
    ("last_affected", VexStatus::Affected),
    ("under_investigation", VexStatus::UnderInvestigation),
];

pub(super) fn read(bytes: &[u8], digest: BlobDigest) -> Result<VexDocument, DocumentError> {
    let raw: RawCsaf<'_> = json::parse(bytes)?;
    let root = JsonPointer::root();
    let document = raw
        .document
        .get()
        .ok_or_else(|| DocumentError::content(root.member("document"), "not an object"))?;
    if !matches!(document.csaf_version.get(), Some("2.0" | "2.1")) {
        let place = root.member("document").member("csaf_version");
        return Err(DocumentError::content(place, "not 2.0 or 2.1"));
    }
    let products = Products::read(&raw);
    let mut out = VexDocument {
        statements: Vec::new(),
        notes: Vec::new(),
    };
    let place = root.member("vulnerabilities");
    for (index, item) in raw.vulnerabilities.as_slice().iter().enumerate() {
        let place = place.element(index);
        let vulnerability = item
            .get()
            .ok_or_else(|| DocumentError::content(place.clone(), "not an object"))?;
        read_vulnerability(document, vulnerability, &products, &place, digest, &mut out)?;
    }
    Ok(out)
}

/// Makes one statement per state and justification.
fn read_vulnerability(
    document: &RawDocument<'_>,
    raw: &RawVulnerability<'_>,
    products: &Products<'_>,
    place: &JsonPointer,
    digest: BlobDigest,
    out: &mut VexDocument,
) -> Result<(), DocumentError> {
    let names = names(raw);
    if names.is_empty() {
        return Err(DocumentError::content(
            place.clone(),
            "names no vulnerability: no cve, no ids",
        ));
    }
    let labels = labels(raw);
    let Some(states) = raw.product_status.get() else {
        return Ok(());
    };
    let tracking = document.tracking.get();
    let digest = digest.to_string();
    for (state, status) in STATES {
        let place = place.member("product_status").member(state);
        let mut by_label: BTreeMap<Option<&str>, Vec<VexProduct>> = BTreeMap::new();
        for (index, id) in states.of(state).as_slice().iter().enumerate() {
            let id = id.get().unwrap_or_default();
            let Some(product) = products.resolve(id) else {
                out.notes
                    .push(format!("{}: unknown product {id}", place.element(index)).into());
                continue;
            };
            let label = labels
                .get(id)
                .copied()
                .filter(|_| status == VexStatus::NotAffected);
            by_label.entry(label).or_default().push(product);
        }
        for (label, mut products) in by_label {
            products.sort_by(|a, b| {
                let part = |product: &VexProduct| {
                    product.subcomponents.first().map(|part| part.purl.clone())
                };
                (&a.purl, &a.name, part(a)).cmp(&(&b.purl, &b.name, part(b)))
            });
            products.dedup();
            out.statements.push(StatementRecord {
                document: tracking
                    .and_then(|all| all.id.get())
                    .unwrap_or(&digest)
                    .into(),
                revision: tracking
                    .and_then(|all| all.version.get())
                    .unwrap_or_default()
                    .into(),
                place: match label {
                    Some(label) => format!("{place}|{label}").into(),
                    None => place.as_str().into(),
                },
                author: document
                    .publisher
                    .get()
                    .and_then(|publisher| publisher.name.get())
                    .unwrap_or_default()
                    .into(),
                time: tracking
                    .and_then(|tracking| tracking.current_release_date.get())
                    .and_then(read_time),
                vulnerabilities: names.clone(),
                status,
                justification: label.map(Into::into),
                products,
            });
        }
    }
    Ok(())
}

/// The CVE and those ids of other systems that advisories use as ids. Ticket numbers are not.
fn names(raw: &RawVulnerability<'_>) -> Vec<Box<str>> {
    let is_id = |text: &&str| {
        text.contains('-') && text.starts_with(|first: char| first.is_ascii_alphabetic())
    };
    let ids = raw
        .ids
        .as_slice()
        .iter()
        .filter_map(|id| id.get()?.text.get())
        .filter(is_id);
    let mut names: Vec<Box<str>> = raw
        .cve
        .get()
        .into_iter()
        .chain(ids)
        .map(Into::into)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Justification of each product, from the flags that name it.
fn labels<'r>(raw: &'r RawVulnerability<'_>) -> BTreeMap<&'r str, &'r str> {
    let mut labels = BTreeMap::new();
    for flag in raw.flags.as_slice().iter().filter_map(Object::get) {
        let Some(label) = flag.label.get() else {
            continue;
        };
        for id in flag.product_ids.as_slice().iter().filter_map(Text::get) {
            labels.entry(id).or_insert(label);
        }
    }
    labels
}
