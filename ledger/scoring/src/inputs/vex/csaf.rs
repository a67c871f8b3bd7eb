//! CSAF 2.0, profile VEX (and security advisories, which state the same per product).

use std::collections::BTreeMap;

use serde::Deserialize;
use stella_verify::hash::BlobDigest;

use super::VexDocument;
use super::record::StatementRecord;
use crate::inputs::json::{self, DocumentError, List, Object, Text};
use crate::inputs::time::read_time;
use crate::model::{JsonPointer, VexProduct, VexStatus, VexSubcomponent};
use crate::purl::Purl;

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

/// How deep products may be made of products.
const MAX_PRODUCT_DEPTH: usize = 8;

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

/// The product tree, flattened.
struct Products<'r> {
    products: BTreeMap<&'r str, (Option<Purl>, &'r str)>,
    /// Product id to (part, whole).
    relationships: BTreeMap<&'r str, (&'r str, &'r str)>,
}

impl<'r> Products<'r> {
    fn read(raw: &'r RawCsaf<'_>) -> Self {
        let mut out = Self {
            products: BTreeMap::new(),
            relationships: BTreeMap::new(),
        };
        let Some(tree) = raw.product_tree.get() else {
            return out;
        };
        for product in tree
            .full_product_names
            .as_slice()
            .iter()
            .filter_map(Object::get)
        {
            out.add(product);
        }
        out.branches(&tree.branches);
        for relationship in tree.relationships.as_slice().iter().filter_map(Object::get) {
            let full = relationship.full_product_name.get();
            let (Some(full), Some(part), Some(whole)) = (
                full.and_then(|full| full.product_id.get()),
                relationship.product_reference.get(),
                relationship.relates_to_product_reference.get(),
            ) else {
                continue;
            };
            out.relationships.insert(full, (part, whole));
        }
        out
    }

    /// Recursion is bounded by the JSON parser's depth.
    fn branches(&mut self, branches: &'r List<Object<RawBranch<'_>>>) {
        for branch in branches.as_slice().iter().filter_map(Object::get) {
            if let Some(product) = branch.product.get() {
                self.add(product);
            }
            self.branches(&branch.branches);
        }
    }

    fn add(&mut self, raw: &'r RawProduct<'_>) {
        let Some(id) = raw.product_id.get() else {
            return;
        };
        let helper = raw.product_identification_helper.get();
        let purl = helper
            .and_then(|helper| helper.purl.get())
            .and_then(|text| text.parse().ok());
        let cpe = helper.and_then(|helper| helper.cpe.get());
        self.products
            .insert(id, (purl, cpe.or(raw.name.get()).unwrap_or(id)));
    }

    /// What a product id stands for: a product, or a part within a product.
    fn resolve(&self, id: &str) -> Option<VexProduct> {
        if let Some((part, whole)) = self.relationships.get(id) {
            let part = self.innermost(part);
            let mut product = self.resolve_within(whole, 0)?;
            if let Some((Some(purl), _)) = self.products.get(part) {
                product.subcomponents = vec![VexSubcomponent { purl: purl.clone() }];
            } else {
                // A part that has no purl cannot be told from the whole, which the statement is
                // not about: name the pair, so that it matches nothing.
                product = VexProduct {
                    purl: None,
                    name: id.into(),
                    subcomponents: Vec::new(),
                };
            }
            return Some(product);
        }
        self.resolve_within(id, 0)
    }

    /// The whole that a part belongs to; where the whole is itself a part of something, the
    /// outermost product.
    fn resolve_within(&self, id: &str, depth: usize) -> Option<VexProduct> {
        if let Some((_, whole)) = self
            .relationships
            .get(id)
            .filter(|_| depth < MAX_PRODUCT_DEPTH)
        {
            return self.resolve_within(whole, depth + 1);
        }
        let (purl, name) = self.products.get(id)?;
        let name = if purl.is_some() { "" } else { name };
        Some(VexProduct {
            purl: purl.clone(),
            name: name.into(),
            subcomponents: Vec::new(),
        })
    }

    /// The part of a part.
    fn innermost<'i>(&'i self, id: &'i str) -> &'i str {
        let mut id = id;
        for _ in 0..MAX_PRODUCT_DEPTH {
            match self.relationships.get(id) {
                Some((part, _)) => id = part,
                None => break,
            }
        }
        id
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawCsaf<'a> {
    #[serde(borrow)]
    document: Object<RawDocument<'a>>,
    product_tree: Object<RawTree<'a>>,
    vulnerabilities: List<Object<RawVulnerability<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawDocument<'a> {
    #[serde(borrow)]
    csaf_version: Text<'a>,
    publisher: Object<RawPublisher<'a>>,
    tracking: Object<RawTracking<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawPublisher<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawTracking<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    version: Text<'a>,
    current_release_date: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawTree<'a> {
    #[serde(borrow)]
    branches: List<Object<RawBranch<'a>>>,
    full_product_names: List<Object<RawProduct<'a>>>,
    relationships: List<Object<RawRelationship<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawBranch<'a> {
    #[serde(borrow)]
    branches: List<Object<RawBranch<'a>>>,
    product: Object<RawProduct<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawProduct<'a> {
    #[serde(borrow)]
    product_id: Text<'a>,
    name: Text<'a>,
    product_identification_helper: Object<RawHelper<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawHelper<'a> {
    #[serde(borrow)]
    purl: Text<'a>,
    cpe: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawRelationship<'a> {
    #[serde(borrow)]
    full_product_name: Object<RawProduct<'a>>,
    product_reference: Text<'a>,
    relates_to_product_reference: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawVulnerability<'a> {
    #[serde(borrow)]
    cve: Text<'a>,
    ids: List<Object<RawId<'a>>>,
    flags: List<Object<RawFlag<'a>>>,
    product_status: Object<RawStates<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawId<'a> {
    #[serde(borrow)]
    text: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawFlag<'a> {
    #[serde(borrow)]
    label: Text<'a>,
    product_ids: List<Text<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawStates<'a> {
    #[serde(borrow)]
    first_affected: List<Text<'a>>,
    first_fixed: List<Text<'a>>,
    fixed: List<Text<'a>>,
    known_affected: List<Text<'a>>,
    known_not_affected: List<Text<'a>>,
    last_affected: List<Text<'a>>,
    under_investigation: List<Text<'a>>,
}

impl<'a> RawStates<'a> {
    fn of(&self, state: &str) -> &List<Text<'a>> {
        match state {
            "first_affected" => &self.first_affected,
            "first_fixed" => &self.first_fixed,
            "fixed" => &self.fixed,
            "known_affected" => &self.known_affected,
            "known_not_affected" => &self.known_not_affected,
            "last_affected" => &self.last_affected,
            _ => &self.under_investigation,
        }
    }
}
