//! `stella.vex-statement/v1`: one VEX statement, whatever document it came from (FORMATS.md, 7.2).

use stella_verify::json::{ArrayWriter, ObjectWriter, write_string};
use stella_verify::time::{format_time, parse_time};
use stella_verify::units::UnixMillis;

use crate::inputs::json::{self, DocumentError, List, Object, Text};
use crate::matching::package_key;
use crate::model::{
    JsonPointer, RowKey, Table, VexJustification, VexProduct, VexStatement, VexStatus,
    VexSubcomponent, unpackaged,
};
use crate::purl::Purl;

/// `schema` of every statement record.
pub const SCHEMA: &str = "stella.vex-statement/v1";

/// A statement and the names of its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRecord {
    /// Id of the document; its digest where it has none.
    pub document: Box<str>,
    /// Revision of the document; may be empty.
    pub revision: Box<str>,
    /// Where the statement stands in the document, made unique where one place gives several.
    pub place: Box<str>,
    /// Who makes it; may be empty.
    pub author: Box<str>,
    /// When it was made or last changed.
    pub time: Option<UnixMillis>,
    /// Ids of the vulnerability, sorted, at least one.
    pub vulnerabilities: Vec<Box<str>>,
    /// The status.
    pub status: VexStatus,
    /// Why, for `not_affected`.
    pub justification: Option<Box<str>>,
    /// What it is about, sorted.
    pub products: Vec<VexProduct>,
}

impl StatementRecord {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let mut object = ObjectWriter::new(&mut out);
        object.text("author", &self.author);
        object.text("document", &self.document);
        object.optional_text("justification", self.justification.as_deref());
        object.text("place", &self.place);
        let mut products = ArrayWriter::new(object.member("products"));
        for product in &self.products {
            write_product(products.item(), product);
        }
        products.end();
        object.text("revision", &self.revision);
        object.text("schema", SCHEMA);
        object.text("status", self.status.name());
        // A time after the year 9999 has no spelling and is no time anybody meant.
        let time = self.time.and_then(|time| format_time(time).ok());
        object.optional_text("time", time.as_deref());
        let mut names = ArrayWriter::new(object.member("vulnerabilities"));
        for name in &self.vulnerabilities {
            write_string(names.item(), name);
        }
        names.end();
        object.end();
        out
    }

    /// Reads what [`to_bytes`](Self::to_bytes) writes.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let raw: RawStatement<'_> = json::parse(bytes)?;
        let place = |name| JsonPointer::root().member(name);
        let wrong = |name, reason: &str| DocumentError::content(place(name), reason);
        if raw.schema.get() != Some(SCHEMA) {
            return Err(wrong("schema", "not stella.vex-statement/v1"));
        }
        let status = raw.status.get().and_then(VexStatus::from_name);
        let time = raw.time.get().map(parse_time).transpose();
        let record = Self {
            document: raw.document.into_text().into(),
            revision: raw.revision.into_text().into(),
            place: raw.place.into_text().into(),
            author: raw.author.into_text().into(),
            time: time.map_err(|_| wrong("time", "not YYYY-MM-DDTHH:MM:SS.sssZ"))?,
            vulnerabilities: raw
                .vulnerabilities
                .into_vec()
                .into_iter()
                .map(text)
                .collect(),
            status: status.ok_or_else(|| wrong("status", "not a status"))?,
            justification: raw.justification.get().map(Into::into),
            products: raw
                .products
                .as_slice()
                .iter()
                .map(read_product)
                .collect::<Option<_>>()
                .ok_or_else(|| wrong("products", "a product has a name or a valid purl"))?,
        };
        if record.to_bytes() == bytes {
            Ok(record)
        } else {
            Err(DocumentError::content(
                JsonPointer::root(),
                "not the canonical form",
            ))
        }
    }

    /// The rows it stands under, sorted: one per package that it is about, or one without package.
    #[must_use]
    pub fn rows(&self) -> Vec<RowKey> {
        let id = format!("{}|{}|{}", self.document, self.revision, self.place);
        let mut rows: Vec<RowKey> = packages_of(&self.products)
            .map(|purl| {
                let (ecosystem, package) = package_key(purl);
                RowKey {
                    table: Table::Vex,
                    ecosystem: ecosystem.into_owned().into(),
                    package: package.into(),
                    source: self.author.to_string().into(),
                    id: id.clone().into(),
                }
            })
            .collect();
        rows.sort_unstable();
        rows.dedup();
        if rows.is_empty() {
            rows.push(unpackaged(Table::Vex, &self.author, &id));
        }
        rows
    }

    /// The statement as the engine uses it.
    #[must_use]
    pub fn into_statement(self) -> Option<VexStatement> {
        let row = self.rows().into_iter().next()?;
        Some(VexStatement {
            author: self.author,
            time: self.time,
            revision: self.revision,
            vulnerabilities: self.vulnerabilities,
            status: self.status,
            justification: self.justification.map(VexJustification),
            products: self.products,
            row,
        })
    }
}

/// The packages that a statement is about: parts of products where it names some, else products.
pub fn packages_of(products: &[VexProduct]) -> impl Iterator<Item = &Purl> {
    products.iter().flat_map(|product| {
        let parts = product.subcomponents.iter().map(|part| &part.purl);
        let whole = product
            .purl
            .iter()
            .filter(|_| product.subcomponents.is_empty());
        parts.chain(whole)
    })
}

fn write_product(out: &mut Vec<u8>, product: &VexProduct) {
    let mut object = ObjectWriter::new(out);
    object.optional_text("name", Some(&*product.name).filter(|name| !name.is_empty()));
    object.optional_text("purl", product.purl.as_ref().map(Purl::as_str));
    let mut parts = ArrayWriter::new(object.member("subcomponents"));
    for part in &product.subcomponents {
        write_string(parts.item(), part.purl.as_str());
    }
    parts.end();
    object.end();
}

fn read_product(raw: &Object<RawProduct<'_>>) -> Option<VexProduct> {
    let raw = raw.get()?;
    let parts = raw.subcomponents.as_slice().iter();
    let product = VexProduct {
        purl: raw.purl.get().map(str::parse).transpose().ok()?,
        name: raw.name.get().unwrap_or_default().into(),
        subcomponents: parts
            .map(|text| {
                Some(VexSubcomponent {
                    purl: text.get()?.parse().ok()?,
                })
            })
            .collect::<Option<_>>()?,
    };
    (product.purl.is_some() || !product.name.is_empty()).then_some(product)
}

fn text(text: Text<'_>) -> Box<str> {
    text.into_text().into()
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct RawStatement<'a> {
    #[serde(borrow)]
    author: Text<'a>,
    document: Text<'a>,
    justification: Text<'a>,
    place: Text<'a>,
    products: List<Object<RawProduct<'a>>>,
    revision: Text<'a>,
    schema: Text<'a>,
    status: Text<'a>,
    time: Text<'a>,
    vulnerabilities: List<Text<'a>>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct RawProduct<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    purl: Text<'a>,
    subcomponents: List<Text<'a>>,
}
